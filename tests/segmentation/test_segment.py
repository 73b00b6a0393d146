"""The job: clips that know where they come from, and a reason for everything that is left out."""

import json
import pickle
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import soundfile

from budew.corpora.clip import Caption, Clip
from budew.corpora.shards import read_shard, write_shard
from budew.errors import AudioError, CorpusError, FilteredError, JobError
from budew.jobs import Job
from budew.profile import VoiceProfile
from budew.segmentation import Segment, SegmentSettings
from budew.segmentation.segment import encode_flac


@pytest.fixture
def talk(compose, saved) -> Clip:
    """A recording with all that can be known of one."""
    return replace(
        saved(compose([0.6, "0", 1.0, "1", 0.6]).samples, name="talk.wav"),
        language="en",
        speaker="anna",
        transcript="All of it.",
        profile=VoiceProfile({"Amusement": 0.5}),
        captions=(Caption("A voice."),),
        source="podcast",
        license="CC0-1.0",
        metadata={"channel": "seven", "words": ["All"]},
    )


def test_clips_are_flac_of_the_samples_at_their_place(talk, segment):
    whole = soundfile.read(talk.audio, dtype="int16")[0]
    result = segment(talk)
    assert len(result.clips) == 2
    assert not result.failed
    for clip in result.clips:
        place = clip.metadata["segment"]
        start, end = (round(place[side] * 16_000) for side in ("start", "end"))
        assert np.array_equal(soundfile.read(BytesIO(clip.audio), dtype="int16")[0], whole[start:end])
        assert clip.format == "flac"
        assert clip.duration == pytest.approx((end - start) / 16_000)
        assert clip.sampling_rate == 16_000
        assert 0.5 < place["speech"] < clip.duration


def test_ids_are_unique_sorted_and_name_recording_and_time(talk, segment):
    ids = [clip.id for clip in segment(talk, replace(talk, id="other/talk")).clips]
    assert len(set(ids)) == 4
    assert ids[:2] == sorted(ids[:2])
    for clip, id in zip(segment(talk).clips, ids, strict=False):
        place = clip.metadata["segment"]
        assert id == f"talk-{int(place['start'] * 1000):09d}-{int(place['end'] * 1000):09d}"


def test_a_clip_keeps_what_holds_for_a_piece_of_its_recording(talk, segment):
    for clip in segment(talk, job=Segment(SegmentSettings(keep=("channel", "not there")))).clips:
        assert (clip.language, clip.speaker, clip.source, clip.license) == (
            "en",
            "anna",
            "podcast",
            "CC0-1.0",
        )
        assert clip.transcript is None
        assert clip.profile is None
        assert clip.captions == ()
        assert set(clip.metadata) == {"channel", "segment", "levels"}
        assert clip.metadata["segment"]["recording"] == "talk"
        assert set(clip.metadata["levels"]) == {"rms_dbfs", "peak_dbfs", "clipped", "snr_db"}


def test_the_same_recording_gives_the_same_shard(talk, segment, tmp_path):
    for name in ("a.tar", "b.tar"):
        write_shard(tmp_path / name, segment(talk).clips)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert [clip.id for clip in read_shard(tmp_path / "a.tar")] == [clip.id for clip in segment(talk).clips]


def test_a_clip_can_be_cut_again_and_knows_where_it_came_from(talk, segment):
    first = segment(talk).clips[1]
    (again,) = segment(first, job=Segment(SegmentSettings(pad=0.0))).clips
    assert again.metadata["segment"]["within"] == first.metadata["segment"]


def test_recordings_of_silence_and_of_short_words_are_left_out(compose, saved, segment):
    silent = saved(compose([3.0]).samples, name="silent.wav")
    short = saved(compose([1.0, "0", 1.0]).samples, name="short.wav")
    result = segment(silent, short, job=Segment(SegmentSettings(min_seconds=10.0)))
    assert not result.clips
    assert [(id, str(error)) for id, error in result.failed] == [
        ("silent", "left out: there is no speech in it"),
        ("short", f"left out: speech shorter than 10 s, times 1, {_seconds(result.failed[1][1])} s in all"),
    ]
    assert all(isinstance(error, FilteredError) for _, error in result.failed)


def _seconds(error: Exception) -> str:
    return str(error).split()[-4]


def test_the_length_of_a_clip_with_its_padding_decides(compose, saved, segment):
    talk = saved(compose([1.0, "0", 1.0]).samples)
    (clip,) = segment(talk).clips
    within, beyond = (clip.duration + clip.metadata["segment"]["speech"]) / 2, clip.duration + 0.01
    assert segment(talk, job=Segment(SegmentSettings(min_seconds=within))).clips == [clip]
    assert not segment(talk, job=Segment(SegmentSettings(min_seconds=beyond))).clips


def test_a_stretch_with_too_little_speech_is_noise(compose, saved, segment):
    talk = saved(compose([1.0, "2", 1.0]).samples)
    ((id, error),) = segment(talk, job=Segment(SegmentSettings(min_speech=20.0))).failed
    assert (id, str(error)) == ("talk", "left out: there is no speech in it")


def test_clips_beyond_a_limit_are_left_out_by_their_id(compose, saved, segment):
    made = compose([0.5, "0", 1.5, "1", 0.5])
    quiet = np.where(np.arange(len(made.samples)) < 16_000 * (made.speech[0][1] + 0.7), 1.0, 0.02)
    talk = saved((made.samples * quiet).astype(np.float32))
    kept, dropped = segment(talk).clips
    result = segment(talk, job=Segment(SegmentSettings(min_rms_dbfs=-40)))
    assert [clip.id for clip in result.clips] == [kept.id]
    ((id, error),) = result.failed
    assert id == dropped.id
    assert isinstance(error, FilteredError)
    assert "its level is" in str(error)


def test_recordings_of_other_languages_are_not_even_opened(talk, segment, tmp_path):
    other = Clip("fremd", tmp_path / "is not there.wav", "wav", language="de")
    result = segment(other, replace(talk, language="en-GB"), job=Segment(SegmentSettings(languages=("en",))))
    assert len(result.clips) == 2
    ((id, error),) = result.failed
    assert (id, str(error)) == ("fremd", "left out: its language is de, not en")


def test_the_language_of_each_clip_is_detected_where_it_is_not_given(talk, segment, whisper_folder):
    unknown = replace(talk, language=None)
    model = str(whisper_folder)
    kept = segment(unknown, job=Segment(SegmentSettings(languages=("en",), language_model=model)))
    assert [clip.language for clip in kept.clips] == ["en", "en"]
    dropped = segment(unknown, job=Segment(SegmentSettings(languages=("de",), language_model=model)))
    assert not dropped.clips
    assert [id for id, _ in dropped.failed] == [clip.id for clip in kept.clips]
    assert segment(talk, job=Segment(SegmentSettings(language_model="not/there"))).clips  # not asked


def test_a_model_that_cannot_be_loaded_ends_the_job(talk, segment, tmp_path):
    missing = Segment(SegmentSettings(languages=("en",), language_model=str(tmp_path / "none")))
    with pytest.raises(JobError, match="can be loaded"):
        segment(replace(talk, language=None), job=missing)


def test_bad_recordings_fail_and_the_others_go_on(talk, segment, tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    bad = [
        Clip("gone", tmp_path / "gone.wav", "wav"),
        Clip("text", tmp_path / "text.wav", "wav"),
        Clip("e", b"", "wav"),
    ]
    result = segment(bad[0], talk, *bad[1:])
    assert len(result.clips) == 2
    assert [id for id, _ in result.failed] == ["gone", "text", "e"]
    for id, error in result.failed:
        assert isinstance(error, AudioError)
        assert str(error).startswith(f"{id}: ")


def test_a_damaged_recording_is_cut_and_fails(compose, saved, segment):
    talk = saved(compose(["0", 1.0, "1", 1.0, "2"]).samples, name="talk.flac")
    content = talk.audio.read_bytes()
    result = segment(replace(talk, audio=content[: len(content) // 2]))
    assert result.clips
    ((id, error),) = result.failed
    assert id == "talk"
    assert isinstance(error, AudioError)
    assert "is damaged" in str(error)


def test_an_id_too_long_for_a_clip_fails(talk, segment):
    ((id, error),) = segment(replace(talk, id="a" * 230)).failed
    assert id == "a" * 230
    assert isinstance(error, CorpusError)


def test_clips_come_before_the_next_recording_is_read(talk):
    read = []

    def recordings():
        for number in range(3):
            read.append(number)
            yield replace(talk, id=str(number))

    clips = Segment().run(recordings(), lambda id, error: None)
    next(clips)
    assert read == [0]


def test_the_job_can_be_pickled_and_its_settings_are_json(talk, segment):
    job: Job = Segment(
        SegmentSettings(pad=0.2, max_clipped=0.1, languages=("en",), bits=24, keep=("channel",))
    )
    next(job.run(iter([talk]), lambda id, error: None))  # with the model loaded
    assert pickle.loads(pickle.dumps(job)) == job
    settings = json.loads(json.dumps(job.settings()))
    assert settings == job.settings()
    assert settings["exit_threshold"] == pytest.approx(0.35)
    assert settings["model"].startswith("silero-vad 6.")
    assert settings != Segment().settings()
    assert job.name == "segment"


def test_24_bits_hold_what_16_do_not(compose, tmp_path, segment):
    samples = compose([0.3, "0", 0.3]).samples
    soundfile.write(tmp_path / "fine.wav", samples, 16_000, subtype="PCM_24")
    fine = Clip("fine", tmp_path / "fine.wav", "wav")
    whole = soundfile.read(fine.audio, dtype="int32")[0]
    (clip,) = segment(fine, job=Segment(SegmentSettings(bits=24))).clips
    place = clip.metadata["segment"]
    start, end = (round(place[side] * 16_000) for side in ("start", "end"))
    assert np.array_equal(soundfile.read(BytesIO(clip.audio), dtype="int32")[0], whole[start:end])


@pytest.mark.parametrize("bits", [16, 24])
def test_samples_of_so_many_bits_come_back(bits):
    largest = 2 ** (bits - 1)
    integers = np.random.default_rng(1).integers(-largest, largest, 5_000)
    integers[:3] = -largest, largest - 1, 0
    samples = (integers / largest).astype(np.float32)
    encoded = encode_flac(samples, 16_000, bits=bits, name="a")
    assert np.array_equal(soundfile.read(BytesIO(encoded), dtype="float32")[0], samples)
    assert soundfile.info(BytesIO(encoded)).subtype == f"PCM_{bits}"


def test_what_exceeds_full_scale_is_clipped():
    encoded = encode_flac(np.array([1.2, -1.2, 1.0], np.float32), 8_000, bits=16, name="a")
    assert soundfile.read(BytesIO(encoded), dtype="int16")[0].tolist() == [32767, -32768, 32767]


@pytest.mark.parametrize("rate", [4_000, 44_056, 65_535, 88_200, 384_000, 655_350])
def test_the_rate_is_kept(rate):
    encoded = encode_flac(np.zeros(100, np.float32), rate, bits=16, name="a")
    assert soundfile.info(BytesIO(encoded)).samplerate == rate


@pytest.mark.parametrize("rate", [65_537, 192_001, 655_360, 700_000])
def test_a_rate_that_flac_has_not_is_an_error(rate):
    with pytest.raises(CorpusError, match=rf"^a: FLAC has no sampling rate of {rate} Hz"):
        encode_flac(np.zeros(100, np.float32), rate, bits=16, name="a")
