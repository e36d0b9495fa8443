"""The trained nets on anybody's images: read them, represent them, classify them, and say how well that works."""
