"""The HTML page: the report's results and this run's side by side, and one-shot learning to try."""
