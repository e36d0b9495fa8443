"""Which images train, validate and test each task."""
