"""The report page: what it shows, computed from results, and how it shows it."""
