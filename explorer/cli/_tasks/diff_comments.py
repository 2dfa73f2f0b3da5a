"""Comments on a unified diff: what a model looks at when it reads each changed line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer.cli._tasks.code_view import recorded_scene
from explorer.errors import InputError
from explorer.run_control import RunControl
from explorer.widgets._code.scene import CodeScene

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_MOST_NAMED = 3


@dataclass
class ChangedFile:
    """The new side of one file of a diff, as far as the diff shows it.

    Attributes
    ----------
    name
        Path of the file.
    lines
        Lines of the new side: the number of the line in the diff from 0, its number in the file
        from 1, its text, and whether it is added.
    """

    name: str
    lines: list[tuple[int, int, str, bool]] = field(default_factory=list)


def changed_files(diff: str) -> list[ChangedFile]:
    r"""Return the files of a unified diff that have added lines.

    Raises
    ------
    InputError
        The text is not a unified diff, or nothing is added in it.

    Examples
    --------
    >>> diff = "--- a/f.py\n+++ b/f.py\n@@ -1,1 +1,2 @@\n x = 1\n+y = x\n"
    >>> [(one.name, one.lines) for one in changed_files(diff)]
    [('f.py', [(3, 1, 'x = 1', False), (4, 2, 'y = x', True)])]
    """
    files: list[ChangedFile] = []
    name, number, old_left, new_left, hunks = "", 0, 0, 0, 0
    for place, line in enumerate(diff.splitlines()):
        if old_left <= 0 and new_left <= 0:
            if line.startswith("+++ "):
                name = line[4:].split("\t")[0].strip()
                name = name.removeprefix("b/")
                files.append(ChangedFile(name))
            elif found := _HUNK.match(line):
                hunks += 1
                if not files:
                    files.append(ChangedFile("the diff"))
                number = int(found[3])
                old_left = 1 if found[2] is None else int(found[2])
                new_left = 1 if found[4] is None else int(found[4])
        elif line.startswith("\\"):  # "\ No newline at end of file"
            continue
        elif line.startswith("-"):
            old_left -= 1
        else:
            added = line.startswith("+")
            files[-1].lines.append((place, number, line[1:], added))
            number += 1
            new_left -= 1
            old_left -= not added
    if not hunks:
        raise InputError(
            "This is not a unified diff: it has no line such as `@@ -1,2 +1,3 @@`. "
            "`git diff` writes one."
        )
    changed = [one for one in files if any(added and text.strip() for *_, text, added in one.lines)]
    if not changed:
        raise InputError("The diff adds no line, so there is nothing to comment.")
    return changed


def diff_comments(
    diff: str,
    *,
    model: str | None,
    layer: int | None,
    head: int | None,
    control: RunControl,
) -> list[dict[str, Any]]:
    """Return a comment for each added line that is not blank.

    The model reads the new side of each file as the diff shows it: context and added lines. The
    share of a line is the attention from the tokens of the added line to the tokens of that line,
    divided by the attention to all other lines. The first token of the text is left out, since it
    takes the attention that a head has no use for. A causal model looks back only, so the first
    lines have no comment.

    Returns
    -------
    list of dict
        ``file``, ``line`` (number in the new file), ``place`` (line of the diff, from 0),
        ``text``, and ``looks_at``: up to three of ``line``, ``text``, ``share`` in [0, 1].

    Raises
    ------
    InputError
        The text is not a unified diff, or nothing is added in it.
    ModelError, Cancelled
        As `load_model`.
    """
    comments: list[dict[str, Any]] = []
    for changed in changed_files(diff):
        code = "\n".join(text for _, _, text, _ in changed.lines)
        scene = recorded_scene(code, model, control)
        comments += _of_file(changed, scene, layer, head)
    return comments


def commented_diff(diff: str, comments: list[dict[str, Any]]) -> Iterator[str]:
    """Yield the lines of a diff, with comments after the added lines."""
    by_place = {comment["place"]: comment for comment in comments}
    for place, line in enumerate(diff.splitlines()):
        yield line
        comment = by_place.get(place)
        if comment is not None:
            for seen in comment["looks_at"]:
                text = " ".join(seen["text"].split())[:60]
                yield f"#   looks at line {seen['line']} ({seen['share']:.0%}): {text}"


def _of_file(
    changed: ChangedFile, scene: CodeScene, layer: int | None, head: int | None
) -> list[dict[str, Any]]:
    lines = _line_of_tokens(scene)
    counted = ~scene.special
    first = np.flatnonzero(counted)
    if first.size:
        counted[first[0]] = False
    comments = []
    for index, (place, number, text, added) in enumerate(changed.lines):
        rows = np.flatnonzero((lines == index) & ~scene.special)
        if not added or not text.strip() or not rows.size:
            continue
        weights = scene.attention.weights(layer, head, rows=rows).mean(axis=0)
        seen = counted & (lines != index) & (lines >= 0)
        sums = np.bincount(lines[seen], weights[seen], minlength=len(changed.lines))
        total = float(sums.sum())
        best = np.argsort(-sums, kind="stable")[:_MOST_NAMED].tolist() if total > 0 else []
        looks_at = [
            {
                "line": changed.lines[other][1],
                "text": changed.lines[other][2],
                "share": round(float(sums[other]) / total, 4),
            }
            for other in best
            if sums[other] > 0
        ]
        comments.append(
            {
                "file": changed.name,
                "line": number,
                "place": place,
                "text": text,
                "looks_at": looks_at,
            }
        )
    return comments


def _line_of_tokens(scene: CodeScene) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the line of each token, from 0; -1 for special tokens and for white space alone."""
    ends = np.array([place for place, sign in enumerate(scene.text) if sign == "\n"], dtype=np.intp)
    lines = np.full(len(scene.tokens), -1, dtype=np.intp)
    for index, (start, stop) in enumerate(scene.offsets.tolist()):
        piece = scene.text[start:stop]
        if scene.special[index] or not piece.strip():
            continue
        start += len(piece) - len(piece.lstrip())
        lines[index] = np.searchsorted(ends, start)
    return lines
