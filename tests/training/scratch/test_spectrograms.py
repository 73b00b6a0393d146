"""The cache of spectrograms holds what the extractor gives, and only for the corpus it was made from."""

import os
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from budew.audio.samples import decode
from budew.corpora import read, write_shard
from budew.errors import AudioError, CorpusError
from budew.model.build import Features
from budew.profile import VoiceProfile
from budew.training.scratch.heads import CUES
from budew.training.scratch.spectrograms import load_features

SETTINGS = Features(window_seconds=2, mel_bins=16, hop=320, fourier=512)


def written(cache: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}


def test_the_cache_holds_what_the_extractor_gives_in_the_order_of_the_corpus(corpus, tmp_path):
    features = load_features(corpus, settings=SETTINGS, cache=tmp_path)
    clips = list(read(corpus))
    assert features.ids == tuple(clip.id for clip in clips)
    assert features.profiles == tuple(clip.profile for clip in clips)
    assert features.captions == tuple(tuple(caption.text for caption in clip.captions) for clip in clips)
    extractor = SETTINGS.extractor()
    for place, clip in enumerate(clips):
        samples = decode(clip.audio).samples
        exact = extractor(samples, sampling_rate=16_000, return_tensors="np").input_features[0]
        assert exact.shape == (16, SETTINGS.frames)
        np.testing.assert_array_equal(features.features[place], exact.astype(np.float16))
        frames, cues = features.lengths[place], features.heads[place, 123:]
        assert (frames - 1) * SETTINGS.hop < len(samples) <= frames * SETTINGS.hop
        known = {name: value for name, value in zip(CUES, cues, strict=True) if np.isfinite(value)}
        assert known == pytest.approx(clip.metadata.get("synthesis", {}).get("cues", {}))


def test_nothing_is_computed_twice_though_notes_are_written_anew(corpus, tmp_path):
    copied = shutil.copytree(corpus, tmp_path / "corpus")
    (copied / "corpus.json").write_text("{}")
    once = load_features(copied, settings=SETTINGS, cache=tmp_path / "cache")
    before = written(tmp_path / "cache")
    (copied / "corpus.json").write_text("{}")
    os.utime(copied / "corpus.json", (1, 1))
    again = load_features(copied, settings=SETTINGS, cache=tmp_path / "cache")
    assert written(tmp_path / "cache") == before
    np.testing.assert_array_equal(once.features, again.features)


def test_the_division_into_shards_does_not_show_in_the_result(corpus, tmp_path, make_clip):
    some = load_features(str(corpus / "[01].tar"), settings=SETTINGS, cache=tmp_path / "some")
    write_shard(tmp_path / "whole.tar", [make_clip(number) for number in range(6)])
    whole = load_features(tmp_path / "whole.tar", settings=SETTINGS, cache=tmp_path / "whole")
    assert (some.ids, some.profiles) == (whole.ids, whole.profiles)
    np.testing.assert_array_equal(some.features, whole.features)


@pytest.mark.parametrize("change", ["mel_bins", "hop", "fourier", "window_seconds"])
def test_other_settings_are_computed_anew(corpus, tmp_path, change):
    load_features(corpus, settings=SETTINGS, cache=tmp_path)
    other = SETTINGS.model_copy(update={change: getattr(SETTINGS, change) // 2})
    assert load_features(corpus, settings=other, cache=tmp_path).features.shape[1:] == (
        other.mel_bins,
        other.frames,
    )
    assert len(written(tmp_path)) == 4


def test_a_shard_made_anew_at_the_same_size_is_computed_anew(tmp_path, make_clip):
    """Half a megabyte, so that the file is known by size and time and not by its content."""
    shard = tmp_path / "a.tar"
    clips = [make_clip(number, seconds=10) for number in range(4)]
    write_shard(shard, clips)
    size = shard.stat().st_size
    assert size > 100_000
    before = load_features(shard, settings=SETTINGS, cache=tmp_path / "cache")
    write_shard(shard, [*clips[:3], replace(clips[3], profile=VoiceProfile({"Awe": 0.75}))])
    assert shard.stat().st_size == size
    after = load_features(shard, settings=SETTINGS, cache=tmp_path / "cache")
    assert before.profiles[:3] == after.profiles[:3]
    assert after.profiles[3] == VoiceProfile({"Awe": 0.75})


def test_a_manifest_is_computed_anew_when_a_file_that_it_names_changes(tmp_path, make_clip):
    for number in (1, 2):
        (tmp_path / f"{number}.flac").write_bytes(make_clip(number).audio)
    manifest = tmp_path / "clips.jsonl"
    manifest.write_text('{"audio": "1.flac", "profile": {"emotions": {"Awe": 0.5}}}\n')
    before = load_features(manifest, settings=SETTINGS, cache=tmp_path / "cache")
    shutil.copyfile(tmp_path / "2.flac", tmp_path / "1.flac")
    after = load_features(manifest, settings=SETTINGS, cache=tmp_path / "cache")
    assert not np.array_equal(before.features, after.features)


def test_a_clip_without_profile_is_named_with_the_remedy(tmp_path, make_clip):
    write_shard(tmp_path / "a.tar", [make_clip(0), make_clip(1, profile=None)])
    with pytest.raises(CorpusError, match=r"a\.tar: clip 'clip01' has no profile: annotate"):
        load_features(tmp_path / "a.tar", settings=SETTINGS, cache=tmp_path / "cache")


def test_a_corpus_without_clips_is_an_error(tmp_path):
    write_shard(tmp_path / "a.tar", [])
    for name in ("a.tar", "nowhere"):
        with pytest.raises(CorpusError, match=name):
            load_features(tmp_path / name, settings=SETTINGS, cache=tmp_path / "cache")


def test_a_computation_that_was_stopped_leaves_nothing_that_is_used(tmp_path, make_clip):
    broken = replace(make_clip(40), audio=b"fLaC and no more")
    good = [make_clip(number) for number in range(40)]
    write_shard(tmp_path / "a.tar", [*good, broken])
    cache = tmp_path / "cache"
    with pytest.raises(AudioError, match="clip40"):
        load_features(tmp_path / "a.tar", settings=SETTINGS, cache=cache)
    (left,) = cache.iterdir()
    left.rename(left.with_suffix(".f16"))  # stopped between the two files of a cache
    with pytest.raises(AudioError, match="clip40"):
        load_features(tmp_path / "a.tar", settings=SETTINGS, cache=cache)
    write_shard(tmp_path / "a.tar", good)
    assert len(load_features(tmp_path / "a.tar", settings=SETTINGS, cache=cache).ids) == 40


@pytest.mark.parametrize("noted", [7, {"cues": 7}, {"cues": {"rate": "quick"}}])
def test_notes_of_another_kind_are_no_cues(tmp_path, make_clip, noted):
    write_shard(tmp_path / "a.tar", [make_clip(0, metadata={"synthesis": noted})])
    features = load_features(tmp_path / "a.tar", settings=SETTINGS, cache=tmp_path / "cache")
    assert np.isnan(features.heads[:, 123:]).all()


def test_clips_longer_than_the_window_are_counted(tmp_path, make_clip):
    write_shard(tmp_path / "a.tar", [make_clip(0), make_clip(1, seconds=2.0), make_clip(2, seconds=2.5)])
    features = load_features(tmp_path / "a.tar", settings=SETTINGS, cache=tmp_path / "cache")
    assert features.cut == 1
    assert features.lengths.tolist()[1:] == [100, 100]


def test_another_process_gets_the_name_of_the_file_and_not_its_content(corpus, tmp_path):
    features = load_features(corpus, settings=SETTINGS, cache=tmp_path)
    sent = pickle.dumps(features)
    assert len(sent) < 1000 < features.features.nbytes
    received = pickle.loads(sent)
    np.testing.assert_array_equal(received.features, features.features)
    for name in ("ids", "profiles", "captions", "cut"):
        assert getattr(received, name) == getattr(features, name)
