"""Slots of sentence frames, and their texts: "{a_speaker} sounds {adjectives}[, with {bursts}]".

Each function here returns a text for one caption. `_SLOTS` lists the slots with their functions, and the need
that a profile must meet for the slot; brackets of a frame with an empty slot are left out. A need is not a
slot, even if they have the same name: the slots `burst_tags` and `bursts` have the need `bursts`. `needs_met`
returns the needs that a profile meets:

    speaker           gender or age
    she               a gender that has a pronoun
    accent            an accent
    accent_or_timbre  either of them
    described         timbre or an attribute of the voice
    accent_or_voice   accent, timbre or an attribute of the voice
    known             gender, age, accent, timbre or an attribute of the voice
    further           more attributes of the voice than are named before the word "voice"
    qualities         attributes of voice, bearing or tone
    bearing           attributes of the bearing
    tone              the attribute of the tone
    recording         attributes of the recording, volume or distance
    manner            pace or style
    bursts            vocal bursts
    burst_verbs       one or two vocal bursts, with verbs
    burst_verb        one vocal burst, with a verb
    more              several emotions

A file of additions, such as that of the paraphraser (`paraphrase/rewording.yaml`), may have more forms of
emotions than nouns and adjectives. Then there are also:

    neutral           no emotion, so that the caption calls the voice neutral
    one               exactly one emotion
    rest_more         more than two emotions
    FORMs             each emotion has phrases in this form ("adverbs")
    first_FORM        the first emotion has phrases in this form ("first_adverb")
    rest_FORMs        there are other emotions, with phrases in this form ("rest_adverbs")
"""

from collections.abc import Iterable, Iterator

from budew.captions.content_selection import RECORDING, Content
from budew.captions.frames import Slot, Write
from budew.captions.phrases import without_article
from budew.captions.vocabulary import ByPlace, Vocabulary, joined, with_article
from budew.captions.word_choice import WordChoice
from budew.taxonomy import RECORDING_TRAITS

_BEARING = (
    "Arousal", "Confident_vs._Hesitant", "Serious_vs._Humorous", "Submissive_vs._Dominant",
    "Vulnerable_vs._Emotionally_Detached",
)  # fmt: skip
_KINDS = {**dict.fromkeys(RECORDING, "recording"), **dict.fromkeys(_BEARING, "bearing"), "Valence": "tone"}
"""Kinds of attributes: of the recording, of the bearing of a person ("she sounds confident"), and of the tone
("a positive tone"). All other attributes are those of the voice.
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
    **{name: {"recording"} for name in RECORDING_TRAITS},
}
_COMPLETE_FORMS = ("noun", "adjective")
"""Forms in which every emotion, and a neutral profile, has words."""
_BEFORE_VOICE = 2
"""Most attributes before the word "voice", not counting timbre; others are named after it."""
_MOST_VERBS = 2
"""Most bursts that are named as verbs ("she sighs"); more bursts are named as nouns."""


def needs_met(content: Content, vocabulary: Vocabulary) -> set[str]:
    """Return the needs of slots that a profile meets, see the list at the top of this module.

    Args:
        content: what the caption expresses, with emotions in the order of the caption.
        vocabulary: phrases of the wording.
    """
    found: set[str] = set()
    for trait in content.traits:
        found |= _MET_BY_TRAIT[trait]
    for attribute, _ in content.attributes:
        found |= _MET_BY_KIND[_KINDS.get(attribute, "voice")]
    if len(content.attributes) > _BEFORE_VOICE and len(_of_kinds(content, "voice")) > _BEFORE_VOICE:
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
    """Yield the needs of frames with further forms of emotions: "first_adverb", "rest_adverbs"…"""
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
    """Return all slots that frames may use, by name.

    Each form of emotions has slots for all emotions ("nouns", "noun_tags"), the first emotion ("first_noun")
    and the other emotions ("rest_nouns").
    """
    found = {**_SLOTS}
    for form in vocabulary.emotions:
        found |= _slots_of_form(form)
    return found


def _slots_of_form(form: str) -> dict[str, Slot]:
    def first(choice: WordChoice) -> str:
        return choice.emotion_list(choice.content.emotions[:1], form)

    def rest(choice: WordChoice) -> str:
        others = choice.content.emotions[1:]
        return choice.emotion_list(others, form) if others else ""

    is_complete = form in _COMPLETE_FORMS
    of_all = "" if is_complete else f"{form}s"
    of_first = "" if is_complete else f"first_{form}"
    of_rest = "more" if is_complete else f"rest_{form}s"
    return {
        f"{form}s": Slot(lambda choice: choice.emotion_list(choice.content.emotions, form), of_all),
        f"{form}_tags": Slot(lambda choice: choice.emotion_tags(form), of_all),
        f"first_{form}": Slot(first, of_first),
        f"rest_{form}s": Slot(rest, of_rest),
        f"{form}_speaker": Slot(_a(lambda choice: f"{first(choice)} {speaker(choice)}"), of_first),
        f"{form}_voice": Slot(_a(lambda choice: f"{first(choice)} {voice(choice)}"), of_first),
    }


def _a(write: Write) -> Write:
    return lambda choice: with_article(write(choice), choice.vocabulary.sounds)


def _the(write: Write) -> Write:
    return lambda choice: f"the {write(choice)}"


def _tags(phrases: Iterable[str]) -> str:
    return ", ".join(filter(None, phrases))


# The speaker: gender, age and vocal bursts.


def voice(choice: WordChoice) -> str:
    """Write age and gender before "voice": "elderly female voice"."""
    return choice.one_of(choice.vocabulary.voices[choice.gender_and_age])


def speaker(choice: WordChoice) -> str:
    """Write age and gender of a person: "elderly woman", "young male speaker"."""
    choice.person = choice.one_of(choice.vocabulary.people[choice.gender_and_age])
    return choice.person


def speaker_tags(choice: WordChoice) -> str:
    """Write age and gender as tags; in the varied wording, children as persons: "young girl"."""
    if not choice.vocabulary.is_plain and choice.content.traits.get("age") == "child":
        return speaker(choice)
    return _tags((choice.trait("age"), choice.trait("gender")))


def speaks(choice: WordChoice) -> str:
    """Write the verb for the person that was named last, which is not "speaks" after "speaker"."""
    of = "speaker" if choice.person.endswith("speaker") else "person"
    return choice.one_of(choice.vocabulary.speaks[of])


def _pronoun(choice: WordChoice, place: int) -> str:
    """Write the pronoun of the speaker: its form number `place`, such as "she" or "her"."""
    gender = choice.content.traits.get("gender", "")
    return choice.vocabulary.pronouns.get(gender, ("they", "their"))[place]


def bursts(choice: WordChoice) -> str:
    """Write vocal bursts as nouns: "a chuckle and a sigh"."""
    phrases = choice.vocabulary.bursts
    return joined([choice.one_of(phrases[name]) for name in choice.content.bursts])


def burst_tags(choice: WordChoice) -> str:
    """Write vocal bursts as tags."""
    phrases = choice.vocabulary.burst_tags
    return _tags([choice.one_of(phrases[name]) for name in choice.content.bursts])


def _burst_verbs(form: str) -> Write:
    """Return a function that writes bursts as verbs in a form: "chuckles and clears her throat"."""

    def write(choice: WordChoice) -> str:
        phrases = choice.vocabulary.burst_verbs[form]
        their = _pronoun(choice, 1)
        return joined([choice.one_of(phrases[name]).format(their) for name in choice.content.bursts])

    return write


# The voice: accent, timbre and the voice attributes.


def _attributes(choice: WordChoice, table: ByPlace, *kinds: str) -> list[str]:
    """Return a phrase of `table` for each attribute of these kinds."""
    return [choice.one_of(table[place]) for place in _of_kinds(choice.content, *kinds)]


def _of_kinds(content: Content, *kinds: str) -> list[tuple[str, float]]:
    return [place for place in content.attributes if _KINDS.get(place[0], "voice") in kinds]


def _of_recording(choice: WordChoice, table: ByPlace) -> list[str]:
    """Return a phrase for each attribute of the recording, and for volume and distance."""
    words = [choice.trait(name) for name in RECORDING_TRAITS if name in choice.content.traits]
    return [*_attributes(choice, table, "recording"), *words]


def accent_tag(choice: WordChoice) -> str:
    """Write the accent without an article: "French accent"."""
    accent = choice.content.traits.get("accent")
    return choice.vocabulary.accent.format(accent) if accent else ""


def accent_timbre(choice: WordChoice) -> str:
    """Write accent and timbre of a voice: "a French accent and a raspy timbre"."""
    timbre = choice.content.traits.get("timbre")
    return _accent_and(choice, choice.one_of(choice.vocabulary.timbres[timbre, "voice"]) if timbre else "")


def accent_tags(choice: WordChoice) -> str:
    """Write accent and timbre as tags, without articles."""
    timbre = choice.content.traits.get("timbre")
    timbre_tag = choice.one_of(choice.vocabulary.timbre_tags[timbre]) if timbre else ""
    return _tags((accent_tag(choice), timbre_tag))


def accent_and_own_voice(choice: WordChoice) -> str:
    """Write accent and voice of a speaker: "a French accent and a low-pitched, raspy voice"."""
    description = voice_description(choice)
    return _accent_and(choice, f"{description} voice" if description else "")


def _accent_and(choice: WordChoice, other: str) -> str:
    """Return the accent and another noun phrase, with articles, joined by "and"."""
    phrases = (accent_tag(choice), other)
    return joined([with_article(phrase, choice.vocabulary.sounds) for phrase in phrases if phrase])


def voice_description(choice: WordChoice) -> str:
    """Write at most two attributes and the timbre, for use before "voice": "low-pitched, raspy"."""
    return _tags((*_voice_adjectives(choice)[:_BEFORE_VOICE], choice.content.traits.get("timbre", "")))


def described_voice(choice: WordChoice) -> str:
    """Write the voice with attributes, timbre, age and gender: "harsh, breathy female voice"."""
    description = voice_description(choice)
    if not description:
        return voice(choice)
    voices = choice.vocabulary.voices[choice.gender_and_age]
    ownerless = choice.one_of([phrase for phrase in voices if "'s " not in phrase])
    return f"{description} {ownerless}"


def _voice_adjectives(choice: WordChoice) -> list[str]:
    return _attributes(choice, choice.vocabulary.attributes, "voice")


# The manner of speaking: pace and style.


def _manner(of: str) -> Write:
    """Return a function that writes pace and style of a "speaker" or "words": "slowly in a casual tone"."""

    def write(choice: WordChoice) -> str:
        traits, vocabulary = choice.content.traits, choice.vocabulary
        pace = choice.one_of(vocabulary.paces[traits["pace"]]) if "pace" in traits else ""
        if "style" not in traits:
            return pace
        styles = vocabulary.manners[traits["style"], of]
        if vocabulary.is_plain:
            return joined(list(filter(None, (styles[0], pace))))
        if not pace:
            return choice.one_of(styles)
        no_adverbs = [style for style in styles if not style.endswith("ly")]
        return f"{pace} {choice.one_of(no_adverbs or styles)}"  # "fast in a formal tone", not "fast formally"

    return write


def manner_tags(choice: WordChoice) -> str:
    """Write style and pace as tags."""
    pace = choice.trait("pace")
    style = choice.content.traits.get("style")
    style_tag = choice.one_of(choice.vocabulary.style_tags[style]) if style else ""
    return _tags((style_tag, f"{pace} pace" if pace else ""))


_QUALITIES = ("voice", "bearing", "tone")
_SLOTS = {
    **{name: Slot(lambda choice: "", name) for name in ("described", "neutral", "one", "more", "rest_more")},
    "denied_nouns": Slot(lambda choice: choice.denied_list("noun")),
    "denied_adjectives": Slot(lambda choice: choice.denied_list("adjective")),
    "a_speaker": Slot(_a(speaker)),
    "the_speaker": Slot(_the(speaker)),
    "known_speaker": Slot(_a(speaker), "known"),
    "person_tag": Slot(speaker, "speaker"),
    "speaker_tags": Slot(speaker_tags, "speaker"),
    "speaks": Slot(speaks),
    "she": Slot(lambda choice: _pronoun(choice, 0), "she"),
    "her": Slot(lambda choice: _pronoun(choice, 1), "she"),
    "bursts": Slot(bursts, "bursts"),
    "burst_tags": Slot(burst_tags, "bursts"),
    "burst_verbs": Slot(_burst_verbs("verb"), "burst_verbs"),
    "burst_verb": Slot(_burst_verbs("verb"), "burst_verb"),
    "burst_participles": Slot(_burst_verbs("participle"), "burst_verbs"),
    "burst_infinitives": Slot(_burst_verbs("infinitive"), "burst_verbs"),
    "burst_infinitive": Slot(_burst_verbs("infinitive"), "burst_verb"),
    "a_voice": Slot(_a(voice)),
    "the_voice": Slot(_the(voice)),
    "voice_tag": Slot(voice, "speaker"),
    "described_voice": Slot(_a(described_voice)),
    "known_described_voice": Slot(_a(described_voice), "known"),
    "described_voice_tag": Slot(described_voice),
    "voice_description": Slot(voice_description, "described"),
    "own_voice": Slot(_a(lambda choice: f"{voice_description(choice)} voice"), "described"),
    "accent": Slot(_a(accent_tag), "accent"),
    "accent_tag": Slot(accent_tag, "accent"),
    "accent_tags": Slot(accent_tags, "accent_or_timbre"),
    "accent_timbre": Slot(accent_timbre, "accent_or_timbre"),
    "accent_and_own_voice": Slot(accent_and_own_voice, "accent_or_voice"),
    "further_qualities": Slot(lambda choice: joined(_voice_adjectives(choice)[_BEFORE_VOICE:]), "further"),
    "further_tags": Slot(lambda choice: _tags(_voice_adjectives(choice)[_BEFORE_VOICE:]), "further"),
    "qualities": Slot(
        lambda choice: joined(_attributes(choice, choice.vocabulary.qualities, *_QUALITIES)), "qualities"
    ),
    "quality_tags": Slot(
        lambda choice: _tags(_attributes(choice, choice.vocabulary.quality_tags, *_QUALITIES)), "qualities"
    ),
    "bearing": Slot(
        lambda choice: joined(_attributes(choice, choice.vocabulary.attributes, "bearing")), "bearing"
    ),
    "bearing_tags": Slot(
        lambda choice: _tags(_attributes(choice, choice.vocabulary.attributes, "bearing")), "bearing"
    ),
    "tone": Slot(lambda choice: joined(_attributes(choice, choice.vocabulary.attributes, "tone")), "tone"),
    "recording": Slot(lambda choice: joined(_of_recording(choice, choice.vocabulary.qualities)), "recording"),
    "recording_tags": Slot(
        lambda choice: _tags(map(without_article, _of_recording(choice, choice.vocabulary.quality_tags))),
        "recording",
    ),
    "manner": Slot(_manner("speaker"), "manner"),
    "delivery": Slot(_manner("words"), "manner"),
    "manner_tags": Slot(manner_tags, "manner"),
}
"""Slots by name. Slots without a text only decide whether the bracket with them is used."""
