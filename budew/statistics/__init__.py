"""Correlation, agreement of raters, and bootstrap confidence intervals (`resampling`)."""
