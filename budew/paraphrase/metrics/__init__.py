"""What rewriting made of a corpus: fates of candidates, diversity, fidelity, examples, over-used phrases."""

from budew.paraphrase.metrics.report import ParaphraseReport, paraphrase_report

__all__ = ["ParaphraseReport", "paraphrase_report"]
