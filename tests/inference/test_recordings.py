import shutil

import numpy as np
import pytest
import soundfile

from budew.corpora import Clip, write_shard
from budew.errors import AudioError, CorpusError, InputError
from budew.inference.file_captioning import from_paths, unreadable
from budew.inference.recordings import from_audio
from tests.evaluation.benchmarks.known_folders import EMODB, folder_of


def test_a_folder_gives_its_audio_files_by_path_at_any_depth(sounds):
    (sounds / ".hidden.wav").write_bytes(b"")
    (sounds / "notes.txt").write_text("not audio")
    names = [recording.source.removeprefix(f"{sounds}/") for recording in from_paths([sounds])[0]]
    assert names == [
        "a.wav", "b.flac", "c.mp3", "d.ogg", "deeper/h.wav", "e_192k.wav", "f_8k.wav", "g.wav",
    ]  # fmt: skip


def test_a_named_file_is_tried_whatever_its_suffix(sounds, tmp_path):
    odd = tmp_path / "recording.xyz"
    odd.write_bytes((sounds / "a.wav").read_bytes())
    (recording,), total = from_paths([odd])
    assert (total, [window.end for window in recording.cut(8, 16_000)]) == (1, [1.0])


@pytest.mark.parametrize("name", ["empty", "x.tar", "missing.wav"])
def test_a_path_that_holds_no_recording_is_one_failure(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "x.tar").write_bytes(b"no archive" * 200)
    (recording,), _ = from_paths([tmp_path / name])
    with pytest.raises(CorpusError):
        list(recording.cut(8, 16_000))


def test_a_folder_that_cannot_be_listed_fails_by_itself_and_its_neighbours_are_read(sounds, unlistable):
    (unlistable / "a.wav").write_bytes((sounds / "a.wav").read_bytes())
    (readable, unreadable), _ = from_paths([unlistable])
    assert readable.source == str(unlistable / "a.wav")
    with pytest.raises(CorpusError, match="cannot be listed") as caught:
        list(unreadable.cut(8, 16_000))
    assert str(caught.value).startswith(f"{unlistable}/ddd")


def test_corpora_are_read_clip_by_clip_and_bad_items_fail_alone(sounds, tmp_path):
    clips = [Clip(name[0], (sounds / name).read_bytes(), name[2:]) for name in ("a.wav", "b.flac")]
    write_shard(tmp_path / "shards" / "x.tar", clips)
    shutil.copytree(sounds, tmp_path / "listed")
    manifest = tmp_path / "listed" / "clips.jsonl"
    manifest.write_text('{"id": "m", "audio": "a.wav"}\n{"id": "none", "audio": "no.wav"}\n{"id": 7}\n')
    for path in (tmp_path / "shards", tmp_path / "shards" / "x.tar", str(tmp_path / "shards" / "*.tar")):
        found, total = from_paths([path])
        found = list(found)
        assert total is None
        assert [recording.id for recording in found] == ["a", "b"]
        assert found[0].source == f"{tmp_path / 'shards' / 'x.tar'}/a"
        assert [window.end for window in found[1].cut(8, 16_000)] == [5.1]
    found = list(from_paths([manifest, sounds / "a.wav"])[0])
    assert found[0].id == "m"
    assert found[-1].source == str(sounds / "a.wav")
    for recording in found[1:-1]:
        with pytest.raises(CorpusError):
            list(recording.cut(8, 16_000))
    assert len(found) > 2


def test_numbered_shards_and_known_corpora_are_read(sounds, tmp_path):
    for number in range(2):
        write_shard(tmp_path / f"{number}.tar", [Clip(f"{number}", (sounds / "a.wav").read_bytes(), "wav")])
    known = folder_of(EMODB, tmp_path / "emodb")
    found, _ = from_paths([f"{tmp_path}/{{0..1}}.tar", f"emodb:{known}"])
    ids = [recording.id for recording in found]
    assert ids[:2] == ["0", "1"]
    assert len(ids) > 2
    assert None not in ids


@pytest.mark.parametrize("seconds", [5.3, 4.0, 4.2, 0.2])
def test_samples_and_the_file_of_them_are_cut_alike(make_sound, tmp_path, seconds):
    samples = make_sound(1, seconds, 44_100)
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    of_samples = from_audio(samples, 44_100).cut(2, 16_000)
    of_bytes = from_audio((tmp_path / "a.wav").read_bytes()).cut(2, 16_000)
    for one, other in zip(of_samples, of_bytes, strict=True):
        assert (one.start, one.end) == (other.start, other.end)
        np.testing.assert_allclose(one.samples, other.samples, atol=1e-3)


@pytest.mark.parametrize("channels_first", [False, True])
def test_integers_and_channels_become_mono_floats_of_full_scale(channels_first):
    samples = np.array([[32_767, 32_767], [-32_767, 32_767]] * 400, dtype=np.int16)
    (window,) = from_audio(samples.T if channels_first else samples, 16_000).cut(1, 16_000)
    assert window.samples.dtype == np.float32
    np.testing.assert_allclose(window.samples[:2], [1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        (np.zeros((2, 2, 2)), "not audio"),
        (np.zeros(0), "not audio"),
        (np.zeros(16_000, np.uint8), "not audio"),
        (np.array([np.nan] * 16_000), "NaN or infinite"),
    ],
)
def test_an_array_that_is_no_sound_is_refused(samples, complaint):
    with pytest.raises(AudioError, match=complaint):
        from_audio(samples, 16_000)


@pytest.mark.parametrize("rate", [16, 0, -16_000])
def test_a_sampling_rate_that_is_not_in_hertz_is_refused(rate):
    with pytest.raises(InputError, match=f"^samples: {rate} Hz"):
        from_audio(np.ones(16_000), rate)


@pytest.mark.parametrize(
    ("seconds", "ends"), [(17.1, [8, 17.1]), (17.5, [8, 16, 17.5]), (8.9, [8]), (9.2, [9.2]), (7.0, [7])]
)
def test_a_last_window_of_about_a_second_is_joined_to_the_one_before(seconds, ends):
    samples = np.arange(round(seconds * 1000), dtype=np.float32) / 1e6
    cut = list(from_audio(samples, 1000).cut(8, 1000))
    assert [window.end for window in cut] == ends
    assert [window.start for window in cut] == [0, *ends[:-1]]
    for window in cut:
        np.testing.assert_allclose(
            window.samples, samples[: round(1000 * window.end)][-8000:][-len(window.samples) :]
        )
        assert len(window.samples) == round(1000 * min(window.end - window.start, 8))


def test_only_recordings_of_which_none_can_be_opened_are_reported_without_a_model(sounds, tmp_path):
    (tmp_path / "empty.wav").touch()
    (tmp_path / "text.wav").write_text("no sound" * 99)
    bad = [tmp_path / "missing.wav", tmp_path]
    assert [failure.source for failure in unreadable(bad)] == [
        str(tmp_path / name) for name in ("missing.wav", "empty.wav", "text.wav")
    ]
    assert unreadable([*bad, sounds / "a.wav"]) == unreadable([]) == []
