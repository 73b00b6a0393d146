"""A result on several known corpora, for tests of its page."""

from pathlib import Path

from budew.evaluation.benchmarks.people import PeopleResult, score_people
from budew.statistics.resampling import Resampling
from tests.evaluation.benchmarks.known_folders import (
    DEEPLY,
    EMODB,
    GENDERS,
    LIBRISPEECH,
    NEMO,
    SaidCaptions,
    folder_of,
)

WORDS = (
    "She is angry.",
    "A neutral voice.",
    "He is very sad and a little afraid.",
    "She coughs and is elated.",
)


def people_result(folder: Path, *, players: int = 2, samples: bool = True) -> PeopleResult:
    """Captions that are right now and then, for generated files in the names of four corpora."""
    names = {"emodb@test": EMODB, "nemo": NEMO, "deeply-nonverbal": DEEPLY, "librispeech@test": LIBRISPEECH}
    sources = []
    for name, files in names.items():
        place = folder_of(files, folder / name.partition("@")[0])
        sources.append(f"{name}:{place}")
    (folder / "librispeech" / "SPEAKERS.TXT").write_text(GENDERS)
    said = SaidCaptions(
        lambda clip: WORDS[len(clip.id + str(clip.metadata["label"])) % len(WORDS)],
        {"Anger": 0.3} if samples else None,
    )
    return score_people(sources, said, players=players, settings=Resampling(resamples=20, permutations=5))
