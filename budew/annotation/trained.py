"""What lies beside heads that were trained by us, `heads.json`: the encoder they were made for, and how good
they are. Published heads have no such file.
"""

import re
from pathlib import Path
from typing import Any

from budew.annotation.head_layouts import HeadError
from budew.corpora.sidecar import read_json
from budew.model.encoder import identity

NOTES = "heads.json"
_HASH = re.compile(r"[0-9a-f]{16}")


def notes_on(heads: str | Path) -> dict[str, Any] | None:
    """Return the notes beside heads, a folder or a file of it; None where there are none.

    Raises:
        CorpusError: they are no JSON.
    """
    place = Path(heads).expanduser()
    notes = (place if place.is_dir() else place.parent) / NOTES
    return read_json(notes) if notes.is_file() else None


def encoder_of(heads: str | Path, *, otherwise: str) -> str | None:
    """Return the encoder that heads were made for, None for the one in this package.

    Args:
        heads: a folder or a file of it.
        otherwise: the encoder of heads without notes.
    """
    notes = notes_on(heads)
    if notes is None:
        return otherwise
    encoder = notes.get("encoder")
    return encoder if isinstance(encoder, str) else None


def check_encoder(heads: str | Path, encoder: str | Path | None) -> None:
    """Raise unless heads were made for this encoder, as far as that is noted: another of its size would work.

    Raises:
        HeadError: they were made for another.
    """
    notes = notes_on(heads)
    made_for = str(notes.get("encoder_weights", "")) if notes else ""
    given = identity(encoder)
    if _HASH.fullmatch(made_for) and _HASH.fullmatch(given) and made_for != given:
        name = (notes or {}).get("encoder") or "the encoder of this package"
        raise HeadError(
            f"{heads}: these heads were trained on {name}, not on {encoder or 'that of this package'}"
        )
