"""Checks of captions: one caption (`caption`), a whole collection (`corpus`)."""
