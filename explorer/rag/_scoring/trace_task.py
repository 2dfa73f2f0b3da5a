"""What a job over many traces does with each of them: read it, or ablate it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from explorer.models._text.prompts import INSTRUCTION
from explorer.run_control import RunControl

if TYPE_CHECKING:
    from explorer.models import Model
    from explorer.traces import Trace

Prepared = TypeVar("Prepared")


class TraceReader(Protocol[Prepared]):
    """A model at work.

    Attributes
    ----------
    key
        Digest of all that decides how this model reads.
    """

    model: Model
    key: str

    def fingerprint(self, trace: Trace) -> str:
        """Return a digest of all that the numbers of a trace depend on, but the model."""

    def mark(self, trace: Trace, **more: Any) -> dict[str, Any]:
        """Return what a trace's metadata tells of this reading."""

    def ask(self, trace: Trace, control: RunControl) -> Prepared:
        """Make a trace ready; refuse one that cannot be read."""

    def plan(self, ready: Sequence[Prepared]) -> list[list[int]]:
        """Return which traces are read together, each once."""

    def read(
        self,
        traces: Sequence[Trace],
        ready: Sequence[Prepared],
        control: RunControl,
        partly: Callable[[float], None],
    ) -> list[Trace]:
        """Read traces that go together, and return them with what was found.

        Parameters
        ----------
        partly
            Called with how much of these traces is done, in [0, 1], where they take long.
        """


@dataclass(frozen=True)
class TraceTask:
    """What is done, in words and in functions.

    Attributes
    ----------
    mark
        Where the metadata of a finished trace tells what it was made of: an object with `model`,
        `reader`, `trace` and, where it failed, `problem`.
    function, noun, past
        Names of it for people: "score_traces", "Scoring", "scored".
    reader
        Puts a model to work.
    passes
        Whether a trace needs nothing; given the trace, and a function that returns the reader
        (which loads the model).
    wanted
        Digest of what is asked for of a trace, where its mark tells it as `settings`: a file that
        was written for something else is not overwritten. None where marks do not tell.
    """

    mark: str
    function: str
    noun: str
    past: str
    reader: Callable[[Model], TraceReader[Any]]
    passes: Callable[[Trace, Callable[[], TraceReader[Any]]], bool]
    wanted: Callable[[Trace], str] | None = None


def digest(value: Any) -> str:
    """Return a digest of plain values, the same in every process."""
    # json and not msgspec: it can write half a character, which a trace in memory may hold.
    encoded = json.dumps(msgspec.to_builtins(value, enc_hook=repr), sort_keys=True)
    return hashlib.sha256(encoded.encode()).hexdigest()[:24]


def model_digest(model: Model) -> str:
    """Tell models apart, those of one name too: somebody may have trained it on."""
    torch_model = model.torch_model
    weights = [
        [name, list(parameter.shape), _few(parameter)]
        for name, parameter in torch_model.named_parameters()
    ]
    template = getattr(model.tokenizer, "chat_template", None)
    return digest([model.name, INSTRUCTION, repr(template), str(torch_model.dtype), weights])


def _few(parameter: Any) -> list[float]:
    """Return some weights of a parameter, from all over it."""
    if parameter.device.type == "meta" or not parameter.numel():
        return []
    flat = parameter.detach().reshape(-1)
    found: list[float] = flat[:: max(1, len(flat) // 8)][:8].float().tolist()
    return found
