"""What a speech model is told: how to act a line, in words of the caption language and `instructions.yaml`.

The feeling is worded by `budew.captions.render`, so that what is asked for is what a caption would say of it,
and `parse` reads it back.
"""

from budew.captions import render
from budew.profile import VoiceProfile
from budew.randomness import derived_seed
from budew.synthesis.acting.tables import challenges, data, languages
from budew.taxonomy.scales import level_name


def instruct(emotion: str, intensity: float, *, language: str, accent: str, challenge: str, of: str) -> str:
    """Return the instructions for one clip, in English.

    Args:
        emotion: canonical name.
        intensity: in (0, 1].
        language: code of the language that is spoken.
        accent: one of that language.
        challenge: name of the acting challenge.
        of: id of the clip, which decides the wording.
    """
    told, spoken = data("instructions"), languages()[language]
    frame = told["frames"][derived_seed("instructions", of) % len(told["frames"])]
    way = "unmarked" if spoken.accent(accent).unmarked else "marked"
    text: str = frame.format(
        language=spoken.name,
        accent=told["accent"][way].format(accent=accent),
        feeling=feeling(emotion, intensity, seed=derived_seed("feeling", of)),
        level=told["levels"][level_name(intensity)],
        challenge=challenges()[challenge].direction,
        bounds=told["bounds"],
    )
    return text


def feeling(emotion: str, intensity: float, *, seed: int) -> str:
    """Return an emotion with its intensity, such as "extreme anger" or "slightly amused"."""
    said = render(VoiceProfile({emotion: intensity}), style="tags", wording="plain", seed=seed)
    return said[0].lower() + said[1:].rstrip(".")
