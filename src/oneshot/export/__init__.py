"""The trained nets as files that need none of this code: uint8 images in, representations out."""
