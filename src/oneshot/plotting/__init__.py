"""PNG pictures of the tables in plots/."""
