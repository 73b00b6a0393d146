"""Agreement and lists: the small grammar that joins phrases to sentences without an error."""

from collections.abc import Sequence

from budew.captions.lexicon import Lexicon


def with_article(phrase: str, lexicon: Lexicon) -> str:
    """Put "a" or "an" before a phrase, by the sound of its beginning."""
    folded = phrase.lower()
    if folded.startswith(lexicon.vowel_sounds):
        return f"an {phrase}"
    vowel = folded.startswith(("a", "e", "i", "o", "u")) and not folded.startswith(lexicon.consonant_sounds)
    return f"an {phrase}" if vowel else f"a {phrase}"


def joined(phrases: Sequence[str]) -> str:
    """Join phrases as prose: "this", "this and that", "this, that and more"."""
    if len(phrases) < 2:
        return "".join(phrases)
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}"
