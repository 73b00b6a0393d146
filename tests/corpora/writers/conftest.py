"""Four clips with all that a clip may hold, ids that are hard on file systems, and real audio."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from budew.corpora import Caption, Clip
from budew.corpora.clip import check_id
from budew.errors import CorpusError
from budew.profile import VoiceProfile


def is_id(text: str) -> bool:
    try:
        check_id(text)
    except CorpusError:
        return False
    return True


@pytest.fixture
def clips(voice) -> list[Clip]:
    return [
        Clip(
            "anna/01",
            voice("a.flac", seconds=0.3).read_bytes(),
            "flac",
            sampling_rate=16_000,
            duration=0.3,
            language="de",
            speaker="anna",
            transcript="Grüße, Anna!",
            profile=VoiceProfile({"Amusement": 0.75}, ["Chuckle"], {"gender": "female"}),
            captions=(Caption("A woman, amused.", {"by": "render", "seed": 7}), Caption("Amused.")),
            source="test",
            license="CC0-1.0",
            metadata={"snr": 21.5, "rater": {"name": "x", "scores": [1, None, True]}},
        ),
        Clip(
            "Anna/01",
            voice("b.mp3", seconds=0.4, rate=22_050).read_bytes(),
            "mp3",
            transcript='"Two | pipes",\nand a line\u2028break',
            profile=VoiceProfile({"Fear": 0.25}, (), {"Background_Noise": 2.5}),
            captions=(Caption("Afraid.", {"by": "person"}),),
        ),
        Clip("100% ä.b", voice("c.opus", seconds=0.2, rate=48_000).read_bytes(), "opus", transcript="Yes"),
        Clip("bare", voice("d.wav", seconds=0.2, channels=2), "wav"),
    ]


@pytest.fixture
def load_dataset(tmp_path: Path) -> Callable[..., Any]:
    """`datasets.load_dataset` as it is, for the one split, with its cache in a folder of the test."""
    import datasets

    datasets.disable_progress_bars()

    def load(*arguments: Any, **options: Any) -> Any:
        return datasets.load_dataset(*arguments, split="train", cache_dir=str(tmp_path / "cache"), **options)

    return load
