"""Gender and age of the speaker: which people and pronouns of a caption mean the speaker.

Captions also mention other people: "talks to a boy", "her husband". A person that the speaker talks to, that
follows a possessive, or that is the object of a verb is not the speaker. If no word for the speaker has a
gender, a pronoun decides: the first subject ("he sounds tired"), else the first possessive ("her voice").
Only captions with pronouns need one more scan.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, NamedTuple

from budew.captions.phrases import PERSONAL, QUOTED, UNKNOWN, Form, Item, Kind, spelled_out

_ADJECTIVES = 5
"""Most phrases between an article and its person: "a deeply sad old woman"."""
_NEAR = 3
"""Number of words before a preposition that are read to decide its meaning: "listening to"."""
_CLAUSE = 12
"""Number of phrases before a verb in which its subject is searched, and of words around a person that are
read to decide who speaks."""
_PARTICIPLE = ("ing", "ed")
"""Endings of verbs that without an article are adjectives: "a teasing old man"."""
_ENDING = (Kind.STOP, Kind.COMMA, Kind.CONJUNCTION, Kind.SUBJECT, Kind.BREAKING, Kind.UNREAL, Kind.CONDITION)


@dataclass(frozen=True, slots=True)
class PeopleWords:
    """Word lists for finding the speaker: the section `speaker` of the lexicon."""

    subject: Mapping[str, str]  # gender of "she", "he"
    possessive: Mapping[str, str]  # gender of "her", "his"
    object: Mapping[str, str]  # gender of "her", "him"
    pronouns: Mapping[str, str]  # gender of all of them
    of_gender: Mapping[str, str]  # gender of "son", "wife"
    unless: Mapping[str, Set[str]]  # words before a preposition that lead to the speaker: "listening" to
    only: Mapping[str, Set[str]]  # words without which one does: "argues" with
    described: Mapping[
        str, Set[str]
    ]  # words before one in the sentence of a listener: "you" sense worry about
    objects: Set[str]  # words after "her" that show that it is an object
    articles: Set[str]
    owners: Set[str]  # words for whom a person belongs to: "her" husband
    not_owners: Set[str]  # words before "s" that make it a verb: "he's"
    others: Set[str]  # prepositions and verbs before somebody else
    nouns: Set[str]  # words for the speaker without a gender
    speakers: Set[str]  # the same, and subjects
    adjectives: Set[str]  # phrases for a gender or age that may stand before "voice"
    people: Set[str]  # people without a gender
    marked: Set[str]  # letters that are a gender only between marks: "f, 30s"
    definite: Set[str]  # articles of somebody known
    listeners: Set[str]  # possessives of the listener: "your" man
    fronted: Set[str]  # prepositions that at the head of a sentence lead to the speaker: "for" this man
    voiced: Set[str]  # what a speaker has: the woman's "voice"


def people_words(table: Mapping[str, Any]) -> PeopleWords:
    """Compile the word lists from the table of a lexicon."""
    rows = table["speaker"]
    subject, possessive, object_ = (
        {word: gender for gender, words in rows[key].items() for word in words}
        for key in ("subject", "possessive", "object")
    )
    lists: dict[str, Any] = {
        key: frozenset(spelled_out(*row)) for key, row in rows.items() if isinstance(row, list)
    }
    conditions: dict[str, Any] = {
        key: {word: frozenset(spelled_out(*before)) for word, before in rows[key].items()}
        for key in ("unless", "only", "described")
    }
    people = [*table["gender"].items(), *((row["gender"], row) for row in table["people_of_age"])]
    return PeopleWords(
        subject=subject,
        possessive=possessive,
        object=object_,
        pronouns=object_ | possessive | subject,
        of_gender={
            word: gender
            for gender, row in people
            for word in spelled_out(*row.get("also", ()), *row.get("words", ()))
        },
        speakers=lists["nouns"] | subject.keys(),
        **conditions,
        **lists,
    )


class SpeakerTraits(NamedTuple):
    """Result of `find_speaker`.

    Attributes:
        traits: gender and age of the speaker, as far as the caption states them.
        others: numbers of the items that mean somebody else.
        pronoun: number of the pronoun token that gives the gender; None if an item gives it, or nothing does.
    """

    traits: dict[str, str]
    others: Set[int]
    pronoun: int | None


def find_speaker(
    tokens: Sequence[str], items: Sequence[Item], named: Sequence[int], words: PeopleWords
) -> SpeakerTraits:
    """Find gender and age of the speaker of a caption.

    Args:
        tokens: tokens of the caption.
        items: items of the caption.
        named: numbers of the items that state a gender or an age and are not negated.
        words: word lists of the lexicon.
    """
    if not named and words.pronouns.keys().isdisjoint(tokens):
        return SpeakerTraits({}, set(), None)
    people = _People(tokens, items, words)
    traits: dict[str, str] = {}
    implied: dict[str, str] = {}
    others = set()
    other = False
    before = -2
    for index in named:
        entry = items[index][2]
        if index - 1 != before or entry.phrase in words.marked:  # else of the same person: "old woman"
            other = people.is_other(index)
        before = index
        if other:
            others.add(index)
            continue
        traits.setdefault(entry.name, entry.value)
        if entry.second is not None:  # "a middle-aged grandmother"
            implied.setdefault(entry.second.name, entry.second.value)
    traits = implied | traits
    pronoun = None
    if "gender" not in traits and not words.pronouns.keys().isdisjoint(tokens):
        pronoun = people.pronoun()
        if pronoun is not None:
            traits["gender"] = words.pronouns[tokens[pronoun]]
    if others and "gender" not in traits:
        described = people.described(others)
        others.difference_update(described)
        traits = {items[index][2].name: items[index][2].value for index in reversed(described)} | traits
    return SpeakerTraits(traits, others, pronoun)


class _People(NamedTuple):
    """The people that a caption names."""

    tokens: Sequence[str]
    items: Sequence[Item]
    words: PeopleWords

    def is_other(self, index: int) -> bool:
        """Return whether the gender or age of item `index` is that of somebody else."""
        tokens, items, words = self
        first, stop, entry = items[index]
        if entry.phrase in words.marked:  # "a f voice": a letter is no gender beside a word
            of_age = index > 0 and items[index - 1][2].name == "age"  # "young f"
            start = 0 if of_age else first
            return any(
                token[0].isalpha() for token in (*tokens[max(0, start - 1) : start], *tokens[stop : stop + 1])
            )
        for at in range(index - 1, max(-1, index - 1 - _ADJECTIVES), -1):
            place = items[at][1] - 1
            word = tokens[place]
            if word in words.articles:
                return at > 0 and self._takes_object(at - 1)
            if word in words.owners and not (word == "s" and tokens[place - 1] in words.not_owners):
                speaks = place > 0 and tokens[place - 1] in ("in", "like")  # "in her teens", "like my mom"
                return not speaks and self._is_person(index)
            if not word.endswith(_PARTICIPLE) and self._leads_to_other(place):
                return True
            if items[at][2].kind in _ENDING or not word[0].isalnum():
                return False
        return False

    def _takes_object(self, at: int) -> bool:
        """Return whether the phrase before an article leads to somebody else: "to a boy"."""
        tokens, items, words = self
        start, stop, verb = items[at]
        if self._leads_to_other(stop - 1):
            return True
        if verb is not UNKNOWN or not tokens[start][0].isalpha() or tokens[start].endswith("ly"):
            return False
        definite = tokens[items[at + 1][1] - 1] == "the"
        for first, _, entry in reversed(items[max(0, at - _CLAUSE) : at]):
            if entry.kind is Kind.STOP:
                return False
            if tokens[first] in words.subject or (definite and tokens[first] in words.nouns):
                return True
        return False

    def _leads_to_other(self, place: int) -> bool:
        """Return whether a preposition or a verb stands before somebody else: "talks to", not "listen to"."""
        tokens, _, words = self
        word = tokens[place]
        if word in words.unless:
            return words.unless[word].isdisjoint(tokens[max(0, place - _NEAR) : place])
        if word in words.only:
            return not words.only[word].isdisjoint(tokens[max(0, place - _NEAR) : place])
        return word in words.others

    def _is_person(self, index: int) -> bool:
        """Return whether a phrase after a possessive is about a person: "her old father"; not "her voice"."""
        _, stop, entry = self.items[index]
        if entry.phrase not in self.words.adjectives:
            return True
        following = self.items[index + 1][2] if index + 1 < len(self.items) else UNKNOWN
        return following.name in PERSONAL or not self.words.people.isdisjoint(self.tokens[stop : stop + 2])

    def described(self, others: Set[int]) -> list[int]:
        """Return the items in `others` that mean the speaker if nothing else does: gender and age of the
        first person that a listener describes.
        """
        first = -1
        for index in sorted(others):
            first = first if index - 1 in others else index  # "this old man"
            if self.items[index][2].name == "gender" and self._is_described(first, index):
                return list(range(first, index + 1))
        return []

    def _is_described(self, first: int, last: int) -> bool:
        """Return whether a sentence is about what a listener makes of a person ("you sense some worry about
        the man", "for this man the tone is flat", "your man"), or about the voice ("mirth plays about the
        woman's words").
        """
        tokens, items, words = self
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
        has_voice = "s" in tokens[stop - 1 : stop + 1] and not words.voiced.isdisjoint(
            tokens[stop : stop + 3]
        )
        if has_voice and items[first - 3][2].kind is not Kind.EMOTION:
            return True
        return is_definite and not words.described[lead].isdisjoint(rest)

    def pronoun(self) -> int | None:
        """Return the number of the pronoun token that means the speaker: the first subject, else the first
        possessive, else the first object of a verb without another person ("it broke him"). After somebody
        else, a subject of the same gender may mean that person, so it does not count.
        """
        tokens, items, words = self
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
                if word not in words.pronouns or self._is_alternative(at):
                    continue
                if word in words.subject:
                    if words.subject[word] not in taken:
                        return at
                elif word in words.object and self._is_object(at):
                    if last is None and at and not self._leads_to_other(at - 1):
                        last = at
                else:
                    given.add(words.possessive[word])
                    possessive = at if possessive is None else possessive
        return last if possessive is None else possessive

    def _is_alternative(self, at: int) -> bool:
        """Return whether a pronoun is one of "he or she", "his/her"."""
        return any(
            not self.words.pronouns.keys().isdisjoint(beside) and ("or" in beside or "/" in beside)
            for beside in (self.tokens[max(0, at - 2) : at], self.tokens[at + 1 : at + 3])
        )

    def _is_object(self, at: int) -> bool:
        """Return whether a pronoun is an object: no noun follows it."""
        tokens, _, words = self
        if tokens[at] not in words.possessive or at + 1 == len(tokens):
            return True
        return tokens[at + 1] in words.objects or not tokens[at + 1][0].isalnum()
