"""Looking at a corpus and dividing it: statistics, inspection, splits, weights, duplicates, human ratings."""
