"""What the bytes on disk mean: CIFAR-10 and MNIST as arrays."""
