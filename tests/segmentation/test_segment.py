"""The job: clips that know where they come from, and a reason for everything that is left out."""

import json
import pickle
import re
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import soundfile

from budew.corpora.clip import Caption, Clip
from budew.errors import AudioError, CorpusError, FilteredError, JobError
from budew.jobs import Job
from budew.profile import VoiceProfile
from budew.segmentation import Segment, SegmentSettings
from budew.segmentation.cutter import SpeechSegment
from budew.segmentation.segment import check_language, check_levels, encode_flac, measure_levels

METADATA = {"language": "en", "speaker": "anna", "source": "podcast", "license": "CC0-1.0"}


@pytest.fixture
def talk(compose, saved) -> Clip:
    """A recording with all that can be known of one."""
    return saved(
        compose([0.6, "0", 1.0, "1", 0.6]).samples,
        **METADATA,
        transcript="All of it.",
        profile=VoiceProfile({"Amusement": 0.5}),
        captions=(Caption("A voice."),),
        metadata={"channel": "seven", "words": ["All"]},
    )


def sound(clip: Clip) -> np.ndarray:
    audio = BytesIO(clip.audio) if isinstance(clip.audio, bytes) else clip.audio
    return soundfile.read(audio, dtype="int16")[0]


def test_clips_are_flac_of_their_samples_and_named_by_their_place(talk, segment):
    result = segment(talk, replace(talk, id="other/talk"))
    assert not result.failed
    for clip, name in zip(result.clips, ("talk", "talk", "other/talk", "other/talk"), strict=True):
        place = clip.metadata["segment"]
        assert place["recording"] == name
        assert clip.id == f"{name}-{int(place['start'] * 1000):09d}-{int(place['end'] * 1000):09d}"
        start, end = (round(place[side] * 16_000) for side in ("start", "end"))
        assert np.array_equal(sound(clip), sound(talk)[start:end])
        assert (clip.format, clip.sampling_rate) == ("flac", 16_000)
        assert clip.duration == pytest.approx((end - start) / 16_000)
        assert 0.5 < place["speech"] < clip.duration
    assert result.clips[:2] == segment(talk).clips == sorted(result.clips[:2], key=lambda clip: clip.id)


def test_clips_copy_only_metadata_that_holds_for_a_part(talk, segment):
    for clip in segment(talk, job=Segment(SegmentSettings(keep=("channel", "not there")))).clips:
        assert {name: getattr(clip, name) for name in METADATA} == METADATA
        assert (clip.transcript, clip.profile, clip.captions) == (None, None, ())
        assert set(clip.metadata) == {"channel", "segment", "levels"}
        assert set(clip.metadata["levels"]) == {"rms_dbfs", "peak_dbfs", "clipped", "snr_db"}


def test_a_clip_that_is_cut_again_records_both_places(talk, segment):
    first = segment(talk).clips[1]
    (again,) = segment(first, job=Segment(SegmentSettings(pad=0.0))).clips
    assert again.metadata["segment"]["within"] == first.metadata["segment"]


@pytest.mark.parametrize(
    ("parts", "settings", "reason"),
    [
        ([3.0], {}, "there is no speech in it"),
        ([1.0, "2", 1.0], {"min_speech": 20.0}, "there is no speech in it"),
        ([1.0, "0", 1.0], {"min_seconds": 10.0}, r"speech shorter than 10 s, times 1, \d\.\d s in all"),
    ],
)
def test_recordings_without_speech_and_short_segments_are_left_out(
    compose, saved, segment, parts, settings, reason
):
    result = segment(saved(compose(parts).samples), job=Segment(SegmentSettings(**settings)))
    assert not result.clips
    ((id, error),) = result.failed
    assert id == "talk"
    assert isinstance(error, FilteredError)
    assert re.fullmatch(f"left out: {reason}", str(error))


def test_min_seconds_includes_the_padding(compose, saved, segment):
    talk = saved(compose([1.0, "0", 1.0]).samples)
    (clip,) = segment(talk).clips
    within, beyond = (clip.duration + clip.metadata["segment"]["speech"]) / 2, clip.duration + 0.01
    assert segment(talk, job=Segment(SegmentSettings(min_seconds=within))).clips == [clip]
    assert not segment(talk, job=Segment(SegmentSettings(min_seconds=beyond))).clips


def test_clips_beyond_a_level_limit_are_left_out(compose, saved, segment):
    made = compose([0.5, "0", 1.5, "1", 0.5])
    quiet = np.where(np.arange(len(made.samples)) < 16_000 * (made.speech[0][1] + 0.7), 1.0, 0.02)
    talk = saved((made.samples * quiet).astype(np.float32))
    kept, dropped = segment(talk).clips
    result = segment(talk, job=Segment(SegmentSettings(min_rms_dbfs=-40)))
    assert [clip.id for clip in result.clips] == [kept.id]
    assert [(id, type(error)) for id, error in result.failed] == [(dropped.id, FilteredError)]


def test_recordings_of_unwanted_languages_are_not_opened(talk, segment, tmp_path):
    other = Clip("fremd", tmp_path / "is not there.wav", "wav", language="de")
    result = segment(other, replace(talk, language="en-GB"), job=Segment(SegmentSettings(languages=("en",))))
    assert len(result.clips) == 2
    assert [(id, type(error)) for id, error in result.failed] == [("fremd", FilteredError)]


def test_an_unknown_language_is_detected_for_each_clip(talk, segment, whisper_folder):
    def job(model: str, *languages: str) -> Segment:
        return Segment(SegmentSettings(languages=languages, language_model=model))

    unknown, model = replace(talk, language=None), str(whisper_folder)
    kept = segment(unknown, job=job(model, "en"))
    assert [clip.language for clip in kept.clips] == ["en", "en"]
    dropped = segment(unknown, job=job(model, "de"))
    assert not dropped.clips
    assert [id for id, _ in dropped.failed] == [clip.id for clip in kept.clips]
    assert segment(talk, job=job("not/there")).clips  # not asked
    with pytest.raises(JobError):
        segment(unknown, job=job(f"{model}/none", "en"))


def test_unreadable_recordings_fail_and_the_others_are_cut(talk, segment, tmp_path):
    (tmp_path / "text.wav").write_text("no audio")
    bad = {"gone": tmp_path / "gone.wav", "text": tmp_path / "text.wav", "e": b""}
    gone, *others = (Clip(id, audio, "wav") for id, audio in bad.items())
    long = replace(talk, id="a" * 230)  # too long for the ids of its clips
    result = segment(gone, talk, *others, long)
    assert len(result.clips) == 2
    assert [id for id, _ in result.failed] == [*bad, long.id]
    assert [type(error) for _, error in result.failed] == [AudioError] * 3 + [CorpusError]
    assert all(str(error).startswith(f"{id}: ") for id, error in result.failed[:3])


def test_a_damaged_recording_is_cut_and_fails(compose, saved, segment):
    talk = saved(compose(["0", 1.0, "1", 1.0, "2"]).samples, name="talk.flac")
    content = talk.audio.read_bytes()
    result = segment(replace(talk, audio=content[: len(content) // 2]))
    assert result.clips
    assert [(id, type(error)) for id, error in result.failed] == [("talk", AudioError)]


def test_clips_come_before_the_next_recording_is_read(talk):
    read = []

    def recordings():
        for number in range(3):
            read.append(number)
            yield replace(talk, id=str(number))

    clips = Segment().run(recordings(), lambda id, error: None)
    next(clips)
    assert read == [0]


def test_the_job_can_be_pickled_and_its_settings_are_json(talk):
    job: Job = Segment(SegmentSettings(pad=0.2, languages=("en",), keep=("channel",), bits=24))
    clip = next(job.run(iter([talk]), lambda id, error: None))  # with the model loaded
    assert soundfile.info(BytesIO(clip.audio)).subtype == "PCM_24"
    assert pickle.loads(pickle.dumps(job)) == job
    settings = job.settings()
    assert settings == json.loads(json.dumps(settings)) != Segment().settings()
    assert settings["exit_threshold"] == pytest.approx(0.35)
    assert settings["model"].startswith("silero-vad 6.")


@pytest.mark.parametrize("bits", [16, 24])
def test_flac_preserves_samples_of_its_bit_depth_and_clips_beyond_full_scale(bits):
    largest = 2 ** (bits - 1)
    integers = np.random.default_rng(1).integers(-largest, largest, 5_000)
    integers[:3] = -largest, largest - 1, 0
    samples = (integers / largest).astype(np.float32)
    encoded = encode_flac(samples, 16_000, bits=bits, name="a")
    assert np.array_equal(soundfile.read(BytesIO(encoded), dtype="float32")[0], samples)
    assert soundfile.info(BytesIO(encoded)).subtype == f"PCM_{bits}"
    samples[:3] = -1.2, 1.2, 1.0
    clipped = soundfile.read(BytesIO(encode_flac(samples, 16_000, bits=bits, name="a")))[0]
    assert clipped[:3].tolist() == [-1.0, 1 - 1 / largest, 1 - 1 / largest]


@pytest.mark.parametrize("rate", [4_000, 44_056, 65_535, 88_200, 655_350])
def test_the_sampling_rate_is_kept_if_flac_supports_it(rate):
    encoded = encode_flac(np.zeros(100, np.float32), rate, bits=16, name="a")
    assert soundfile.info(BytesIO(encoded)).samplerate == rate
    for wrong in (65_537, 192_001, 655_360):
        with pytest.raises(CorpusError):
            encode_flac(np.zeros(100, np.float32), wrong, bits=16, name="a")


SPEECH = SpeechSegment(0, 16_000, speech_seconds=1.0, speech_power=0.0101, noise_power=0.0001)
TONE = np.sin(2 * np.pi * 100 * np.arange(16_000) / 16_000).astype(np.float32)


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.001])
def test_the_level_of_a_sine_is_3_db_below_its_peak(gain):
    levels = measure_levels(gain * TONE, SPEECH)
    assert levels["peak_dbfs"] == pytest.approx(20 * np.log10(gain), abs=0.01)
    assert levels["rms_dbfs"] == pytest.approx(levels["peak_dbfs"] - 3.01, abs=0.01)
    assert measure_levels(0 * TONE, SPEECH)["rms_dbfs"] == -120


def test_clipped_samples_are_counted():
    assert measure_levels(0.98 * TONE, SPEECH)["clipped"] == 0
    for clipped in (np.clip(2 * TONE, -1, 1), np.clip(-2 * TONE, -1, 1)):
        assert measure_levels(clipped, SPEECH)["clipped"] == pytest.approx(2 / 3, abs=0.02)


def test_the_noise_power_is_subtracted_from_that_of_speech():
    assert measure_levels(TONE, SPEECH)["snr_db"] == pytest.approx(20.0)
    assert measure_levels(TONE, replace(SPEECH, speech_power=1e-5))["snr_db"] == -20
    assert measure_levels(TONE, replace(SPEECH, noise_power=0.0))["snr_db"] == 100
    assert "snr_db" not in measure_levels(TONE, replace(SPEECH, noise_power=None))


GOOD = {"rms_dbfs": -20.0, "peak_dbfs": -3.0, "clipped": 0.0}


@pytest.mark.parametrize(
    ("limits", "bad", "reason"),
    [
        ({"max_clipped": 0.001}, {"clipped": 0.0011}, "0.11% of its samples are clipped"),
        ({"min_rms_dbfs": -50}, {"rms_dbfs": -50.1}, r"-50\.1 dBFS.* -50\b"),
        ({"min_snr_db": 10}, {"snr_db": 9.9}, r"noise.* 9\.9 dB.* 10\b"),
    ],
)
def test_a_clip_beyond_a_limit_is_left_out_with_the_reason(limits, bad, reason):
    for levels in (GOOD, GOOD | {"snr_db": 30.0}):  # an unknown ratio is no reason
        check_levels(levels, SegmentSettings(**limits))
    check_levels(GOOD | bad, SegmentSettings())
    with pytest.raises(FilteredError, match=rf"^left out: .*{reason}"):
        check_levels(GOOD | bad, SegmentSettings(**limits))


@pytest.mark.parametrize(
    ("language", "wanted"),
    [("en", "en"), ("en-US", "en"), ("EN_us", "en"), ("pt-BR", "de pt-br"), (None, ""), ("xx", "")],
)
def test_a_language_range_keeps_its_subtags(language, wanted):
    check_language(language, wanted.split())


@pytest.mark.parametrize(("language", "wanted"), [("de", "en"), ("eng", "en"), ("pt", "pt-BR"), (None, "en")])
def test_another_or_unknown_language_is_left_out(language, wanted):
    with pytest.raises(FilteredError):
        check_language(language, (wanted,))
