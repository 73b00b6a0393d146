"""Captions of speech: the emotions, vocal bursts and speaker of a voice, as text and as 40 scores.

Importing the package costs a few milliseconds: each name below loads its package when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from budew.extras import when_imported
from budew.version import __version__

if TYPE_CHECKING:
    from budew.captions import ParsedCaption, parse, render
    from budew.corpora import Clip, read
    from budew.errors import BudewError, InputError
    from budew.inference import Captioner
    from budew.profile import VoiceProfile
    from budew.taxonomy import BURSTS, EMOTIONS

_PACKAGES = {
    "BURSTS": "taxonomy",
    "Captioner": "inference",
    "Clip": "corpora",
    "EMOTIONS": "taxonomy",
    "BudewError": "errors",
    "InputError": "errors",
    "ParsedCaption": "captions",
    "VoiceProfile": "profile",
    "parse": "captions",
    "read": "corpora",
    "render": "captions",
}

__all__ = [
    "BURSTS",
    "EMOTIONS",
    "BudewError",
    "Captioner",
    "Clip",
    "InputError",
    "ParsedCaption",
    "VoiceProfile",
    "__version__",
    "parse",
    "read",
    "render",
]


def _register(pipelines: object) -> None:
    """Make "emotion-captioning" a task of `transformers.pipeline`."""
    from budew.inference.pipeline import register

    register(pipelines)


when_imported("transformers.pipelines", _register)


def __getattr__(name: str) -> object:
    if name not in _PACKAGES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_PACKAGES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
