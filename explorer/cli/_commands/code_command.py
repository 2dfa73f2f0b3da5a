"""``attention-explorer code``."""

from __future__ import annotations

from typing import Annotated

import typer

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import Json, ModelName, Quiet

EXAMPLES = examples(
    ("attention-explorer code model.py -o attention.html", "a page; by suffix also PNG, SVG, JSON"),
    ("attention-explorer code model.py --layer 20 --head 5 --units identifier", "a table"),
    ("cat query.sql | attention-explorer code - -o - --format svg > q.svg", "in a pipe"),
    ("git diff | attention-explorer code --diff -", "comment each added line"),
)


def run(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Code, or a diff; - for stdin.")],
    out: Annotated[
        str | None,
        typer.Option("-o", "--output", metavar="OUT", help="File to write; - for stdout."),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="html|png|svg|json", help="By default as OUT is named."),
    ] = None,
    diff: Annotated[
        bool, typer.Option("--diff", help="FILE is a unified diff: comment its added lines.")
    ] = False,
    model: ModelName = None,
    layer: Annotated[
        int | None, typer.Option("--layer", help="Layer, from 0; -1 is the last. Mean if left out.")
    ] = None,
    head: Annotated[
        int | None, typer.Option("--head", help="Head, from 0. Mean if left out.")
    ] = None,
    units: Annotated[
        str, typer.Option("--units", metavar="line|identifier|node|token", help="What is scored.")
    ] = "line",
    threshold: Annotated[
        float, typer.Option("--threshold", help="Score that counts as used.")
    ] = 0.1,
    reduction: Annotated[
        str, typer.Option("--reduction", metavar="mean|mass|top-k", help="Tokens to one number.")
    ] = "mean",
    normalisation: Annotated[
        str, typer.Option("--normalisation", metavar="raw|share|lift", help="Scale of the scores.")
    ] = "raw",
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show the attention within code: a table, or a page, picture or JSON with -o.

    With --diff, write the diff with the lines that the model looks at after each added line.
    """
    import sys
    from pathlib import Path

    from explorer.cli._terminal.job_control import running
    from explorer.cli._terminal.streams import STREAM, print_json, print_table, read_text
    from explorer.errors import InputError
    from explorer.traces._files.file_streams import write_whole

    text = read_text(file)
    if diff:
        from explorer.cli._tasks.diff_comments import commented_diff, diff_comments

        with running(quiet=quiet) as control:
            comments = diff_comments(text, model=model, layer=layer, head=head, control=control)
        if json or form == "json":
            print_json(comments)
            return 0
        if form is not None:
            raise InputError("--diff writes text, or --json.")
        lines = "\n".join(commented_diff(text, comments)) + "\n"
        if out in (None, STREAM):
            sys.stdout.write(lines)
        else:
            write_whole(str(out), lines.encode(), "The diff")
        return 0

    from explorer.cli._tasks.code_view import FORMS, code_view

    if form is None and out is not None:
        form = Path(out).suffix.lower().removeprefix(".") or ("json" if out == STREAM else "")
    if out is not None and form not in FORMS:
        raise InputError(
            f"The format is one of {', '.join(FORMS)}: name {out!r} accordingly, or give --format."
        )
    with running(quiet=quiet) as control:
        view = code_view(
            text,
            model=model,
            layer=layer,
            head=head,
            kind=units,
            threshold=threshold,
            reduction=reduction,
            normalisation=normalisation,
            control=control,
        )
    if out is None and form is not None:
        out = STREAM
    if out is None and json:
        print_json(view.values())
    elif out is None:
        print(view.title)
        shown = view.units[["unit", "text", "tokens", "score", "feedback", "verdict"]]
        rows = [
            row | {"text": " ".join(str(row["text"]).split())[:60]}
            for row in shown.rename(columns=str).to_dict("records")
        ]
        print_table(rows, list(shown.columns))  # type: ignore[arg-type]  # names of columns
    elif out == STREAM:
        sys.stdout.buffer.write(view.written(str(form)))
        sys.stdout.buffer.flush()
    else:
        write_whole(out, view.written(str(form)), "The output")
    return 0
