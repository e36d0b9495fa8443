"""The HTML page: the report's results beside these, and one-shot learning to try by hand."""
