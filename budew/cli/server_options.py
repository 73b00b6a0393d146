"""Options of every command that asks a server. `--set`, which all jobs have, changes one setting."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from budew.cli.running import Running

if TYPE_CHECKING:
    from budew.chat.server import ServerSettings

_PANEL = "Server"

ServerFile = Annotated[
    Path | None,
    typer.Option(
        "--server",
        metavar="FILE",
        dir_okay=False,
        rich_help_panel=_PANEL,
        help="YAML with base_url, model and other settings of a server (docs/servers.md); --set changes one.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        rich_help_panel=_PANEL,
        help="Server that speaks the OpenAI protocol: http://localhost:8000/v1",
    ),
]
ServerModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        rich_help_panel=_PANEL,
        help="The name under which the server knows the model.",
    ),
]


def server_settings(
    running: Running,
    file: Path | None,
    base_url: str | None,
    model: str | None,
    *,
    cached: bool = True,
    **defaults: Any,
) -> "ServerSettings":
    """Return the settings of a server: those of the file, then the options, then `--set`.

    Args:
        running: with the changes of `--set`.
        file, base_url, model: the options above.
        cached: keep answers in the cache of the user where no other file is named.
        defaults: settings of this command where nothing else is given.

    Raises:
        SettingsError: names each wrong or missing setting.
        BadParameter: neither a file nor an address and a model are given.
    """
    from budew.chat.ledger import default_cache
    from budew.chat.server import ServerSettings

    for option, given in (("--base-url", base_url), ("--model", model)):
        if file is None and not given:
            raise typer.BadParameter("give it, or a file with --server", param_hint=option)
    found = running.settings(ServerSettings, file, base_url=base_url, model=model)
    if cached:
        defaults["cache"] = default_cache()
    missing = {name: value for name, value in defaults.items() if name not in found.model_fields_set}
    return found.model_copy(update=missing)
