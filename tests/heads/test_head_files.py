"""Published files of heads are read and written; files with anything else are refused and run no code."""

import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from budew.errors import CheckpointError
from budew.heads.head_files import (
    COMBINED,
    head_file_name,
    head_of_weights,
    load_heads,
    save_combined,
    save_head,
)
from budew.taxonomy import ATTRIBUTES, EMOTIONS

from .conftest import published, save_published


def spoilt(**changes):
    weights = dict(published(128, seed=1).state_dict())
    for key, value in changes.items():
        name = key.replace("__", ".")
        weights.pop(name, None) if value is None else weights.__setitem__(name, value)
    return weights


@pytest.mark.parametrize(
    "weights",
    [
        {},
        spoilt(proj__bias=None),
        spoilt(mlp__3__weight=torch.zeros(2, 2)),
        spoilt(_orig_mod__proj__bias=torch.zeros(8)),
        spoilt(proj__weight=torch.zeros(8, 128, dtype=torch.int64)),
        spoilt(proj__weight="weights"),
        spoilt(proj__weight=torch.zeros(8)),
        spoilt(proj__weight=torch.zeros(8, 1).expand(8, 2**23)),
        spoilt(proj__weight=torch.zeros(7, 128)),
        spoilt(mlp__5__weight=torch.zeros(6, 9)),
        spoilt(mlp__11__weight=torch.zeros(2, 4), mlp__11__bias=torch.zeros(2)),
        spoilt(mlp__8__bias=torch.tensor([1.0, float("nan"), 0, 0])),
        spoilt(proj__weight=torch.full((8, 128), float("inf"))),
    ],
)
def test_weights_that_are_not_a_head_are_refused_with_its_name(weights):
    with pytest.raises(CheckpointError, match=r"^Awe\b"):
        head_of_weights("Awe", weights)


NAMES = {
    "model_Hope_Enthusiasm_Optimism_best.pth": "Hope/Optimism",
    "model_Jealousy_&_Envy_best.pth": "Jealousy & Envy",
    "model_Jealousy_%26_Envy_best.pth": "Jealousy & Envy",
    "model_Impatience%20and%20Irritability_best.pth": "Impatience and Irritability",
    "model_Pleasure%2FEcstasy_best.pth": "Pleasure/Ecstasy",
    "model_Intoxication_Altered_States_of_Consciousness_best.pth": "Intoxication/Altered States",
    "model_High-Pitched_vs._Low-Pitched_best.pth": "High-Pitched_vs._Low-Pitched",
    "model_Age_best.pth": "Age",
    "model_score_speech_quality_best.pth": "score_speech_quality",
    "model_age_best.pth": "age",
}


@pytest.mark.parametrize(("file", "name"), NAMES.items())
def test_published_file_names_are_resolved(tmp_path: Path, file, name):
    save_published(published(128, seed=1), tmp_path / file)
    assert [head.name for head in load_heads(tmp_path)] == [name]


def test_file_names_of_saved_heads_are_resolved_to_their_names(tmp_path: Path):
    for number, name in enumerate((*EMOTIONS, *ATTRIBUTES)):
        save_published(published(4, seed=number, projection=1, hidden=()), tmp_path / head_file_name(name))
    assert {head.name for head in load_heads(tmp_path)} == {*EMOTIONS, *ATTRIBUTES}


def test_saved_heads_are_loaded_again_from_either_form(tmp_path: Path):
    source, out = tmp_path / "published", tmp_path / "ours"
    source.mkdir(), out.mkdir()
    files = ("model_Awe_best.pth", "model_High-Pitched_vs._Low-Pitched_best.pth")
    for number, file in enumerate(files):
        save_published(published(128, seed=number), source / file, compiled=bool(number))
    heads = load_heads(source)
    for head in heads:
        save_head(head, out, head_file_name(head.name))
    save_combined(heads, out)
    assert {path.name for path in out.iterdir()} == {*files, COMBINED}
    inputs = torch.randn(5, 128, generator=torch.Generator().manual_seed(1))
    for loaded in (load_heads(out), load_heads(out / COMBINED)):
        assert [head.name for head in loaded] == [head.name for head in heads]
        assert all(torch.equal(a(inputs), b(inputs)) for a, b in zip(heads, loaded, strict=True))
    published(128, seed=0).load_state_dict(torch.load(out / files[0], weights_only=True))
    for path in out.glob("*.pth"):
        path.unlink()
    assert len(load_heads(out)) == 2


def test_large_weights_are_mapped_and_not_read_into_memory(tmp_path: Path):
    save_published(published(200_000, seed=1, projection=16), tmp_path / "model_Awe_best.pth")
    (head,) = load_heads(tmp_path)
    mapped = Path("/proc/self/maps")
    if mapped.exists():
        assert str(tmp_path / "model_Awe_best.pth") in mapped.read_text()
    assert head.inputs == 200_000


class Evil:
    def __reduce__(self):
        return (exec, ("open('ran.txt', 'w').close()",))


def zipped(path: Path, pickled: bytes, *, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")


def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "heads"
    folder.mkdir()
    file = folder / "model_Awe_best.pth"
    evil = pickle.dumps({"proj.weight": Evil()}, protocol=2)
    for write in (
        lambda: file.write_bytes(evil),
        lambda: zipped(file, evil),
        lambda: torch.save(Evil(), file),
    ):
        write()
        with pytest.raises(CheckpointError, match=r"model_Awe_best\.pth"):
            load_heads(folder)
    assert not (tmp_path / "ran.txt").exists()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    file = tmp_path / "model_Awe_best.pth"
    zipped(file, b"\0" * 50_000_000, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        load_heads(tmp_path)
    zipped(file, b"\0" * 2_000_000)
    with pytest.raises(CheckpointError, match="pickle is too large"):
        load_heads(tmp_path)


def test_a_tensor_that_claims_more_than_its_file_holds_is_refused(tmp_path: Path):
    path, rewritten = tmp_path / "model_Awe_best.pth", tmp_path / "rewritten"
    save_published(published(128, seed=1), path)
    shape, larger = b"K\x08K\x80\x86", b"J" + struct.pack("<i", 2**20) + b"K\x80\x86"
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(rewritten, "w") as out:
        for part in archive.infolist():
            content = archive.read(part)
            if part.filename.endswith("data.pkl"):
                assert shape in content
                content = content.replace(shape, larger)
            out.writestr(part.filename, content)
    rewritten.replace(path)
    with pytest.raises(CheckpointError, match=r"cannot be opened.*storage"):
        load_heads(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 100, None])
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, content):
    file = save_published(published(4_000, seed=1), tmp_path / "model_Awe_best.pth")
    content = file.read_bytes()[:-20_000] if content is None else content
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model_Awe_best\.pth"):
        load_heads(tmp_path)
    (tmp_path / "some.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"some\.safetensors"):
        load_heads(tmp_path / "some.safetensors")


def test_no_heads_two_heads_for_one_emotion_and_an_unprintable_name_are_refused(tmp_path: Path):
    with pytest.raises(CheckpointError, match="the folder has no heads"):
        load_heads(tmp_path)
    for name in ("model_Hope_Optimism_best.pth", "model_Hope_Enthusiasm_Optimism_best.pth"):
        save_published(published(128, seed=1), tmp_path / name)
    with pytest.raises(CheckpointError, match="two heads for Hope/Optimism"):
        load_heads(tmp_path)
    save_published(published(128, seed=1), tmp_path / "model_a%00b_best.pth")
    with pytest.raises(CheckpointError, match="not the name of a head"):
        load_heads(tmp_path)
