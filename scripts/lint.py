"""Checks of names and sentences that ruff does not have: run by `make lint`, on all of `budew/`.

    python scripts/lint.py [FOLDER OR FILE ...]

Prints one line for each finding and exits with 1 if there are any; with paths, only what is below them.
"""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PACKAGE = Path("budew")
MOST_PARAMETERS = 9
MOST_LATE_IMPORTS = 29
"""Most imports inside functions of the package; others belong at the top of their module."""

PHRASES = (
    r"(?<!there )\b(is|are|was) none\b",
    r"\bis what\b",
    r"\bso many\b",
    r"\bas for `",
    r"\bgo(es)? on\b",
    r"\bgone through\b",
    r"\bstands? behind\b",
    r"\b(begins?|start(s|ed)?) anew\b",
    r"\bdealt\b",
    r"\bin truth\b",
    r"\bstrangers?\b",
)
"""Phrases that are hard to understand; write NaN, missing, N, continues, follows."""

Finding = tuple[Path, int, str]


def main() -> int:
    """Print the findings below the paths of the command line, or all of them; return the exit status."""
    trees = {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}
    wanted = [Path(argument) for argument in sys.argv[1:]] or [PACKAGE]
    findings = [*_duplicate_names(trees), *_parameters(trees), *_late_imports(trees), *_cycles(trees)]
    findings += [found for path, tree in trees.items() for found in _sentences(path, tree)]
    shown = [found for found in findings if any(found[0].is_relative_to(path) for path in wanted)]
    for path, line, message in sorted(shown):
        print(f"{path}:{line}: {message}")
    return 1 if shown else 0


def _duplicate_names(trees: dict[Path, ast.Module]) -> Iterator[Finding]:
    """Find classes and public functions whose name occurs in several modules."""
    places = defaultdict(list)
    for path, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) or (
                isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
            ):
                places[node.name].append((path, node.lineno))
    for name, found in places.items():
        for path, line in found if len(found) > 1 else ():
            others = ", ".join(str(other) for other, _ in found if other != path)
            yield path, line, f"the name {name} is also defined in {others or 'this file'}"


def _parameters(trees: dict[Path, ast.Module]) -> Iterator[Finding]:
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                taken = node.args
                count = len(taken.posonlyargs) + len(taken.args) + len(taken.kwonlyargs)
                count += (taken.vararg is not None) + (taken.kwarg is not None)
                if count > MOST_PARAMETERS:
                    yield path, node.lineno, f"{node.name} has {count} parameters"


def _late_imports(trees: dict[Path, ast.Module]) -> list[Finding]:
    """Find imports inside functions, if there are more than `MOST_LATE_IMPORTS`."""
    found = [
        (path, node.lineno, "an import inside a function")
        for path, tree in trees.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return found if len(found) > MOST_LATE_IMPORTS else []


def _cycles(trees: dict[Path, ast.Module]) -> Iterator[Finding]:
    """Find a cycle of imports, also of imports inside functions or for types only."""
    modules = {_module_name(path): path for path in trees}
    imports = {
        _module_name(path): _imported(tree, modules) - {_module_name(path)} for path, tree in trees.items()
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        circle = error.args[1]
        yield modules[circle[0]], 1, f"imports run in a circle: {' <- '.join(circle)}"


def _module_name(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _imported(tree: ast.Module, modules: dict[str, Path]) -> set[str]:
    """Return the modules of the package that a module imports."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                found.add(submodule if submodule in modules else node.module)
    return found & modules.keys()


def _sentences(path: Path, tree: ast.Module) -> Iterator[Finding]:
    """Find unwanted phrases in docstrings, also of constants and fields."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            text = node.value.value
            if text.lstrip().startswith("Of "):
                yield path, node.lineno, 'a docstring begins with "Of": write a sentence with a subject'
            for phrase in PHRASES:
                if match := re.search(phrase, " ".join(text.split())):
                    yield path, node.lineno, f'a docstring has "{match.group()}"'


if __name__ == "__main__":
    sys.exit(main())
