"""Filling the places of a frame of the offline rewriting.

A feeling is a noun, an adjective, an adverb, a verb, what fills a voice, or a statement of its own ("the fear
is faint"), and one of them may stand apart from the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import MappingProxyType

from budew.captions.english import joined
from budew.captions.filling import Filling, Said
from budew.captions.frames import Frame, Slot
from budew.captions.lexicon import Lexicon
from budew.captions.wordings import MODERATE
from budew.paraphrase.grammar.places import BIT, CONDITIONS, OF_ORDER, of_order
from budew.paraphrase.grammar.vocabulary import UNKNOWN, Vocabulary, read_vocabulary
from budew.randomness import Choices

_BARE = 2  # one in so many words that may go without a degree does
_AFTER = 8  # one in so many degrees stands behind its word, and one in a caption at most
_TONE = 3  # one in so many manners is a tone: "in an angry tone"
_BEFORE_A_DEGREE = ("noun", "adjective")


@cache
def load_vocabulary() -> Vocabulary:
    """Return the vocabulary, whose frames may name the places of this module."""
    return read_vocabulary(load_slots())


def load_slots() -> dict[str, Slot]:
    """Return the slots that frames may name."""
    return {name: Slot(fill, BIT[name]) for name, fill in _PLACES.items()}


class Rewording(Filling):
    """The words for one caption. Each place is drawn when it is asked for, in the order of the frame.

    Args:
        said: what to say.
        there: what `possible` returns for that.
        vocabulary: words and degrees.
        lexicon: of the captions, for what the vocabulary lacks.
        draw: decides everything.
        style: of rewriting, which may shun words for people.
    """

    __slots__ = ("_degrees", "_possible", "_shunned", "_vocabulary")

    def __init__(
        self,
        said: Said,
        there: int,
        vocabulary: Vocabulary,
        lexicon: Lexicon,
        draw: Choices,
        *,
        style: str = "",
    ) -> None:
        own = said._replace(emotions=[*said.emotions], bursts=[*said.bursts])  # which are put in any order
        super().__init__(own, lexicon, draw)
        self._possible = there
        self._vocabulary = vocabulary
        self._shunned: Sequence[str] = vocabulary.phrases["shunned"].get(style, ())
        self._degrees: set[str] = set()  # those that stand in the caption already

    def write(self, frame: Frame) -> str:
        """Write a caption, without capitals, in a frame that `possible` allows."""
        self._lead(frame.needs)
        self.filled = self._possible & ~OF_ORDER | of_order(self.emotions, self._vocabulary)
        return frame.fill(self)

    def _lead(self, needs: int) -> None:
        """Put first the emotion that a frame wants there."""
        first = 0
        levels = [level for _, level in self.emotions]
        if needs & BIT["strongest"]:
            first = levels.index(max(levels))
        elif needs & BIT["weakest"]:
            first = levels.index(min(levels))
        elif needs & BIT["first_verb"]:
            verbs = [self._vocabulary.says("verb", *pair)[0] for pair in self.emotions]
            first = next(at for at, words in enumerate(verbs) if words)
        if first:
            self.emotions.insert(0, self.emotions.pop(first))

    def listed(self, emotions: Sequence[tuple[str, float]], form: str) -> str:
        """Return emotions as a list that "and" closes."""
        return joined(self._items(emotions, form))

    def _items(self, emotions: Sequence[tuple[str, float]], form: str) -> list[str]:
        """Return what such a list holds. A word may go without a degree where the one before it has its."""
        said = []
        carried: float | None = None
        for pair in emotions:
            governing = MODERATE if carried is None else carried
            if governing == pair[1] and not self.below(_BARE):
                said.append(self._bare(pair, form, state=governing == MODERATE))
            elif form in _BEFORE_A_DEGREE and not self._used and not self.below(_AFTER):
                said.append(f"{self._bare(pair, form)} {self._degree(pair[1], 'after')}")
                self._used, carried = 1, None
            else:
                said.append(self._with_degree(pair, form))
                carried = pair[1]
        return said

    def _bare(self, pair: tuple[str, float], form: str, *, state: bool = False) -> str:
        words, _ = self._vocabulary.says(form, *pair)
        if state and form == "adjective":
            words += self._vocabulary.says("state", *pair)[0]
        return self._choose(words)

    def _with_degree(self, pair: tuple[str, float], form: str) -> str:
        words, mild = self._vocabulary.says(form, *pair)
        drawn = self.below(len(words))
        before = "strong_adjective" if drawn >= mild and form != "noun" else form
        return f"{self._degree(pair[1], before)} {words[drawn]}"

    def _degree(self, level: float, form: str) -> str:
        """Return a degree, one that does not stand in the caption yet where there is one."""
        options = self._vocabulary.degrees[level][form]
        drawn = self.below(len(options))
        around = (*options[drawn:], *options[:drawn])
        degree = next((option for option in around if option not in self._degrees), around[0])
        self._degrees.add(degree)
        return degree

    def adverbials(self, emotions: Sequence[tuple[str, float]]) -> str:
        """Return how somebody speaks who feels so: "angrily and with a trace of fear", with one adverb."""
        if len(emotions) == 1 and not self.below(_TONE):
            return self.tone(emotions[0])
        adverbs = [pair for pair in emotions if self._vocabulary.says("adverb", *pair)[0]][:1]
        others = [pair for pair in emotions if pair not in adverbs]
        if not others:
            return self.listed(adverbs, "adverb")
        beside = self._vocabulary.phrases["beside"].format(self.listed(others, "noun"))
        return joined([*self._items(adverbs, "adverb"), beside])

    def tone(self, pair: tuple[str, float]) -> str:
        """Return a manner that is an adjective: "in a slightly angry tone"."""
        return self._choose(self._vocabulary.phrases["in_manner"]).format(
            self.a(self.listed([pair], "attributive"))
        )

    def verb(self, pair: tuple[str, float]) -> str:
        """Return what somebody does who feels so: "frets a little"."""
        verb = self._choose(self._vocabulary.says("verb", *pair)[0])
        if pair[1] == MODERATE and self.below(_AFTER):
            return verb
        return f"{verb} {self._degree(pair[1], 'verb')}"

    def fillings(self, emotions: Sequence[tuple[str, float]]) -> str:
        """Return what a voice is full of, to stand behind it: "full of joy and tinged with fear"."""
        said = [f"{self._degree(pair[1], 'filling')} {self._bare(pair, 'noun')}" for pair in emotions]
        return joined(said)

    def statements(self) -> str:
        """Return a sentence about each feeling: "the anger is strong, the fear faint"."""
        first, later = self._vocabulary.phrases["is"]
        return ", ".join(
            (later if at else first).format(self._bare(pair, "noun"), self._degree(pair[1], "predicate"))
            for at, pair in enumerate(self.emotions)
        )

    def voice(self) -> str:
        """Return a voice by gender and age: "old woman's voice"."""
        return self._choose(self._fitting(self._vocabulary.voices[self._who()]))

    def speaker(self) -> str:
        """Return a person by gender and age: "teenage girl"."""
        self._person = self._choose(self._fitting(self._vocabulary.persons[self._who()]))
        return self._person

    def _fitting(self, people: Sequence[str]) -> Sequence[str]:
        """Return the words for people that the style takes."""
        return [said for said in people if not any(word in said for word in self._shunned)]

    def _who(self) -> tuple[str, str]:
        return self.said.traits.get("gender", UNKNOWN), self.said.traits.get("age", UNKNOWN)

    def speaks(self) -> str:
        """Return what the last named person does; a speaker does not speak."""
        return self._choose(
            self._vocabulary.speaks["speaker" if self._person.endswith("speaker") else "person"]
        )

    def pronoun(self, case: int) -> str:
        """Return "she" or "her", nothing where the gender has none."""
        said = self._vocabulary.pronouns.get(self.said.traits.get("gender", ""))
        return said[case] if said else ""

    def burst_verbs(self) -> str:
        """Return what somebody does, all of it as verbs: "chuckles and clears her throat"."""
        their = self.pronoun(1) or self._vocabulary.phrases["their"]
        return joined(
            [self._choose(self._vocabulary.burst_verbs[name]).format(their) for name in self.said.bursts]
        )

    def bursts(self) -> list[str]:
        """Return a noun for each burst, with its article."""
        return [self._choose(self._vocabulary.burst_nouns[name]) for name in self.said.bursts]

    def accent_timbre(self) -> str:
        """Return accent and timbre with their articles."""
        said = [self.trait("accent")]
        timbre = self.said.traits.get("timbre")
        if timbre:
            pattern = self._choose(self._vocabulary.phrases["timbre"])
            said.append(pattern.format(self._choose(self._vocabulary.timbres[timbre])))
        return joined([self.a(phrase) for phrase in said if phrase])

    def manner(self, of: str = "speaker") -> str:
        """Return style and pace of a speaker or of words: "slowly and in a casual way"."""
        style, pace = self.said.traits.get("style"), self.said.traits.get("pace")
        said = [self._choose(self._vocabulary.styles[style, of])] if style else []
        if pace:
            said.insert(self.below(len(said) + 1), self._choose(self._vocabulary.paces[pace]))
        return joined(said)


_PLACES: Mapping[str, Callable[[Rewording], str]] = MappingProxyType(
    {
        **dict.fromkeys(CONDITIONS, lambda fill: ""),
        "nouns": lambda fill: fill.listed(fill.emotions, "noun"),
        "adjectives": lambda fill: fill.listed(fill.emotions, "adjective"),
        "adverbials": lambda fill: fill.adverbials(fill.emotions),
        "fillings": lambda fill: fill.fillings(fill.emotions),
        "statements": Rewording.statements,
        "first_noun": lambda fill: fill.listed(fill.emotions[:1], "noun"),
        "first_adjective": lambda fill: fill.listed(fill.emotions[:1], "adjective"),
        "first_adverbial": lambda fill: fill.adverbials(fill.emotions[:1]),
        "first_tone": lambda fill: fill.tone(fill.emotions[0]),
        "first_verb": lambda fill: fill.verb(fill.emotions[0]),
        "first_filling": lambda fill: fill.fillings(fill.emotions[:1]),
        "a_first_speaker": lambda fill: fill.a(
            f"{fill.listed(fill.emotions[:1], 'attributive')} {fill.speaker()}"
        ),
        "a_first_voice": lambda fill: fill.a(
            f"{fill.listed(fill.emotions[:1], 'attributive')} {fill.voice()}"
        ),
        "rest_nouns": lambda fill: fill.listed(fill.emotions[1:], "noun"),
        "rest_adjectives": lambda fill: fill.listed(fill.emotions[1:], "adjective"),
        "rest_adverbials": lambda fill: fill.adverbials(fill.emotions[1:]),
        "rest_fillings": lambda fill: fill.fillings(fill.emotions[1:]),
        "a_voice": lambda fill: fill.a(fill.voice()),
        "known_voice": lambda fill: fill.a(fill.voice()),
        "the_voice": lambda fill: f"the {fill.voice()}",
        "a_speaker": lambda fill: fill.a(fill.speaker()),
        "known_speaker": lambda fill: fill.a(fill.speaker()),
        "the_speaker": lambda fill: f"the {fill.speaker()}",
        "speaks": Rewording.speaks,
        "she": lambda fill: fill.pronoun(0),
        "her": lambda fill: fill.pronoun(1),
        "bursts": lambda fill: joined(fill.bursts()),
        "burst_verbs": Rewording.burst_verbs,
        "accent_timbre": Rewording.accent_timbre,
        "manner": Rewording.manner,
        "delivery": lambda fill: fill.manner("words"),
        "qualities": lambda fill: joined(fill.qualities()),
        "recording": lambda fill: joined(fill.recording()),
    }
)
