"""Random profiles that captions can express in full, and tables of captions with what they parse to."""

from pathlib import Path
from random import Random

import pytest

from budew.captions.lexicon import RENDERED_ATTRIBUTES
from budew.profile import VoiceProfile
from budew.taxonomy import ACCENTS, ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVELS


def rows_of(name: str) -> list[list[str]]:
    """Return the rows of a table; columns are separated by bars."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return [[part.strip() for part in line.split("|")] for line in lines if not line.startswith("#")]


@pytest.fixture(scope="session")
def random_profile():
    def draw(random: Random) -> VoiceProfile:
        emotions = random.sample(EMOTIONS, random.choice((0, 1, 1, 2, 2, 3, 4, 6, 40)))
        traits = {key: random.choice(values) for key, values in CATEGORIES.items() if random.random() < 0.5}
        if random.random() < 0.4:
            traits["accent"] = random.choice(ACCENTS)
        for name in random.sample(RENDERED_ATTRIBUTES, random.choice((0, 0, 1, 2, 4))):
            scale = ATTRIBUTES[name].scale
            traits[name] = scale.low + random.choice((0, 0.25, 0.75, 1)) * (scale.high - scale.low)
        profile = VoiceProfile(
            {name: random.choice(LEVELS[1:]) for name in emotions},
            random.sample(BURSTS, random.choice((0, 0, 1, 1, 2, 3))),
            traits,
        )
        return draw(random) if profile.is_withheld else profile

    return draw
