"""Correlation, agreement of raters, and one way to intervals: `resampling`."""
