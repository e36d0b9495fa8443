"""The report's siamese net for MNIST."""
