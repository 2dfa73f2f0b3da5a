"""``attention-explorer models``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import HELP, DocumentedCommand, examples
from explorer.cli._terminal.shared_options import Json, Quiet

GROUP = typer.Typer(
    help="List, fetch, find and free models.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": list(HELP)},
)

_Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Packaged model, local folder or hub id.")
]


@GROUP.command(
    "list",
    cls=DocumentedCommand,
    epilog=examples(("attention-explorer models list", "the models of the menu")),
)
def list_models(json: Json = False) -> int:
    """List the models of the menu, and the space that each takes beyond its package."""
    from explorer.cli._terminal.streams import print_json, print_table
    from explorer.models import available_models, model_files

    rows = [
        {
            "name": model.name,
            "kind": model.kind,
            "installed": model.installed,
            "removable_mb": round(model_files(model.name).removable_bytes / 1e6),
            "note": model.note,
        }
        for model in available_models()
    ]
    if json:
        print_json(rows)
    else:
        print_table(rows, ["name", "kind", "installed", "removable_mb", "note"])
    return 0


@GROUP.command(
    cls=DocumentedCommand,
    epilog=examples(
        ("attention-explorer models fetch microsoft/codebert-base", "download once, use offline"),
        ("attention-explorer models fetch SmolLM2-135M-Instruct", "convert ahead of the first use"),
    ),
)
def fetch(name: _Name, quiet: Quiet = False) -> int:
    """Download or convert a model, so that it later loads at once and without a network."""
    from explorer.cli._terminal.job_control import running
    from explorer.models import load_model, model_files

    with running(quiet=quiet) as control:
        load_model(name, progress=control.progress, cancel=control.cancel)
    print(model_files(name).installed)
    return 0


@GROUP.command(
    cls=DocumentedCommand,
    epilog=examples(("attention-explorer models where SmolLM2-135M-Instruct", "path of its file")),
)
def where(name: _Name) -> int:
    """Print the folder or file that a model is loaded from; exit code 5 if it is not here."""
    from explorer.errors import ModelNotFoundError
    from explorer.models import model_files

    found = model_files(name)
    if found.installed is None:
        raise ModelNotFoundError(
            f"{name} is not on this machine. `attention-explorer models fetch {name}` gets it."
        )
    print(found.installed)
    if found.removable not in (None, found.installed):
        print(found.removable)
    return 0


@GROUP.command(
    cls=DocumentedCommand,
    epilog=examples(("attention-explorer models free microsoft/codebert-base", "delete it")),
)
def free(name: _Name) -> int:
    """Delete the download or the conversion of a model; packages and own folders stay."""
    from explorer.models import free_model

    print(f"{free_model(name) / 1e6:.0f} MB are free again.")
    return 0
