"""Attention for traces that have none: a model reads them in place of the one that answered."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from explorer.models._running.batches import plan_batches
from explorer.rag._scoring.job_progress import JobProgress
from explorer.rag._scoring.scoring_job import ScoringCancelled, ScoringJob
from explorer.rag._scoring.stand_in import MARK, Settings, StandIn, brings_attention, checked_rows
from explorer.rag._scoring.trace_work import Work
from explorer.run_control import ProgressCallback
from explorer.traces import Trace, TraceSet

if TYPE_CHECKING:
    from explorer.models import Model

__all__ = ["ScoringCancelled", "score_traces"]


def score_traces(
    traces: Iterable[Trace] | Trace,
    model: str | Model | tuple[Any, Any] | None = None,
    *,
    path: str | os.PathLike[str] | None = None,
    generate: bool = False,
    max_new_tokens: int = 48,
    overwrite: bool = False,
    keep_topk: bool = True,
    keep_rows: bool = False,
    rows: Sequence[Literal["answer", "question"]] = ("answer",),
    content_free: bool = False,
    batch_tokens: int | None = None,
    progress: ProgressCallback | Literal[False] | None = None,
    cancel: threading.Event | None = None,
    on_trace: Callable[[Trace], None] | None = None,
) -> TraceSet:
    """Let a model read traces that have no attention, and keep what each hyperedge receives.

    The model sees the hyperedges and the question in its own chat format, and then the answer of
    the trace as if it had written it. What counts is the attention of the positions that predict
    the answer's tokens (the position before each) to the tokens of each hyperedge; beginning of
    text, instructions and question are no units, so they take no part in shares. How a stand-in
    reads a trace is not how the model that answered it did; see ``docs/stand_in.md``.

    Parameters
    ----------
    traces
        The traces; they are not changed. Those that bring evidence of any kind are passed through.
    model
        A name for `load_model`, a `Model`, or a pair of a transformers model and its tokenizer;
        causal or encoder-decoder (read by its cross-attention). None for the packaged SmolLM2.
    path
        A native trace file to which each finished trace is added. Calling again with the same
        traces, model and path goes on where it stopped: traces that have changed since are scored
        anew, and those that failed are tried again.
    generate, max_new_tokens
        Let the model answer where a trace has no answer, in at most so many tokens.
    overwrite
        Score traces that bring evidence too, and drop that evidence.
    keep_topk
        Keep the mean of each hyperedge's three largest token attentions, which the reduction
        ``"top-k"`` needs.
    keep_rows
        Keep attention by answer token: (layers, heads, rows, hyperedges). Takes as many times more
        room as the answer has tokens.
    rows
        Whose attention is kept: ``"answer"``, and ``"question"`` besides, the positions of the
        question's own tokens, which come after the hyperedges. Both come from one pass.
    content_free
        Read each trace a second time, with the question "N/A" and no answer, and keep the
        attention of that question's rows: what position, length and habit alone give each
        hyperedge, to be subtracted. (Contextual calibration: Zhao et al. 2021; of attention: Chen
        et al. 2024, in-context re-ranking.)
    batch_tokens
        Most tokens of one forward pass, padding included; a longer trace is read alone. None for
        1,024 on a CPU, which was measured to be best, and 16,384 on a GPU.
    progress
        Called with a `Progress` after each pass; None for a bar where somebody watches, False for
        silence.
    cancel
        Set it to stop before the next layer.
    on_trace
        Called with each trace that was scored, in the order in which they are finished.

    Returns
    -------
    TraceSet
        One trace for each, in the same order, with `unit_attention` (layers, heads, hyperedges),
        `unit_topk`, `unit_topk_k`, `unit_tokens`, `answer_tokens`, `answer_rows`, `model`, and
        `answer_logprob`: the natural logarithm of the probability that the model gives to the
        answer's tokens. With the question's rows also `question_attention`, `question_topk` and
        `question_rows`, and with `content_free` the same three of that pass. `stand_in` tells how
        they were made. A trace that could not be scored is there without attention, and among the
        `problems`; its `stand_in` has the reason too. With `path`, the file as `load_traces` reads
        it, arrays rounded to six digits.

    Raises
    ------
    ModelCapabilityError
        The model is an encoder; or question rows are asked of an encoder-decoder, whose decoder
        does not read the question.
    ModelNotFoundError, HubUnreachableError, ModelError
        The model cannot be loaded.
    TraceError
        Something in `traces` is no trace, or `path` is a file that this scoring did not write.
    InputError
        `model`, `rows` or `batch_tokens` is none.
    ScoringCancelled
        `cancel` was set; the error holds the traces that were finished.
    """
    given = [traces] if isinstance(traces, Trace) else traces
    listed = given if isinstance(given, TraceSet) else TraceSet(given)
    settings = Settings(
        generate,
        max_new_tokens,
        keep_topk,
        keep_rows,
        question="question" in checked_rows(rows),
        content_free=content_free,
    )
    if batch_tokens is not None:
        plan_batches([], batch_tokens)  # refused before a model is loaded
    job = ScoringJob(
        listed,
        model,
        Work(
            mark=MARK,
            function="score_traces",
            noun="Scoring",
            past="scored",
            reader=lambda loaded: StandIn(loaded, settings, batch_tokens),
            passes=lambda trace, _: not overwrite and brings_attention(trace),
        ),
        path=path,
        cancel=cancel,
        teller=JobProgress(progress, len(listed)),
        on_trace=on_trace,
    )
    return job.run()
