"""The plan of a job: one unit a shard, loose files by the hundreds, names that cannot collide."""

import pytest

from budew.corpora import CorpusError
from budew.jobs.units import plan_units


def test_each_shard_is_a_unit_named_by_its_place(shard, tmp_path):
    for name in ("in/de/a", "in/de/b", "in/fr/a"):
        shard(name, "x")
    for source in (tmp_path / "in", f"{tmp_path}/in/*/*.tar"):
        assert [unit.name for unit in plan_units(source)] == ["de/a", "de/b", "fr/a"]
    assert [unit.name for unit in plan_units(tmp_path / "in/de/a.tar")] == ["a"]


def test_loose_files_are_cut_into_units_of_whole_ids(tmp_path):
    for name in ("a.wav", "b.mp3", "b.wav", "c.wav", "d.wav", "notes.txt"):
        (tmp_path / "talks").mkdir(exist_ok=True)
        (tmp_path / "talks" / name).touch()
    units = plan_units(tmp_path / "talks", clips_per_shard=2)
    assert [[path.name for path in unit.paths] for unit in units] == [
        ["a.wav"],
        ["b.mp3", "b.wav"],
        ["c.wav", "d.wav"],
    ]
    assert [unit.name for unit in units] == ["talks-00000", "talks-00001", "talks-00002"]


def test_two_inputs_with_one_output_are_told(shard, tmp_path):
    shard("in/a", "x")
    (tmp_path / "in/A.parquet").touch()
    with pytest.raises(CorpusError, match=r"a\.tar.*rename|A\.parquet.*rename"):
        plan_units(tmp_path / "in")


@pytest.mark.parametrize("name", ["", "nowhere", "empty"])
def test_what_is_no_source_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(CorpusError):
        plan_units(tmp_path / name if name else "")
