"""The example with all steps, from synthesis to evaluation, runs."""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from budew.corpora import Clip, read
from budew.paraphrase import judge
from budew.profile import VoiceProfile

SMALL = (
    "optimizer.max_steps=2",
    "optimizer.batch_size=4",
    "evaluation.clips=2",
    "model.scratch.size.longest_caption=32",
)
EXAMPLE = Path(__file__).parents[2] / "examples" / "train_demo.py"


@pytest.fixture(scope="module")
def example() -> SimpleNamespace:
    return SimpleNamespace(**runpy.run_path(str(EXAMPLE)))


def test_captions_of_every_stage_mean_the_profile(example: SimpleNamespace) -> None:
    profiles = [
        VoiceProfile({"Fear": 1}),
        VoiceProfile({"Pride": 0.5, "Awe": 0.25}, traits={"gender": "male"}),
    ]
    clips = [Clip(f"clip{n}", b"", "wav", profile=profile) for n, profile in enumerate(profiles)]
    captioned = list(example.paraphrase_captions(example.render_captions(clips), per_clip=2))
    assert [clip.id for clip in captioned] == ["clip0", "clip1"]
    for clip in captioned:
        assert len({caption.text for caption in clip.captions}) == 3
        assert all(judge(caption.text, clip.profile).accepted for caption in clip.captions)


@pytest.mark.slow
def test_the_loop_goes_from_speech_to_figures(example: SimpleNamespace, tmp_path: Path) -> None:
    evaluation = example.main(tmp_path, clips=24, test_clips=6, changes=SMALL, workers=0)
    assert [pair.id for pair in evaluation.pairs] == sorted(
        clip.id for clip in read(tmp_path / "speech" / "test")
    )
    predictions = (tmp_path / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["id"] for line in predictions} == {pair.id for pair in evaluation.pairs}
    assert "<audio controls" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(list(read(tmp_path / "captioned" / "train.tar"))) == 24
