"""Mutation test: breaks the code in random places, one at a time, and counts how often the tests notice.

    python benchmarks/mutation.py --breaks 100 --seed 0 --jobs 2
    python benchmarks/mutation.py --root ../other-checkout --package captions

Each break changes one operator, constant or branch of `budew/` in a copy of the checkout. The tests that
mirror the broken package (`tests/captions` for `budew/captions`, the files in `tests/` itself for a module at
the top level) then run without those marked slow or long, the mirrored file first. A test that fails twice in
a row, an error or a run beyond the time limit counts as noticed; tests that fail before anything is broken
are left out. Prints the breaks that nothing noticed, and the share noticed with its 95 % Wilson interval.
About 20 s a break on one core; on a busy machine tests that wait for processes fail by themselves.
"""

import argparse
import ast
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
"""Operators and their replacements."""


@dataclass(frozen=True, slots=True)
class Break:
    """A change of the code, at one place in a file.

    Attributes:
        path: path of the file, relative to the root of the checkout.
        line: line of the change, from 1.
        start, end: byte range of the file that is replaced.
        new: text after the change.
        old: text before the change.
    """

    path: Path
    line: int
    start: int
    end: int
    new: str
    old: str


def breaks_in(root: Path, path: Path) -> Iterator[Break]:
    """Yield all possible changes of a file."""
    source = (root / path).read_bytes()
    starts = [0]
    for text in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(text))
    tree = ast.parse(source)
    for node in ast.walk(tree):
        new = _broken(node)
        if new is None or not isinstance(node, ast.expr) or node.end_lineno is None:
            continue
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + (node.end_col_offset or 0)
        old = source[start:end].decode()
        yield Break(path, node.lineno, start, end, f"({new})" if "\n" in old or " " in new else new, old)
    for node in ast.walk(tree):
        if isinstance(node, ast.If | ast.While | ast.IfExp) and node.test.end_lineno is not None:
            start = starts[node.test.lineno - 1] + node.test.col_offset
            end = starts[node.test.end_lineno - 1] + (node.test.end_col_offset or 0)
            old = source[start:end].decode()
            if old not in ("TYPE_CHECKING", "True"):
                yield Break(path, node.test.lineno, start, end, f"(not ({old}))", old)


def _broken(node: ast.AST) -> str | None:
    """Return the source of an expression with a changed operator or constant; None if it has neither."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        ops: list[ast.cmpop] = [SWAPPED[type(node.ops[0])](), *node.ops[1:]]  # type: ignore[list-item]
        return ast.unparse(ast.Compare(node.left, ops, node.comparators))
    if isinstance(node, ast.BinOp) and type(node.op) in SWAPPED and not _is_annotation(node):
        return ast.unparse(ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right))  # type: ignore[arg-type]
    if isinstance(node, ast.BoolOp):
        return ast.unparse(ast.BoolOp(SWAPPED[type(node.op)](), node.values))  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ast.unparse(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        return repr(not node.value if isinstance(node.value, bool) else node.value + 1)
    return None


def _is_annotation(node: ast.BinOp) -> bool:
    return isinstance(node.op, ast.BitOr)


def tests_of(root: Path, path: Path) -> list[str]:
    """Return the tests that mirror a module; the file with its name comes first."""
    package = path.parts[1] if len(path.parts) > 2 else ""
    folder = root / "tests" / package
    found = folder.rglob("test_*.py") if package and folder.is_dir() else (root / "tests").glob("test_*.py")
    named = f"test_{path.stem}"
    files = sorted(found, key=lambda file: (not file.stem.startswith(named), file))
    return [str(file.relative_to(root)) for file in files]


def is_noticed(root: Path, change: Break, *, python: str, limit: float, skipped: Set[str]) -> bool:
    """Return whether tests fail after a change in the copy at `root`; the change is undone afterwards."""
    path = root / change.path
    whole = path.read_bytes()
    path.write_bytes(whole[: change.start] + change.new.encode() + whole[change.end :])
    try:
        unsteady = set(skipped)
        while True:
            failed = failures(
                root, "-x", *left_out(unsteady), *tests_of(root, change.path), python=python, limit=limit
            )
            if not failed or "" in failed or failures(root, *failed, python=python, limit=limit):
                return bool(failed)
            unsteady |= failed
    finally:
        path.write_bytes(whole)


def left_out(tests: Iterable[str]) -> list[str]:
    """Return the pytest options that leave tests out."""
    return [f"--deselect={test}" for test in sorted(tests)]


def failures(root: Path, *arguments: str, python: str, limit: float) -> set[str]:
    """Run tests in the copy at `root` and return those that fail.

    The name "" stands for an error outside of a test, or a run of more than `limit` seconds.
    """
    command = [python, "-m", "pytest", "-q", "-rfE", "--tb=no", "-p", "no:cacheprovider"]
    command += ["-m", "not slow and not long"]
    added = {
        "PYTHONPATH": str(root),
        "OMP_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COLUMNS": "999",
    }
    run = subprocess.Popen(
        [*command, *arguments],
        cwd=root,
        env=os.environ | added,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        lines = run.communicate(timeout=limit)[0].splitlines()
    except subprocess.TimeoutExpired:
        return {""}
    finally:
        with suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    named = {
        line.split(" ", 1)[1].split(" - ")[0] for line in lines if line.startswith(("FAILED ", "ERROR "))
    }
    return named if named or run.returncode == 0 else {""}


def copied(root: Path, into: Path) -> Path:
    """Copy the files of a checkout that git tracks."""
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, names.split("\0")):
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, into / name)
    return into


def wilson(hits: int, of: int) -> tuple[float, float]:
    """Return the bounds of the 95 % Wilson score interval of a share."""
    z, share = 1.96, hits / of
    middle = share + z * z / (2 * of)
    spread = z * ((share * (1 - share) + z * z / (4 * of)) / of) ** 0.5
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def main() -> None:
    """Run the mutation test and print its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--breaks", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--limit", type=float, default=300.0, help="longest run of the tests for one break, in seconds"
    )
    parser.add_argument(
        "--root", type=Path, default=Path(__file__).parent.parent, help="root of the checkout"
    )
    parser.add_argument("--package", help="break only this package")
    parser.add_argument("--python", default=sys.executable)
    given = parser.parse_args()
    root = given.root.resolve()
    modules = sorted(path.relative_to(root) for path in (root / "budew").rglob("*.py"))
    possible = [
        change
        for path in modules
        if given.package in (None, path.parts[1].removesuffix(".py"))
        for change in breaks_in(root, path)
    ]
    chosen = random.Random(given.seed).sample(possible, min(given.breaks, len(possible)))
    print(f"{len(possible):,} possible breaks in {len(modules)} modules; trying {len(chosen)}")
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(given.jobs) as pool:
        copies = [copied(root, Path(folder) / str(slot)) for slot in range(given.jobs)]

        every = {test for change in chosen for test in tests_of(copies[0], change.path)}
        skipped = failures(copies[0], f"-n{given.jobs}", *every, python=given.python, limit=10 * given.limit)
        if "" in skipped:
            sys.exit("the tests do not run on the unchanged code")
        for test in sorted(skipped):
            print(f"left out, since it fails on the unchanged code: {test}", flush=True)

        def in_turn(slot: int) -> list[bool]:
            found = []
            for change in chosen[slot :: given.jobs]:
                found.append(
                    is_noticed(copies[slot], change, python=given.python, limit=given.limit, skipped=skipped)
                )
                if not found[-1]:
                    print(
                        f"not noticed: {change.path}:{change.line}: {change.old!r} -> {change.new!r}",
                        flush=True,
                    )
            return found

        noticed = sum(sum(found) for found in pool.map(in_turn, range(given.jobs)))
    low, high = wilson(noticed, len(chosen))
    share = noticed / len(chosen)
    print(f"noticed {noticed} of {len(chosen)}: {share:.2f} (95 % interval {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
