"""Inspecting and splitting a corpus: statistics, inspection, splits, weights, duplicates, human ratings."""
