"""Causal use: the drop of an answer's probability when hyperedges are left out of the prompt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from explorer._deprecation import old_parameters
from explorer.models._running.batches import plan_batches
from explorer.rag._scoring.job_progress import TraceProgress
from explorer.rag._scoring.scoring_job import ScoringCancelled, ScoringJob
from explorer.rag._scoring.trace_task import TraceTask
from explorer.run_control import RunControl
from explorer.traces import Trace, TraceSet
from explorer.validation._ablation.ablation_record import MARK
from explorer.validation._ablation.ablation_settings import AblationSettings, is_done
from explorer.validation._ablation.ablator import Ablator

if TYPE_CHECKING:
    from explorer.models import Model

__all__ = ["ScoringCancelled", "ablate"]


@old_parameters(
    settings=(
        AblationSettings,
        ("masks", "sets", "seed", "alpha", "generate", "max_new_tokens"),
    ),
    control=(RunControl, ("progress", "cancel")),
)
def ablate(
    traces: Iterable[Trace] | Trace,
    model: str | Model | tuple[Any, Any] | None = None,
    *,
    settings: AblationSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    batch_tokens: int | None = None,
    on_trace: Callable[[Trace], None] | None = None,
    control: RunControl | None = None,
) -> TraceSet:
    """Measure the drop of each answer's log-probability without some of its hyperedges.

    A model reads question, hyperedges and answer as for `score_traces`: with all hyperedges,
    without each of them, without any, and with random subsets. The common beginning of prompts is
    read once. Unlike attention, the result is causal, for the model that reads. See
    ``docs/ablation.md``.

    Parameters
    ----------
    traces
        The traces; they are not changed. Traces that this model has ablated with the same settings
        are passed through.
    model
        A name for `load_model`, a `Model`, or a pair of a transformers model and its tokenizer;
        causal or encoder-decoder. None for the packaged SmolLM2.
    settings
        Random masks, sets and surrogate; without them, each hyperedge is left out once.
    path
        A native trace file to which each finished trace is added, and which is continued, as for
        `score_traces`. A file that was written with other settings is refused and not overwritten.
    batch_tokens
        Largest number of tokens of a forward pass of several prompts; None for a default that suits
        the device.
    on_trace
        Called with each trace that was ablated.
    control
        Progress callback, called before each pass, and cancel event, checked before each layer.
        Without a callback a progress bar is shown in a terminal or a notebook;
        ``RunControl(progress=silent)`` shows nothing.

    Returns
    -------
    TraceSet
        One trace for each, in the same order, with `ablation` in its metadata, which `ablation_of`
        reads. A trace that could not be ablated is among the `problems`.

    Raises
    ------
    ModelCapabilityError
        The model is an encoder, or has no language head.
    ModelNotFoundError, HubUnreachableError, ModelError
        The model cannot be loaded.
    TraceError
        An element of `traces` is not a trace, or `path` is a file that this ablation did not write,
        or wrote with other settings.
    InputError
        An option is not valid.
    ScoringCancelled
        The cancel event was set; the error holds the finished traces.
    """
    given = [traces] if isinstance(traces, Trace) else traces
    listed = given if isinstance(given, TraceSet) else TraceSet(given)
    chosen = AblationSettings.of(settings)
    if batch_tokens is not None:
        plan_batches([], batch_tokens)  # raises before a model is loaded
    task = TraceTask(
        mark=MARK,
        function="ablate",
        noun="Ablation",
        past="ablated",
        reader=lambda loaded: Ablator(loaded, chosen, batch_tokens),
        passes=lambda trace, reader: (
            MARK in trace.metadata and is_done(trace, chosen, reader().key)
        ),
        wanted=chosen.digest,
    )
    job = ScoringJob(
        listed,
        model,
        task,
        path=path,
        progress=TraceProgress(control, len(listed), stage="ablating", verb="ablating"),
        on_trace=on_trace,
    )
    return job.run()
