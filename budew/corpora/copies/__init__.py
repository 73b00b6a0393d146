"""Recordings that are there more than once: equal samples, and fingerprints for copies that were changed."""
