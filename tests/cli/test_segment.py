"""`budew corpus segment` does what the library does."""

import json

import numpy as np
import pytest
import soundfile

from budew.corpora import read
from budew.segmentation import Segment, SegmentSettings
from budew.synthesis.espeak import Espeak, Utterance


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """A folder with a talk of two sentences and a recording of silence."""
    folder = tmp_path_factory.mktemp("segment") / "recordings"
    folder.mkdir()
    with Espeak() as espeak:
        said = espeak.speak(
            Utterance(ssml="<speak>Nobody knows why the old house was sold.</speak>", voice="en-us")
        )
        rate = espeak.sampling_rate
    pause = np.zeros(rate)
    soundfile.write(folder / "talk.flac", np.concatenate([pause, said, pause, said, pause]), rate)
    (folder / "talk.json").write_text(json.dumps({"language": "en", "episode": 7}))
    soundfile.write(folder / "silence.flac", pause, rate)
    return folder


def test_clips_are_those_of_the_library(budew, recordings, tmp_path):
    out = tmp_path / "clips"
    options = ["--min", "0.5", "--max", "10", "--pad", "0.2", "--max-pause", "0.3"]
    options += ["--keep", "episode", "--set", "min_speech=0.3"]
    outcome = budew("corpus", "segment", recordings, out, *options, "--workers", "0")
    assert outcome.status == 0
    assert outcome.out.endswith(f"2 clips in {out}: 1 of 1 shards, 1 done now\n")
    job = Segment(
        SegmentSettings(
            min_seconds=0.5, max_seconds=10.0, pad=0.2, max_pause=0.3, keep=("episode",), min_speech=0.3
        )
    )
    assert list(read(out)) == list(job.run(read(recordings), lambda id, error: None))
    assert [clip.metadata["episode"] for clip in read(out)] == [7, 7]
