"""Packaged examples: labelled RAG traces and short programs, with attention recorded beforehand.

Everything here is read from the package; no model is needed, and neither torch nor transformers is
imported. `explorer.examples.record` made the recordings.
"""

from __future__ import annotations

from explorer.examples.programs import (
    Program,
    RecordedProgram,
    example_programs,
    recorded_program,
)
from explorer.examples.traces import example_file, example_traces

__all__ = [
    "Program",
    "RecordedProgram",
    "example_file",
    "example_programs",
    "example_traces",
    "recorded_program",
]
