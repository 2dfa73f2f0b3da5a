"""Causal use: what an answer's probability loses when hyperedges are left out of the prompt."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

from explorer.models._running.batches import plan_batches
from explorer.rag._scoring.job_progress import TraceProgress
from explorer.rag._scoring.scoring_job import ScoringCancelled, ScoringJob
from explorer.rag._scoring.trace_task import TraceTask
from explorer.run_control import ProgressCallback, RunControl, silent
from explorer.traces import Trace, TraceSet
from explorer.validation._ablation.ablation_record import MARK
from explorer.validation._ablation.ablation_settings import (
    AblationSettings,
    Sets,
    checked_sets,
    is_done,
)
from explorer.validation._ablation.ablator import Ablator
from explorer.validation._ablation.surrogate import ALPHA

if TYPE_CHECKING:
    from explorer.models import Model

__all__ = ["ScoringCancelled", "ablate"]


def ablate(
    traces: Iterable[Trace] | Trace,
    model: str | Model | tuple[Any, Any] | None = None,
    *,
    masks: int = 0,
    sets: Sets | None = None,
    path: str | os.PathLike[str] | None = None,
    seed: int = 0,
    alpha: float | None = ALPHA,
    generate: bool = False,
    max_new_tokens: int = 48,
    batch_tokens: int | None = None,
    progress: ProgressCallback | Literal[False] | None = None,
    cancel: threading.Event | None = None,
    on_trace: Callable[[Trace], None] | None = None,
) -> TraceSet:
    """Measure what each answer loses, in log-probability, without some of its hyperedges.

    A model reads question, hyperedges and answer as for `score_traces`: with all hyperedges,
    without each of them, without any, and with random ones of them. What prompts share from their
    beginning on is read once. Unlike attention this is causal, for the model that is asked. See
    ``docs/ablation.md``.

    Parameters
    ----------
    traces
        The traces; they are not changed. Those that this model has ablated before, with the same
        settings, are passed through.
    model
        A name for `load_model`, a `Model`, or a pair of a transformers model and its tokenizer;
        causal or encoder-decoder. None for the packaged SmolLM2.
    masks
        How many random prompts to read, each of which keeps each hyperedge with probability 1/2,
        for a sparse linear surrogate (Cohen-Wang et al. 2024: ContextCite, who take 32 to 256).
        Where so many would do, every subset is read once instead.
    sets
        Further hyperedges to leave out together: for the id of a trace, sets of ids of hyperedges.
        The `top_units` of some score, for example, for its top-k drop.
    path
        A native trace file to which each finished trace is added, and which is taken up again, as
        for `score_traces`. One that was written with other `masks`, `seed`, `alpha` or `sets` is
        refused, and not overwritten.
    seed
        Of the random masks; those of a trace do not depend on the traces beside it.
    alpha
        Penalty of the surrogate; None to choose it by cross-validation, which takes 10 masks.
    generate, max_new_tokens
        Let the model answer where a trace has no answer, in at most so many tokens.
    batch_tokens
        Most tokens of a forward pass of several prompts; None for what suits the device.
    progress
        Called with a `Progress` of the stage ``"ablating"`` before each pass; None for a bar where
        somebody watches, False for silence.
    cancel
        Set it to stop before the next layer.
    on_trace
        Called with each trace that was ablated.

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
        Something in `traces` is no trace, or `path` is a file that this ablation did not write, or
        wrote with other settings.
    InputError
        An option is none.
    ScoringCancelled
        `cancel` was set; the error holds the traces that were finished.
    """
    given = [traces] if isinstance(traces, Trace) else traces
    listed = given if isinstance(given, TraceSet) else TraceSet(given)
    settings = AblationSettings(masks, seed, alpha, generate, max_new_tokens, checked_sets(sets))
    settings.check()
    if batch_tokens is not None:
        plan_batches([], batch_tokens)  # refused before a model is loaded
    work = TraceTask(
        mark=MARK,
        function="ablate",
        noun="Ablation",
        past="ablated",
        reader=lambda loaded: Ablator(loaded, settings, batch_tokens),
        passes=lambda trace, reader: (
            MARK in trace.metadata and is_done(trace, settings, reader().key)
        ),
        wanted=settings.of,
    )
    job = ScoringJob(
        listed,
        model,
        work,
        path=path,
        progress=TraceProgress(
            RunControl(silent if progress is False else progress, cancel),
            len(listed),
            stage="ablating",
            verb="ablating",
        ),
        on_trace=on_trace,
    )
    return job.run()
