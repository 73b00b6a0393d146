"""Regression heads on an encoder, of voices and of faces: files, training, many of them at once."""
