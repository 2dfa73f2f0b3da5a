"""The task of a job over many traces: reading them, or ablating them."""

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
    """A model that reads traces.

    Attributes
    ----------
    key
        Digest that identifies the model.
    """

    model: Model
    key: str

    @property
    def prepares_meanwhile(self) -> bool:
        """Whether `ask` may run in a thread while `read` works.

        True if it does not run the model, and the model leaves the processor free.
        """

    def fingerprint(self, trace: Trace) -> str:
        """Return a digest of everything but the model that the numbers of a trace depend on."""

    def mark(self, trace: Trace, **more: Any) -> dict[str, Any]:
        """Return the entry of the metadata that describes this reading."""

    def ask(self, trace: Trace, control: RunControl) -> Prepared:
        """Return a prepared trace; raise if it cannot be read."""

    def plan(self, ready: Sequence[Prepared]) -> list[list[int]]:
        """Return the traces that are read together, as lists of indices."""

    def read(
        self,
        traces: Sequence[Trace],
        ready: Sequence[Prepared],
        control: RunControl,
        partly: Callable[[float], None],
    ) -> list[Trace]:
        """Return traces that are read together, with the numbers found.

        Parameters
        ----------
        partly
            Called with the share of these traces that is done, in [0, 1].
        """


@dataclass(frozen=True)
class TraceTask:
    """The names and the functions of a task.

    Attributes
    ----------
    mark
        Key of the metadata of a finished trace that describes the reading: an object with
        `model`, `reader`, `trace` and, where it failed, `problem`.
    function, noun, past
        Names of the task in messages: "score_traces", "Scoring", "scored".
    reader
        Returns the reader of a model.
    passes
        Returns True for a trace that is passed through; called with the trace and a function that
        returns the reader (and loads the model).
    wanted
        Returns the digest of the settings for a trace, where its mark contains one as `settings`: a
        file that was written with other settings is not overwritten. None without such a digest.
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
    # json, not msgspec: it can write half a surrogate pair, which a trace in memory may hold.
    encoded = json.dumps(msgspec.to_builtins(value, enc_hook=repr), sort_keys=True)
    return hashlib.sha256(encoded.encode()).hexdigest()[:24]


def model_digest(model: Model) -> str:
    """Return a digest of a model that also differs for other weights under the same name."""
    torch_model = model.torch_model
    weights = [
        [name, list(parameter.shape), _few(parameter)]
        for name, parameter in torch_model.named_parameters()
    ]
    template = getattr(model.tokenizer, "chat_template", None)
    return digest([model.name, INSTRUCTION, repr(template), str(torch_model.dtype), weights])


def _few(parameter: Any) -> list[float]:
    """Return some weights of a parameter, evenly spaced."""
    if parameter.device.type == "meta" or not parameter.numel():
        return []
    flat = parameter.detach().reshape(-1)
    found: list[float] = flat[:: max(1, len(flat) // 8)][:8].float().tolist()
    return found
