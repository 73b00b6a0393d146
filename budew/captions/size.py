"""How much the caption language can say and read: the published figures of the package."""

from collections.abc import Mapping
from dataclasses import dataclass

from budew.captions.lexicon import load_lexicon


@dataclass(frozen=True, slots=True)
class LanguageSize:
    """Figures of a lexicon.

    Attributes:
        language: its code.
        frames: sentence frames.
        sentences: ways to build a sentence from them, all places filled, words in the places not counted.
        said: for each emotion, the different phrases that say it, over its levels, as noun and as adjective.
        read: for each emotion, the different words and phrases that are read as it.
        phrases: all phrases that are read.
    """

    language: str
    frames: int
    sentences: int
    said: Mapping[str, int]
    read: Mapping[str, int]
    phrases: int


def language_size(language: str = "en") -> LanguageSize:
    """Return the figures of a lexicon.

    Raises:
        LexiconError: there is no lexicon of this language.
    """
    lexicon = load_lexicon(language)
    said: dict[str, set[str]] = {name: set() for name in lexicon.emotions}
    for book in lexicon.book.values():
        for (name, _), words in book.items():
            said[name].update(words.before, words.after, words.bare)
    read = dict.fromkeys(lexicon.emotions, 0)
    phrases = 0
    for entry in lexicon.phrases.meanings():
        phrases += 1
        if entry.name in read:
            read[entry.name] += 1
    return LanguageSize(
        language=lexicon.language,
        frames=len(lexicon.frames),
        sentences=sum(frame.ways for frame in lexicon.frames.values()),
        said={name: len(forms) for name, forms in said.items()},
        read=read,
        phrases=phrases,
    )
