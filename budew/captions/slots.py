"""Slots of sentence frames: what stands in "{a_speaker} sounds {adjectives}[, with {bursts}]".

Each function here returns the text of the slots that the decorators name, for one caption. `needs` says what
the profile must have for it: a bracket of a frame with an empty slot is left out. `needs_met` lists the needs
that a profile meets, by these names:

    speaker           gender or age
    she               a gender that has a pronoun
    accent            an accent; accent_or_timbre: either of them
    described         timbre or an attribute of the voice
    accent_or_voice   accent, timbre or an attribute of the voice
    known             gender, age, accent, timbre or an attribute of the voice
    further           more attributes of the voice than stand before it
    qualities         attributes of voice, bearing or tone; bearing, tone, recording: attributes of that kind
    manner            pace or style
    bursts            vocal bursts; burst_verbs: at most two, with verbs; burst_verb: one, with a verb
    more              several emotions
"""

from collections.abc import Callable, Iterator
from typing import Literal

from budew.captions.content_selection import RECORDING, Content
from budew.captions.frames import Slot, Write
from budew.captions.vocabulary import BURST_FORMS, Vocabulary, joined, with_article
from budew.captions.word_choice import WordChoice

_BEARING = (
    "Arousal", "Confident_vs._Hesitant", "Serious_vs._Humorous", "Submissive_vs._Dominant",
    "Vulnerable_vs._Emotionally_Detached",
)  # fmt: skip
_KINDS = {**dict.fromkeys(RECORDING, "recording"), **dict.fromkeys(_BEARING, "bearing"), "Valence": "tone"}
"""Attributes of the recording, those that a person has more than a voice ("she sounds confident"), and that
of the tone ("a positive tone"). The others are of the voice.
"""
_MET_BY_KIND = {
    "recording": {"recording"},
    "bearing": {"qualities", "bearing"},
    "tone": {"qualities", "tone"},
    "voice": {"qualities", "described", "accent_or_voice", "known"},
}
_MET_BY_TRAIT = {
    "gender": {"speaker", "known"},
    "age": {"speaker", "known"},
    "accent": {"accent", "accent_or_timbre", "accent_or_voice", "known"},
    "timbre": {"accent_or_timbre", "described", "accent_or_voice", "known"},
    "pace": {"manner"},
    "style": {"manner"},
}
_LISTS = (
    ("bursts", "bursts", "bursts", ()),
    ("burst_tags", "bursts", "burst_tags", ()),
    ("qualities", "qualities", "qualities", ("voice", "bearing", "tone")),
    ("quality_tags", "qualities", "quality_tags", ("voice", "bearing", "tone")),
    ("bearing", "bearing", "attributes", ("bearing",)),
    ("bearing_tags", "bearing", "attributes", ("bearing",)),
    ("tone", "tone", "attributes", ("tone",)),
    ("recording", "recording", "qualities", ("recording",)),
    ("recording_tags", "recording", "quality_tags", ("recording",)),
)
"""Slots that list phrases: name, needs, table of the vocabulary, and kinds of attributes (none: bursts)."""
_CONDITIONS = ("described", "neutral", "one", "more", "rest_more")
"""Slots without a text, for the brackets that they decide."""
_COMPLETE_FORMS = ("noun", "adjective")
"""Forms that every emotion has words in, and that a neutral profile has, too."""
_BEFORE_VOICE = 2
"""Attributes of a voice that stand before it, its timbre not counted; more follow in a sentence."""
_MOST_VERBS = 2
"""More bursts than these are named as nouns; up to these are verbs of the speaker."""
_OWNER = "'s "

_SLOTS: dict[str, Slot] = {}


def needs_met(content: Content, vocabulary: Vocabulary) -> set[str]:
    """Return the needs of slots that a profile meets. Its emotions are in the order of the caption."""
    found: set[str] = set()
    for trait in content.traits:
        found |= _MET_BY_TRAIT[trait]
    for attribute, _ in content.attributes:
        found |= _MET_BY_KIND[_KINDS.get(attribute, "voice")]
    if len(content.attributes) > _BEFORE_VOICE and len(_attributes(content, "voice")) > _BEFORE_VOICE:
        found.add("further")
    if content.traits.get("gender") in vocabulary.pronouns:
        found.add("she")
    if content.bursts:
        found.add("bursts")
        verbs = vocabulary.burst_verbs["verb"]
        if len(content.bursts) <= _MOST_VERBS and all(name in verbs for name in content.bursts):
            found.add("burst_verbs")
            if len(content.bursts) == 1:
                found.add("burst_verb")
    if len(content.emotions) > 1:
        found.add("more")
    if len(vocabulary.emotions) > len(_COMPLETE_FORMS):
        found.update(_met_by_further_forms(content, vocabulary))
    return found


def _met_by_further_forms(content: Content, vocabulary: Vocabulary) -> Iterator[str]:
    """Yield what only frames with further forms of emotions need: "first_adverb", "rest_adverbs"…"""
    emotions = content.emotions
    if not emotions:
        if content.feelings:
            yield "neutral"
        return
    if len(emotions) == 1:
        yield "one"
    if len(emotions) > 2:
        yield "rest_more"
    for form, phrases in vocabulary.emotions.items():
        if form not in _COMPLETE_FORMS:
            first, *rest = [bool(phrases[emotion].before) for emotion in emotions]
            if first:
                yield f"first_{form}"
            if first and all(rest):
                yield f"{form}s"
            if rest and all(rest):
                yield f"rest_{form}s"


def slots(vocabulary: Vocabulary) -> dict[str, Slot]:
    """Return the slots that frames may name.

    For each form of emotions these are all of them ("nouns", "noun_tags"), the first ("first_noun") and the
    others ("rest_nouns"). Conditions have no text: they stand in the brackets that they decide.
    """
    found = {name: Slot(lambda choice: "", name) for name in _CONDITIONS}
    for name, needs, table, kinds in _LISTS:
        found[name] = _list_slot(name, needs, table, kinds)
    found |= _SLOTS
    for form in BURST_FORMS:
        found[f"burst_{form}s"] = Slot(_burst_verbs(form), "burst_verbs")
        found[f"burst_{form}"] = Slot(_burst_verbs(form), "burst_verb")
    for form in vocabulary.emotions:
        found |= _slots_of_form(form)
    return found


def _slots_of_form(form: str) -> dict[str, Slot]:
    def first(choice: WordChoice) -> str:
        return choice.emotion_list(choice.content.emotions[:1], form)

    def rest(choice: WordChoice) -> str:
        others = choice.content.emotions[1:]
        return choice.emotion_list(others, form) if others else ""

    def first_speaker(choice: WordChoice) -> str:
        return with_article(f"{first(choice)} {speaker(choice)}", choice.vocabulary.sounds)

    def first_voice(choice: WordChoice) -> str:
        return with_article(f"{first(choice)} {voice(choice)}", choice.vocabulary.sounds)

    is_complete = form in _COMPLETE_FORMS
    of_all = "" if is_complete else f"{form}s"
    of_first = "" if is_complete else f"first_{form}"
    of_rest = "more" if is_complete else f"rest_{form}s"
    return {
        f"{form}s": Slot(lambda choice: choice.emotion_list(choice.content.emotions, form), of_all),
        f"{form}_tags": Slot(lambda choice: choice.emotion_tags(form), of_all),
        f"first_{form}": Slot(first, of_first),
        f"rest_{form}s": Slot(rest, of_rest),
        f"{form}_speaker": Slot(first_speaker, of_first),
        f"{form}_voice": Slot(first_voice, of_first),
    }


def _list_slot(name: str, needs: str, table: str, kinds: tuple[str, ...]) -> Slot:
    is_tags = name.endswith("_tags")

    def write(choice: WordChoice) -> str:
        phrases = getattr(choice.vocabulary, table)
        parts = _attributes(choice.content, *kinds) if kinds else choice.content.bursts
        chosen = [choice.one_of(phrases[part]) for part in parts]
        return ", ".join(chosen) if is_tags else joined(chosen)

    return Slot(write, needs)


def _attributes(content: Content, *kinds: str) -> list[tuple[str, float]]:
    return [place for place in content.attributes if _KINDS.get(place[0], "voice") in kinds]


def _burst_verbs(form: str) -> Write:
    def write(choice: WordChoice) -> str:
        """What somebody does, all of it as verbs: "chuckles and clears her throat"."""
        phrases = choice.vocabulary.burst_verbs[form]
        their = _pronouns(choice)[1]
        return joined([choice.one_of(phrases[name]).format(their) for name in choice.content.bursts])

    return write


def slot(name: str, *, needs: str = "", article: Literal["", "a", "the"] = "") -> Callable[[Write], Write]:
    """Let a function write the slot of this name, with an article before its text; without `needs` always."""

    def register(write: Write) -> Write:
        forms: dict[str, Write] = {
            "": write,
            "a": lambda choice: with_article(write(choice), choice.vocabulary.sounds),
            "the": lambda choice: f"the {write(choice)}",
        }
        _SLOTS[name] = Slot(forms[article], needs)
        return write

    return register


def _tags(*phrases: str) -> str:
    return ", ".join(filter(None, phrases))


# The speaker: gender and age.


@slot("a_voice", article="a")
@slot("the_voice", article="the")
@slot("known_voice", article="a", needs="known")
@slot("voice_tag", needs="speaker")
def voice(choice: WordChoice) -> str:
    """Age and gender before "voice": "elderly female voice"."""
    return choice.one_of(choice.vocabulary.voices[choice.gender_and_age])


@slot("a_speaker", article="a")
@slot("the_speaker", article="the")
@slot("known_speaker", article="a", needs="known")
@slot("person_tag", needs="speaker")
def speaker(choice: WordChoice) -> str:
    """Age and gender of a person: "elderly woman", "young male speaker"."""
    choice.person = choice.one_of(choice.vocabulary.people[choice.gender_and_age])
    return choice.person


@slot("speaker_tags", needs="speaker")
def speaker_tags(choice: WordChoice) -> str:
    """Age and gender as tags; in the varied wording a child as a person: "young girl"."""
    if not choice.vocabulary.plain and choice.content.traits.get("age") == "child":
        return speaker(choice)
    return _tags(choice.trait("age"), choice.trait("gender"))


@slot("speaks")
def speaks(choice: WordChoice) -> str:
    """What the person named last does; a speaker does not speak."""
    of = "speaker" if choice.person.endswith("speaker") else "person"
    return choice.one_of(choice.vocabulary.speaks[of])


@slot("she", needs="she")
def she(choice: WordChoice) -> str:
    """The pronoun of the speaker."""
    return _pronouns(choice)[0]


@slot("her", needs="she")
def her(choice: WordChoice) -> str:
    """The possessive pronoun of the speaker."""
    return _pronouns(choice)[1]


def _pronouns(choice: WordChoice) -> tuple[str, ...]:
    return choice.vocabulary.pronouns.get(choice.content.traits.get("gender", ""), ("they", "their"))


# The voice: accent, timbre and the voice attributes.


@slot("accent", article="a", needs="accent")
@slot("accent_tag", needs="accent")
def accent_tag(choice: WordChoice) -> str:
    """The accent without its article."""
    known = choice.content.traits.get("accent")
    return choice.vocabulary.accent.format(known) if known else ""


@slot("accent_timbre", needs="accent_or_timbre")
def accent_timbre(choice: WordChoice) -> str:
    """What a voice has: "a French accent and a raspy timbre"."""
    return _accent_and(choice, _timbre(choice, "voice"))


@slot("accent_and_voice", needs="accent_or_timbre")
def accent_and_voice(choice: WordChoice) -> str:
    """What a speaker has: "a French accent and a raspy voice"."""
    return _accent_and(choice, _timbre(choice, "speaker"))


@slot("accent_tags", needs="accent_or_timbre")
def accent_tags(choice: WordChoice) -> str:
    """Accent and timbre without articles."""
    timbre = choice.content.traits.get("timbre")
    timbre_tag = choice.one_of(choice.vocabulary.timbre_tags[timbre]) if timbre else ""
    return _tags(accent_tag(choice), timbre_tag)


def _timbre(choice: WordChoice, of: str) -> str:
    timbre = choice.content.traits.get("timbre")
    return choice.one_of(choice.vocabulary.timbres[timbre, of]) if timbre else ""


def _accent_and(choice: WordChoice, other: str) -> str:
    """Return accent and another thing that a speaker or a voice has, with their articles."""
    phrases = (accent_tag(choice), other)
    return joined([with_article(phrase, choice.vocabulary.sounds) for phrase in phrases if phrase])


@slot("voice_description", needs="described")
def voice_description(choice: WordChoice) -> str:
    """Two attributes and the timbre, to stand before "voice": "low-pitched, raspy"."""
    timbre = choice.content.traits.get("timbre", "")
    return _tags(*_voice_adjectives(choice)[:_BEFORE_VOICE], timbre) if choice.content.attributes else timbre


@slot("described_voice", article="a")
@slot("known_described_voice", article="a", needs="known")
@slot("described_voice_tag")
def described_voice_tag(choice: WordChoice) -> str:
    """The voice with all that may stand before it: "harsh, breathy female voice"."""
    description = voice_description(choice)
    if not description:
        return voice(choice)
    voices = choice.vocabulary.voices[choice.gender_and_age]
    return f"{description} {choice.one_of([phrase for phrase in voices if _OWNER not in phrase])}"


@slot("own_voice", article="a", needs="described")
def own_voice(choice: WordChoice) -> str:
    """The voice of a speaker: "low-pitched, raspy voice"."""
    return f"{voice_description(choice)} voice"


@slot("accent_and_own_voice", needs="accent_or_voice")
def accent_and_own_voice(choice: WordChoice) -> str:
    """What a speaker has: "a French accent and a low-pitched, raspy voice"."""
    description = voice_description(choice)
    return _accent_and(choice, f"{description} voice" if description else "")


@slot("further_qualities", needs="further")
def further_qualities(choice: WordChoice) -> str:
    """Attributes of the voice for which there is no place before it."""
    return joined(_voice_adjectives(choice)[_BEFORE_VOICE:])


@slot("further_tags", needs="further")
def further_tags(choice: WordChoice) -> str:
    """The same as tags."""
    return ", ".join(_voice_adjectives(choice)[_BEFORE_VOICE:])


def _voice_adjectives(choice: WordChoice) -> list[str]:
    phrases = choice.vocabulary.attributes
    return [choice.one_of(phrases[place]) for place in _attributes(choice.content, "voice")]


# The manner of speaking: pace and style.


@slot("manner", needs="manner")
def manner(choice: WordChoice) -> str:
    """Pace and style: "slowly in a casual tone"."""
    return _manner(choice, of="speaker")


@slot("delivery", needs="manner")
def delivery(choice: WordChoice) -> str:
    """Pace and style of the words, not of the speaker."""
    return _manner(choice, of="words")


def _manner(choice: WordChoice, of: str) -> str:
    traits, vocabulary = choice.content.traits, choice.vocabulary
    pace = choice.one_of(vocabulary.paces[traits["pace"]]) if "pace" in traits else ""
    if "style" not in traits:
        return pace
    styles = vocabulary.manners[traits["style"], of]
    if vocabulary.plain:
        return joined(list(filter(None, (styles[0], pace))))
    if not pace:
        return choice.one_of(styles)
    no_adverbs = [style for style in styles if not style.endswith("ly")]
    return f"{pace} {choice.one_of(no_adverbs or styles)}"  # "fast in a formal tone", not "fast formally"


@slot("manner_tags", needs="manner")
def manner_tags(choice: WordChoice) -> str:
    """Style and pace as tags."""
    pace = choice.trait("pace")
    style = choice.content.traits.get("style")
    style_tag = choice.one_of(choice.vocabulary.style_tags[style]) if style else ""
    return _tags(style_tag, f"{pace} pace" if pace else "")
