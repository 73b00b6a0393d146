"""Folders of heads as they are published are found and loaded; files that are something else run no code."""

import pickle
import struct
import zipfile
from pathlib import Path

import pytest
import torch

from budew.annotation.head_files import TOGETHER, canonical, file_name, find_heads, save_heads
from budew.errors import CheckpointError
from budew.taxonomy import ATTRIBUTES, EMOTIONS

from .sounds import published, save_published

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
}


@pytest.mark.parametrize(("file", "name"), NAMES.items())
def test_published_file_names_are_resolved(tmp_path: Path, file, name):
    save_published(published(128, seed=1), tmp_path / file)
    assert [head.name for head in find_heads(tmp_path).load()] == [name]


def test_our_file_names_resolve_to_what_they_were_made_of(tmp_path: Path):
    for number, name in enumerate((*EMOTIONS, *ATTRIBUTES)):
        save_published(published(4, seed=number, projection=1, hidden=()), tmp_path / file_name(name))
    assert {head.name for head in find_heads(tmp_path).load()} == {*EMOTIONS, *ATTRIBUTES}


def test_heads_come_back_as_they_were_saved_in_either_form(tmp_path: Path):
    source, out = tmp_path / "published", tmp_path / "ours"
    source.mkdir(), out.mkdir()
    for number, file in enumerate(("model_Awe_best.pth", "model_High-Pitched_vs._Low-Pitched_best.pth")):
        save_published(published(128, seed=number), source / file, compiled=bool(number))
    heads = find_heads(source).load()
    save_heads(heads, out)
    assert {path.name for path in out.iterdir()} == {
        "model_Awe_best.pth",
        "model_High-Pitched_vs._Low-Pitched_best.pth",
        TOGETHER,
    }
    inputs = torch.randn(5, 128, generator=torch.Generator().manual_seed(1))
    for loaded in (find_heads(out).load(), find_heads(out / TOGETHER).load()):
        assert [head.name for head in loaded] == [head.name for head in heads]
        assert all(torch.equal(a(inputs), b(inputs)) for a, b in zip(heads, loaded, strict=True))
    published_code = published(128, seed=0)
    published_code.load_state_dict(torch.load(out / "model_Awe_best.pth", weights_only=True))
    for path in out.glob("*.pth"):
        path.unlink()
    assert len(find_heads(out).load()) == 2


def test_large_weights_are_mapped_and_not_read_into_memory(tmp_path: Path):
    save_published(published(200_000, seed=1, projection=16), tmp_path / "model_Awe_best.pth")
    (head,) = find_heads(tmp_path).load()
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
            find_heads(folder).load()
    assert not (tmp_path / "ran.txt").exists()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    file = tmp_path / "model_Awe_best.pth"
    zipped(file, b"\0" * 50_000_000, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(CheckpointError, match="compressed"):
        find_heads(tmp_path).load()
    zipped(file, b"\0" * 2_000_000)
    with pytest.raises(CheckpointError, match="pickle is too large"):
        find_heads(tmp_path).load()


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
        find_heads(tmp_path).load()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04" + b"\0" * 100, None])
def test_a_broken_file_is_refused_with_its_name(tmp_path: Path, content):
    file = save_published(published(4_000, seed=1), tmp_path / "model_Awe_best.pth")
    content = file.read_bytes()[:-20_000] if content is None else content
    file.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"model_Awe_best\.pth"):
        find_heads(tmp_path).load()
    (tmp_path / "some.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"some\.safetensors"):
        find_heads(tmp_path / "some.safetensors").load()


def test_two_heads_for_one_emotion_none_and_no_folder_are_refused(tmp_path: Path):
    with pytest.raises(CheckpointError, match="0 files"):
        find_heads(tmp_path)
    with pytest.raises(CheckpointError, match="no such folder"):
        find_heads(tmp_path / "nothing")
    for name in ("model_Hope_Optimism_best.pth", "model_Hope_Enthusiasm_Optimism_best.pth"):
        save_published(published(128, seed=1), tmp_path / name)
    with pytest.raises(CheckpointError, match="two heads for Hope/Optimism"):
        find_heads(tmp_path).load()


def test_names_are_known_in_any_spelling_and_others_are_not():
    assert canonical("Jealousy%20%26%20Envy") == "Jealousy & Envy"
    assert canonical("high-pitched_vs._low-pitched") == "High-Pitched_vs._Low-Pitched"
    for other in ("age", "gender", "loudness", "score_speech_quality", "", "x" * 500):
        assert canonical(other) is None
