"""How a caption was read, shown: each phrase in its place, what it means, and the emotions as bars.

In the terminal (`print_explanation`) and as one HTML file that loads nothing (`explanation_html`); likewise
what `render` makes of a profile in every sentence frame (`print_all_frames`). The role of a mark never hangs
on colour alone: it is struck through, underlined or, where there is no colour, in brackets. What a corpus
holds is shown as a page too: `corpus_page`.
"""

from budew.reports.explanation_console import print_all_frames, print_explanation
from budew.reports.explanation_page import explanation_html, write_explanation
from budew.reports.marks import Mark, marks_of
from budew.terminal import visible

__all__ = [
    "Mark",
    "explanation_html",
    "marks_of",
    "print_all_frames",
    "print_explanation",
    "visible",
    "write_explanation",
]
