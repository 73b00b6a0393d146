"""`budew corpus export`: what was written, what was left out and why, and whose files are safe."""

import json
import resource

import numpy as np
import soundfile
from datasets import Dataset
from huggingface_hub import DatasetCard

from budew.corpora import IMAGE, read, write_shard
from tests.faces.conftest import face


def test_an_error_of_many_clips_is_one_line_with_the_first_clips_and_the_remedy(budew, tmp_path, talk):
    lines = [{"audio": "a.wav", "id": f"c{number}"} for number in range(1200)]
    lines += [{"audio": "a.wav", "id": "said", "text": "Hello."}, {"audio": "a.wav", "id": "hm", "text": " "}]
    (talk / "talk.jsonl").write_text("\n".join(map(json.dumps, lines)))
    arguments = ("corpus", "export", talk / "talk.jsonl", tmp_path / "out", "--to")
    told = [
        "budew: 1,200 clips have no transcript, which text to speech needs (c0, c1, c2, c3, c4, …): "
        "run budew corpus transcribe first",
        "budew: 1 clip has a transcript without words (hm): transcribe it again, or leave the clip out",
    ]
    ran = budew(*arguments, "ljspeech")
    assert (ran.status, ran.err.splitlines()) == (1, told)
    assert ran.out == f"1 clips in {tmp_path / 'out'}, 1201 items left out\n"
    none = budew(*arguments, "parler", "--overwrite")
    assert none.status == 1
    assert [line.partition(" (")[0] for line in none.err.splitlines()[:3]] == [
        "budew: 1,200 clips have no transcript, which text to speech needs",
        "budew: 1 clip has no caption, which Parler-TTS learns from",
        "budew: 1 clip has a transcript without words",
    ]
    assert "no clip to write" in none.err.splitlines()[3]


def test_the_newest_captions_are_written_and_the_others_counted(budew, tmp_path, talk):
    captions = [{"text": "A voice.", "made_by": {"by": by}} for by in ("person", "render", "paraphrase")]
    rows = [{"audio": "a.wav", "text": "Hi.", "captions": captions[:count]} for count in (1, 2, 3)]
    lines = (json.dumps({**row, "id": str(number)}) for number, row in enumerate(rows))
    (talk / "talk.jsonl").write_text("\n".join(lines))
    ran = budew("corpus", "export", talk / "talk.jsonl", tmp_path / "out", "--to", "parler")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[1] == (
        "captions: 1 original, 1 paraphrase, 1 render; left out: 2 original, 1 render (--caption, --pick)"
    )
    budew("corpus", "export", talk / "talk.jsonl", tmp_path / "all", "--to", "jsonl", "--caption", "original")
    assert [len(clip.captions) for clip in read(tmp_path / "all")] == [1, 1, 1]


def test_an_earlier_export_is_replaced_with_status_0(budew, tmp_path, talk):
    (talk / "c.mp3").unlink()
    for to in ("jsonl", "parquet"):
        ran = budew("corpus", "export", talk, tmp_path / "out", "--to", to)
        assert (ran.status, ran.out, ran.err) == (0, f"2 clips in {tmp_path / 'out'}\n", "")
    assert [clip.id for clip in read(tmp_path / "out")] == ["a", "b"]


def test_an_export_of_several_licences_lists_them(budew, tmp_path, talk):
    (talk / "c.mp3").unlink()
    (talk / "a.json").write_text(json.dumps({"license": "CC-BY-4.0 | x", "text": "Hi."}))
    for to, status in (("parquet", 0), ("jsonl", 0), ("lhotse", 0)):
        ran = budew("corpus", "export", talk, tmp_path / to, "--to", to)
        assert (ran.status, ran.err) == (
            status,
            "budew: warning: different licences (1 CC-BY-4.0 | x, 1 not stated), "
            f"see {tmp_path / to / 'README.md'}\n",
        )
        card = (tmp_path / to / "README.md").read_text()
        assert "| CC-BY-4.0 x | 1 |\n| not stated | 1 |\n" in card
        assert DatasetCard(card).data.license == "other"
        assert [clip.license for clip in read(tmp_path / to)] == ["CC-BY-4.0 | x", None]
    alone = budew("corpus", "export", talk, tmp_path / "jsonl", "--to", "ljspeech")  # b has no transcript
    assert (alone.status, "licences" in alone.err) == (1, False)
    assert DatasetCard.load(tmp_path / "jsonl" / "README.md").data.license == "other"


def test_a_card_of_the_user_is_kept_and_does_not_block_the_folder(budew, tmp_path, talk):
    (talk / "c.mp3").unlink()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/README.md").write_text("Mine.\n")
    ran = budew("corpus", "export", talk, tmp_path / "out", "--to", "jsonl")
    assert ran.status == 0
    assert "README.md was not written by budew, or was edited: it is kept" in ran.err
    assert (
        budew("corpus", "export", talk, tmp_path / "out", "--to", "jsonl").status == 0
    )  # over its own files
    assert (tmp_path / "out/README.md").read_text() == "Mine.\n"
    (tmp_path / "out/README.md").unlink()
    assert budew("corpus", "export", talk, tmp_path / "out", "--to", "jsonl").err == ""
    assert "budew" in (tmp_path / "out/README.md").read_text()


def test_images_are_exported_with_their_metadata(budew, tmp_path):
    faces = [face(f"f{number}", annotations=[{"model": "m", "n": number}]) for number in range(2)]
    write_shard(tmp_path / "in.tar", faces)
    arguments = ("corpus", "export", tmp_path / "in.tar", tmp_path / "out", "--media", "image", "--to")
    assert budew(*arguments, "parquet").status == 0
    assert list(read(tmp_path / "out", media=IMAGE)) == faces
    table = Dataset.from_parquet(
        str(tmp_path / "out/data/clips-00000.parquet"), cache_dir=str(tmp_path / "cache")
    )
    assert table[0]["image"].size == (64, 64)
    assert "the format jsonl has no images: use parquet" in budew(*arguments, "jsonl").err


def test_a_disk_that_is_full_is_one_line_that_names_the_folder(budew, tmp_path, talk):
    soundfile.write(talk / "a.wav", np.random.default_rng(1).normal(0, 0.1, 16_000), 16_000)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        ran = budew("corpus", "export", talk / "a.wav", tmp_path / "out", "--to", "parquet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith(f"budew: {tmp_path / 'out'}: File too large: allow larger files")
    assert not (tmp_path / "out").exists()
