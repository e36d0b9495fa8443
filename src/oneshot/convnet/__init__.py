"""The report's ConvNet for CIFAR-10, with ten classes and with six."""
