"""Atomic writing of files and folders, locks, strict JSON, YAML settings, packaged data and URLs."""
