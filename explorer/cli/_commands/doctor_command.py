"""``attention-explorer doctor``."""

from __future__ import annotations

from explorer.cli._terminal.documented_command import examples
from explorer.cli._terminal.shared_options import Json

EXAMPLES = examples(
    ("attention-explorer doctor", "a table, and what to do"),
    ("attention-explorer doctor --json | jq '.[] | select(.state != \"ok\")'", "what is not here"),
)


def run(json: Json = False) -> int:
    """Show what is installed, what is missing, which devices there are, and what to do.

    The exit code is 5 if something that explorer cannot do without is broken; a missing extra is
    no fault.
    """
    from explorer.cli._tasks.checkup import as_rows, check_up
    from explorer.cli._terminal.exit_codes import ExitCode
    from explorer.cli._terminal.streams import print_json, print_table

    findings = check_up()
    rows = as_rows(findings)
    if json:
        print_json(rows)
    else:
        print_table(rows, ["what", "state", "found"])
        todo = [one for one in findings if one.todo]
        if todo:
            print("\nWhat to do:")
            for one in todo:
                print(f"  {one.what}: {one.todo}")
    broken = any(one.ok is False for one in findings)
    return ExitCode.UNAVAILABLE if broken else ExitCode.DONE
