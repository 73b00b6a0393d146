"""The plan of a job: one unit a shard, loose files by the hundreds, names that cannot collide."""

import pytest

from budew.errors import CorpusError
from budew.jobs.units import file_units


def test_each_shard_is_a_unit_named_by_its_place(shard, tmp_path):
    for name in ("in/de/a", "in/de/b", "in/fr/a"):
        shard(name, "x")
    for source in (tmp_path / "in", f"{tmp_path}/in/*/*.tar"):
        assert [unit.name for unit in file_units(source)] == ["de/a", "de/b", "fr/a"]
    assert [unit.name for unit in file_units(tmp_path / "in/de/a.tar")] == ["a"]


def test_loose_files_are_cut_into_units_of_whole_ids(tmp_path):
    for name in ("a.wav", "b.mp3", "b.wav", "c.wav", "d.wav", "notes.txt"):
        (tmp_path / "talks").mkdir(exist_ok=True)
        (tmp_path / "talks" / name).touch()
    units = file_units(tmp_path / "talks", clips_per_shard=2)
    assert [[path.name for path in unit.paths] for unit in units] == [
        ["a.wav", "b.mp3", "b.wav"],
        ["c.wav", "d.wav"],
    ]
    assert [unit.name for unit in units] == ["talks-00000", "talks-00001"]


def test_two_inputs_with_one_output_are_told(shard, tmp_path):
    shard("in/a", "x")
    (tmp_path / "in/A.parquet").touch()
    with pytest.raises(CorpusError, match=r"a\.tar.*rename|A\.parquet.*rename"):
        file_units(tmp_path / "in")


@pytest.mark.parametrize("name", ["", "nowhere", "empty"])
def test_what_is_no_source_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError):
        file_units(tmp_path / name if name else "")


def test_a_long_manifest_is_cut_into_units_that_give_each_line_once(tmp_path):
    lines = []
    for number in range(7):
        (tmp_path / f"{number}.wav").write_bytes(b"x")
        lines.append(f'{{"audio": "{number}.wav"}}\n' + "\n" * (number == 2))
    lines[4] = "no JSON\n"
    (tmp_path / "clips.jsonl").write_text("".join(lines).rstrip("\n"))
    for size in (1, 2, 3, 100):
        units = file_units(tmp_path / "clips.jsonl", clips_per_shard=size)
        bad: list[CorpusError] = []
        assert [clip.id for unit in units for clip in unit.read(bad.append)] == list("012356")
        assert ["line 6" in str(error) for error in bad] == [True]
        sizes = [unit.state().bytes for unit in units]
        assert sum(sizes) == (tmp_path / "clips.jsonl").stat().st_size + 6  # files of one byte that are named
    assert len(file_units(tmp_path / "clips.jsonl", clips_per_shard=3)) == 3


def test_addresses_are_named_by_their_last_part_and_without_secrets(tmp_path):
    units = file_units("https://anna:secret@host/a/part-{00..01}.tar?token=secret")
    assert [unit.name for unit in units] == ["part-00", "part-01"]
    with pytest.raises(CorpusError) as caught:
        file_units("https://anna:secret@host/{0..1}/part.tar")
    assert "secret" not in str(caught.value)


def test_json_without_audio_is_told_by_the_job_too(tmp_path):
    for name in ("a.wav", "a.json", "b.json"):
        (tmp_path / name).write_text("{}")
    bad: list[CorpusError] = []
    clips = [clip.id for unit in file_units(tmp_path) for clip in unit.read(bad.append)]
    assert (clips, len(bad)) == (["a"], 1)
    assert "b.json" in str(bad[0])
