"""Clips get captions and the profile that these say, whatever the workers and batches."""

from dataclasses import replace

import pytest

from budew.captions import parse
from budew.corpora import Caption, Clip, read, write_shard
from budew.errors import JobError
from budew.inference import Captioner, ModelOptions, WritingOptions
from budew.inference.caption_corpus import CaptionClips
from budew.io.resources import data_folder
from budew.jobs import run
from budew.profile import VoiceProfile

RATED = VoiceProfile({"Awe": 1.0})


@pytest.fixture(scope="module")
def clips():
    """Bundled clips: one with captions and a profile, the others bare, one broken."""
    found = list(read(data_folder("demo_clips") / "clips.tar"))[:7]
    earlier = tuple(Caption(text, {"by": by}) for text, by in (("Sad.", "render"), ("Glad.", "model")))
    bare = [replace(clip, profile=None, captions=()) for clip in found]
    bare[1] = replace(bare[1], profile=RATED, captions=earlier)
    bare[3] = replace(bare[3], audio=b"no audio")
    return bare


@pytest.fixture(scope="module")
def job():
    return CaptionClips(ModelOptions(device="cpu"), WritingOptions(num_beams=1, batch_size=3))


def outcome(job, clips):
    failed = {}
    done = list(job.run(iter(clips), lambda id, error: failed.update({id: error})))
    return done, failed


def test_clips_have_the_captions_of_a_captioner_and_their_audio(job, clips):
    done, failed = outcome(job, clips)
    assert list(failed) == [clips[3].id]
    given = [clip for clip in clips if clip.id not in failed]
    assert [clip.id for clip in done] == [clip.id for clip in given]
    captioner = Captioner.from_pretrained(device="cpu", num_beams=1)
    for before, after in zip(given, done, strict=True):
        result = captioner(before.audio)
        assert after.captions[-1].text == result.caption
        assert after.captions[-1].kind == "model"
        assert after.profile == result.profile
        assert (after.audio, after.format, after.duration) == (before.audio, before.format, before.duration)
    assert [caption.kind for caption in done[1].captions] == ["render", "model"]
    assert "Glad." not in [caption.text for caption in done[1].captions]


def test_several_captions_are_sampled_and_the_profile_is_their_consensus(job, clips):
    done, _ = outcome(replace(job, writing=WritingOptions(num_samples=4), keep_profile=True), clips[:3])
    texts = [[caption.text for caption in clip.captions if caption.kind == "model"] for clip in done]
    assert all(1 <= len(some) == len(set(some)) <= 4 for some in texts)
    assert max(map(len, texts)) > 1
    assert done[1].profile == RATED
    said = {name for text in texts[0] for name in parse(text).profile.emotions}
    assert set(done[0].profile.emotions) <= said


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.long)])
def test_workers_batches_and_a_second_run_make_no_difference(job, clips, tmp_path, workers):
    corpus = tmp_path / "in"
    for number in range(3):
        write_shard(corpus / f"{number}.tar", clips[2 * number : 2 * number + 2])
    made = []
    for name, processes, batch_size in (("a", 0, 1), ("b", workers, 4)):
        run(
            replace(job, writing=WritingOptions(num_beams=1, batch_size=batch_size)),
            corpus,
            tmp_path / name,
            workers=processes,
        )
        made.append({path.name: path.read_bytes() for path in sorted((tmp_path / name).glob("*.tar"))})
    assert made[0] == made[1]
    assert len(made[0]) == 3
    assert (tmp_path / "a" / "failures.jsonl").read_text() == (tmp_path / "b" / "failures.jsonl").read_text()
    assert (
        run(
            replace(job, writing=WritingOptions(num_beams=1, batch_size=1)), corpus, tmp_path / "a", workers=0
        ).done
        == 0
    )


def test_a_checkpoint_that_is_not_there_ends_the_job(clips):
    with pytest.raises(JobError, match="no such folder"):
        outcome(CaptionClips(ModelOptions("nowhere")), clips)
    assert isinstance(clips[0], Clip)
