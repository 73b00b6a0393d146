"""`budew face …`, offline, as a user runs it."""

import json

import pytest

from budew.corpora import write_shard
from budew.reports.captions_page import FACE_LANES
from tests.faces.conftest import WIDTH, drawn, encoded, face, save_heads, siglip, write_neutral  # noqa: F401
from tests.faces.test_scoring import NAMES
from tests.faces.test_videos import film


@pytest.fixture
def heads(tmp_path):
    save_heads(tmp_path / "heads", NAMES, WIDTH, 8, 1)
    write_neutral(tmp_path / "heads", NAMES)
    return tmp_path / "heads"


def test_a_folder_is_scored_as_lines_and_as_a_page(budew, heads, siglip, tmp_path):  # noqa: F811
    folder = tmp_path / "faces"
    folder.mkdir()
    for number, kind in enumerate(("happy", "sad")):
        (folder / f"{number:04d}_{kind}.jpg").write_bytes(encoded(drawn(1 - 2 * number), "JPEG"))
    (folder / "broken.png").write_bytes(b"no image")
    out, page = tmp_path / "scores.jsonl", tmp_path / "faces.html"
    ended = budew("face", "score", folder, "--model", heads, "--encoder", siglip, "-o", out, "--html", page)
    assert ended.status == 1
    assert ended.err.count("broken") == 1
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["image_path"] for row in rows] == ["0000_happy", "0001_sad"]
    assert page.read_text().count("<article") == 2
    alone = [folder / "0000_happy.jpg", folder / "0001_sad.jpg"]
    ended = budew("face", "score", *alone, "--model", heads, "--encoder", siglip)
    names = [json.loads(line)["image_path"] for line in ended.out.splitlines()]
    assert names == [str(path.with_suffix("")).lstrip("/") for path in alone]
    ended = budew("benchmark", "ferd", "--predictions", out, "--json", tmp_path / "ferd.json")
    assert ended.status == 0


def test_heads_are_trained_scored_and_described(budew, siglip, tmp_path):  # noqa: F811
    clips = [
        face(
            f"f{number}",
            drawn(number / 40),
            prompt="a White man of 20 years",
            label=[{"h": {"Elation": number % 8}}],
        )
        for number in range(80)
    ]
    write_shard(tmp_path / "faces.tar", clips)
    ended = budew("face", "describe", tmp_path / "faces.tar", "--json", tmp_path / "faces.json")
    assert ended.status == 0
    assert json.loads((tmp_path / "faces.json").read_text())["images"] == 80
    ended = budew("face", "train-heads", tmp_path / "out", "--encoder", siglip)
    assert ended.status == 2  # no labels


def test_voice_and_face_of_a_video_are_on_one_page(budew, heads, siglip, whisper_folder, tmp_path):  # noqa: F811
    video, scores, page = film(tmp_path / "film.mkv", sound=True), tmp_path / "f.jsonl", tmp_path / "f.html"
    score = ("face", "score", video, tmp_path / "no.mkv", "--model", heads, "--encoder", siglip, "-o", scores)
    assert budew(*score, "--every", "0s").status == 2
    (tmp_path / "no.mkv").write_text("no video")
    ended = budew(*score, "--every", "0.5s")
    assert (ended.status, ended.err.count("no.mkv")) == (1, 1)
    names = [json.loads(line)["image_path"] for line in scores.read_text().splitlines()]
    assert [name.rpartition("film@")[2] for name in names] == [f"{half / 2:.3f}" for half in range(6)]
    caption = ("caption", video, "--model", whisper_folder, "--faces", scores, "--format")
    assert budew(*caption, "text").status == 2
    assert budew(*caption, "html", "-o", page).status == 0
    assert 1 <= page.read_text().count("of the face over time") <= FACE_LANES
