"""Options in groups: a command takes a dataclass of options instead of a parameter for each.

    @dataclass(frozen=True, slots=True)
    class PageOptions:
        host: Annotated[str, Option(help="Where to listen.")] = "127.0.0.1"
        port: Annotated[int, Option(help="Port to listen on.")] = 7860

    @app.command("app")
    @option_groups()
    def app_command(page: PageOptions) -> None: ...

The command then has the options --host and --port, and is called with a filled `PageOptions`.
"""

import inspect
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any


def option_groups(**defaults: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that gives a command the fields of its dataclass parameters as options.

    The options come in the order of the parameters. No two groups of a command have a field of the same name.

    Args:
        defaults: for fields that have another default in this command.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)
        groups: dict[str, Any] = {}
        options: list[inspect.Parameter] = []
        for name, parameter in signature.parameters.items():
            if not is_dataclass(parameter.annotation):
                options.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
                continue
            groups[name] = parameter.annotation
            options += [
                inspect.Parameter(
                    field.name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=defaults.get(field.name, field.default),
                    annotation=field.type,
                )
                for field in fields(parameter.annotation)
            ]

        def expanded(**given: Any) -> None:
            filled = {
                name: group(**{field.name: given.pop(field.name) for field in fields(group)})
                for name, group in groups.items()
            }
            command(**given, **filled)

        expanded.__name__, expanded.__doc__ = command.__name__, command.__doc__
        expanded.__signature__ = signature.replace(parameters=options)  # type: ignore[attr-defined]
        return expanded

    return decorate
