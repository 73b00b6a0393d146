"""Recordings are cut at the turns of their speakers, and the captions say who speaks."""

import json

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from budew.cli import app
from budew.errors import InputError
from budew.inference import Captioner
from budew.inference.captioned_recording import NO_SPEECH, FailedRecording
from budew.inference.file_captioning import caption_files
from budew.inference.speaker_turns import SHORTEST, cut_turns, read_turns, speaker_at

RATE = 16_000


def rttm(folder, *turns, name="talk"):
    path = folder / "turns.rttm"
    lines = [f"SPEAKER {name} 1 {start} {seconds} <NA> <NA> {who} <NA> <NA>" for start, seconds, who in turns]
    path.write_text(
        "\n".join(["SPKR-INFO talk 1 <NA> <NA> <NA> unknown A <NA> <NA>", *lines]), encoding="utf-8"
    )
    return path


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    """12 s of a ramp, so that each sample says where it is."""
    path = tmp_path_factory.mktemp("talk") / "talk.wav"
    soundfile.write(path, np.linspace(0, 0.9, 12 * RATE), RATE, subtype="FLOAT")
    return path


turns = st.lists(
    st.tuples(st.floats(0, 15), st.floats(0.01, 11), st.sampled_from("AB")), min_size=1, max_size=12
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(turns=turns)
def test_windows_cover_the_recording_and_have_the_samples_between_their_times(talk, tmp_path, turns):
    kept = read_turns(rttm(tmp_path, *turns))["talk"]
    cut = list(cut_turns(talk, "talk", kept, 8, RATE))
    assert [window.start for window in cut] == [0, *(window.end for window in cut[:-1])]
    assert cut[-1].end == pytest.approx(12, abs=1e-3)
    whole = np.linspace(0, 0.9, 12 * RATE)
    for window in cut:
        assert window.end - window.start > 0
        if len(window.samples):
            assert len(window.samples) <= 8 * RATE + 1
            first = round(window.start * RATE)
            assert np.allclose(window.samples, whole[first : first + len(window.samples)], atol=1e-4)
            assert speaker_at(kept, window) in {who for _, _, who in turns}
    spoken = sum(min(turn.end, 12) - turn.start for turn in kept if turn.start <= 12 - SHORTEST)
    assert sum(len(window.samples) for window in cut) / RATE == pytest.approx(spoken, abs=SHORTEST + 0.01)


def test_every_format_names_the_speakers(talk, tmp_path, whisper_folder, capsys):
    path = rttm(tmp_path, (1, 1.5, "Ada"), (2, 3, "Bob"), (10, 1, "Ada"))
    result = Captioner.from_pretrained(whisper_folder, device="cpu", windows=path)(talk)
    turns = [(window.speaker, window.start, window.end) for window in result.windows if not window.silent]
    assert turns == [
        ("Ada", 1, 2.5), ("Bob", 2.5, 3.75), ("Bob", 3.75, 5), ("Ada", 10, 11),
    ]  # fmt: skip
    assert {window.text for window in result.windows if window.speaker is None} == {NO_SPEECH}
    for format in ("text", "json", "srt", "csv", "html"):
        command = ["caption", talk, "--model", whisper_folder, "--windows", path, "--format", format]
        app([*map(str, command), "--quiet"], standalone_mode=False)
        shown = capsys.readouterr().out
        assert "Ada" in shown
        if format == "json":
            (record,) = json.loads(shown)
            assert [window.get("speaker") for window in record["windows"]].count("Bob") == 2


def test_what_has_no_turns_fails_alone_and_a_file_of_another_kind_is_refused(talk, tmp_path, whisper_folder):
    captioner = Captioner.from_pretrained(
        whisper_folder, device="cpu", windows=rttm(tmp_path, (0, 2, "A"), name="another")
    )
    (failure,) = caption_files(captioner, [talk])
    assert isinstance(failure, FailedRecording)
    assert "another" in failure.reason
    for text in (
        "",
        "SPEAKER talk 1 0",
        "SPEAKER talk 1 0 nan <NA> <NA> A",
        "SPEAKER talk 1 -1 2 <NA> <NA> A",
    ):
        (tmp_path / "bad.rttm").write_text(text)
        with pytest.raises(InputError):
            read_turns(tmp_path / "bad.rttm")
    with pytest.raises(InputError):
        Captioner.from_pretrained(whisper_folder, device="cpu", windows=tmp_path / "none.rttm")
