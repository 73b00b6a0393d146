"""A corpus in parts and by weight: splits without common speakers, weights for rare emotions."""
