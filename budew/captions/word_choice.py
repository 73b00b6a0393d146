"""Word choice: which phrase expresses each part of a profile.

A `WordChoice` is made for one caption. It knows what to express and with which vocabulary, draws among the
synonyms, and remembers what must not come twice. `budew.captions.slot_filling` says what fills each slot of a
sentence frame by asking it.

Emotions are the difficult part. A word goes without an intensity (degree) only where the scope rules of the
parser give it the right level all the same: its own where nothing governs it ("fury"), or the one that the
list carries ("very angry and afraid").
"""

from collections.abc import Mapping, Sequence, Set

from budew.captions.content_selection import Content
from budew.captions.phrases import without_article
from budew.captions.vocabulary import UNKNOWN_TRAIT, EmotionPhrases, Vocabulary, joined
from budew.randomness import Draws

_ONE_IN_WITH_DEGREE = 3
"""One in this many emotion words that may go without a degree has one all the same."""
_CARRIED = 3
"""One degree governs at most this many emotion words."""
_TONE = " tone"

EmotionLevel = tuple[str, float]
"""An emotion and its level."""


class WordChoice:
    """The words for one caption. Each is drawn when it is asked for, in the order of the frame.

    Attributes:
        content: what to express, with emotions and bursts in the order in which they come.
        vocabulary: phrases of the wording.
        met: needs of slots that the profile meets, see `budew.captions.slot_filling.needs_met`.
        below: draws a number below another; in the plain wording always 0.
        person: the person that was named last: "elderly woman".
    """

    __slots__ = ("_degrees", "below", "content", "met", "person", "vocabulary")

    def __init__(self, content: Content, vocabulary: Vocabulary, met: Set[str], draw: Draws) -> None:
        self.content = content
        self.vocabulary = vocabulary
        self.met = met
        self.below = _first if vocabulary.is_plain else draw.below
        self.person = ""
        self._degrees: set[int] = set()  # those that the caption has already

    def one_of(self, phrases: Sequence[str]) -> str:
        """Draw one of some phrases."""
        return phrases[self.below(len(phrases))]

    def trait(self, key: str) -> str:
        """Draw an adjective for gender, age, pace or style; empty where the profile has none."""
        value = self.content.traits.get(key)
        return self.one_of(self.vocabulary.traits[key, value]) if value is not None else ""

    @property
    def gender_and_age(self) -> tuple[str, str]:
        """Key of the phrases for people and voices."""
        traits = self.content.traits
        return traits.get("gender", UNKNOWN_TRAIT), traits.get("age", UNKNOWN_TRAIT)

    def emotion_list(self, emotions: Sequence[EmotionLevel], form: str) -> str:
        """Return emotions as a list that "and" closes, or the phrase for a neutral voice.

        Words without a degree come first, as one before them would govern them: "sad and very angry". The
        others are grouped by level, so that one degree goes for a group: "slightly sad and afraid".
        """
        if not emotions:
            return self.one_of(self.vocabulary.neutral[form])
        phrases = self.vocabulary.emotions[form]
        if self.vocabulary.is_plain:
            return joined([phrases[emotion].in_plain for emotion in emotions])
        bare: list[str] = []
        with_degree: list[EmotionLevel] = []
        for emotion in emotions:
            options = phrases[emotion]
            if options.bare and (self.below(_ONE_IN_WITH_DEGREE) or not options.before):
                bare.append(self.one_of(options.bare))
            else:
                with_degree.append(emotion)
        if len(with_degree) > 2:
            with_degree = _grouped_by_level(with_degree, phrases)
        return joined(bare + self._with_degrees(with_degree, phrases))

    def emotion_tags(self, form: str) -> str:
        """Return all emotions as a list of commas, each with its own degree or a word that needs none."""
        emotions, vocabulary = self.content.emotions, self.vocabulary
        if not emotions:
            return self.one_of(vocabulary.neutral[form if vocabulary.is_plain else "adjective"])
        phrases = vocabulary.emotions[form]
        if vocabulary.is_plain:
            return ", ".join([phrases[emotion].in_plain for emotion in emotions])
        tags = []
        for emotion in emotions:
            options = phrases[emotion]
            if options.bare and (self.below(_ONE_IN_WITH_DEGREE) or not options.before):
                tags.append(self.one_of(options.bare))
            else:
                phrase = self._with_degree(options)
                tags.append(without_article(phrase) if phrase.endswith(_TONE) else phrase)
        return ", ".join(tags)

    def _with_degrees(
        self, emotions: Sequence[EmotionLevel], phrases: Mapping[EmotionLevel, EmotionPhrases]
    ) -> list[str]:
        """Return a phrase for each emotion of a list. A degree is carried to the next words of its level."""
        chosen: list[str] = []
        carried: float | None = None
        carried_words = 0
        for emotion in emotions:
            options, level = phrases[emotion], emotion[1]
            if carried == level and options.under_carried and carried_words < _CARRIED:
                carried_words += 1
                chosen.append(self.one_of(options.under_carried))
            else:
                phrase = self._with_degree(options)
                carried = level if phrase in options.carrying else None
                carried_words = 1
                chosen.append(phrase)
        return chosen

    def _with_degree(self, phrases: EmotionPhrases) -> str:
        """Draw a word with a degree before it.

        If the caption has this degree already, the phrases at multiples of `step` from it are tried, which
        in the first way are the same word with other degrees. The first with a new degree is taken, if any.
        """
        size, step, degrees = len(phrases.before), phrases.step, phrases.degrees
        drawn = self.below(size)
        if degrees[drawn] in self._degrees:
            others = (place % size for place in range(drawn + step, drawn + size, step))
            drawn = next((place for place in others if degrees[place] not in self._degrees), drawn)
        self._degrees.add(degrees[drawn])
        return phrases.before[drawn]


def _grouped_by_level(
    emotions: list[EmotionLevel], phrases: Mapping[EmotionLevel, EmotionPhrases]
) -> list[EmotionLevel]:
    """Return emotions by level, in the order in which the levels come; those that end in "tone" first: a
    degree is carried to the end of a list, and "tone" would end it. Phrases in "tone" stand last in `before`.
    """
    levels = [level for _, level in emotions]
    return sorted(
        emotions,
        key=lambda emotion: (not phrases[emotion].before[-1].endswith(_TONE), levels.index(emotion[1])),
    )


def _first(count: int) -> int:
    return 0
