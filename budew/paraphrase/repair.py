"""Repair: a candidate that only leaves something out gets a sentence that says it, in words of the lexicon.

What it adds or turns round cannot be mended so: taking words out of a sentence needs to understand it.
"""

from collections.abc import Sequence

from budew.captions import expressible, render
from budew.paraphrase.gate import Verdict
from budew.profile import VoiceProfile

_MENDABLE = frozenset(("lost", "lost-burst", "lost-trait"))
_LEAST = 0.5
"""Share of the things to say that a candidate must say by itself; what says less is no caption of a voice."""
_FRAME = "emotion_first"  # says emotions, and the rest only where there is any


def is_mendable(verdict: Verdict, profile: VoiceProfile) -> bool:
    """Tell whether a candidate only leaves something out of `profile`, and says at least half of it."""
    if not verdict.reasons or not _MENDABLE.issuperset(verdict.codes):
        return False
    wanted = expressible(profile)
    things = len(wanted.emotions) + len(wanted.bursts) + len(wanted.traits)
    says_a_feeling = len(verdict.missed) < len(wanted.emotions) or not wanted.emotions
    return says_a_feeling and things - len(verdict.reasons) >= _LEAST * things


def best_partial(verdicts: Sequence[Verdict], profile: VoiceProfile) -> int | None:
    """Return the place of the first candidate that leaves out least, None where all else is wrong."""
    mendable = [place for place, verdict in enumerate(verdicts) if is_mendable(verdict, profile)]
    return min(mendable, key=lambda place: len(verdicts[place].reasons), default=None)


def repaired(candidate: str, verdict: Verdict, profile: VoiceProfile, *, seed: int) -> tuple[str, str]:
    """Return a candidate with what it left out of `profile` said after it, and the names of that.

    The result is for the gate to judge again.

    Args:
        candidate: a text that `is_mendable`.
        verdict: on it.
        profile: what it has to say.
        seed: decides the words.
    """
    wanted = expressible(profile)
    missed = {(reason.code, reason.what) for reason in verdict.reasons}
    left_out = VoiceProfile(
        {name: level for name, level in wanted.emotions.items() if ("lost", name) in missed},
        [name for name in wanted.bursts if ("lost-burst", name) in missed],
        {key: value for key, value in wanted.traits.items() if ("lost-trait", key) in missed},
    )
    if left_out.emotions:
        said = render(left_out, seed=seed, frame=_FRAME)
    else:
        said = render(left_out, seed=seed, style="prose", leave_out=["emotions"])
    end = "" if candidate.rstrip().endswith((".", "!", "?")) else "."
    names = (*left_out.emotions, *left_out.bursts, *left_out.traits)
    return f"{candidate.rstrip().rstrip(',;:')}{end} {said}", ", ".join(names)
