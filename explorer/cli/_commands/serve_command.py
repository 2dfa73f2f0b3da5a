"""``attention-explorer serve``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import ModelName

EXAMPLES = examples(
    ("attention-explorer serve", "http://127.0.0.1:8001, on this machine alone"),
    ("attention-explorer serve --port 9000 -m ./my-model", "another port and model"),
    (
        "EXPLORER_TOKEN=... attention-explorer serve --host 0.0.0.0",
        "reachable by others, with a token",
    ),
)


def run(
    host: Annotated[
        str, typer.Option("--host", help="Address; any but loopback needs a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 for any.")] = 8001,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            envvar="EXPLORER_TOKEN",
            help="What clients must send. Prefer the variable: others can see command lines.",
            show_envvar=True,
        ),
    ] = None,
    model: ModelName = None,
    max_tokens: Annotated[
        int | None, typer.Option("--max-tokens", min=1, help="Most tokens of a text.")
    ] = None,
    max_queue: Annotated[
        int | None, typer.Option("--max-queue", min=1, help="Most forward passes that wait.")
    ] = None,
    max_models: Annotated[
        int | None, typer.Option("--max-models", min=1, help="Most models in memory.")
    ] = None,
    downloads: Annotated[
        bool, typer.Option("--downloads", help="Let requests download models of the menu.")
    ] = False,
) -> int:
    """Run the HTTP service until Ctrl-C; it then finishes what runs.

    It needs the extra service. docs/service.md describes the endpoints.
    """
    from explorer._extras import require_extra

    require_extra("service", "The service")
    from explorer.service import ServiceSettings, serve

    names: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "max_queue": max_queue}
    names["max_models"] = max_models
    given = {name: value for name, value in names.items() if value is not None}
    serve(ServiceSettings(host=host, port=port, token=token, downloads=downloads, **given))
    return 0
