"""Units: one a shard, loose files and rows by the hundreds, names that cannot collide."""

from contextlib import suppress
from pathlib import Path

import pyarrow
import pyarrow.ipc
import pyarrow.parquet
import pytest
from odd_jobs import flac

from budew.corpora import read
from budew.errors import CorpusError
from budew.jobs.units import file_units


def test_each_shard_is_a_unit_named_by_its_place(shard, tmp_path):
    for name in ("in/de/a", "in/de/b", "in/fr/a"):
        shard(name, "x")
    for source in (tmp_path / "in", f"{tmp_path}/in/*/*.tar"):
        assert [unit.name for unit in file_units(source)] == ["de/a", "de/b", "fr/a"]
    assert [unit.name for unit in file_units(tmp_path / "in/de/a.tar")] == ["a"]


def test_loose_files_are_divided_into_units_of_whole_ids(tmp_path):
    folder = tmp_path / "talks"
    folder.mkdir()
    for name in ("a.wav", "b.mp3", "b.wav", "b.txt", "c.wav", "d.wav", "notes.txt"):
        (folder / name).touch()
    units = {unit.name: [path.name for path in unit.paths] for unit in file_units(folder, 2)}
    assert units == {"talks-00000": ["a.wav", "b.mp3", "b.txt", "b.wav"], "talks-00001": ["c.wav", "d.wav"]}


def test_a_changed_text_beside_the_audio_changes_only_its_unit(tmp_path):
    for name in ("a.wav", "b.wav", "b.txt", "README.txt"):
        (tmp_path / name).write_text("Hello")
    before = [(unit.digest(), unit.input_state()) for unit in file_units(tmp_path, 1)]
    (tmp_path / "b.txt").write_text("Goodbye")
    first, second = file_units(tmp_path, 1)
    assert (first.digest(), first.input_state()) == before[0]
    assert second.digest() != before[1][0]
    assert second.input_state() != before[1][1]
    assert [clip.transcript for unit in (first, second) for clip in unit.read(pytest.fail)] == [
        None,
        "Goodbye",
    ]


def test_a_row_whose_audio_has_too_long_a_name_fails_alone(tmp_path):
    (tmp_path / "a.flac").write_bytes(flac())
    names = ("a.flac", f"{'x' * 300}.flac")
    (tmp_path / "m.jsonl").write_text("".join(f'{{"audio": "{name}"}}\n' for name in names))
    (unit,) = file_units(tmp_path / "m.jsonl")
    bad: list[CorpusError] = []
    assert unit.input_state().bytes > len(flac())
    assert len(unit.digest()) == 64
    assert [clip.id for clip in unit.read(bad.append)] == ["a"]
    assert "line 2: there is no file" in str(bad[0])


def test_two_inputs_with_one_output_are_an_error(shard, tmp_path):
    shard("in/a", "x")
    (tmp_path / "in/A.parquet").touch()
    with pytest.raises(CorpusError, match=r"a\.tar.*rename|A\.parquet.*rename"):
        file_units(tmp_path / "in")


@pytest.mark.parametrize("name", ["", "nowhere", "empty"])
def test_a_missing_or_empty_source_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError):
        file_units(tmp_path / name if name else "")


def write_rows(folder, kind: str) -> Path:
    """Write eleven rows of audio, one of them bad, as a manifest or table of some kind."""
    audio = flac()
    names = [f"{number:02d}" for number in range(11)]
    path = folder / f"corpus.{kind.partition('-')[0]}"
    if kind.startswith(("parquet", "arrow")):
        rows = [{"id": name, "audio": {"bytes": audio, "path": name}, "text": name} for name in names]
        rows[5]["audio"]["bytes"] = b""
        table = pyarrow.Table.from_pylist(rows)
        if kind == "arrow":
            with pyarrow.ipc.new_stream(path, table.schema) as out:
                out.write_table(table, max_chunksize=4)
        else:
            pyarrow.parquet.write_table(table, path, row_group_size=int(kind.partition("-")[2]))
        return path
    files = "wavs/{}.wav" if kind == "csv-ljspeech" else "{}.flac"
    for name in names:
        file = folder / files.format(name)
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(audio)
    if kind == "jsonl":
        lines = [f'{{"audio": "{name}.flac"}}\n' + "\n" * (name == "02") for name in names]
        lines[5] = "no JSON\n"
    elif kind == "csv-ljspeech":
        lines = [f"{name}|said, as it is, {name}\n" for name in names]
        lines[5] = "05|too|many|fields\n"
    else:
        lines = ["file_name,text\n", *(f'{name}.flac,"two\nlines {name}"\n' for name in names)]
        lines[6] = "05.flac,a,b\n"
    path.write_text("".join(lines).rstrip("\n"))
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "csv-ljspeech", "parquet-4", "parquet-100", "arrow"])
def test_every_row_is_in_exactly_one_unit(tmp_path, kind):
    path = write_rows(tmp_path, kind)
    whole_bad: list[CorpusError] = []
    whole = list(read(path, on_bad=whole_bad.append))
    assert (len(whole), len(whole_bad)) == (10, 1)
    for size in (1, 2, 3, 4, 10, 11, 500):
        units = file_units(path, size)
        bad: list[CorpusError] = []
        assert [clip for unit in units for clip in unit.read(bad.append)] == whole
        assert [str(error) for error in bad] == [str(error) for error in whole_bad]
        assert len({unit.digest() for unit in units}) == (1 if kind[:5] in ("parqu", "arrow") else len(units))
        states = [unit.input_state().bytes for unit in units]
        named = sum(file.stat().st_size for file in tmp_path.rglob("*") if file.suffix in (".wav", ".flac"))
        assert sum(states) == pytest.approx(path.stat().st_size + named, abs=len(units) + named / 11)
    assert len(file_units(path, 4)) in (2, 3)  # a bad record of CSV belongs to no count


def test_a_changed_row_changes_its_unit_and_changed_column_names_all(tmp_path):
    path = write_rows(tmp_path, "csv")
    before = [unit.digest() for unit in file_units(path, 4)]
    path.write_text(path.read_text().replace("lines 07", "words 07"))
    changed = [unit.digest() for unit in file_units(path, 4)]
    assert [one == other for one, other in zip(before, changed, strict=True)] == [True, False, True]
    path.write_text(path.read_text().replace("file_name,text", "file_name,note"))
    assert not set(changed) & {unit.digest() for unit in file_units(path, 4)}


def test_an_unreadable_table_is_one_unit_with_an_error(tmp_path):
    for name in ("a.parquet", "b.arrow", "c.csv"):
        (tmp_path / name).write_bytes(b"x,x\n" * 9)
        (unit,) = file_units(tmp_path / name, 2)
        bad: list[CorpusError] = []
        with suppress(CorpusError):
            assert list(unit.read(bad.append)) == []
            assert bad


def test_units_of_urls_are_named_by_the_last_part_without_secrets(tmp_path):
    units = file_units("https://anna:secret@host/a/part-{00..01}.tar?token=secret")
    assert [unit.name for unit in units] == ["part-00", "part-01"]
    with pytest.raises(CorpusError) as caught:
        file_units("https://anna:secret@host/{0..1}/part.tar")
    assert "secret" not in str(caught.value)
