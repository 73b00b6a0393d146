"""Gender and age of the speaker: whom the people and pronouns of a caption mean.

Captions name other people, too: "talks to a boy", "her husband". A person that another one speaks to, that a
possessive names, or that a verb takes as its object gives the speaker nothing. Where no word for the speaker
gives a gender, pronouns do: the first subject ("he sounds tired"), else the first possessive ("her voice").
Captions without pronouns cost nothing more, others one scan.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from budew.captions.phrases import PERSONAL, QUOTED, UNKNOWN, Form, Item, Kind, spelled_out

_ADJECTIVES = 5
"""Phrases between an article and its person: "a deeply sad old woman"."""
_NEAR = 3
"""Words before a preposition that decide what it means: "listening to"."""
_CLAUSE = 12
"""Phrases before a verb among which its subject stands, and words around a person that tell who speaks."""
_PARTICIPLE = ("ing", "ed")
"""Endings of verbs that without an article are adjectives: "a teasing old man"."""
_ENDING = (Kind.STOP, Kind.COMMA, Kind.CONJUNCTION, Kind.SUBJECT, Kind.BREAKING, Kind.UNREAL, Kind.CONDITION)


@dataclass(frozen=True, slots=True)
class PeopleWords:
    """Word lists that decide whom a person or pronoun means; section `speaker` of the lexicon."""

    subjects: Mapping[str, str]  # gender of "she", "he"
    possessives: Mapping[str, str]  # gender of "her", "his"
    object_pronouns: Mapping[str, str]  # gender of "her", "him"
    pronouns: frozenset[str]  # all of them
    objects: frozenset[str]  # words after "her" that show that it is an object
    articles: frozenset[str]
    owners: frozenset[str]  # words for whom a person belongs to: "her" husband
    not_owners: frozenset[str]  # words before "s" that make it a verb: "he's"
    others: frozenset[str]  # prepositions and verbs before somebody else
    unless: Mapping[
        str, frozenset[str]
    ]  # words before a preposition that lead to the speaker: "listening" to
    only: Mapping[str, frozenset[str]]  # words without which one does: "argues" with
    nouns: frozenset[str]  # words for the speaker without a gender
    adjectives: frozenset[str]  # phrases for a gender or age that may stand before "voice"
    people: frozenset[str]  # people without a gender
    of_gender: Mapping[str, str]  # gender of "son", "wife"
    marked: frozenset[str]  # letters that are a gender only between marks: "f, 30s"
    speakers: frozenset[str]  # words for the speaker without a gender, and subjects
    definite: frozenset[str]  # articles of somebody known
    listeners: frozenset[str]  # possessives of the listener: "your" man
    fronted: frozenset[str]  # prepositions that at the head of a sentence lead to the speaker: "for" this man
    described: Mapping[
        str, frozenset[str]
    ]  # words before a preposition in the sentence of a listener: "you" sense worry "about"
    voiced: frozenset[str]  # what a speaker has: the woman's "voice"


def people_words(table: Mapping[str, Any]) -> PeopleWords:
    """Return the word lists of a lexicon."""
    rows = table["speaker"]
    subjects, possessives, object_pronouns = (
        {word: gender for gender, words in rows[key].items() for word in words}
        for key in ("subject", "possessive", "object")
    )
    lists = {
        key: _words(rows[key])
        for key in (
            "objects", "articles", "owners", "not_owners", "others", "nouns", "adjectives", "people",
            "marked", "definite", "listeners", "fronted", "voiced",
        )
    }  # fmt: skip
    return PeopleWords(
        subjects=subjects,
        possessives=possessives,
        object_pronouns=object_pronouns,
        of_gender={
            word: gender
            for gender, row in (
                *table["gender"].items(),
                *((of["gender"], of) for of in table["people_of_age"]),
            )
            for word in _words((*row.get("also", ()), *row.get("words", ())))
        },
        pronouns=frozenset((*subjects, *possessives, *object_pronouns)),
        unless={word: _words(before) for word, before in rows["unless"].items()},
        only={word: _words(before) for word, before in rows["only"].items()},
        described={word: _words(before) for word, before in rows["described"].items()},
        speakers=frozenset((*subjects, *rows["nouns"])),
        **lists,
    )


def _words(patterns: Sequence[str]) -> frozenset[str]:
    return frozenset(word for pattern in patterns for word in spelled_out(pattern))


class SpeakerTraits(NamedTuple):
    """What a caption says of the speaker.

    Attributes:
        traits: gender and age, where they are known.
        others: items that name somebody else.
        pronoun: token that gives the gender, where no item does.
    """

    traits: dict[str, str]
    others: Set[int]
    pronoun: int | None


def find_speaker(
    tokens: Sequence[str], items: Sequence[Item], named: Sequence[int], words: PeopleWords
) -> SpeakerTraits:
    """Return gender and age of the speaker.

    Args:
        tokens: of the caption.
        items: its phrases.
        named: items that name a gender or an age and are not denied.
        words: lists of the lexicon.
    """
    traits: dict[str, str] = {}
    implied: dict[str, str] = {}
    others = set()
    other = False
    before = -2
    for index in named:
        entry = items[index][2]
        if index - 1 != before or entry.phrase in words.marked:  # else of the same person: "old woman"
            other = _is_other(tokens, items, index, words)
        before = index
        if other:
            others.add(index)
            continue
        traits.setdefault(entry.name, entry.value)
        if entry.second is not None:
            implied.setdefault(entry.second.name, entry.second.value)
    for key, value in implied.items():  # "a middle-aged grandmother"
        traits.setdefault(key, value)
    pronoun = None
    if "gender" not in traits and not words.pronouns.isdisjoint(tokens):
        pronoun = _pronoun(tokens, items, words)
        if pronoun is not None:
            word = tokens[pronoun]
            of_word = (words.subjects, words.possessives, words.object_pronouns)
            traits["gender"] = next(genders[word] for genders in of_word if word in genders)
    if others and "gender" not in traits:
        described = _described(tokens, items, others, words)
        others.difference_update(described)
        traits = {items[index][2].name: items[index][2].value for index in reversed(described)} | traits
    return SpeakerTraits(traits, others, pronoun)


def _is_other(tokens: Sequence[str], items: Sequence[Item], index: int, words: PeopleWords) -> bool:
    """Return whether a gender or an age is not that of the speaker."""
    first, stop, entry = items[index]
    if entry.phrase in words.marked:
        of_age = index > 0 and items[index - 1][2].name == "age"  # "young f"
        return _is_between_words(tokens, 0 if of_age else first, stop)
    for at in range(index - 1, max(-1, index - 1 - _ADJECTIVES), -1):
        place = items[at][1] - 1
        word = tokens[place]
        if word in words.articles:
            return at > 0 and _takes_object(tokens, items, at - 1, words)
        if word in words.owners and not (word == "s" and tokens[place - 1] in words.not_owners):
            speaks = place > 0 and tokens[place - 1] in ("in", "like")  # "in her teens", "like my mom"
            return not speaks and _is_person(tokens, items, index, words)
        if not word.endswith(_PARTICIPLE) and _leads_to_other(tokens, place, words):
            return True
        if items[at][2].kind in _ENDING or not word[0].isalnum():
            return False
    return False


def _described(
    tokens: Sequence[str], items: Sequence[Item], others: Set[int], words: PeopleWords
) -> list[int]:
    """Return those of the items taken for somebody else that name the speaker after all, where nothing else
    does: the first person that `_is_described`, with the age.
    """
    first = -1
    for index in sorted(others):
        first = first if index - 1 in others else index  # "this old man"
        if items[index][2].name == "gender" and _is_described(tokens, items, first, index, words):
            return list(range(first, index + 1))
    return []


def _is_described(
    tokens: Sequence[str], items: Sequence[Item], first: int, last: int, words: PeopleWords
) -> bool:
    """Return whether a sentence is about what a listener makes of a person ("you sense some worry about the
    man", "for this man the tone is flat", "your man"), or about the voice ("mirth plays about the woman's
    words").
    """
    start, stop = items[first][0], items[last][1]
    begun = max(0, first - _CLAUSE)
    begun = next((at for at in range(first, begun, -1) if items[at - 1][2].kind is Kind.STOP), begun)
    before = tokens[items[begun][0] : start]
    if not before or not words.speakers.isdisjoint(before):
        return False
    *rest, lead, article = ("", *before)
    if article not in words.articles:
        return article in words.listeners
    is_definite = article in words.definite
    if lead in words.fronted and rest in ([""], ["", "as"]):
        return is_definite and words.speakers.isdisjoint(tokens[stop : stop + _CLAUSE])
    if lead not in words.described or rest[-1].endswith(_PARTICIPLE):  # "joking about the woman's voice"
        return False
    has_voice = "s" in tokens[stop - 1 : stop + 1] and not words.voiced.isdisjoint(tokens[stop : stop + 3])
    if has_voice and items[first - 3][2].kind is not Kind.EMOTION:
        return True
    return is_definite and not words.described[lead].isdisjoint(rest)


def _is_between_words(tokens: Sequence[str], first: int, stop: int) -> bool:
    """Return whether a letter stands beside a word, and not between marks, numbers and ends."""
    beside = (*tokens[max(0, first - 1) : first], *tokens[stop : stop + 1])
    return any(token[0].isalpha() for token in beside)


def _takes_object(tokens: Sequence[str], items: Sequence[Item], at: int, words: PeopleWords) -> bool:
    """Return whether the phrase before an article leads to somebody else: "to a boy", "he adores the boy"."""
    if _leads_to_other(tokens, items[at][1] - 1, words):
        return True
    start, _, verb = items[at]
    if verb is not UNKNOWN or not tokens[start][0].isalpha() or tokens[start].endswith("ly"):
        return False
    definite = tokens[items[at + 1][1] - 1] == "the"
    for first, _, entry in reversed(items[max(0, at - _CLAUSE) : at]):
        if entry.kind is Kind.STOP:
            return False
        if tokens[first] in words.subjects or (definite and tokens[first] in words.nouns):
            return True
    return False


def _leads_to_other(tokens: Sequence[str], place: int, words: PeopleWords) -> bool:
    word = tokens[place]
    if word in words.unless:
        return words.unless[word].isdisjoint(tokens[max(0, place - _NEAR) : place])
    if word in words.only:
        return not words.only[word].isdisjoint(tokens[max(0, place - _NEAR) : place])
    return word in words.others


def _is_person(tokens: Sequence[str], items: Sequence[Item], index: int, words: PeopleWords) -> bool:
    """Return whether a phrase after a possessive is about a person: "her old father"; not "her voice"."""
    _, stop, entry = items[index]
    if entry.phrase not in words.adjectives:
        return True
    following = items[index + 1][2] if index + 1 < len(items) else UNKNOWN
    return following.name in PERSONAL or not words.people.isdisjoint(tokens[stop : stop + 2])


def _pronoun(tokens: Sequence[str], items: Sequence[Item], words: PeopleWords) -> int | None:
    """Return the token of the pronoun that means the speaker: the first subject, else the first possessive,
    else the first object of a verb that takes no other person ("it broke him"). After somebody else of a
    gender, a subject of that gender may be that one.
    """
    possessive: int | None = None
    last: int | None = None
    taken: set[str] = set()
    given: set[str] = set()
    for first, stop, entry in items:
        if entry is QUOTED:
            continue
        if entry.kind is Kind.TRAIT and entry.name == "gender":
            taken |= {entry.value} - given
        elif entry.form is Form.OWNED:
            taken |= {words.of_gender.get(entry.phrase, "")} - given
        for at in range(first, stop):
            word = tokens[at]
            if word not in words.pronouns or _is_alternative(tokens, at, words):
                continue
            gender = words.subjects.get(word)
            if gender is not None:
                if gender not in taken:
                    return at
            elif word in words.object_pronouns and _is_object(tokens, at, words):
                if last is None and at and not _leads_to_other(tokens, at - 1, words):
                    last = at
            else:
                given.add(words.possessives[word])
                possessive = at if possessive is None else possessive
    return last if possessive is None else possessive


def _is_alternative(tokens: Sequence[str], at: int, words: PeopleWords) -> bool:
    """Return whether a pronoun is one of "he or she", "his/her"."""
    before, after = tokens[max(0, at - 2) : at], tokens[at + 1 : at + 3]
    return any(
        words.pronouns.intersection(beside) and ("or" in beside or "/" in beside)
        for beside in (before, after)
    )


def _is_object(tokens: Sequence[str], at: int, words: PeopleWords) -> bool:
    """Return whether a pronoun is an object: no noun follows it."""
    if tokens[at] not in words.possessives or at + 1 == len(tokens):
        return True
    return tokens[at + 1] in words.objects or not tokens[at + 1][0].isalnum()
