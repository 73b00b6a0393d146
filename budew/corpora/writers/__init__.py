"""Corpora in the formats of other tools: each format declares its columns, one writer writes all of them."""

from budew.corpora.writers.writer import FORMATS, write

__all__ = ["FORMATS", "write"]
