from .report import ParaphraseReport as ParaphraseReport
from .report import paraphrase_report as paraphrase_report
