"""How captions begin: their first words, and the pattern of their first places, which synonyms do not hide.

The pattern needs no tagger: the lexicon knows what a caption is about. A phrase for an emotion, a burst, a
trait, a voice attribute or an intensity stands for its kind, words of the closed classes and marks for
themselves, and any other word is "word". "A young woman reveals deep sorrow" and "An old man displays slight
joy" begin alike: a, trait, trait, word, intensity, emotion. So one frame of sentences is told from another,
and what fills its places is not.
"""

from collections.abc import Iterator
from itertools import islice

from budew.captions.entry import Kind
from budew.captions.lexicon import load_lexicon
from budew.captions.lint.rules import load_rules
from budew.captions.tokens import tokenize, words_of

PLACES = 6
"""Places at the beginning of a caption that its pattern takes."""
_ONE_ARTICLE = {"an": "a"}
_CONTENT = (Kind.EMOTION, Kind.BURST, Kind.TRAIT, Kind.ATTRIBUTE, Kind.INTENSITY, Kind.AFTER)


def first_words(text: str, *, language: str = "en") -> tuple[str, ...]:
    """Return the first words of a caption, lower-case, as many as `budew lint` takes: three."""
    return tuple(word.word for word in words_of(text)[: load_rules(language).corpus.opening_words])


def opening_pattern(text: str, *, language: str = "en") -> tuple[str, ...]:
    """Return what stands in the first places of a caption, as the module says; at most `PLACES` of them."""
    return tuple(islice(_places(tokenize(text), language), PLACES))


def _places(tokens: list[str], language: str) -> Iterator[str]:
    function_words = load_rules(language).function_words
    for first, stop, entry in load_lexicon(language).phrases.scan(tokens):
        if entry is not None and entry.kind in _CONTENT:
            yield entry.kind.value
            continue
        for word in tokens[first:stop]:
            closed = word in function_words or not word[0].isalnum()
            yield _ONE_ARTICLE.get(word, word) if closed else "word"
