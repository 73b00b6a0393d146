from pathlib import Path

import pytest
from pydantic import Field, field_validator

from budew.errors import SettingsError
from budew.io.settings import LARGEST, Settings, describe, load


class Optimizer(Settings):
    learning_rate: float = Field(1e-4, gt=0, le=1, description="Peak rate.")


class Run(Settings):
    name: str
    frames: tuple[str, ...] = ()
    optimizer: Optimizer = Optimizer()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text("name: small\nframes: [a, b]\noptimizer: {learning_rate: 3e-4}\n")
    return path


def test_changes_replace_values_of_the_file(file):
    run = load(Run, file, ["optimizer.learning_rate=1e-3", "frames=[c]"])
    assert (run.name, run.frames, run.optimizer.learning_rate) == ("small", ("c",), 1e-3)


def test_arguments_replace_values_of_the_file_unless_they_are_none(file):
    assert load(Run, file, name="other").name == "other"
    assert load(Run, file, name=None).name == "small"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ("name=3", "name"),
        ("frames=3", "frames"),
        ("optimizer.learning_rate=7", "optimizer.learning_rate"),
        ("optimizer.speed=3", "optimizer.speed"),
        ("optimizer=3", "optimizer"),
        ("name", "name"),
    ],
)
def test_an_invalid_value_is_an_error_that_names_the_field(file, change, field):
    with pytest.raises(SettingsError, match=field):
        load(Run, file, [change])


@pytest.mark.parametrize(
    "content",
    [b"- a\n", b"name: [\n", b"\xff", b"[" * 50_000, b"a" * (LARGEST + 1)],
    ids=["list", "broken", "not utf-8", "deep", "large"],
)
def test_a_file_without_a_mapping_is_an_error_that_names_it(tmp_path, content):
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"bad\.yaml"):
        load(Run, path)


def test_a_missing_file_and_a_missing_field_are_errors(tmp_path):
    with pytest.raises(SettingsError, match="none"):
        load(Run, tmp_path / "none.yaml")
    with pytest.raises(SettingsError, match="name"):
        load(Run)


def test_describe_lists_nested_fields_with_their_help():
    fields = {field.name: field for field in describe(Run)}
    assert list(fields) == ["name", "frames", "optimizer.learning_rate"]
    assert fields["optimizer.learning_rate"].help == "Peak rate."
    assert fields["name"].default == "required"


def test_errors_of_own_validators_do_not_show_the_value():
    class Login(Settings):
        key: str

        @field_validator("key")
        @classmethod
        def _check(cls, key: str) -> str:
            raise ValueError("too short")

    with pytest.raises(SettingsError) as caught:
        load(Login, key="hunter2")
    assert str(caught.value) == "settings: key: too short"
