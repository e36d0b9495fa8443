"""What the trainings of all nets share."""
