"""Split a text into items: phrases with their meanings, punctuation marks, numbers and accents.

Numbers and accents are not in the lexicon. A number is an age ("aged 45", "in her 30s"), or a rating if its
scale is known: from the number ("sadness 80%", "3 out of 4") or the caption ("on a scale of 0 to 4"), else
0–1 for numbers up to 1 ("fear: 0.8", but not "anger: 3"). The words before "accent" name the accent, back to
an article or the beginning of the clause, if they are few and have no other meaning: "a Bavarian accent" is
parsed although the lexicon lacks "Bavarian".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from budew.captions.lexicon import Lexicon
from budew.captions.phrases import COLON, MARK, MARKS, QUOTE, QUOTED, UNKNOWN, Entry, Form, Item, Kind
from budew.captions.tokens import quoted_spans, spans
from budew.errors import InputError
from budew.taxonomy import age_group, trait
from budew.taxonomy.rating_scales import INTENSITY, Scale, nearest_level, to_intensity

_DECADE = 10
_PART_OF_DECADE = {"early": 3, "mid": 5}
"""Year of a decade that "early" or "mid" stands for; without such a word it is the last year."""
_YEARS = ("year old", "years old", "years of", "yr old", "yrs old", "y o", "y /", "yo", "ish", "something")
_AGED = ("aged", "age", "ages")
_AGE = re.compile(r"(\d{1,3})(s|ish|yo|[fm]|)", re.ASCII)
_LETTERS = {"f": "female", "m": "male"}
_SEXES = ("f", "m", "female", "male", "woman", "man", "girl", "boy")
_RATING = re.compile(
    r"(\d*[.,]?\d+)(?: ?(%|per ?cent)|(?: ?/ ?| \D+ )(?:([01])(?: to |[-–]))?(\d+))?", re.ASCII
)
_RANGE = re.compile(r"[01] ?(?:-|–|\.\.+|to) ?\d+", re.ASCII)
_STATED_SCALE = re.compile(
    r"(?:scale|rang\w+|rat(?:ed|ings?)|scor\w+|intensit\w+|levels?|values?|\()\W{0,4}(?:[a-z]+ ){0,3}"
    r"[01] ?(?:-|–|—|to|and|\.\.+) ?\d{1,3}\b|\b[01](?:-|–|—| to )\d{1,3} (?:scale|rating)"
    r"|(?:out of|scale of|max(?:imum)?(?: of)?) \d{1,3}\b",
    re.ASCII | re.IGNORECASE,
)
_LARGER_NUMBER = re.compile(r"[\w:=(|]\"? ?\b(?:[2-9]|[1-9]\d+)(?:\.\d+)?\b(?! ?[%/\w])", re.ASCII)
_MOST_ACCENT_WORDS = 4
_LONGEST_PHRASE = 8
"""Longest phrase, in words, that may begin within an idiom and end after it."""
_LONGEST_NAME = 9  # tokens of "hope and/or enthusiasm and/or optimism"
_IDIOM = Form.IDIOM  # a global name is faster than an attribute
_ARTICLES = frozenset({"a", "an", "the"})

_CAPITALIZED = re.compile(r"\b[A-Z][a-z]+(?: (?:(?:and|of|the|in|for|a) ){0,2}[A-Z][a-z]+)+\b")
_CAPITAL_WITHIN = re.compile(r" (?<=[a-z] )[A-Z]")
_CAPITALIZED_WORD = re.compile(r"\b([a-z]+) ([A-Z][a-z]+)\b(?: ([a-z]{3,}))?")
_NO_NOUN = ("s", "ed", "ing", "ly")
"""Endings of words that are rarely a noun: "Joy spreads" has no name of a thing, "Joy dish soap" has."""
_FIRST_LETTER = re.compile(r"\b[A-Za-z]")
_NOT_BEFORE_NAMES = '.!?:;\n"“(|'
"""Marks after which the first word of a sentence or of a rating is capitalized."""
_NAME = Entry(Kind.INERT, "name")
_FELT = frozenset((Kind.EMOTION, Kind.BURST))
_IN_NAMES = (Kind.UNKNOWN, Kind.CONTENT, Kind.OTHERS)


def items_of(text: str, tokens: Sequence[str], lexicon: Lexicon) -> list[Item]:
    """Return the items of a text: phrases with their meanings, marks, and words without a meaning.

    Args:
        text: the caption.
        tokens: result of `tokenize` for the text.
        lexicon: lexicon of the phrases.
    """
    items: list[Item] = []
    accent = lexicon.accent_word
    idioms = False
    for item in _phrases(tokens, lexicon):
        entry = item[2]
        if entry is UNKNOWN:
            word = tokens[item[0]]
            if word in MARKS:
                entry = MARKS[word]
                if entry is QUOTE:
                    continue
                item = (item[0], item[1], entry)
            elif word[0] in "0123456789.":
                if _RANGE.fullmatch(word):  # "fear (0-4): 3"
                    item = (item[0], item[1], COLON)
                elif meaning := _number(tokens, item[0], text):
                    first = _age_start(tokens, item[0]) if meaning.kind is Kind.TRAIT else item[0]
                    while items and items[-1][0] >= first:
                        items.pop()
                    item = (first, item[1], meaning)
            elif not word[0].isalnum():
                item = (item[0], item[1], MARK)
            elif word == accent:
                item = _with_open_accent(items, text, tokens, item)
        elif entry.form is _IDIOM:
            idioms = True
        items.append(item)
    if idioms:
        scanned = items
        items = []
        for item in scanned:
            if not items or item[0] >= items[-1][1]:
                items += _idiom(item, tokens, lexicon) if item[2].form is _IDIOM else [item]
    if not _CAPITAL_WITHIN.search(text):
        return items
    names = sorted([*_names(text, lexicon), *_names_of_things(text, lexicon)])
    return _without(items, text, names, _NAME) if names else items


def _phrases(tokens: Sequence[str], lexicon: Lexicon) -> list[Item]:
    """Split tokens into names of several words, and into phrases of the lexicon between these."""
    names: list[Item] = []
    beginnings = lexicon.name_beginnings
    for at in () if beginnings.isdisjoint(tokens) else range(len(tokens)):
        if tokens[at] in beginnings and (not names or at >= names[-1][1]):
            _, length, entry = lexicon.compound_names.scan(tokens[at : at + _LONGEST_NAME])[0]
            if entry is not UNKNOWN:
                names.append((at, at + length, entry))
    if not names:
        return lexicon.phrases.scan(tokens)
    items: list[Item] = []
    start = 0
    for name in (*names, (len(tokens), len(tokens), UNKNOWN)):
        between = lexicon.phrases.scan(tokens[start : name[0]])
        items += [(start + first, start + stop, entry) for first, stop, entry in between]
        items.append(name)
        start = name[1]
    return items[:-1]


def _idiom(item: Item, tokens: Sequence[str], lexicon: Lexicon) -> list[Item]:
    """Return an idiom, together with a sound in it ("groans in pain").

    The items of its words are returned instead if the lexicon has all of them ("sheer bliss"), or if a phrase
    in the idiom ends after it ("pleads to some extent").
    """
    first, stop, idiom = item
    words = []
    for start, end, entry in lexicon.words.scan(tokens[first : stop + _LONGEST_PHRASE]):
        if first + start >= stop:
            break
        words.append((first + start, first + end, entry))
    kinds = [entry.kind for _, _, entry in words]
    if words[-1][1] > stop or (Kind.EMOTION in kinds and Kind.UNKNOWN not in kinds):
        return words
    own = max((entry.level for _, _, entry in words if entry.name == idiom.name), default=0.0)
    idiom = replace(idiom, level=max(idiom.level, own))  # "trembles with rage"
    for _, _, entry in words:
        sound = entry if entry.kind is Kind.BURST else entry.second
        if sound is not None and sound.kind is Kind.BURST:
            return [(first, stop, replace(idiom, second=replace(sound, second=None)))]
    return [(first, stop, idiom)]


def _names(text: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """Return the spans of names and titles with an emotion word: "Hope Street", "Pride and Prejudice".

    A name is two or more capitalized words in a row within a sentence, at least one of which is not in the
    lexicon. At the start of a sentence only a first name begins one ("Joy Patterson reads"). Text in title
    case has no names.
    """
    found = []
    for match in _CAPITALIZED.finditer(text):
        words = match[0].split()
        first = 0
        before = text[: match.start()].rstrip(" ")[-1:]
        is_head = not before or before in _NOT_BEFORE_NAMES
        if is_head and not (words[0].lower() in lexicon.names and words[1][0].isupper()):
            first = 1
        scanned = lexicon.phrases.scan([word.lower() for word in words[first:]])
        kinds = [entry.kind for at, _, entry in scanned if words[first + at][0].isupper()]
        if not _FELT.isdisjoint(kinds) and any(kind in kinds for kind in _IN_NAMES):
            found.append((match.start() + len(words[0]) * first, match.end()))
    if found:
        letters = [letter.isupper() for letter in _FIRST_LETTER.findall(text)]
        if 2 * sum(letters) > len(letters):
            return []
    return found


def _names_of_things(text: str, lexicon: Lexicon) -> Iterator[tuple[int, int]]:
    """Yield the spans of names of things: a capitalized emotion word within a sentence, before a noun ("a Joy
    dish soap") or after the noun of a thing that has a name ("the band Disgust").
    """
    for match in _CAPITALIZED_WORD.finditer(text):
        before, name, noun = match.groups()
        if lexicon.words.get(name.lower()).kind is Kind.EMOTION:
            kind = lexicon.words.get(before).kind
            if kind is Kind.CONTENT or (noun and kind is not Kind.INTENSITY and _is_noun(noun, lexicon)):
                yield match.span(2)


def _is_noun(word: str, lexicon: Lexicon) -> bool:
    is_known = word in lexicon.known or lexicon.words.get(word) is not UNKNOWN
    return not is_known and not word.endswith(_NO_NOUN)


def without_quotations(items: list[Item], text: str, lexicon: Lexicon) -> list[Item]:
    """Return the items, in which phrases in quoted speech are replaced by `QUOTED`."""
    quoted = quoted_spans(text, lexicon.speaking)
    return _without(items, text, quoted, QUOTED) if quoted else items


def _without(items: list[Item], text: str, held: Sequence[tuple[int, int]], entry: Entry) -> list[Item]:
    """Return the items, in which those within the spans `held` (in characters) have the meaning `entry`."""
    places = spans(text)
    kept = []
    ends = iter(held)
    start, end = next(ends)
    for item in items:
        while start >= 0 and places[item[0]][0] >= end:
            start, end = next(ends, (-1, -1))
        is_compound = item[2].form is Form.NAME and item[1] > item[0] + 1  # "Sexual Lust Score"
        inside = start >= 0 and places[item[1] - 1][1] > start and not (is_compound and entry is _NAME)
        kept.append((item[0], item[1], entry) if inside else item)
    return kept


def _number(tokens: Sequence[str], index: int, text: str) -> Entry | None:
    """Return the meaning of the number at `index` of the tokens; None if it is neither rating nor age."""
    word = tokens[index]
    years = _years(tokens, index)
    name = None if years is None else age_group(years)
    if name:
        age = Entry(Kind.TRAIT, "age", value=name, phrase=word)
        gender = _LETTERS.get(word[-1])
        return Entry(Kind.TRAIT, "gender", value=gender, phrase=word, second=age) if gender else age
    share = _share(tokens, index, text)
    return None if share is None else Entry(Kind.RATING, word, nearest_level(share), phrase=word)


def _age_start(tokens: Sequence[str], index: int) -> int:
    """Return the index of "aged" before a number ("aged 25", "aged about 25"), else of the number."""
    return next((at for at in (index - 1, index - 2) if at >= 0 and tokens[at] in _AGED), index)


def _share(tokens: Sequence[str], index: int, text: str) -> float | None:
    """Return a rating ("80%", "8/10", "0.8") as a share of its scale; None without one, as in "1. fear"."""
    rating = _RATING.fullmatch(tokens[index])
    if rating is None:
        return None
    number, percent, low, high = rating.groups()
    scale: Scale | None = Scale("", float(low or 0), float(high or 100))
    if not percent and not high:
        before, after = "\n" if not index else tokens[index - 1], "".join(tokens[index + 1 : index + 2])
        scale = None if before == "\n" and number.isdigit() else _scale_of_numbers(text)
        if number == "1" and scale is INTENSITY:
            is_rating = MARKS.get(before) is COLON or not after[:1].isalnum()
            scale = INTENSITY if is_rating and not _LARGER_NUMBER.search(text) else None
    value = float(number.replace(",", "."))
    return to_intensity(value, scale) if scale and scale.low <= value <= scale.high > scale.low else None


@lru_cache(maxsize=1)
def _scale_of_numbers(text: str) -> Scale:
    """Return the scale that a text states ("on a scale of 0 to 4", "scores out of 10"), else 0–1."""
    if (stated := _STATED_SCALE.search(text)) is None:
        return INTENSITY
    *low, high = map(float, re.findall(r"\d+", stated[0]))
    return Scale("", low[-1] if low else 0.0, high)


def _years(tokens: Sequence[str], index: int) -> int | None:
    """Return the years of an age: "in her late 30s", "40ish", or a number beside words like "years old"."""
    word = tokens[index]
    number = _AGE.fullmatch(word)
    if number is None:
        return None
    years, ending = int(number[1]), number[2]
    is_decade = years >= _DECADE and years % _DECADE == 0
    after = " ".join(tokens[index + 1 : index + 3])
    if ending == "s":  # not "the 80s"
        is_decade = is_decade and (not index or tokens[index - 1] != "the")
        return (
            years + _PART_OF_DECADE.get(tokens[index - 1] if index else "", _DECADE - 1)
            if is_decade
            else None
        )
    if ending == "ish" or after.startswith(("ish", "something")):
        return years + _DECADE // 2 if is_decade and years > _DECADE else years
    if ending in _LETTERS:  # "28F, calm"
        beside = (*tokens[max(0, index - 1) : index], *tokens[index + 1 : index + 2])
        return None if any(token[0].isalnum() for token in beside) else years
    return years if ending or _is_age(tokens, index, after) else None


def _is_age(tokens: Sequence[str], index: int, after: str) -> bool:
    """Return whether a plain number is an age: "45 years old", "aged 45", "(f, 45)"."""
    if _age_start(tokens, index) < index or after.startswith(_YEARS):
        return True
    mark = index > 1 and tokens[index - 1] in (",", "/", "(")
    sex = index and tokens[index - 2 if mark else index - 1] in _SEXES
    return bool(sex) and len(tokens[index]) > 1 and not after[:1].isalnum()


def _with_open_accent(items: list[Item], text: str, tokens: Sequence[str], accent: Item) -> Item:
    """Join the word "accent" with the last of `items` if these name an accent; remove these from `items`."""
    words = _words_before(items, tokens)
    if not words:
        return accent
    first = items[-words][0]
    places = spans(text)
    try:
        value = str(trait("accent", text[places[first][0] : places[items[-1][1] - 1][1]])[1])
    except InputError:
        return accent
    del items[-words:]
    return (first, accent[1], Entry(Kind.TRAIT, "accent", value=value, phrase=f"{value} accent"))


def _words_before(items: list[Item], tokens: Sequence[str]) -> int:
    """Return how many of the last items are words that may name an accent; 0 if they cannot."""
    count = 0
    for _, stop, entry in reversed(items[-_MOST_ACCENT_WORDS - 1 :]):
        word = tokens[stop - 1]
        if word in _ARTICLES or not word[0].isalnum():
            return count
        if entry.kind not in (Kind.UNKNOWN, Kind.ORIGIN):
            return 0
        count += 1
    return count if count == len(items) else 0
