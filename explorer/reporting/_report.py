"""A report of what labels say about scores and a threshold, as one file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer._deprecation import old_parameters
from explorer.errors import ValidationError
from explorer.reporting._analysis.report_contents import build_contents
from explorer.reporting._analysis.report_options import ReportOptions
from explorer.reporting._analysis.report_scores import report_scores
from explorer.reporting._page.report_page import page
from explorer.run_control import RunControl
from explorer.traces import Trace
from explorer.traces._files.file_streams import write_whole
from explorer.validation import Resampling, Truth

if TYPE_CHECKING:
    import os

    from explorer.validation import Recommendation
    from explorer.validation._data.truth import TruthKind

_OPTIONS = (
    "title",
    "reference",
    "config",
    "labels",
    "compared",
    "baselines",
    "heads",
    "update",
)


@old_parameters(
    options=(ReportOptions, _OPTIONS),
    truth=(Truth, ("least_drop",), "kind"),
    resampling=(Resampling, ("samples", "seed")),
    control=(RunControl, ("progress", "cancel")),
)
def threshold_report(
    traces: Iterable[Trace],
    scores: Any = None,
    *,
    threshold: float | None = None,
    recommendation: Recommendation | ValidationError | None = None,
    path: str | os.PathLike[str] | None = None,
    options: ReportOptions | None = None,
    truth: Truth | TruthKind = "labels",
    resampling: Resampling | None = None,
    control: RunControl | None = None,
) -> str | Path:
    """Report every figure and number of the Thresholds tab as one HTML page.

    The page has figures and tables and about 2 MB. It loads nothing, and it is readable without
    JavaScript.

    Parameters
    ----------
    traces
        Labelled traces.
    scores
        What to judge: a `FeedbackExtractor`, its config, or the table of `explain_traces`; scores
        as `explorer.validation.judge` takes them, or the `LabelledScores` that it returns. If left
        out, the attention as `options.config` says, or the held-out scores of the
        `recommendation`.
    threshold
        The threshold to judge. If left out, that of the config or of the recommendation, and for
        bare scores the one with the best F1 on these labels.
    recommendation
        From `calibrate`, to be reported with its held-out figures; or the error that it raised.
    path
        The file to write. If left out, the page is returned.
    options
        What the report contains: title, reference threshold, baselines, other methods.
    truth
        As in `explorer.validation.judge`.
    resampling
        How bootstrap samples of traces are drawn.
    control
        Progress callback and cancel event.

    Returns
    -------
    str or Path
        The page, or the path of the written file.

    Raises
    ------
    ValidationError
        There are no labels, no scores, or only labels of one class; or the method has no single
        threshold.
    InputError, ShapeError
        An argument is not valid, the scores are those of other traces, or the file cannot be
        written.
    Cancelled
        The cancel event was set.

    Examples
    --------
    >>> from explorer.examples import example_traces
    >>> from explorer.validation import Resampling
    >>> settings = {"method": "attention", "layer": 20, "head": 3, "attention_threshold": 0.002}
    >>> page = threshold_report(example_traces(), settings, resampling=Resampling(samples=50))
    >>> page.startswith("<!doctype html>")
    True
    """
    chosen, drawing, control = (
        ReportOptions.of(options),
        Resampling.of(resampling),
        control or RunControl(),
    )
    judged_by = Truth.of(truth)
    refused = ""
    if isinstance(recommendation, ValidationError):
        recommendation, refused = None, str(recommendation)
    given: Sequence[Trace] = traces if isinstance(traces, Sequence) else list(traces)
    contents = build_contents(
        given,
        report_scores(
            given,
            scores,
            chosen.config,
            recommendation,
            truth=judged_by,
            labels=chosen.labels,
            control=control,
        ),
        threshold=threshold,
        recommendation=recommendation,
        refused=refused,
        options=chosen,
        least_drop=judged_by.least_drop,
        resampling=drawing,
        control=control,
    )
    written = page(contents, chosen.title)
    if path is None:
        return written
    return write_whole(path, written.encode(), "The report")
