"""The report's dense embedding net for MNIST."""
