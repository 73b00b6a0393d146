"""Validation clips that are training clips are refused, and a checkpoint says what it was trained on."""

import json

import pytest

from budew import Clip
from budew.corpora import read, write_shard
from budew.errors import InputError
from budew.io.resources import data_folder
from budew.model.trained_clips import read_trained_clips
from budew.training import clip_index
from budew.training.run import train
from tests.curation.test_overlap import changed

STRICT = (
    "data.allow_overlap=false",
    "optimizer.max_steps=1",
    "evaluation.every_steps=1",
    "data.longer=cut",
    "target.kind=template",
)


@pytest.fixture
def corpora(tmp_path):
    """`corpora(validation clips)`: changes of a recipe that trains on the first six demo clips."""
    demo = list(read(data_folder("demo_clips") / "clips.tar"))

    def make(*validation: Clip) -> tuple[str, ...]:
        write_shard(tmp_path / "a.tar", demo[:6])
        write_shard(tmp_path / "b.tar", [*demo[6:9], *validation])
        return (*STRICT, f"data.train={tmp_path / 'a.tar'}", f"data.validation={tmp_path / 'b.tar'}")

    return demo, make


def like(clip: Clip, id: str, audio: bytes, format: str) -> Clip:
    return Clip(id, audio, format, profile=clip.profile, captions=clip.captions)


@pytest.mark.parametrize("kind", ["same", "cut"])
def test_validation_clips_among_the_training_clips_are_refused(make_recipe, corpora, tmp_path, kind):
    demo, make = corpora
    recipe = make_recipe(*make(like(demo[2], "other name", *changed(demo[2], kind))))
    with pytest.raises(InputError) as caught:
        train(recipe, out=tmp_path / "run")
    assert str(caught.value).startswith("1 of 4 validation clips")
    assert "'other name'" in str(caught.value)
    assert f"select {tmp_path / 'a.tar'} OUT --without {tmp_path / 'b.tar'}" in str(caught.value)


@pytest.mark.parametrize("hears", [True, False])
def test_a_name_in_common_is_enough_only_if_the_sound_was_not_compared(
    make_recipe, corpora, tmp_path, monkeypatch, hears
):
    demo, make = corpora
    monkeypatch.setattr(clip_index, "MOST_BYTES", clip_index.MOST_BYTES * hears)
    recipe = make_recipe(*make(like(demo[9], demo[0].id, demo[9].audio, demo[9].format)))
    if hears:
        train(recipe, out=tmp_path / "run")
    else:
        with pytest.raises(InputError, match="name"):
            train(recipe, out=tmp_path / "run")


def test_a_checkpoint_says_what_it_and_its_base_were_trained_on(make_recipe, corpora, tmp_path, budew):
    demo, make = corpora
    first = train(make_recipe(*make()), out=tmp_path / "first")
    assert len(read_trained_clips(first).contents) == 6
    write_shard(tmp_path / "c.tar", demo[12:])
    base = (f"model={{base: {first}, method: full}}", f"data.train={tmp_path / 'c.tar'}")
    second = train(make_recipe(*make(), *base), out=tmp_path / "second")
    assert len(read_trained_clips(second).contents) == 6 + len(demo[12:])
    renamed = [like(clip, f"test{place}", *changed(clip, "noisy")) for place, clip in enumerate(demo)]
    write_shard(tmp_path / "test.tar", renamed)
    files = ("--json", tmp_path / "e.json", "--html", tmp_path / "e.html")
    outcome = budew("evaluate", tmp_path / "test.tar", "--model", second, *files)
    line = f"Clips trained on: {6 + len(demo[12:])} of 16 ({6 + len(demo[12:])} by sound)"
    assert line in outcome.out
    assert line in (tmp_path / "e.html").read_text()
    assert json.loads((tmp_path / "e.json").read_text())["trained_on"]["trained_on"] == 6 + len(demo[12:])
    (second / "trained_clips.safetensors").unlink()
    outcome = budew("evaluate", tmp_path / "test.tar", "--model", second)
    assert "unknown: the checkpoint does not say what it was trained on" in outcome.out
