"""The caption language: `render` writes a profile in English, `parse` reads that and any other caption."""

from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.parse import Mention, ParsedCaption, parse
from budew.captions.render import expressible, frame_names, render

__all__ = [
    "Lexicon",
    "Mention",
    "ParsedCaption",
    "expressible",
    "frame_names",
    "load_lexicon",
    "parse",
    "render",
]
