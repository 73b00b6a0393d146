"""Round trip: random profiles, rendered in all frames, styles and wordings, must be parsed back equal.

    python benchmarks/round_trip.py --profiles 200000 --seed 0

Half of the profiles have only intensities that are levels. The others have any intensity and voice attribute,
and must be parsed as `expressible` returns them. In one of eight, only some emotions are rated and none is
present: the caption must deny them, and the parse must say so. Half of the captions have a word limit, which
they must keep. The first difference ends the run.
"""

import argparse
import itertools
from collections import Counter
from random import Random
from typing import get_args

from rich.progress import track

from budew.captions import ContentSelection, expressible, frame_names, parse, render
from budew.captions.caption_prompt import STYLES
from budew.captions.content_selection import DEFAULT_MAX_WORDS, SMALLEST_MAX_WORDS, denied_emotions
from budew.captions.vocabulary import Wording
from budew.profile import VoiceProfile
from budew.taxonomy import ACCENTS, ATTRIBUTES, BURSTS, CATEGORIES, EMOTIONS, LEVELS

UNLIMITED = 10_000
"""Word limit that no caption reaches."""
WAYS: list[dict[str, str]] = [
    *({"frame": frame, "wording": wording} for frame in frame_names() for wording in get_args(Wording)),
    *({"style": style, "wording": wording} for style in STYLES for wording in get_args(Wording)),
    {},
]


def random_profile(random: Random, exact: bool) -> VoiceProfile:
    """Return a profile with none to all forty emotions; if `exact`, all intensities are levels."""
    emotions = random.sample(EMOTIONS, random.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 8, 40)))
    traits: dict[str, str | float] = {
        key: random.choice(values) for key, values in CATEGORIES.items() if random.random() < 0.5
    }
    if random.random() < 0.4:
        traits["accent"] = random.choice(ACCENTS)
    for name in random.sample(list(ATTRIBUTES), random.choice((0, 0, 1, 2, 4))):
        scale = ATTRIBUTES[name].scale
        share = random.choice((0, 0.25, 0.75, 1)) if exact else random.random()
        traits[name] = scale.low + share * (scale.high - scale.low)
    profile = VoiceProfile(
        {name: random.choice(LEVELS[1:]) if exact else random.random() for name in emotions},
        random.sample(BURSTS, random.choice((0, 0, 1, 1, 2, 3))),
        traits,
    )
    if random.random() < 1 / 8:
        rated = random.sample(EMOTIONS, random.choice((1, 1, 1, 2, 3, 5)))
        profile = VoiceProfile({}, profile.bursts, profile.traits, rated)
    return random_profile(random, exact) if profile.is_withheld else profile


def main() -> None:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--profiles", type=int, default=200_000)
    options.add_argument("--seed", type=int, default=0)
    asked = options.parse_args()
    random, counts = Random(asked.seed), Counter[str]()
    for number, way in zip(
        track(range(asked.profiles), description="Round trip"), itertools.cycle(WAYS), strict=False
    ):
        profile = random_profile(random, exact=number % 2 == 0)
        max_words = (
            UNLIMITED,
            UNLIMITED,
            DEFAULT_MAX_WORDS,
            random.randint(SMALLEST_MAX_WORDS, DEFAULT_MAX_WORDS),
        )[number % 4]
        selection = ContentSelection(max_words=max_words)
        caption = render(profile, seed=number, selection=selection, **way)  # type: ignore[arg-type]
        expected = expressible(profile, selection=selection)
        if len(caption.split()) > max_words:
            raise SystemExit(f"profile {number} ({way}) takes more than {max_words} words:\n  {caption}")
        if parse(caption).profile != expected:
            raise SystemExit(
                f"profile {number} ({way}) does not read back:\n  {caption}\n  said: {expected.to_json()}"
                f"\n  read: {parse(caption).profile.to_json()}"
            )
        denied = denied_emotions(profile, selection=selection)
        if set(parse(caption).absent) != set(denied):
            raise SystemExit(f"profile {number} ({way}) must deny {denied}:\n  {caption}")
        if number % 4 == 0 and dict(expected.emotions) != dict(profile.emotions):
            raise SystemExit(f"profile {number}: expressible changed an emotion without a word limit")
        counts.update(
            emotions=len(expected.emotions),
            denied=len(denied),
            bursts=len(expected.bursts),
            traits=len(expected.traits),
        )
    print(
        f"{asked.profiles:,} profiles, {len(WAYS)} ways to say them ({len(frame_names())} frames,"
        f" {len(STYLES)} styles): no failure."
    )
    print(", ".join(f"{count:,} {what}" for what, count in counts.items()) + " read back exactly")


if __name__ == "__main__":
    main()
