"""Filling the slots of a sentence frame: which words, in which order, with which intensity.

An emotion word goes without an intensity only where the scope rules give it the right level all the same:
its own when nothing governs it ("fury"), or the one that the list carries ("strong anger and fear").
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from budew.captions.content_selection import RECORDING, Content
from budew.captions.frames import Slot
from budew.captions.lexicon import Lexicon, Wordings, Words, joined, with_article
from budew.captions.phrases import without_article
from budew.randomness import Choices

Wording = Literal["varied", "plain"]
"""Whether words are drawn among the synonyms, or the first of each taken."""

_GRADED = 3  # one in so many emotion words that may go without an intensity has one all the same
_AFTER = 30  # one in so many of the intensities in prose stands behind its word
_TONE = " tone"
_CARRIED = 3  # so many emotion words may have one intensity
BEARING = frozenset((
    "Arousal", "Confident_vs._Hesitant", "Serious_vs._Humorous", "Submissive_vs._Dominant",
    "Vulnerable_vs._Emotionally_Detached",
))  # fmt: skip
"""Attributes that a person has more than a voice: "she sounds confident"."""
TONE = "Valence"
"""The attribute of the tone: "a positive tone"."""
_BEFORE_VOICE = 2
"""Adjectives of a voice that stand before it, its timbre not counted; more follow in a sentence."""
_AS_VERBS = 2
"""More bursts than these are named as nouns; up to these are verbs of the speaker."""
_BEHIND = 1
"""The bit of an intensity behind its word."""
_OWNER = "'s "
_PERSON = {"female": "woman", "male": "man"}
_SPEAKER = "speaker"
_UNKNOWN = "unknown"


class Filling:
    """The words for one caption. Each slot is drawn when it is asked for, in the order of the frame.

    Attributes:
        content: what to express; its emotions and bursts are put in a random order.
        plain: whether the plain wording is wanted.
        filled: bits of the slots that there is something for.
        below: draws a number below another.
    """

    __slots__ = ("_draw", "_person", "_used", "below", "content", "emotions", "filled", "lexicon", "plain")

    def __init__(
        self, content: Content, lexicon: Lexicon, draw: Choices, *, wording: Wording = "varied"
    ) -> None:
        self.content = content
        self.lexicon = lexicon
        self.plain = wording == "plain"
        self._draw = draw
        self.below = _first if self.plain else draw.below
        self.emotions = content.emotions
        draw.shuffle(content.emotions)
        if content.bursts:
            draw.shuffle(content.bursts)
        self.filled = _filled(content, lexicon)
        self._person = ""  # the last that was named
        self._used = 0  # a bit for each intensity that stands in the caption already

    def prose(self, emotions: Sequence[tuple[str, float]], form: str) -> str:
        """Return emotions as a list that "and" closes, or what stands in their place when there are none.

        Words without an intensity come first, as one before them would govern them: "sad and very angry".
        The others are grouped by level, so that one intensity goes for a group: "slightly sad and afraid".
        """
        if not emotions:
            return self._choose(self.lexicon.neutral[form])
        book, below = self.lexicon.book[form], self.below
        if self.plain:
            return joined([book[emotion].plain for emotion in emotions])
        phrases, graded = [], []
        for pair in emotions:
            words = book[pair]
            bare = words.bare
            if bare and (below(_GRADED) or not words.before):
                phrases.append(bare[below(len(bare))])
            else:
                graded.append(pair)
        if len(graded) > 2:
            levels = [level for _, level in graded]
            # A list is carried to its end; "tone" would end it.
            graded.sort(key=lambda pair: (not book[pair].before[-1].endswith(_TONE), levels.index(pair[1])))
        carried, since = None, 0
        for at, pair in enumerate(graded):
            words, level = book[pair], pair[1]
            if carried == level and words.listed and at - since < _CARRIED:
                phrases.append(words.listed[below(len(words.listed))])
            elif words.after and not below(_AFTER) and not self._used & _BEHIND:
                self._used |= _BEHIND
                phrases.append(words.after[below(len(words.after))])
                carried = None
            else:
                phrases.append(self._graded(words))
                since = at
                carried = level if phrases[-1] in words.carrying else None
        return joined(phrases)

    def tags(self, form: str) -> str:
        """Return emotions as a list of commas, each with its own intensity or a word that needs none."""
        if not self.emotions:
            return self._choose(self.lexicon.neutral[form if self.plain else "adjective"])
        book, below = self.lexicon.book[form], self.below
        if self.plain:
            return ", ".join([book[emotion].plain for emotion in self.emotions])
        phrases = []
        for pair in self.emotions:
            words = book[pair]
            if words.bare and (below(_GRADED) or not words.before):
                phrases.append(words.bare[below(len(words.bare))])
            else:
                phrase = self._graded(words)
                phrases.append(without_article(phrase) if phrase.endswith(_TONE) else phrase)
        return ", ".join(phrases)

    def _graded(self, words: Wordings) -> str:
        """Return a word with an intensity before it, one that does not stand in the caption yet."""
        size, step = len(words.before), words.step
        drawn = self.below(size)
        if self._used & words.degrees[drawn]:
            others = (at % size for at in range(drawn + step, drawn + size, step))
            drawn = next((at for at in others if not self._used & words.degrees[at]), drawn)
        self._used |= words.degrees[drawn]
        return words.before[drawn]

    def bursts(self) -> list[str]:
        """Return a phrase for each burst, with its article."""
        phrases = self.lexicon.plain_bursts if self.plain else self.lexicon.bursts
        return [self._choose(phrases[name]) for name in self.content.bursts]

    def burst_tags(self) -> str:
        """Return the bursts as a list of commas, without articles in the varied wording."""
        bursts = self.bursts()
        return ", ".join(bursts if self.plain else map(without_article, bursts))

    def doing(self, forms: Words) -> str:
        """Return what somebody does, all of it as verbs: "chuckles and clears her throat"."""
        their = self.pronoun(1) or "their"
        return joined([self._choose(forms[name]).format(their) for name in self.content.bursts])

    def trait(self, key: str) -> str:
        """Return a phrase for a trait, without an article."""
        value = self.content.traits.get(key)
        if value is None:
            return ""
        phrases = self.lexicon.traits.get((key, value))
        return self._choose(phrases) if phrases else self.lexicon.accent.format(value)

    def voice(self) -> str:
        """Return age and gender before "voice", such as "elderly female voice"."""
        if self.plain:
            return " ".join(filter(None, (self.trait("age"), self.trait("gender"), "voice")))
        return self._choose(self.lexicon.voices[self._gender_and_age()])

    def speaker(self) -> str:
        """Return age and gender of a person, such as "elderly woman" or "young male speaker"."""
        if self.plain:
            age, gender = self.trait("age"), self.trait("gender")
            child = self.content.traits.get("age") == "child"
            person = _SPEAKER if child else _PERSON.get(gender, _SPEAKER)
            words = (age, gender if person == _SPEAKER else "", person)
            self._person = " ".join(filter(None, words))
        else:
            self._person = self._choose(self.lexicon.people[self._gender_and_age()])
        return self._person

    def _gender_and_age(self) -> tuple[str, str]:
        return self.content.traits.get("gender", _UNKNOWN), self.content.traits.get("age", _UNKNOWN)

    def speaks(self) -> str:
        """Return what the last named person does; a speaker does not speak."""
        of = _SPEAKER if self._person.endswith(_SPEAKER) else "person"
        return self._choose(self.lexicon.speaks[of])

    def pronoun(self, case: int) -> str:
        """Return "she" (0) or "her" (1), nothing where the gender has none."""
        pronouns = self.lexicon.pronouns.get(self.content.traits.get("gender", ""))
        return pronouns[case] if pronouns else ""

    def accent_timbre(self, of: str = "voice") -> str:
        """Return accent and timbre of a "voice" or a "speaker", with their articles."""
        timbre = self._timbre(of)
        return joined([self.a(phrase) for phrase in (self.trait("accent"), timbre) if phrase])

    def accent_tags(self) -> str:
        """Return accent and timbre without articles."""
        return _tags(self.trait("accent"), self._timbre("voice" if self.plain else "speaker"))

    def _timbre(self, of: str) -> str:
        timbre = self.content.traits.get("timbre")
        return self._choose(self.lexicon.timbres[timbre, of]) if timbre else ""

    def manner(self, of: str = "speaker") -> str:
        """Return pace and style, such as "slowly in a casual tone", of a speaker or of words."""
        style, pace = self.content.traits.get("style"), self.content.traits.get("pace")
        if self.plain:
            paces = self.lexicon.plain_paces[pace] if pace else ()
            return joined([*self.lexicon.traits["style", style][:1], *paces] if style else paces)
        how = self._choose(self.lexicon.paces[pace]) if pace else ""
        if not style:
            return how
        manners: Sequence[str] = self.lexicon.manners[style, of]
        if how:  # "fast in a formal tone", not "fast and formally"
            manners = [manner for manner in manners if not manner.endswith("ly")] or manners
        return " ".join(filter(None, (how, self._choose(manners))))

    def manner_tags(self) -> str:
        """Return style and pace as a list of commas."""
        pace = self.trait("pace")
        style = self.trait("style") if self.plain else self._style_tag()
        return _tags(style, pace and f"{pace} pace")

    def _style_tag(self) -> str:
        style = self.content.traits.get("style")
        return self._choose(self.lexicon.style_tags[style]) if style else ""

    def qualities(self) -> list[str]:
        """Return an adjective for each voice attribute but those of the recording."""
        return self._poles(of_recording=False)

    def voice_words(self) -> list[str]:
        """Return the adjectives of the voice itself that stand before it: "harsh", "low-pitched"."""
        return self._of_voice()[:_BEFORE_VOICE]

    def further_voice_words(self) -> list[str]:
        """Return those for which there is no place before it."""
        return self._of_voice()[_BEFORE_VOICE:]

    def bearing(self) -> list[str]:
        """Return the adjectives that a person has more than a voice: "confident"."""
        poles = self.lexicon.attributes
        return [self._choose(poles[pole]) for pole in self.content.attributes if pole[0] in BEARING]

    def tone(self) -> str:
        """Return the adjective of the tone."""
        poles = self.lexicon.attributes
        return "".join(self._choose(poles[pole]) for pole in self.content.attributes if pole[0] == TONE)

    def _of_voice(self) -> list[str]:
        poles = self.lexicon.attributes
        return [self._choose(poles[pole]) for pole in self.content.attributes if _is_of_voice(pole[0])]

    def voice_description(self) -> str:
        """Return what is known of the voice itself, such as "low-pitched, raspy"."""
        timbre = self.content.traits.get("timbre", "")
        return _tags(*self.voice_words(), timbre) if self.content.attributes else timbre

    def described_voice(self) -> str:
        """Return the voice with all that may stand before it: "harsh, breathy female voice"."""
        described = self.voice_description()
        if not described:
            return self.voice()
        known = self.lexicon.voices[self._gender_and_age()]
        return f"{described} {self._choose([phrase for phrase in known if _OWNER not in phrase])}"

    def accent_and_own_voice(self) -> str:
        """Return what a speaker has: "a French accent and a low-pitched, raspy voice"."""
        described = self.voice_description()
        voice = described and f"{described} voice"
        return joined([self.a(phrase) for phrase in (self.trait("accent"), voice) if phrase])

    def recording(self) -> list[str]:
        """Return a phrase for each attribute of the recording, with articles where English has them."""
        return self._poles(of_recording=True)

    def _poles(self, *, of_recording: bool) -> list[str]:
        poles = self.lexicon.plain_attributes if self.plain else self.lexicon.attributes
        chosen = [pole for pole in self.content.attributes if (pole[0] in RECORDING) is of_recording]
        return [self._choose(poles[pole]) for pole in chosen]

    def recording_tags(self) -> str:
        """Return attributes of the recording as a list of commas, in the varied wording without articles."""
        recording = self.recording()
        return ", ".join(recording if self.plain else map(without_article, recording))

    def speaker_tags(self) -> str:
        """Return age and gender as a list of commas, in the varied wording a child as a person."""
        if not self.plain and self.content.traits.get("age") == "child":
            return self.speaker()
        return _tags(self.trait("age"), self.trait("gender"))

    def a(self, phrase: str) -> str:
        """Return a phrase with its indefinite article; nothing for nothing."""
        return with_article(phrase, self.lexicon.sounds) if phrase else ""

    def _choose(self, phrases: Sequence[str]) -> str:
        return phrases[self.below(len(phrases))]


def _is_of_voice(attribute: str) -> bool:
    return attribute not in BEARING and attribute not in RECORDING and attribute != TONE


def _tags(*phrases: str) -> str:
    return ", ".join(filter(None, phrases))


def _first(count: int) -> int:
    return 0


class _Bits(dict[str, int]):
    """A bit for each name, given out when it is first asked for."""

    def __missing__(self, name: str) -> int:
        return self.setdefault(name, 1 << len(self))


_BIT = _Bits()
_CONDITIONS = ("neutral", "one", "more", "rest_more")
_OF_TRAIT = {
    "accent": _BIT["accent"] | _BIT["known"] | _BIT["origin"] | _BIT["having"],
    "timbre": _BIT["accent"] | _BIT["known"] | _BIT["described"] | _BIT["having"],
    **dict.fromkeys(("style", "pace"), _BIT["manner"]),
    **dict.fromkeys(("age", "gender"), _BIT["speaker"] | _BIT["known"]),
}
_OF_ATTRIBUTE = {
    **dict.fromkeys(RECORDING, _BIT["recording"]),
    **dict.fromkeys(BEARING, _BIT["qualities"] | _BIT["bearing"]),
    TONE: _BIT["qualities"] | _BIT["tone"],
}
_ONE_BURST = _BIT["burst_verbs"] | _BIT["burst_verb"]
_OF_VOICE = _BIT["qualities"] | _BIT["known"] | _BIT["described"] | _BIT["having"]
_COMPLETE_FORMS = ("noun", "adjective")
"""Forms that every emotion has words in, and that a profile without emotions has, too."""


def _filled(content: Content, lexicon: Lexicon) -> int:
    """Return the bits of the slots that this profile has something for."""
    bits = _BIT["more"] if len(content.emotions) > 1 else 0
    if content.bursts:
        bits |= _BIT["bursts"]
        few = len(content.bursts) <= _AS_VERBS
        if few and all(name in lexicon.burst_verbs for name in content.bursts):
            bits |= _ONE_BURST if len(content.bursts) == 1 else _BIT["burst_verbs"]
    if content.traits.get("gender") in lexicon.pronouns:
        bits |= _BIT["she"]
    for key in content.traits:
        bits |= _OF_TRAIT[key]
    if content.attributes:
        bits |= _bits_of_attributes(content)
    if len(lexicon.book) > len(_COMPLETE_FORMS):
        bits |= sum(_BIT[name] for name, holds in _conditions(content, lexicon) if holds)
    return bits


def _bits_of_attributes(content: Content) -> int:
    bits = of_voice = 0
    for name, _ in content.attributes:
        of_voice += _is_of_voice(name)
        bits |= _OF_ATTRIBUTE.get(name, _OF_VOICE)
    return bits | _BIT["further"] if of_voice > _BEFORE_VOICE else bits


def _conditions(content: Content, lexicon: Lexicon) -> Iterator[tuple[str, bool]]:
    """Yield what only frames with further forms ask for, and whether it holds in this order of emotions."""
    if not content.emotions:
        yield "neutral", content.feelings
        return
    yield "one", len(content.emotions) == 1
    yield "rest_more", len(content.emotions) > 2
    for form, book in lexicon.book.items():
        if form not in _COMPLETE_FORMS:
            has = [bool(book[emotion].before) for emotion in content.emotions]
            yield f"first_{form}", has[0]
            yield f"{form}s", all(has)
            yield f"rest_{form}s", len(has) > 1 and all(has[1:])


def slots(lexicon: Lexicon) -> dict[str, Slot]:
    """Return the slots that frames may name.

    For each form of the lexicon: all emotions ("nouns"), the first ("first_noun") and the others
    ("rest_nouns"). Conditions, which have no text, stand in the brackets that they decide, or in a frame that
    is for them alone: a "neutral" voice, "one" or "more" emotions, "rest_more" than one besides the first.
    """
    found = {name: Slot(fill, _BIT[group] if group else 0) for name, (group, fill) in _SLOTS.items()}
    found |= {name: Slot(lambda fill: "", _BIT[name]) for name in _CONDITIONS}
    for form in lexicon.book:
        if form in _COMPLETE_FORMS:
            first, every, rest = 0, 0, _BIT["more"]
        else:
            first, every, rest = _BIT[f"first_{form}"], _BIT[f"{form}s"], _BIT[f"rest_{form}s"]
        found |= _slots_of_form(form, first, every, rest)
    return found


def _slots_of_form(form: str, first: int, every: int, rest: int) -> dict[str, Slot]:
    def one(fill: Filling) -> str:
        return fill.prose(fill.emotions[:1], form)

    def others(fill: Filling) -> str:
        return fill.prose(fill.emotions[1:], form) if fill.emotions[1:] else ""

    return {
        f"{form}s": Slot(lambda fill: fill.prose(fill.emotions, form), every),
        f"{form}_tags": Slot(lambda fill: fill.tags(form), every),
        f"first_{form}": Slot(one, first),
        f"rest_{form}s": Slot(others, rest),
        f"{form}_speaker": Slot(lambda fill: fill.a(f"{one(fill)} {fill.speaker()}"), first),
        f"{form}_voice": Slot(lambda fill: fill.a(f"{one(fill)} {fill.voice()}"), first),
    }


_SLOTS: dict[str, tuple[str, Callable[[Filling], str]]] = {
    "a_voice": ("", lambda fill: fill.a(fill.voice())),
    "known_voice": ("known", lambda fill: fill.a(fill.voice())),
    "the_voice": ("", lambda fill: f"the {fill.voice()}"),
    "a_speaker": ("", lambda fill: fill.a(fill.speaker())),
    "known_speaker": ("known", lambda fill: fill.a(fill.speaker())),
    "voice_tag": ("speaker", Filling.voice),
    "person_tag": ("speaker", Filling.speaker),
    "the_speaker": ("", lambda fill: f"the {fill.speaker()}"),
    "speaks": ("", Filling.speaks),
    "she": ("she", lambda fill: fill.pronoun(0)),
    "her": ("she", lambda fill: fill.pronoun(1)),
    "speaker_tags": ("speaker", Filling.speaker_tags),
    "bursts": ("bursts", lambda fill: joined(fill.bursts())),
    "burst_tags": ("bursts", Filling.burst_tags),
    "burst_verbs": ("burst_verbs", lambda fill: fill.doing(fill.lexicon.burst_verbs)),
    "burst_verb": ("burst_verb", lambda fill: fill.doing(fill.lexicon.burst_verbs)),
    "burst_infinitives": ("burst_verbs", lambda fill: fill.doing(fill.lexicon.burst_infinitives)),
    "burst_infinitive": ("burst_verb", lambda fill: fill.doing(fill.lexicon.burst_infinitives)),
    "burst_participles": ("burst_verbs", lambda fill: fill.doing(fill.lexicon.burst_participles)),
    "accent_timbre": ("accent", Filling.accent_timbre),
    "accent_and_voice": ("accent", lambda fill: fill.accent_timbre("speaker")),
    "accent_tags": ("accent", Filling.accent_tags),
    "described_voice": ("", lambda fill: fill.a(fill.described_voice())),
    "known_described_voice": ("known", lambda fill: fill.a(fill.described_voice())),
    "described_voice_tag": ("", Filling.described_voice),
    "voice_description": ("described", Filling.voice_description),
    "own_voice": ("described", lambda fill: fill.a(f"{fill.voice_description()} voice")),
    "accent_and_own_voice": ("having", Filling.accent_and_own_voice),
    "accent": ("origin", lambda fill: fill.a(fill.trait("accent"))),
    "accent_tag": ("origin", lambda fill: fill.trait("accent")),
    "described": ("described", lambda fill: ""),
    "further_qualities": ("further", lambda fill: joined(fill.further_voice_words())),
    "further_tags": ("further", lambda fill: ", ".join(fill.further_voice_words())),
    "bearing": ("bearing", lambda fill: joined(fill.bearing())),
    "bearing_tags": ("bearing", lambda fill: ", ".join(fill.bearing())),
    "tone": ("tone", Filling.tone),
    "manner": ("manner", Filling.manner),
    "delivery": ("manner", lambda fill: fill.manner("words")),
    "manner_tags": ("manner", Filling.manner_tags),
    "qualities": ("qualities", lambda fill: joined(fill.qualities())),
    "quality_tags": ("qualities", lambda fill: ", ".join(fill.qualities())),
    "recording": ("recording", lambda fill: joined(fill.recording())),
    "recording_tags": ("recording", Filling.recording_tags),
}
"""Name of a slot, the bit that says whether it is filled (none: always), and what fills it."""
