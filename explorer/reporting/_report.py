"""A report of what labels say of scores and a threshold, as one file to keep or to send."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.errors import ValidationError
from explorer.reporting._analysis.report_contents import find
from explorer.reporting._analysis.report_scores import report_scores
from explorer.reporting._analysis.threshold_analysis import TEXT_BASELINES
from explorer.reporting._page.report_page import page
from explorer.run_control import ProgressCallback
from explorer.traces import Trace
from explorer.traces._files.file_streams import write_whole
from explorer.validation._data.ground_truth import LEAST_DROP
from explorer.validation._statistics.bootstrap import SAMPLES, check_samples

if TYPE_CHECKING:
    import os

    import pandas as pd

    from explorer.rag import ExtractorConfig, UpdateConfig
    from explorer.validation import Recommendation
    from explorer.validation._comparison.baselines import Baseline
    from explorer.validation._data.ground_truth import LabelsByTrace
    from explorer.validation._data.labelled_scores import Truth

REFERENCE = 0.1
"""The textbook threshold that flips are told against."""


def threshold_report(
    traces: Iterable[Trace],
    scores: Any = None,
    *,
    threshold: float | None = None,
    reference: float = REFERENCE,
    recommendation: Recommendation | ValidationError | None = None,
    path: str | os.PathLike[str] | None = None,
    config: ExtractorConfig | Mapping[str, Any] | None = None,
    truth: Truth = "labels",
    labels: LabelsByTrace | None = None,
    least_drop: float = LEAST_DROP,
    compared: Mapping[str, pd.DataFrame] | None = None,
    baselines: Sequence[Baseline] = TEXT_BASELINES,
    heads: bool = True,
    update: UpdateConfig | Mapping[str, Any] | None = None,
    title: str | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: ProgressCallback | None = None,
    cancel: threading.Event | None = None,
) -> str | Path:
    """Say all that labels say of a threshold: every figure and number of the Thresholds tab.

    The report is one HTML page of about 2 MB with figures and tables. It loads nothing, and is
    readable without JavaScript.

    Parameters
    ----------
    traces
        Labelled traces.
    scores
        What to judge: a `FeedbackExtractor`, its config, or the table of `explain_traces`; scores
        as `explorer.validation.judge` takes them, or what it made of them. Left out, it is the
        attention as `config` says, or the held-out scores of the `recommendation`.
    threshold
        The threshold to judge. Left out, it is that of the config or of the recommendation, and
        for bare scores the one with the best F1 on these labels.
    reference
        What flips between this and the threshold is listed.
    recommendation
        From `calibrate`, to be reported with its held-out figures; or the error that it raised.
    path
        The file to write. Left out, the page is returned.
    config
        How bare scores were made, where that is known: for the words, and for the map of heads.
    truth, labels, least_drop
        As in `explorer.validation.judge`.
    compared
        Tables of `explain_traces` of other methods by name, for Cohen's kappa.
    baselines
        What to compare with; ``"embedding"`` and ``"answer-embedding"`` load the embedding model.
    heads
        Whether to judge every layer and head.
    update
        How an updater moves weights, as for `WeightUpdater`.
    title
        Above the report; the name of the trace file when left out.
    samples, seed
        Bootstrap samples of traces (0 for no intervals), and where they start.
    progress, cancel
        As everywhere: called with `Progress`, set to stop.

    Returns
    -------
    str or Path
        The page, or the file that it was written to.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or labels of one kind only; or the method has no one
        threshold.
    InputError, ShapeError
        An argument is wrong, the scores are about other traces, or the file cannot be written.
    Cancelled
        If `cancel` was set.

    Examples
    --------
    >>> from explorer.examples import example_traces
    >>> settings = {"method": "attention", "layer": 20, "head": 3, "attention_threshold": 0.002}
    >>> written = threshold_report(example_traces(), settings, samples=50)
    >>> written.startswith("<!doctype html>")
    True
    """
    samples = check_samples(samples)
    refused = ""
    if isinstance(recommendation, ValidationError):
        recommendation, refused = None, str(recommendation)
    given: Sequence[Trace] = traces if isinstance(traces, Sequence) else list(traces)
    brought = report_scores(
        given,
        scores,
        config,
        recommendation,
        progress=progress,
        cancel=cancel,
        truth=truth,
        labels=labels,
        least_drop=least_drop,
    )
    found = find(
        given,
        brought,
        threshold=threshold,
        reference=reference,
        least_drop=least_drop,
        recommendation=recommendation,
        refused=refused,
        compared=compared,
        baselines=baselines,
        heads=heads,
        update=update,
        samples=samples,
        seed=seed,
        progress=progress,
        cancel=cancel,
    )
    written = page(found, title)
    if path is None:
        return written
    return write_whole(path, written.encode(), "The report")
