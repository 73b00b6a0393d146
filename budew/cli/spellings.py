"""Groups of commands that accept the options of each command in the spelling of the others.

Results as JSON or a page are `--json FILE` and `--html FILE` in commands that print a summary, and `--format
json --output FILE` in commands that print the results themselves; the format of an export is `--to`. Each
command shows its own spelling in its help, and accepts the others as well.
"""

import os
from pathlib import Path
from typing import Any

from typer.core import TyperGroup

_RESULTS = ("--json", "--html")
_SAME = {"--format": "--to", "--to": "--format"}


class CommandGroup(TyperGroup):
    """Group whose commands accept their options in the spelling of other commands."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Return the name of the called command, the command, and its arguments in its own spelling."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command, respelled(rest, command)


def respelled(args: list[str], command: Any) -> list[str]:
    """Return arguments with the options of other commands replaced by those of `command`."""
    options = {flag for option in getattr(command, "params", ()) for flag in option.opts}
    kept: list[str] = []
    format, file = None, None
    rest = list(args)
    while rest:
        argument = rest.pop(0)
        flag, has_value, value = argument.partition("=")
        if argument == "--":
            kept += [argument, *rest]
            break
        if flag in options or flag[:1] != "-":
            kept.append(argument)
        elif _SAME.get(flag) in options:
            kept += [_SAME[flag], *([value] if has_value else ())]
        elif flag in _RESULTS and options >= {"--format", "--output"}:
            kept += ["--format", flag[2:]]
            if has_value or (rest and _is_result(rest[0], flag[2:])):
                kept += ["--output", value if has_value else rest.pop(0)]
        elif flag in ("--format", "--output", "-o") and "--json" in options and (has_value or rest):
            value = value if has_value else rest.pop(0)
            format, file = (value, file) if flag == "--format" else (format, value)
        else:
            kept.append(argument)
    if format is None and file is None:
        return kept
    chosen = f"--{format or Path(file or '').suffix[1:]}"
    return [*kept, chosen, file or "-"] if chosen in options else list(args)


def _is_result(argument: str, format: str) -> bool:
    """Return whether the argument after `--json` is a file for results, not an input or an option."""
    is_new = argument[:1] != "-" and not os.path.exists(argument)
    return is_new or argument == "-" or Path(argument).suffix == f".{format}"
