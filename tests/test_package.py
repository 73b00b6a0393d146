"""The package as a whole: cheap to import, complete where it says so, plain about what is missing."""

import ast
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import budew
from budew.errors import MissingExtraError, locate_library, require

HEAVY = (
    "torch",
    "transformers",
    "scipy",
    "matplotlib",
    "pyarrow",
    "soundfile",
    "av",
    "webdataset",
    "typer",
    "jinja2",
)


def modules_after(statement: str) -> set[str]:
    """Return the names of the top-level modules that a fresh interpreter holds after `statement`."""
    code = f"{statement}; import sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_names_and_profiles_loads_no_library() -> None:
    assert not modules_after("import budew; budew.EMOTIONS") & {*HEAVY, "numpy"}
    assert not modules_after("import budew; budew.VoiceProfile") & {*HEAVY}


def test_an_evaluation_of_predictions_loads_no_torch() -> None:
    loaded = modules_after("import budew.evaluation, budew.reports.evaluation_page")
    assert not loaded & {"torch", "transformers"}


@pytest.mark.parametrize("name", budew.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert not isinstance(getattr(budew, name), ModuleType)
    assert name in dir(budew)


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="No budew attribute emotions"):
        budew.emotions  # noqa: B018


def test_a_missing_extra_is_one_line_with_the_remedy() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_library.part", extra="train", purpose="budew corpus synthesize")
    assert str(caught.value) == (
        "budew corpus synthesize needs no_such_library, which is not installed: "
        'run pip install "budew[train]"'
    )


def test_a_library_is_located_without_being_imported() -> None:
    folder = locate_library("this", extra="train", purpose="a test")
    assert (folder / "this.py").is_file()
    assert "this" not in sys.modules
    with pytest.raises(MissingExtraError, match="a test needs no_such_library, which is not installed"):
        locate_library("no_such_library", extra="train", purpose="a test")


def test_a_library_that_is_broken_is_not_called_missing() -> None:
    with pytest.raises(ModuleNotFoundError) as caught:
        require("json.no_such_part", extra="train", purpose="a test")
    assert not isinstance(caught.value, MissingExtraError)


STUBS = sorted(Path(budew.__file__).parent.rglob("__init__.pyi"))


@pytest.mark.parametrize("stub", STUBS, ids=lambda stub: stub.parent.name)
def test_no_public_name_is_hidden_by_a_module_of_its_package(stub: Path) -> None:
    imports = [node for node in ast.parse(stub.read_text()).body if isinstance(node, ast.ImportFrom)]
    names = {alias.name for node in imports if node.module for alias in node.names}
    modules = {path.stem for path in stub.parent.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not names & modules
