"""`budew corpus transcribe` leads to what text to speech trains on, and reports early what cannot be."""

import pytest
import soundfile


@pytest.fixture
def options(whisper_folder):
    return ("--model", whisper_folder, "--device", "cpu", "--batch-size", "2")


def test_a_bare_corpus_becomes_one_for_text_to_speech(budew, talk, tmp_path, options):
    (talk / "c.mp3").unlink()
    out = tmp_path / "transcribed"
    outcome = budew("corpus", "transcribe", talk, out, *options)
    assert (outcome.status, outcome.err) == (0, "")
    assert outcome.out == f"2 clips in {out}: 1 of 1 shards, 1 done now\n"
    assert budew("corpus", "export", out, tmp_path / "tts", "--to", "ljspeech").status == 0
    lines = (tmp_path / "tts/metadata.csv").read_text(encoding="utf-8").splitlines()
    assert [line.partition("|")[0] for line in lines] == ["a", "b"]
    assert soundfile.info(tmp_path / "tts/wavs/b.wav").duration == 5


@pytest.mark.parametrize(
    ("wrong", "reported"),
    [
        (("--language", "de"), "does not support the language 'de'"),
        (("--model", "nowhere"), "no such folder"),
    ],
)
def test_unusable_checkpoints_and_languages_are_reported_before_the_folder_is_used(
    budew, talk, tmp_path, options, wrong, reported
):
    outcome = budew("corpus", "transcribe", talk, tmp_path / "out", *options, *wrong)
    assert outcome.status == 1
    assert reported in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    dry = budew("corpus", "transcribe", talk, tmp_path / "out", *options, *wrong, "--dry-run")
    assert (dry.status, dry.err) == (1, outcome.err)


def test_a_dry_run_downloads_no_checkpoint(budew, talk, tmp_path):
    outcome = budew("corpus", "transcribe", talk, tmp_path / "out", "--model", "nobody/nothing", "--dry-run")
    assert (outcome.status, outcome.err) == (0, "")
