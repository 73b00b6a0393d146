"""Checks of one caption: faults that a caption for training, or one that a model generated, must not have.

Leaked numbers, field names, markup and tokens; addresses; refusals and chat of language models; loops; too
much text for Whisper; slips of grammar; contradictions; a minor joined with sexual content; gender, age and
accent that the profile does not have. About 300 µs a caption of forty words on one core, linear in its
length, for any string. Word lists, limits and severities are in `caption_templates/lint`; `lint_corpus`
judges many captions together.
"""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from budew.captions.lexicon import load_lexicon
from budew.captions.lint.consistency import contradictions
from budew.captions.lint.rules import LintFinding, Rules, load_rules
from budew.captions.parse import mentions, parse
from budew.captions.phrases import UNKNOWN
from budew.captions.tokens import Word, is_within, plain_words, quoted_spans, spans, tokenize, words_of
from budew.captions.vocabulary import with_article
from budew.profile import VoiceProfile

__all__ = ["LintFinding", "estimate_tokens", "lint_caption"]

_NUMBER = re.compile(r"0+(?:[.,:/]0+)*")
_MARKUP = re.compile(r"[{}<>*#`=_|\\\[\]]+")
# What no keyboard types into English: controls, damage, strokes through letters, what is not seen, private
# use and emoji; and letters that only look Latin, within a Latin word.
_BROKEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u0335-\u0338\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u20d0-\u20ff\u2600-\u27bf\u2b00-\u2bff\ud800-\uf8ff\ufe00-\ufe0f\ufeff\ufff9-\ufffd"
    r"\U0001f000-\U0001faff\U000e0000-\U0010ffff]+"
    r"|(?<=[A-Za-z])[\u0370-\u03ff\u0400-\u052f]+|[\u0370-\u03ff\u0400-\u052f](?=[A-Za-z])"
)
_SUSPECT = re.compile(r"[^a-zA-Z \t\r\n.,;'-]")
_HYPHENS = tuple("-'’")
_SENTENCE = re.compile(r"[^.!?;\n]+")
_PIECE = re.compile(r"[^\W\d_]+|[^\s]|\s+(?=\s)")


def lint_caption(text: str, profile: VoiceProfile | None = None) -> tuple[LintFinding, ...]:
    """Return the faults of a caption, in the order of the text; an empty tuple if there are no faults.

    Args:
        text: a caption in English; any string.
        profile: profile that the caption was rendered from, or labels of the voice. The caption may not claim
            a gender, age or accent that the profile lacks; None: this is not checked.

    Raises:
        TypeError: the caption is not a string.

    Example:
        >>> [finding.code for finding in lint_caption("A <|en|> sad, an happy man.")]
        ['special-token', 'article']
    """
    if not isinstance(text, str):
        raise TypeError(f"a caption must be text, not {type(text).__name__}")
    rules = load_rules()
    words = words_of(text)
    if not any(map(str.isalpha, text)):
        found = [LintFinding("empty", "no words", 0, len(text)), *_leaks(text, rules)]
    else:
        found = [
            *_leaks(text, rules),
            *_listed_phrases(text, rules),
            *_too_long(text, rules.caption.most_tokens),
            *_repetitions(text, words, rules),
            *_articles(text, words, rules),
            *_not_english(text, words, rules),
            *contradictions(text, words, profile, rules),
        ]
        if parse(text).is_withheld:
            found.append(LintFinding("withheld", "a minor joined with sexual content", 0, len(text)))
    return tuple(sorted(found, key=lambda finding: (finding.start, finding.end)))


def estimate_tokens(text: str) -> int:
    """Estimate, without loading a tokenizer, how many tokens a caption has for Whisper; rather too many.

    A word of ASCII letters counts one token per four letters (rounded up), any other character one token per
    byte. On 3,479 rendered and hand-written captions the estimate is 1.3 times the count of the multilingual
    tokenizer; it is too low only for 13 short captions, of at most 18 tokens.
    """
    letters = load_rules().caption.letters_a_token
    return sum(
        math.ceil(len(piece) / letters)
        if piece.isascii() and piece.isalpha()
        else len(piece.encode("utf-8", "surrogatepass"))
        for piece in _PIECE.findall(text)
    )


def _leaks(text: str, rules: Rules) -> Iterator[LintFinding]:
    """Find leaked field names, special tokens, markup, damaged characters and addresses, without overlaps."""
    folded = text.lower()
    addressed = any(mark in folded for mark in rules.address_marks)
    if not addressed and not _SUSPECT.search(text):
        return
    if any(map(_is_number, text)):
        yield from _numbers(text)
    left = text
    for code, pattern in (
        *([("address", rules.address)] if addressed else []),
        ("special-token", rules.special_token),
        ("field-name", rules.field_name),
        ("markup", _MARKUP),
        ("broken-text", _BROKEN),
    ):
        found = [match.span() for match in pattern.finditer(left)]
        yield from (LintFinding(code, text[slice(*span)], *span) for span in found)
        if found:
            left = pattern.sub(lambda match: " " * len(match[0]), left)


def _numbers(text: str) -> Iterator[LintFinding]:
    """Find numbers that are not an age ("a 45-year-old woman", "in her 20s")."""
    digits = "".join("0" if _is_number(letter) else letter for letter in text)
    ages = [(mention.start, mention.end) for mention in mentions(text) if mention.name == "age"]
    for match in _NUMBER.finditer(digits):
        if not is_within(ages, match.start()):
            yield LintFinding("number", text[slice(*match.span())], *match.span())


def _is_number(letter: str) -> bool:
    """Return whether a character is a digit, fraction or Roman numeral; not letters for numbers ("一")."""
    return letter.isnumeric() and not letter.isalpha()


def _listed_phrases(text: str, rules: Rules) -> Iterator[LintFinding]:
    """Find numbers in words, and phrases that a language model writes instead of a caption or around it;
    not in quoted speech.
    """
    found = [item for item in rules.phrases.scan(tokenize(text)) if item[2]]
    if not found:
        return
    places = spans(text)
    spoken = quoted_spans(text, load_lexicon().speaking)
    for first, stop, code in found:
        start, end = places[first][0], places[stop - 1][1]
        if not is_within(spoken, start):
            yield LintFinding(code, text[start:end], start, end)


def _too_long(text: str, most: int) -> Iterator[LintFinding]:
    if len(text.encode("utf-8", "surrogatepass")) > most and (tokens := estimate_tokens(text)) > most:
        yield LintFinding("too-long", f"about {tokens} tokens of {most}", 0, len(text))


def _repetitions(text: str, words: Sequence[Word], rules: Rules) -> Iterator[LintFinding]:
    """Find phrases that are repeated in a row, sentences that occur twice, and doubled words."""
    looped = bytearray(len(words))
    for first, stop, length in _loops(words, rules, looped):
        phrase = text[words[first].start : words[first + length - 1].end]
        yield LintFinding("repetition", phrase, words[first].start, words[stop - 1].end)
    if not any(looped):
        yield from _sentences_twice(text, rules)
    yield from _doubled(text, words, rules, looped)


def _loops(words: Sequence[Word], rules: Rules, looped: bytearray) -> Iterator[tuple[int, int, int]]:
    """Yield first word, word after the last and phrase length of each loop; mark its words in `looped`.

    A phrase of k words occurs r times in a row where (r - 1) * k words in a row equal the word k places
    before.
    """
    limits = rules.caption
    plain = [word.word for word in words]
    if len(plain) - len(set(plain)) < limits.repeats - 1:
        return
    for length in range(1, limits.longest_phrase + 1):
        needed = (limits.repeats - 1) * length
        equal = [one == other for one, other in zip(plain, plain[length:], strict=False)]
        if sum(equal) < needed:
            continue
        for start, stop in _runs(equal, needed):
            if not any(looped[start : stop + length]):
                looped[start : stop + length] = b"\1" * (stop + length - start)
                yield start, stop + length, length


def _runs(equal: Sequence[bool], shortest: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of each run of True of at least this length."""
    start = 0
    for index, same in enumerate((*equal, False)):
        if not same:
            if index - start >= shortest:
                yield start, index
            start = index + 1


def _sentences_twice(text: str, rules: Rules) -> Iterator[LintFinding]:
    seen: set[tuple[str, ...]] = set()
    for match in _SENTENCE.finditer(text):
        sentence = tuple(plain_words(match[0]))
        if len(sentence) >= rules.caption.shortest_sentence:
            if sentence in seen:
                yield LintFinding("repetition", match[0].strip(), *match.span())
            seen.add(sentence)


def _doubled(text: str, words: Sequence[Word], rules: Rules, looped: bytearray) -> Iterator[LintFinding]:
    for index in range(1, len(words)):
        one, other = words[index - 1], words[index]
        if one.word != other.word or looped[index] or one.word in rules.may_double:
            continue
        if text[one.end : other.start].isspace():
            yield LintFinding("doubled-word", text[one.start : other.end], one.start, other.end)


def _articles(text: str, words: Sequence[Word], rules: Rules) -> Iterator[LintFinding]:
    """Find "a" before a vowel sound and "an" before a consonant sound. Abbreviations are not checked, because
    they are not pronounced as they are spelled.
    """
    sounds = load_lexicon().varied.sounds
    for article, (word, start, end) in pairwise(words):
        if article.word not in ("a", "an") or not text[article.end : start].isspace():
            continue
        is_hyphenated = text[article.start - 1 : article.start] in _HYPHENS
        is_plain = (
            len(word) > 1 and word[:2].isascii() and word[:2].isalpha() and not text[start:end].isupper()
        )
        if is_plain and not is_hyphenated and not word.startswith(rules.unsettled_sounds):
            right = with_article(word, sounds)
            if right != f"{article.word} {word}":
                yield LintFinding("article", f"{text[article.start : end]}: {right}", article.start, end)


def _not_english(text: str, words: Sequence[Word], rules: Rules) -> Iterator[LintFinding]:
    """Find text that is not in Latin letters, or has too few English function words."""
    limits = rules.caption
    if not text.isascii():
        letters = [letter for letter in text if letter.isalpha()]
        latin = sum(letter < "\u0250" or "\u1e00" <= letter <= "\u1eff" for letter in letters)
        if 1 - latin / len(letters) > limits.foreign_share:
            yield LintFinding("not-english", "letters that are not Latin", 0, len(text))
            return
    if len(words) >= limits.fewest_words:
        wanted = limits.english_share * len(words)
        known = sum(map(rules.function_words.__contains__, (word.word for word in words)))
        if known >= wanted:
            return
        scanned = load_lexicon().phrases.scan(tokenize(text))
        known += sum(stop - first for first, stop, entry in scanned if entry is not UNKNOWN)
        if known < wanted:
            yield LintFinding("not-english", "too few English words", 0, len(text))
