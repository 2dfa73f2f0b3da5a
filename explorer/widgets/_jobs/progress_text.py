"""The progress of a job in words."""

from __future__ import annotations


def under_way(message: str, fraction: float | None = None) -> str:
    """Say what a job does, and how far it is if that is known.

    Examples
    --------
    >>> under_way("scoring all traces", 0.25)
    'scoring all traces (25%) …'
    """
    done = "" if fraction is None else f" ({fraction:.0%})"
    return f"{message.rstrip(' .…')}{done} …"
