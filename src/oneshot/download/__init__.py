"""Where the data comes from, and the proof that it is the official data."""
