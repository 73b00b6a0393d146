"""`budew caption`: each file is captioned or told of."""

import json
from pathlib import Path

import pytest

from budew.corpora import Clip, write_shard
from budew.inference import Captioned, Captioner, WindowCaption
from budew.profile import VoiceProfile
from budew.reports.captions_output import is_bad, report_problems


def test_a_folder_is_captioned_and_its_bad_file_is_one_line(budew, talk, whisper_folder):
    outcome = budew(
        "caption", talk, "--model", whisper_folder, "--format", "jsonl", "--scores", "--device", "cpu"
    )
    assert outcome.status == 1
    records = {Path(record["source"]).name: record for record in map(json.loads, outcome.out.splitlines())}
    assert sorted(records) == ["a.wav", "b.flac", "c.mp3"]
    assert "error" in records["c.mp3"]
    assert len(records["b.flac"]["windows"]) == 3  # the checkpoint hears 2 s at a time
    assert len(records["a.wav"]["scores"]) == 40
    failures = [line for line in outcome.err.splitlines() if not line.startswith("budew: warning: ")]
    assert len(failures) == 1
    assert failures[0].startswith(f"budew: {talk / 'c.mp3'}: this is not audio")


@pytest.mark.parametrize("format", ["text", "json", "jsonl"])
def test_of_a_damaged_file_what_can_be_heard_is_captioned_and_the_exit_status_tells(
    budew, talk, whisper_folder, format
):
    whole = (talk / "b.flac").read_bytes()
    (talk / "b.flac").write_bytes(whole[: len(whole) // 2])
    (talk / "c.mp3").unlink()
    outcome = budew("caption", talk, "--format", format, "--model", whisper_folder)
    assert outcome.status == 1
    told = [line for line in outcome.err.splitlines() if not line.startswith("budew: warning: ")]
    assert len(told) == 1
    assert told[0].startswith(f"budew: {talk / 'b.flac'}: ")
    assert "could be used" in told[0]
    if format == "text":
        assert outcome.out.splitlines()[2] == str(talk / "b.flac")
        return
    lines = outcome.out.splitlines()
    fine, damaged = json.loads(outcome.out) if format == "json" else map(json.loads, lines)
    assert "damaged" not in fine
    assert 1 < damaged["duration"] < 5
    assert "caption" in damaged
    assert damaged["damaged"] in told[0]


def test_letters_before_a_caption_are_a_warning_and_no_fault(capsys):
    window = WindowCaption(0, 1, "The voice is sad.", VoiceProfile())
    odd = Captioned("a.wav", 1.0, (window,), VoiceProfile(), warnings=("stray letters 'A' removed",))
    report_problems(odd)
    assert capsys.readouterr().err == "budew: warning: a.wav: stray letters 'A' removed\n"
    assert not is_bad(odd.to_dict())


def test_shards_are_captioned_clip_by_clip(budew, talk, whisper_folder, tmp_path):
    clips = [Clip(name[0], (talk / name).read_bytes(), name[2:]) for name in ("a.wav", "b.flac")]
    write_shard(tmp_path / "pieces" / "x.tar", clips)
    for path in (tmp_path / "pieces", tmp_path / "pieces" / "x.tar"):
        outcome = budew("caption", path, "--model", whisper_folder, "--format", "jsonl")
        records = list(map(json.loads, outcome.out.splitlines()))
        assert [(one["source"], one["id"]) for one in records] == [
            (f"{tmp_path / 'pieces' / 'x.tar'}/{id}", id) for id in ("a", "b")
        ]
        assert outcome.status == 0
        single = budew("caption", talk / "b.flac", "--model", whisper_folder, "--format", "jsonl")
        assert json.loads(single.out)["caption"] == records[1]["caption"]


@pytest.mark.parametrize("format", ["text", "json", "jsonl"])
def test_an_interrupted_command_goes_on_and_ends_as_an_undisturbed_one(
    budew, talk, whisper_folder, tmp_path, monkeypatch, format
):
    def command(file: Path, samples: int = 0) -> tuple[object, ...]:
        return ("caption", talk, "--format", format, "--scores", "-o", file, "--model", whisper_folder,
                "--samples", samples)  # fmt: skip

    whole, file = tmp_path / "whole", tmp_path / "stopped"
    assert budew(*command(whole)).status == 1
    caption, captioned = Captioner.caption_files, []

    def stop_after_one(self, paths, **more):
        for result in caption(self, paths, **more):
            yield result
            raise KeyboardInterrupt

    def watch(self, paths, **more):
        for result in caption(self, paths, **more):
            captioned.append(Path(result.source).name)
            yield result

    with monkeypatch.context() as patched:
        patched.setattr(Captioner, "caption_files", stop_after_one)
        budew(*command(file))
    assert not file.exists()
    with (tmp_path / "stopped.part").open("a") as part:
        part.write('{"source": "cut o')  # as a kill leaves it
    monkeypatch.setattr(Captioner, "caption_files", watch)
    assert budew(*command(file)).status == 1
    assert captioned == ["b.flac", "c.mp3"]
    assert file.read_bytes() == whole.read_bytes()
    assert not (tmp_path / "stopped.part").exists()


def test_results_with_other_settings_are_not_continued(budew, talk, whisper_folder, tmp_path):
    part = tmp_path / "o.part"
    part.write_text('{"model": "other"}\n{"source": "x"}\n')
    outcome = budew("caption", talk / "a.wav", "-o", tmp_path / "o", "--model", whisper_folder)
    assert "other settings" in outcome.err
    assert (tmp_path / "o").read_text()
    assert not part.exists()


def test_only_the_embedded_checkpoint_comes_with_a_note(budew, talk, whisper_folder, monkeypatch):
    monkeypatch.setattr("budew.model.checkpoint.EMBEDDED", str(whisper_folder))
    assert "synthetic speech only" in budew("caption", talk / "a.wav").err
    assert "synthetic" not in budew("caption", talk / "a.wav", "--quiet").err
    assert "synthetic" not in budew("caption", talk / "a.wav", "--model", whisper_folder).err


def test_beam_width_is_passed_on_and_checked(budew, talk, whisper_folder):
    path = talk / "b.flac"
    outcome = budew("caption", path, "--num-beams", 4, "--model", whisper_folder)
    assert outcome.out == Captioner.from_pretrained(whisper_folder, num_beams=4)(path).caption + "\n"
    assert outcome.out != budew("caption", path, "--model", whisper_folder).out
    assert "use 1 to 64" in budew("caption", path, "--num-beams", 1000, "--model", whisper_folder).err


def test_one_file_as_text_is_its_caption_alone_and_several_are_named(budew, talk, whisper_folder):
    one = budew("caption", talk / "a.wav", "--model", whisper_folder)
    assert one.status == 0
    several = budew("caption", talk / "a.wav", talk / "a.wav", "--model", whisper_folder)
    assert several.out.splitlines() == [f"{talk / 'a.wav'}", f"  {one.out.strip()}"] * 2


@pytest.mark.parametrize("names", [[], ["a.wav"], ["a.wav", "b.flac"]])
def test_json_is_one_array_and_goes_to_a_file(budew, talk, whisper_folder, tmp_path, names):
    folder = tmp_path / "some"
    folder.mkdir()
    for name in names:
        (talk / name).rename(folder / name)
    outcome = budew(
        "caption", folder, "--format", "json", "-o", tmp_path / "o.json", "--model", whisper_folder
    )
    assert outcome.out == ""
    found = json.loads((tmp_path / "o.json").read_text(encoding="utf-8"))
    assert [Path(record["source"]).name for record in found if "error" not in record] == names
    assert outcome.status == (0 if names else 1)
