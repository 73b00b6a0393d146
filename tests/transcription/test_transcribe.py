"""Clips get their words, each its own, in their order; what has words keeps them; what fails is listed."""

import json
import pickle
import shutil
from dataclasses import replace

import pytest

from budew.audio.samples import decode
from budew.corpora import Clip, read, write_shard
from budew.errors import InputError, JobError
from budew.jobs import run
from budew.transcription.recognizer import Transcriber
from budew.transcription.transcribe import Transcribe

from .conftest import clip, outcome


@pytest.fixture(scope="module")
def job(whisper_folder):
    return Transcribe(Transcriber(str(whisper_folder), device="cpu", batch_size=3))


@pytest.fixture(scope="module")
def recognized(job):
    """What this Whisper of random weights recognizes in a clip alone."""

    def recognize(one: Clip) -> str:
        return job.transcriber.transcribe([decode(one.audio).samples], languages=[one.language])[0]

    return recognize


def test_only_clips_without_transcript_are_transcribed(job, recognized):
    clips = [clip(n, seconds=0.5 + n / 3, transcript="Mine." if n % 3 == 1 else None) for n in range(11)]
    done, failed = outcome(job, clips)
    assert not failed
    assert [one.id for one in done] == [one.id for one in clips]
    assert done[1::3] == clips[1::3]
    bare = [pair for n, pair in enumerate(zip(clips, done, strict=True)) if n % 3 != 1]
    for before, after in bare:
        assert after.transcript == recognized(before) != ""
        assert (after.audio, after.language) == (before.audio, "en")
    assert len({after.transcript for _, after in bare}) > 3


def test_again_replaces_transcripts_and_white_space_is_no_transcript(job, recognized):
    clips = [clip(1, transcript="Mine."), clip(2, transcript=" \n")]
    (mine, blank), _ = outcome(job, clips)
    assert (mine.transcript, blank.transcript) == ("Mine.", recognized(clips[1]))
    again, _ = outcome(replace(job, again=True), clips)
    assert [one.transcript for one in again] == [recognized(one) for one in clips]


def test_the_metadata_record_the_model_and_keep_their_other_fields(job, whisper_folder):
    ((done,), _) = outcome(job, [clip(1, metadata={"take": 3})])
    note = {
        "name": whisper_folder.name,
        "model": job.settings()["model"],
        "language_by": "clip",
    }
    assert done.metadata == {"take": 3, "transcribed_by": note}


def test_undecodable_clips_and_unsupported_languages_fail_alone(job):
    broken = replace(clip(1), id="broken", audio=b"no audio")
    foreign = replace(clip(2), id="foreign", language="de")
    done, failed = outcome(job, [clip(0), broken, foreign, clip(3)])
    assert [one.id for one in done] == ["clip-00", "clip-03"]
    assert set(failed) == {"broken", "foreign"}
    assert "'broken'" in str(failed["broken"])
    assert "does not support the language 'de'" in str(failed["foreign"])


def test_silence_has_an_empty_transcript(job):
    ((done,), failed) = outcome(job, [clip(1, silent=True)])
    assert (done.transcript, failed) == ("", {})
    assert done.metadata["transcribed_by"]["name"]


@pytest.fixture(scope="module")
def polyglot(whisper_folder, tmp_path_factory):
    """The same checkpoint with two more languages in its table, whose tokens are others of its words."""
    folder = tmp_path_factory.mktemp("polyglot") / "whisper"
    shutil.copytree(whisper_folder, folder)
    settings = json.loads((folder / "generation_config.json").read_text())
    settings["lang_to_id"] |= {"<|fr|>": 40, "<|jw|>": 41}
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return Transcribe(Transcriber(str(folder), device="cpu", batch_size=3))


def test_an_unknown_language_is_detected_for_each_clip_alone(polyglot):
    clips = [clip(n, seconds=1 + n, language=None) for n in range(7)]
    together, _ = outcome(polyglot, clips)
    alone = [outcome(polyglot, [one])[0][0] for one in clips]
    assert together == alone
    assert {one.language for one in together} <= {"en", "fr", "jv"}
    assert {one.metadata["transcribed_by"]["language_by"] for one in together} == {"detected"}
    polyglot.transcriber.require_languages(["jv", "jw"])  # by the BCP 47 tag as by Whisper's own


def test_the_given_language_applies_to_clips_without_one(polyglot):
    (named, bare), failed = outcome(replace(polyglot, language="fr"), [clip(1), clip(2, language=None)])
    assert not failed
    assert (named.language, bare.language) == ("en", "fr")
    assert bare.metadata["transcribed_by"]["language_by"] == "given"


def test_a_missing_checkpoint_ends_the_job_if_there_is_something_to_transcribe(tmp_path):
    job = Transcribe(Transcriber(str(tmp_path / "none"), "cpu"))
    with pytest.raises(JobError, match="no such folder"):
        outcome(job, [clip(1)])
    ready = [clip(1, transcript="Mine.")]
    assert outcome(job, ready)[0] == ready


def test_transcripts_are_the_same_in_the_job_runner_and_another_process(job, tmp_path):
    clips = [clip(n, seconds=n + 0.5) for n in range(4)]
    write_shard(tmp_path / "in" / "a.tar", clips)
    assert run(job, tmp_path / "in", tmp_path / "out", workers=0).clips == 4
    sent, _ = outcome(pickle.loads(pickle.dumps(job)), clips)
    assert [one.transcript for one in read(tmp_path / "out")] == [one.transcript for one in sent]
    assert all(one.transcript for one in sent)


def test_language_names_become_tags_and_unknown_ones_are_errors(job):
    assert replace(job, language="German").language == "de"
    with pytest.raises(InputError, match="'Klingon' is not a known language"):
        replace(job, language="Klingon")
