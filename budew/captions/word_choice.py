"""Word choice: which phrase expresses each part of a profile.

A `WordChoice` is made for one caption. It has the content and the vocabulary, draws among synonyms, and
stores which words must not be used twice. `budew.captions.slot_filling` calls it to fill the slots of a
sentence frame.

Emotions are the difficult part. A word needs no intensity (degree) only if the parser gives it the right
level without one: the word's own level if nothing governs it ("fury"), or the level of a degree before it in
a list ("very angry and afraid").
"""

from collections.abc import Mapping, Sequence, Set

from budew.captions.content_selection import Content
from budew.captions.phrases import without_article
from budew.captions.vocabulary import UNKNOWN_TRAIT, EmotionPhrases, Vocabulary, joined
from budew.randomness import Draws

_ONE_IN_WITH_DEGREE = 3
"""One in this many emotion words that may go without a degree has one all the same."""
_CARRIED = 3
"""Most emotion words in a list to which one degree applies."""
_TONE = " tone"

EmotionLevel = tuple[str, float]
"""An emotion and its level."""


class WordChoice:
    """Chooser of the words for one caption. Words are drawn in the order of the frame.

    Attributes:
        content: what the caption expresses, with emotions and bursts in the order of the caption.
        vocabulary: phrases of the wording.
        met: needs of slots that the profile meets, see `budew.captions.slot_filling.needs_met`.
        below: function that draws an integer below its argument; in the plain wording always 0.
        person: phrase for the person that was named last, such as "elderly woman".
    """

    __slots__ = ("_degrees", "below", "content", "met", "person", "vocabulary")

    def __init__(self, content: Content, vocabulary: Vocabulary, met: Set[str], draw: Draws) -> None:
        self.content = content
        self.vocabulary = vocabulary
        self.met = met
        self.below = _first if vocabulary.is_plain else draw.below
        self.person = ""
        self._degrees: set[int] = set()  # degrees that the caption already has

    def one_of(self, phrases: Sequence[str]) -> str:
        """Draw one of the phrases; in the plain wording the first."""
        return phrases[self.below(len(phrases))]

    def trait(self, key: str) -> str:
        """Draw an adjective for a trait (gender, age, pace or style); "" if the profile lacks the trait."""
        value = self.content.traits.get(key)
        return self.one_of(self.vocabulary.traits[key, value]) if value is not None else ""

    @property
    def gender_and_age(self) -> tuple[str, str]:
        """Gender and age, the key of the phrases for people and voices in the vocabulary."""
        traits = self.content.traits
        return traits.get("gender", UNKNOWN_TRAIT), traits.get("age", UNKNOWN_TRAIT)

    def emotion_list(self, emotions: Sequence[EmotionLevel], form: str) -> str:
        """Write emotions as a list that ends with "and …", or the phrase for a neutral voice.

        Words without a degree come first, so that no degree applies to them: "sad and very angry". The others
        are grouped by level, so that one degree applies to a group: "slightly sad and afraid".

        Args:
            emotions: emotions with their levels.
            form: form of the words, such as "noun" or "adjective".
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
        """Write all emotions of the caption as tags between commas, each with a degree if it needs one."""
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

    def denied_list(self, form: str) -> str:
        """Write the absent emotions of the caption, for use after "no" or "not": "anger, fear or shame"."""
        words = self.vocabulary.denied[form]
        return joined([self.one_of(words[name]) for name in self.content.absent], "or")

    def _with_degrees(
        self, emotions: Sequence[EmotionLevel], phrases: Mapping[EmotionLevel, EmotionPhrases]
    ) -> list[str]:
        """Return a phrase for each emotion of a list; a degree also applies to later words of its level."""
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

    def _with_degree(self, options: EmotionPhrases) -> str:
        """Draw a word with a degree before it.

        If the caption already has this degree, the phrases at multiples of `step` from it are tried: mostly
        the same word with other degrees, see `EmotionPhrases.step`. The first phrase with a new degree is
        used, if any.
        """
        size, step, degrees = len(options.before), options.step, options.degrees
        drawn = self.below(size)
        if degrees[drawn] in self._degrees:
            others = (place % size for place in range(drawn + step, drawn + size, step))
            drawn = next((place for place in others if degrees[place] not in self._degrees), drawn)
        self._degrees.add(degrees[drawn])
        return options.before[drawn]


def _grouped_by_level(
    emotions: list[EmotionLevel], phrases: Mapping[EmotionLevel, EmotionPhrases]
) -> list[EmotionLevel]:
    """Group emotions by level, in the order of the first emotion of each level. Emotions whose phrases end
    with "tone" (these are last in `before`) come first, as "tone" would end the scope of a degree before it.
    """
    levels = [level for _, level in emotions]
    return sorted(
        emotions,
        key=lambda emotion: (not phrases[emotion].before[-1].endswith(_TONE), levels.index(emotion[1])),
    )


def _first(count: int) -> int:
    return 0
