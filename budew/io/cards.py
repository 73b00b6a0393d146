"""Cards of models and data sets: the `README.md` of a folder, filled in from a template in `model_cards`.

The last line of a data card is the digest of the lines above it: a card that its owner has edited, or written
himself, has another one and is kept.
"""

import hashlib
import warnings
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from budew.errors import BudewWarning
from budew.io.files import whole_file
from budew.io.resources import data_folder
from budew.version import __version__

CARD = "README.md"
_SEAL = "<!-- written by budew, which keeps an edited card; sha256:"


def render_card(template: str, **values: Any) -> str:
    """Return the text of `model_cards/TEMPLATE.md.jinja` with `values`, `duties` and `made_by`."""
    cards = data_folder("model_cards")
    text = (cards / f"{template}.md.jinja").read_text(encoding="utf-8")
    duties = (cards / "duties.md").read_text(encoding="utf-8").strip()
    markdown = Environment(undefined=StrictUndefined, autoescape=False, trim_blocks=True)  # noqa: S701  # no HTML
    made = {"duties": duties, "made_by": f"budew {__version__}"}
    return markdown.from_string(text).render(values | made).strip() + "\n"


def keeps_own_card(folder: Path) -> bool:
    """Return whether a folder has a card of its owner, not as `write_sealed_card` wrote it; warn if so."""
    card = folder / CARD
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else _sealed("")
    if text == _sealed(text.rpartition(_SEAL)[0]):
        return False
    fault = "was not written by budew, or was edited: it is kept; to get a new one, rename it and run again"
    warnings.warn(BudewWarning(f"{card} {fault}"), stacklevel=3)
    return True


def write_sealed_card(card: Path, text: str) -> None:
    """Write a card with its digest, unless it is there already: a finished job may be read-only."""
    if not card.is_file() or card.read_text(encoding="utf-8", errors="replace") != _sealed(text):
        with whole_file(card) as file:
            file.write(_sealed(text))


def _sealed(text: str) -> str:
    return (
        f"{text.strip()}\n\n{_SEAL}{hashlib.sha256(text.strip().encode(errors='replace')).hexdigest()} -->\n"
    )
