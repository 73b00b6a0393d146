"""What is rewritten: a template that says what those of the corpus say, or else all of the profile.

A caption of a corpus says which part of the profile is to be said, after salience or a smallest level. It
comes out of a file, though: only one that reads as a plain part of the clip's profile, and as nothing else,
is believed, and what goes into a prompt is rendered anew from what it says.
"""

from budew.captions import expressible, parse, render
from budew.captions.render import Style
from budew.corpora.clip import Clip
from budew.paraphrase.gate import judge
from budew.profile import VoiceProfile
from budew.randomness import derived_seed

_LONGEST = 2_000
"""Characters; the fullest rendering of a profile of ten things has some 600."""


def said_parts(clip: Clip) -> tuple[VoiceProfile, ...]:
    """Return what the template captions of a clip say, each once; all of its profile where it has none."""
    if clip.profile is None:
        return ()
    whole = _with_silence(expressible(clip.profile), silent=not clip.profile.emotions_known)
    templates = (caption.text for caption in clip.captions if caption.made_by.get("by") == "render")
    said = dict.fromkeys(
        _with_silence(part, silent=not whole.emotions_known or bool(whole.emotions))
        for text in templates
        if (part := _part_said(text, whole)) is not None
    )
    return tuple(said) or (whole,)


def source_caption(id: str, number: int, said: VoiceProfile, *, seed: int, style: Style | None = None) -> str:
    """Return a template caption that says `said`, for caption `number` of a clip."""
    own = derived_seed("source", id, seed, number)
    return render(said, seed=own, style=style)


def _with_silence(said: VoiceProfile, *, silent: bool) -> VoiceProfile:
    """Return what is said, its emotions unknown where none are said and that is to mean nothing."""
    return VoiceProfile(None, said.bursts, said.traits) if silent and not said.emotions else said


def _part_said(text: str, whole: VoiceProfile) -> VoiceProfile | None:
    """Return what a caption says where that is a plain part of the profile, else None."""
    if len(text) > _LONGEST:
        return None
    said = parse(text).profile
    within = (
        said.emotions.items() <= whole.emotions.items()
        and set(said.bursts) <= set(whole.bursts)
        and said.traits.items() <= whole.traits.items()
    )
    says_nothing = said == VoiceProfile() and bool(whole.emotions or whole.bursts or whole.traits)
    is_template = within and not says_nothing and judge(text, said, tolerance=0).accepted
    return said if is_template else None
