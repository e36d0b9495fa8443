"""What all stages share: errors, files, images, parameters, seeds, and how a stage runs."""
