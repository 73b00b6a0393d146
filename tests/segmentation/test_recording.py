"""Pieces are the recording's own samples, whatever its format, length and faults."""

import tracemalloc

import numpy as np
import pytest
import soundfile

from budew.errors import AudioError
from budew.segmentation import SegmentSettings as Cuts
from budew.segmentation.recording import cut_recording


def undamaged(seconds, damage):
    assert seconds > 0
    assert damage is None


def pieces(clip, **options):
    return list(cut_recording(clip.audio, Cuts(**options), name=clip.id, on_end=undamaged))


def spans(found):
    return [piece.span for piece in found]


@pytest.mark.parametrize("noise", [0.0, 0.0005, 0.005])
def test_speech_is_found_and_silence_skipped(compose, saved, noise):
    made = compose([1.5, "0", 2.0, "1", 0.8, "2", 3.0], noise=noise)
    found = spans(pieces(saved(made.samples), pad=0.0))
    assert len(found) == len(made.speech)
    for (start, end), (spoken_from, spoken_to) in zip(found, made.speech, strict=True):
        assert start == pytest.approx(spoken_from, abs=0.13)
        assert end == pytest.approx(spoken_to, abs=0.2)


@pytest.mark.parametrize(
    ("rate", "channels"), [(16_000, 1), (8_000, 1), (11_025, 2), (44_100, 2), (48_001, 1)]
)
def test_segments_are_exact_slices_of_the_recording(compose, saved, rate, channels):
    clip = saved(compose(["0", 1.1, "1", 0.4]).samples, rate=rate, channels=channels)
    whole = soundfile.read(clip.audio, dtype="float32", always_2d=True)[0].mean(axis=1)
    found = pieces(clip)
    assert (len(found), found[0].start) == (2, 0)
    for piece in found:
        assert piece.sampling_rate == rate
        assert 0 <= piece.speech.start / 16_000 - piece.start / rate < 1 / rate
        end = piece.start + len(piece.samples)
        assert np.abs(piece.samples - whole[piece.start : end]).max() < 1e-7


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.1, 3.0])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_recordings_without_speech_have_no_segments(compose, saved, seconds, noise):
    assert pieces(saved(compose([seconds], noise=noise).samples)) == []


def test_segments_before_invalid_samples_are_yielded(compose, tmp_path):
    samples = np.concatenate([compose(["0", 30.0]).samples, np.full(100, np.nan, np.float32)])
    soundfile.write(tmp_path / "talk.wav", samples, 16_000, subtype="FLOAT")
    found = []
    with pytest.raises(AudioError, match="NaN"):
        found += cut_recording(tmp_path / "talk.wav", Cuts(), name="talk", on_end=undamaged)
    assert len(found) == 1


@pytest.mark.parametrize(("rate", "speech"), [(96_000, True), (48_000, False)])
def test_memory_does_not_grow_with_the_recording(compose, tmp_path, rate, speech):
    made = compose(["0", 0.2, "1", 0.2] if speech else [5.0])
    stereo = np.repeat(np.repeat(made.samples, rate // 16_000)[:, None], 2, axis=1)
    held = []
    for seconds in (40, 80):
        with soundfile.SoundFile(tmp_path / "long.wav", "w", rate, 2, "PCM_16") as file:
            while file.tell() < seconds * rate:
                file.write(stereo)
        tracemalloc.start()
        found = cut_recording(tmp_path / "long.wav", Cuts(max_seconds=8.0), name="", on_end=undamaged)
        count = sum(1 for _ in found)
        held.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert bool(count) == speech
    assert held[1] < 1.3 * held[0]
    assert held[1] < 35 * rate * 4 + 8e6  # 16 s of a block, 8 of a clip and its copy; the frames at 16 kHz


QUIET = np.zeros(16_000, np.float32)


def noise(seconds):
    return np.random.default_rng(0).normal(0, 0.1, round(seconds * 16_000)).astype(np.float32)


@pytest.fixture
def with_sounds(compose, tmp_path):
    """`with_sounds(parts, **settings)`: segments with sounds, and bounds of parts; "0" is an utterance."""

    def found(parts, **settings):
        spoken = compose(["0"], noise=0.0).samples
        arrays = [spoken if isinstance(part, str) else part for part in parts]
        soundfile.write(tmp_path / "talk.wav", np.concatenate(arrays), 16_000, subtype="FLOAT")
        pieces = cut_recording(
            tmp_path / "talk.wav", Cuts(**settings), name="", on_end=undamaged, sounds=True
        )
        ends = np.cumsum([len(array) for array in arrays]) / 16_000
        return list(pieces), [0.0, *ends]

    return found


def test_sounds_are_cut_with_their_padding_also_at_the_beginning_and_end(with_sounds):
    parts = [noise(1.5), QUIET, "0", QUIET, noise(2.0), QUIET, "0", QUIET, noise(1.5)]
    found, bounds = with_sounds(parts, pad=0.1)
    first, middle, last = found[::2]
    assert [piece.speech.speech_seconds > 0 for piece in found] == [False, True, False, True, False]
    assert first.start == 0
    assert np.array_equal(first.samples[: len(parts[0])], parts[0])
    assert first.span[1] == pytest.approx(bounds[1] + 0.1, abs=0.04)
    assert middle.span == pytest.approx((bounds[4] - 0.1, bounds[5] + 0.1), abs=0.04)
    assert last.span == pytest.approx((bounds[8] - 0.1, bounds[9]), abs=0.04)


def test_gaps_of_at_most_the_longest_are_searched(with_sounds, monkeypatch):
    monkeypatch.setattr("budew.segmentation.recording.LONGEST_GAP", 4)
    for pauses, count in ((1, 1), (3, 0)):
        found, _ = with_sounds(["0", *[QUIET] * pauses, noise(1.5), QUIET, "0"])
        assert len(found) == 2 + count


@pytest.mark.parametrize(
    ("sound", "settings", "count"),
    [
        (np.full(2 * 16_000, 0.2, np.float32), {}, 2),  # a constant
        (noise(3.0), {"max_seconds": 2.0}, None),
        (noise(1.5), {"min_speech": 20.0}, 0),  # too little speech for sounds beside it
    ],
)
def test_other_parts_of_a_gap_are_no_sounds(with_sounds, sound, settings, count):
    found, _ = with_sounds(["0", QUIET, sound, QUIET, "0"], **settings)
    assert all(piece.speech.speech_seconds for piece in found)
    assert count is None or len(found) == count
