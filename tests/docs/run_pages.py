"""Run the examples of pages in order: `python run_pages.py PAGE…`, each page in a copy of the current folder.

Python blocks are executed, each in a namespace of its own. Of shell blocks, `budew` lines go to the command
line in this process, so that torch is imported once, and other lines to bash.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(page: Path) -> list[tuple[str, str]]:
    """Return kind and text of each example. What needs a server or third-party data is marked `console`."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def main() -> None:
    start = Path.cwd()
    for page in map(Path, sys.argv[1:]):
        folder = start.with_name(f"{start.name}-{page.stem}")
        shutil.copytree(start, folder)
        os.chdir(folder)
        for number, (kind, text) in enumerate(examples(page), 1):
            print(f"\n== {page}, example {number}\n{text}", flush=True)
            if kind == "python":
                exec(compile(text, f"{page.name}, example {number}", "exec"), {"__name__": "__main__"})
            else:
                _shell(text)


def _shell(text: str) -> None:
    from budew.cli import app

    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words[:1] == ["budew"]:
            app(words[1:], prog_name="budew", standalone_mode=False)
        else:
            subprocess.run(["bash", "-euc", line], check=True)


if __name__ == "__main__":
    main()
