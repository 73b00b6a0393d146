"""Metrics of a paraphrased corpus: candidate counts, diversity, fidelity, examples, overused phrases."""

from budew.paraphrase.metrics.report import ParaphraseReport, paraphrase_report

__all__ = ["ParaphraseReport", "paraphrase_report"]
