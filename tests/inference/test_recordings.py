import numpy as np
import pytest
import soundfile

from budew.corpora import Clip
from budew.errors import AudioError, CorpusError
from budew.inference.recordings import from_bytes, from_clip, from_paths, from_samples


def test_a_folder_gives_its_audio_files_by_path_at_any_depth(sounds):
    (sounds / ".hidden.wav").write_bytes(b"")
    (sounds / "notes.txt").write_text("not audio")
    names = [recording.source.removeprefix(f"{sounds}/") for recording in from_paths([sounds])]
    assert names == [
        "a.wav", "b.flac", "c.mp3", "d.ogg", "deeper/h.wav", "e_192k.wav", "f_8k.wav", "g.wav",
    ]  # fmt: skip


def test_a_named_file_is_tried_whatever_its_suffix(sounds, tmp_path):
    odd = tmp_path / "recording.xyz"
    odd.write_bytes((sounds / "a.wav").read_bytes())
    (recording,) = from_paths([odd])
    assert [window.end for window in recording.cut(8, 16_000)] == [1.0]


def test_a_folder_without_audio_says_so(tmp_path):
    (recording,) = from_paths([tmp_path])
    with pytest.raises(AudioError, match="no audio file in this folder"):
        list(recording.cut(8, 16_000))


def test_a_folder_that_cannot_be_listed_fails_by_itself_and_its_neighbours_are_read(sounds, unlistable):
    (unlistable / "a.wav").write_bytes((sounds / "a.wav").read_bytes())
    readable, unreadable = from_paths([unlistable])
    assert readable.source == str(unlistable / "a.wav")
    with pytest.raises(CorpusError, match="cannot be listed") as caught:
        list(unreadable.cut(8, 16_000))
    assert str(caught.value).startswith(f"{unreadable.source}: ")
    assert unreadable.source.startswith(f"{unlistable}/ddd")


def test_a_path_that_the_system_refuses_is_one_bad_file(tmp_path):
    (recording,) = from_paths([tmp_path / ("a" * 5_000)])
    with pytest.raises(AudioError, match="cannot be opened"):
        list(recording.cut(8, 16_000))


def test_a_clip_is_known_by_its_id(sounds):
    clip = Clip(id="speaker/7", audio=b"not audio", format="wav")
    recording = from_clip(clip)
    assert recording.source == "speaker/7"
    with pytest.raises(AudioError, match=r"^speaker/7: "):
        list(recording.cut(8, 16_000))


@pytest.mark.parametrize("seconds", [5.3, 4.0, 4.2, 0.2])
def test_samples_and_the_file_of_them_are_cut_alike(make_sound, tmp_path, seconds):
    samples = make_sound(1, seconds, 44_100)
    soundfile.write(tmp_path / "a.wav", samples, 44_100, subtype="FLOAT")
    of_samples = list(from_samples(samples, 44_100).cut(2, 16_000))
    of_bytes = list(from_bytes((tmp_path / "a.wav").read_bytes()).cut(2, 16_000))
    assert [(window.start, window.end) for window in of_samples] == [
        (window.start, window.end) for window in of_bytes
    ]
    for one, other in zip(of_samples, of_bytes, strict=True):
        np.testing.assert_allclose(one.samples, other.samples, atol=1e-3)


def test_integers_and_channels_become_mono_floats_of_full_scale():
    samples = np.array([[32_767, 32_767], [-32_767, 32_767]] * 400, dtype=np.int16)
    (window,) = from_samples(samples, 16_000).cut(1, 16_000)
    assert window.samples.dtype == np.float32
    np.testing.assert_allclose(window.samples[:2], [1, 0], atol=1e-6)


@pytest.mark.parametrize(
    ("samples", "rate", "complaint"),
    [
        (np.zeros((2, 16_000)), 16_000, r"\(channels, n\)"),
        (np.zeros((2, 2, 2)), 16_000, "no sound"),
        (np.zeros(0), 16_000, "no sound"),
        (np.array(["a"]), 16_000, "no sound"),
        (np.array([np.nan] * 16_000), 16_000, "not numbers"),
        (np.zeros(16_000), 0, "sampling rate"),
    ],
)
def test_an_array_that_is_no_sound_is_refused(samples, rate, complaint):
    with pytest.raises(AudioError, match=complaint):
        from_samples(samples, rate)


def test_less_than_one_frame_is_too_short_to_hear():
    with pytest.raises(AudioError, match=r"lasts 24\.9 ms, too short"):
        list(from_samples(np.ones(399), 16_000).cut(8, 16_000))
    assert len(list(from_samples(np.ones(400), 16_000).cut(8, 16_000))) == 1
