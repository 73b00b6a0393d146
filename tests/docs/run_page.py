"""Run the examples of pages in order: `python run_page.py PAGE…`, in the folder to run them in.

Python blocks are executed, each in a namespace of its own. Of shell blocks, `budew` lines go to the command
line in this process, so that torch is imported once a page, and other lines to bash.
"""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(page: Path) -> list[tuple[str, str]]:
    """Return kind and text of each example. What needs a server or third-party data is marked `console`."""
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def main() -> None:
    for page in sys.argv[1:]:
        for number, (kind, text) in enumerate(examples(Path(page)), 1):
            start = time.monotonic()
            print(f"\n== {page}, example {number}\n{text}", flush=True)
            if kind == "python":
                exec(compile(text, f"example {number}", "exec"), {"__name__": "__main__"})
            else:
                _shell(text)
            print(f"-- {time.monotonic() - start:.1f} s", flush=True)


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
