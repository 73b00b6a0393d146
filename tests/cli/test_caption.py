"""`budew caption`: each file is captioned or reported. Formats are tested in tests/reports."""

import json
from pathlib import Path

import pytest

from budew.inference import CaptionedRecording, Captioner, WindowCaption, outputs
from budew.profile import VoiceProfile
from tests.trained import with_card


def failures_in(errors: str) -> list[str]:
    return [
        line for line in errors.splitlines() if not line.startswith(("budew: warning: ", "budew: model: "))
    ]


def test_a_folder_is_captioned_and_its_bad_file_is_one_line(budew, talk, whisper_folder):
    outcome = budew(
        "caption", talk, "--model", whisper_folder, "--format", "jsonl", "--scores", "--device", "cpu",
        "--windows", "fixed",
    )  # fmt: skip
    assert outcome.status == 1
    records = {Path(record["source"]).name: record for record in map(json.loads, outcome.out.splitlines())}
    assert sorted(records) == ["a.wav", "b.flac", "c.mp3"]
    assert "error" in records["c.mp3"]
    assert len(records["b.flac"]["windows"]) == 3  # of 2 s
    assert len(records["a.wav"]["scores"]) == 40
    (failure,) = failures_in(outcome.err)
    assert failure.startswith(f"budew: {talk / 'c.mp3'}: this is not audio")


def test_a_damaged_file_is_captioned_up_to_the_damage_with_status_1(budew, talk, whisper_folder):
    whole = (talk / "b.flac").read_bytes()
    (talk / "b.flac").write_bytes(whole[: len(whole) // 2])
    (talk / "c.mp3").unlink()
    outcome = budew("caption", talk, "--format", "json", "--model", whisper_folder)
    assert outcome.status == 1
    (reported,) = failures_in(outcome.err)
    assert reported.startswith(f"budew: {talk / 'b.flac'}: ")
    fine, damaged = json.loads(outcome.out)
    assert "damaged" not in fine
    assert 1 < damaged["duration"] < 5
    assert damaged["damaged"] in reported


def test_stray_letters_before_a_caption_are_a_warning(caplog):
    window = WindowCaption(0, 1, "The voice is sad.", VoiceProfile())
    odd = CaptionedRecording("a.wav", 1.0, (window,), VoiceProfile(), warnings=("stray letters 'A' removed",))
    (record,) = outputs.to_records([odd])
    assert caplog.messages == ["warning: a.wav: stray letters 'A' removed"]
    assert not outputs.is_bad(record)


@pytest.mark.parametrize("format", ["text", "json", "html"])
def test_an_interrupted_command_resumes_to_the_same_result(
    budew, talk, whisper_folder, tmp_path, monkeypatch, format
):
    def command(file: Path) -> tuple[object, ...]:
        return ("caption", talk, "--format", format, "--scores", "-o", file, "--model", whisper_folder)

    whole, file = tmp_path / "whole", tmp_path / "stopped"
    assert budew(*command(whole)).status == 1
    caption, captioned = Captioner.caption_each, []

    def stop_after_one(self, recordings, store):
        for result in caption(self, recordings, store):
            yield result
            raise KeyboardInterrupt

    def watch(self, recordings, store):
        for result in caption(self, recordings, store):
            captioned.append(Path(result.source).name)
            yield result

    with monkeypatch.context() as patched:
        patched.setattr(Captioner, "caption_each", stop_after_one)
        budew(*command(file))
    assert not file.exists()
    monkeypatch.setattr(Captioner, "caption_each", watch)
    assert budew(*command(file)).status == 1
    assert captioned == ["b.flac", "c.mp3"]
    assert file.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "stopped.part").exists()


def test_style_and_parts_change_captions_and_a_run_with_others_is_not_resumed(
    budew, talk, whisper_folder, tmp_path, monkeypatch
):
    trained = property(lambda _: True)
    monkeypatch.setattr("budew.model.checkpoint.Checkpoint.trained_with_prompts", trained)
    file, asked = tmp_path / "out", []

    def stop(self, *_, **__):
        asked.append(self.decoding.prompt)
        raise KeyboardInterrupt

    monkeypatch.setattr(Captioner, "caption_each", stop)
    for options in ((), ("--style", "tags"), ("--style", "tags", "--parts", "all"), ("--parts", "bursts")):
        budew("caption", talk, "-o", file, "--model", whisper_folder, *options)
        settings = json.loads((tmp_path / "out.part").read_text().splitlines()[0])
        assert settings["prompt"] == asked[-1]
    assert asked == ["", "tags, all", "tags, all", "prose, bursts"]


def test_a_note_on_the_checkpoint_is_printed_once_and_only_on_a_terminal(
    budew, talk, whisper_folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for trained_on, unreliable in (("synthetic speech", True), ("recordings of people", False)):
        folder = with_card(whisper_folder, tmp_path / trained_on[:5], trained_on)
        given = ("caption", talk / "a.wav", "--model", folder)
        assert "note:" not in budew(*given).err
        with monkeypatch.context() as terminal:
            terminal.setattr("budew.cli.caption.sys.stderr.isatty", lambda: True, raising=False)
            assert "note:" not in budew(*given, "--quiet").err
            (line,) = [line for line in budew(*given).err.splitlines() if "note:" in line]
            assert f"{folder.name} was trained on {trained_on}" in line
            assert ("not reliable" in line) is unreliable
            assert "note:" not in budew(*given).err


def test_paths_are_checked_before_the_model_is_loaded(budew, talk, tmp_path, monkeypatch):
    monkeypatch.setattr("budew.inference.loading.load_backend", None)
    (tmp_path / "empty.wav").touch()
    outcome = budew(
        "caption", tmp_path / "none.wav", tmp_path / "empty.wav", talk / "c.mp3", "--format", "json"
    )
    names = [Path(record["source"]).name for record in json.loads(outcome.out) if record["error"]]
    assert (outcome.status, names) == (1, ["none.wav", "empty.wav", "c.mp3"])
    assert [line.count("budew: ") for line in outcome.err.splitlines()] == [1, 1, 1]


def test_options_reach_the_captioner_and_one_file_as_text_is_its_caption_alone(budew, talk, whisper_folder):
    path, model = talk / "b.flac", ("--model", whisper_folder, "--windows", "fixed")
    outcome = budew("caption", path, "--num-beams", 4, *model)
    assert outcome.out == Captioner.from_pretrained(whisper_folder, num_beams=4)(path).caption + "\n"
    plain = budew("caption", path, *model)
    assert (plain.status, plain.out != outcome.out) == (0, True)
    several = budew("caption", path, path, *model).out
    assert several.splitlines()[:2] == [f"{path}", f"  {plain.out.splitlines()[0]}"]
    sampled = json.loads(budew("caption", path, "--samples", 3, "--format", "jsonl", *model).out)
    assert sampled == Captioner.from_pretrained(whisper_folder, num_samples=3)(path).to_dict()


@pytest.mark.parametrize(
    ("name", "begins"), [("a.srt", "1\n00:00:00"), ("a.html", "<!doctype html>"), ("a.txt", "")]
)
def test_the_name_of_the_output_decides_the_format(budew, talk, whisper_folder, tmp_path, name, begins):
    given = ("caption", talk / "a.wav", "--model", whisper_folder, "--quiet")
    assert budew(*given, "-o", tmp_path / name).status == 0
    assert (tmp_path / name).read_text().lower().startswith(begins)
    format = Path(name).suffix[1:].replace("txt", "text")
    assert budew(*given, "--format", format, "-o", tmp_path / "same").status == 0
    assert (tmp_path / "same").read_text() == (tmp_path / name).read_text()
