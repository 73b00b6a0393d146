"""The caption language: `render` turns a profile into English, `parse` turns any caption into a profile."""

from budew.captions.content_selection import ContentSelection, expressible
from budew.captions.lexicon import Lexicon, load_lexicon
from budew.captions.parse import Mention, ParsedCaption, parse
from budew.captions.render import frame_names, render

__all__ = [
    "ContentSelection",
    "Lexicon",
    "Mention",
    "ParsedCaption",
    "expressible",
    "frame_names",
    "load_lexicon",
    "parse",
    "render",
]
