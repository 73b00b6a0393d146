"""Whatever the model does, each clip ends annotated or reported, in order, and nothing is asked twice."""

import dataclasses
import hashlib
import io
import json
import pickle
import re

import numpy as np
import pytest
import soundfile

from budew.annotation.llm_annotator import AnnotateByLLM, audio_to_send
from budew.annotation.llm_protocol import load_prompt
from budew.audio.samples import decode
from budew.chat.server_settings import ServerSettings
from budew.corpora import Clip
from budew.errors import BudewWarning, InputError, JobError
from budew.profile import VoiceProfile
from budew.taxonomy import EMOTIONS

from .conftest import clips, model, wav
from .sounds import encoded


def settings_of(url, **settings) -> ServerSettings:
    return ServerSettings(**{"base_url": url, "model": "ear-1", "timeout": 2.0, "patience": 5.0, **settings})


def job_for(server, *, server_options=None, **options) -> AnnotateByLLM:
    return AnnotateByLLM(settings_of(server.url, **(server_options or {})), **options)


def annotated(job, given) -> tuple[list[Clip], dict[str, Exception]]:
    failures = {}
    return list(job.run(iter(given), failures.__setitem__)), failures


def expected(audio: bytes) -> VoiceProfile:
    said = model.profile_for(audio)
    words = {name: word for name, word in said["traits"].items() if word != "unknown"}
    emotions = {name: score / 4 for name, score in said["emotions"].items()}
    return VoiceProfile(emotions, said["bursts"], {**words, **said["attributes"]})


def test_traits_and_parts_the_model_does_not_give_are_kept(serve):
    heard = expected(wav(1))
    unheard = next(name for name in EMOTIONS if name not in heard.emotions)
    known = {"accent": "Welsh", "Arousal": 3.5}
    profile = VoiceProfile({unheard: 1.0}, ["Yawn"], known)
    given = Clip("a", wav(1), "wav", transcript="so", profile=profile, metadata={"take": 3})
    (clip,), _ = annotated(job_for(serve()), [given])
    assert clip.profile == VoiceProfile(heard.emotions, heard.bursts, {**known, **heard.traits})
    assert (clip.metadata["take"], clip.transcript) == (3, "so")
    asked = dataclasses.replace(load_prompt(), parts=("emotions",))
    (clip,), _ = annotated(job_for(serve(), prompt=asked), [given])
    assert clip.profile == VoiceProfile(heard.emotions, ["Yawn"], known)


@pytest.mark.parametrize("fault", model.FAULTS)
def test_transient_server_faults_cost_no_clip(serve, fault):
    """Each kind alone: a third of the requests meet it, and every clip is annotated all the same."""
    given = clips(6)
    server = serve(misbehave=0.34, faults=(fault,), seed=3, stall=0.6)
    done, failures = annotated(
        job_for(server, turns=12, server_options={"timeout": 0.3, "retries": 11}), given
    )
    assert not failures
    assert [clip.profile for clip in done] == [expected(clip.audio) for clip in given]
    assert server.seen.met[fault]


def test_with_all_faults_each_clip_is_annotated_or_reported_and_a_rerun_sends_no_request(serve, tmp_path):
    given = clips(80)
    server = serve(misbehave=0.3, seed=5, stall=0.6)
    job = job_for(server, server_options={"timeout": 0.3, "cache": tmp_path / "a.sqlite"})
    done, failures = annotated(job, given)
    assert len(server.seen.met) > 12
    assert len(done) > 70
    assert sorted([*failures, *(clip.id for clip in done)]) == sorted(clip.id for clip in given)
    assert list(failures) == [clip.id for clip in given if clip.id in failures]
    assert all(str(error).startswith(f"clip {id!r}: ") for id, error in failures.items())
    for clip in done:
        made_by = clip.metadata["annotated_by"]
        assert (made_by["by"], made_by["model"], made_by["prompt"]) == ("llm", "ear-1", "en")
        assert clip.profile == expected(clip.audio)
        assert dataclasses.replace(clip, profile=None, metadata={}) in given
    asked = server.seen.requests
    again, failed_again = annotated(job, given)
    assert again == done
    assert list(map(str, failed_again.values())) == list(map(str, failures.values()))
    assert server.seen.requests == asked
    server.behavior.misbehave = 0.0
    assert len(annotated(dataclasses.replace(job, turns=3), given)[0]) == 80
    assert server.seen.requests <= asked + len(failures)


def test_requests_have_audio_names_and_schema_and_a_correction_lists_the_problems(serve, monkeypatch):
    bodies = []
    audio_in = model._audio_in
    monkeypatch.setattr(model, "_audio_in", lambda body: (bodies.append(body), audio_in(body))[1])
    server = serve(misbehave=1.0, faults=("a wrong field",))
    _, failures = annotated(job_for(server, seed=3, temperature=0.2), clips(1))
    body = bodies[0]
    assert (body["model"], body["seed"], body["temperature"]) == ("ear-1", 3, 0.2)
    assert body["messages"][1]["content"][0]["input_audio"]["format"] == "wav"
    assert all(name in body["messages"][0]["content"] for name in EMOTIONS)
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["emotions"]["required"] == list(EMOTIONS)
    first, second = (body["messages"] for body in bodies)
    assert [message["role"] for message in second] == ["system", "user", "assistant", "user"]
    assert second[:2] == first
    assert "Amusment Park" in second[2]["content"]
    for text in (second[3]["content"], str(failures["clip-0"])):
        assert "unknown emotion 'Amusment Park'" in text
        assert "Amusement missing" in text


def test_undecodable_or_long_audio_is_reported_and_not_sent(serve, tmp_path):
    refused = wav(9)
    server = serve(refuse=frozenset([hashlib.sha256(refused).hexdigest()]))
    given = [
        Clip("broken", b"RIFF0000WAVEfmt nonsense", "wav"),
        Clip("long", wav(1, seconds=3.0), "wav"),
        Clip("gone", tmp_path / "gone.wav", "wav"),
        Clip("refused", refused, "wav"),
        *clips(2),
    ]
    done, failures = annotated(job_for(server, max_seconds=2.0), given)
    assert [clip.id for clip in done] == ["clip-0", "clip-1"]
    assert list(failures) == ["broken", "long", "gone", "refused"]
    assert "longer than 2 s" in str(failures["long"])
    assert "this audio cannot be read" in str(failures["refused"])


def test_a_server_that_stays_down_ends_the_job_with_no_clip_reported_as_failed(serve, tmp_path):
    server = serve()
    job = job_for(server, server_options={"patience": 0.4, "concurrency": 2, "cache": tmp_path / "a.sqlite"})
    failures, done = {}, []

    def given():
        for number, clip in enumerate(clips(40)):
            if number == 20:
                server.behavior.down = True
            yield clip

    with pytest.raises(JobError, match=rf"^{re.escape(server.url)}\b.*\b503\b.*\bagain\b"):
        done.extend(job.run(given(), failures.__setitem__))
    assert not failures
    asked = server.seen.requests
    server.behavior.down = False
    done, failures = annotated(job, clips(40))
    assert (len(done), len(failures)) == (40, 0)
    assert server.seen.requests - asked <= 24  # of the first 20 those that were under way


def test_a_job_can_be_pickled_and_its_settings_determine_the_output(tmp_path):
    job = AnnotateByLLM(settings_of("http://u:secret@a/v1", cache=tmp_path / "a.sqlite"))
    assert pickle.loads(pickle.dumps(job)) == job
    settings = json.loads(json.dumps(job.settings()))
    assert settings["prompt_sha256"] == load_prompt().sha256()
    other = dataclasses.replace(
        job, server=settings_of("http://b/v1", concurrency=1), turns=9, max_seconds=9.0
    )
    assert other.settings() == settings
    for change in ({"server": settings_of("http://a", model="x")}, {"seed": 1}, {"temperature": 1.0}):
        assert dataclasses.replace(job, **change).settings() != settings
    assert "secret" not in repr(job) + json.dumps(settings)
    for wrong in ({"turns": 0}, {"max_seconds": 0}, {"temperature": 3}):
        with pytest.raises(InputError):
            dataclasses.replace(job, **wrong)


def tone(*, rate: int = 16_000, channels: int = 1, **how) -> bytes:
    sound = 0.5 * np.sin(2 * np.pi * 220 * np.arange(rate // 2) / rate)
    return encoded(np.stack([sound] * channels, axis=1), rate, **how)


def sent(audio):
    return audio_to_send(Clip("a", audio, "wav"), max_seconds=10.0)


@pytest.mark.parametrize("audio", [wav(1), wav(1, rate=8_000), tone(format="MP3")])
def test_a_small_wav_or_mp3_is_sent_as_it_is(audio, tmp_path):
    assert sent(audio).data == audio
    assert sent(audio).format == ("wav" if audio[:4] == b"RIFF" else "mp3")
    path = tmp_path / "a.wav"
    path.write_bytes(audio)
    assert sent(path) == sent(audio)


@pytest.mark.parametrize("audio", [tone(format="FLAC"), wav(1, rate=44_100), tone(subtype="FLOAT")])
def test_anything_else_becomes_a_plain_wav_with_the_same_sound(audio):
    result = sent(audio)
    assert (result.format, result.data[20:22]) == ("wav", b"\x01\x00")
    found, rate = soundfile.read(io.BytesIO(result.data), dtype="float32")
    assert rate == 16_000
    assert np.abs(found - decode(audio).samples).max() < 1e-4
    assert len(result.data) == 44 + 2 * len(found)


def test_the_decodable_part_of_a_damaged_file_is_sent_with_a_warning():
    with pytest.warns(BudewWarning, match="clip 'a'"):
        result = sent(wav(1, seconds=2.0)[: 44 + 32_000])
    assert len(decode(result.data).samples) == 16_000
