"""One-shot learning on CIFAR-10 and MNIST: arrays in, arrays out."""
