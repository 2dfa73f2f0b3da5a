"""Attention for traces without any, from a model that reads them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from explorer._deprecation import old_parameters
from explorer.errors import InputError
from explorer.models._running.batches import plan_batches
from explorer.rag._scoring.job_progress import TraceProgress
from explorer.rag._scoring.scoring_job import ScoringCancelled, ScoringJob
from explorer.rag._scoring.stand_in import MARK, StandIn, brings_attention
from explorer.rag._scoring.stand_in_settings import StandInSettings
from explorer.rag._scoring.trace_task import TraceTask
from explorer.run_control import RunControl
from explorer.traces import Trace, TraceSet

if TYPE_CHECKING:
    from explorer.models import Model

__all__ = ["ScoringCancelled", "score_traces"]


@old_parameters(
    settings=(
        StandInSettings,
        ("generate", "max_new_tokens", "keep_topk", "keep_rows", "rows", "content_free"),
    ),
    control=(RunControl, ("progress", "cancel")),
)
def score_traces(
    traces: Iterable[Trace] | Trace,
    model: str | Model | tuple[Any, Any] | None = None,
    *,
    settings: StandInSettings | None = None,
    path: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    batch_tokens: int | None = None,
    on_trace: Callable[[Trace], None] | None = None,
    control: RunControl | None = None,
) -> TraceSet:
    """Return the traces with the attention that a stand-in model pays to each hyperedge.

    The model reads the hyperedges and the question in its own chat format, and then the answer of
    the trace as if it had written it. The result is the attention of the positions that predict the
    answer's tokens (the position before each) to the tokens of each hyperedge; beginning of text,
    instructions and question are not units, so they have no share. A stand-in may read a trace
    differently from the model that answered; see ``docs/stand_in.md``.

    Parameters
    ----------
    traces
        The traces; they are not changed. Those with evidence of any kind are passed through.
    model
        A name for `load_model`, a `Model`, or a pair of a transformers model and its tokenizer;
        causal or encoder-decoder (read by its cross-attention). None for the packaged SmolLM2.
    settings
        What the model reads, and which attention is kept; the defaults of `StandInSettings` when
        left out.
    path
        A native trace file to which each finished trace is added. Calling again with the same
        traces, model and path continues where it stopped: traces that have changed since are scored
        anew, and those that failed are tried again.
    overwrite
        Score traces with evidence too, and remove that evidence.
    batch_tokens
        Largest number of tokens of one forward pass, padding included; a longer trace is read
        alone. None for 1,024 on a CPU, the fastest that was measured, and 16,384 on a GPU.
    on_trace
        Called with each trace that was scored, in the order in which they are finished.
    control
        Progress callback, called after each pass, and cancel event, heard before the next layer.
        Without a callback a progress bar is shown in a terminal or a notebook;
        ``RunControl(progress=silent)`` shows nothing.

    Returns
    -------
    TraceSet
        The traces in the same order, with `unit_attention` (layers, heads, hyperedges),
        `unit_topk`, `unit_topk_k`, `unit_tokens`, `answer_tokens`, `answer_rows`, `model`, and
        `answer_logprob`: the natural logarithm of the probability that the model gives to the
        answer's tokens. With the question's rows also `question_attention`, `question_topk` and
        `question_rows`, and with `content_free` the same three of that pass. `stand_in` describes
        the reading. A trace that could not be scored has no attention and is among the `problems`;
        its `stand_in` has the reason too. With `path`, the file as `load_traces` reads it, arrays
        rounded to six digits.

    Raises
    ------
    ModelCapabilityError
        The model is an encoder; or question rows are to be kept of an encoder-decoder, whose
        decoder does not read the question.
    ModelNotFoundError, HubUnreachableError, ModelError
        The model cannot be loaded.
    TraceError
        An item of `traces` is not a trace, or `path` is a file that this scoring did not write.
    InputError
        `model`, `settings` or `batch_tokens` is not valid.
    ScoringCancelled
        The cancel event was set; the error holds the traces that were finished.
    """
    given = [traces] if isinstance(traces, Trace) else traces
    listed = given if isinstance(given, TraceSet) else TraceSet(given)
    job = ScoringJob(
        listed,
        model,
        scoring_task(settings, overwrite=overwrite, batch_tokens=batch_tokens),
        path=path,
        progress=TraceProgress(control, len(listed)),
        on_trace=on_trace,
    )
    return job.run()


def scoring_task(
    settings: StandInSettings | None, *, overwrite: bool, batch_tokens: int | None
) -> TraceTask:
    """Return the task of `score_traces`; the parameters are checked before a model is loaded.

    Raises
    ------
    InputError
        A parameter is not valid.
    """
    chosen = _checked(settings)
    if batch_tokens is not None:
        plan_batches([], batch_tokens)  # raises
    return TraceTask(
        mark=MARK,
        function="score_traces",
        noun="Scoring",
        past="scored",
        reader=lambda loaded: StandIn(loaded, chosen, batch_tokens),
        passes=lambda trace, _: not overwrite and brings_attention(trace),
    )


def _checked(settings: object) -> StandInSettings:
    """Return the settings, the default ones for None."""
    if settings is None:
        return StandInSettings()
    if not isinstance(settings, StandInSettings):
        raise InputError(
            f"settings must be a StandInSettings, but it is a {type(settings).__name__}. "
            'StandInSettings(rows=("answer", "question")) makes one.'
        )
    return settings
