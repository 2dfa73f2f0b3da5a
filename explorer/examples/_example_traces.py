"""The packaged traces."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from explorer.errors import InputError
from explorer.traces import TraceSet, load_traces

TRACES = Path(__file__).with_name("traces.jsonl")
"""File of the packaged traces; ``attention.npz`` in the same folder has their attention."""

_FORMATS = Path(__file__).with_name("formats")


def example_traces() -> TraceSet:
    """Return the packaged traces: multi-hop questions with labels and recorded attention.

    Returns
    -------
    TraceSet
        Each trace has 6 to 10 hyperedges, of which 2 or 3 are needed (``label``), a short answer,
        its ``domain`` in the metadata, and the attention of SmolLM2-135M-Instruct over it, as
        `unit_attention`. Each call returns a new set, so that labels added to one do not show in
        another; the traces are the same objects, so copy them before you change them.

    Examples
    --------
    >>> trace = example_traces()[0]
    >>> trace.query
    'Which capital on the Danube is the birthplace of Franz Schubert?'
    >>> [edge.id for edge in trace.hyperedges if edge.label]
    ['h3', 'h6']
    """
    loaded = _loaded()
    return TraceSet(loaded, loaded.path, loaded.problems)


@lru_cache(maxsize=1)
def _loaded() -> TraceSet:
    return load_traces(TRACES)


def example_file(name: str) -> Path:
    """Return the path of a small packaged file in a foreign trace format.

    Parameters
    ----------
    name
        ``"openinference"`` or ``"musique"``.

    Raises
    ------
    InputError
        There is no file of this name.
    """
    files = {path.stem: path for path in sorted(_FORMATS.iterdir())}
    if name not in files:
        raise InputError(f"There is no example file {name!r}. Choose one of {', '.join(files)}.")
    return files[name]
