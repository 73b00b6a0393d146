"""Profiles for clips: by an audio language model, regression heads, existing labels or acoustic measures."""
