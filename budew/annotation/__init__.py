"""Profiles for bare clips: by an audio language model, by regression heads, by acoustic measurement."""
