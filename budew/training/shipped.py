"""The recipes that ship with the package, by their bare names: `tiny-synthetic` for its YAML file."""

from pathlib import Path

from budew.resources import data_folder
from budew.training.fields import RecipeError


def shipped_recipes() -> tuple[str, ...]:
    """Return the names of the recipes that ship."""
    return tuple(sorted(path.stem for path in data_folder("recipes").glob("*.yaml")))


def find_recipe(name: str | Path) -> Path:
    """Return the file of a recipe: `name` itself where there is such a file, else the one that ships.

    Raises:
        RecipeError: neither; lists those that ship.
    """
    path = Path(name)
    if path.is_file():
        return path
    if str(name) in shipped_recipes():
        return data_folder("recipes") / f"{name}.yaml"
    known = ", ".join(shipped_recipes())
    raise RecipeError(
        f"{name}: there is no such recipe: give a YAML file, or the name of one that ships ({known})"
    )
