"""Analyses and threshold runs as MLflow runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from explorer._extras import require_extra
from explorer.errors import InputError
from explorer.tracking._delivery import Delivery
from explorer.tracking._mlflow_store import MlflowStore, imported_mlflow
from explorer.tracking._run_content import RunContent

if TYPE_CHECKING:
    from explorer.tracking._analysis_runs import TrackedAnalysis, TrackedFailure
    from explorer.validation import LabelledScores, Recommendation, Resampling

_ACTIVE = "active"


class MlflowTracker:
    """Logs analyses and threshold runs to MLflow, and never stops one that cannot be logged.

    Each `log_...` method writes one finished run with MLflow's client. The active run, tracking URI
    and experiment of MLflow's own functions are neither used nor changed. If the store cannot be
    written, one `explorer.errors.TrackingWarning` is given, and nothing is logged until a later try
    succeeds.

    Parameters
    ----------
    experiment
        Name of the experiment; made if it does not exist.
    uri
        Address of the store: ``"sqlite:///mlflow.db"``, a folder, ``"http://..."``, or the path of
        a SQLite file. None for what MLflow is set to (`mlflow.set_tracking_uri`, the variable
        MLFLOW_TRACKING_URI), which is a local file if nothing is set.
    artifact_location
        Folder or address for the artifacts of an experiment that is made here; None for the default
        of the store.
    parent
        ``"active"`` to nest runs in MLflow's active run of the calling thread, if there is one, or
        the id of a run; None for runs of their own. A nested run is in its parent's experiment.
    files
        Whether analyses and batches have artifacts: heatmap, report, arrays. They contain the
        tokens of the code.
    timeout
        Most seconds to wait for a store on another machine, for each run.
    retry_after
        Seconds without a further try after a failure.

    Attributes
    ----------
    experiment, uri
        As given.

    Raises
    ------
    MissingExtraError
        MLflow is not installed.
    InputError
        An argument is not valid.

    Notes
    -----
    MLflow's usage telemetry is switched off for the process if explorer is the first to import
    MLflow, unless the environment variable MLFLOW_DISABLE_TELEMETRY is set.

    Examples
    --------
    >>> tracker = MlflowTracker("code", "sqlite:///runs.db")  # doctest: +SKIP
    >>> CodeAnalysisAgent(tracker=tracker).analyze("x = 1")  # doctest: +SKIP
    """

    def __init__(
        self,
        experiment: str = "attention-explorer",
        uri: str | Path | None = None,
        *,
        artifact_location: str | Path | None = None,
        parent: str | None = None,
        files: bool = True,
        timeout: float = 10.0,
        retry_after: float = 60.0,
    ) -> None:
        require_extra("mlflow", "Experiment tracking")
        if not isinstance(experiment, str) or not experiment.strip():
            raise InputError(f"The experiment must be a name, but it is {experiment!r}.")
        for name, seconds, least in (("timeout", timeout, 0.01), ("retry_after", retry_after, 0)):
            valid = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not valid or not least <= seconds < threading.TIMEOUT_MAX:
                raise InputError(
                    f"{name} must be a number of seconds of at least {least}, but it is "
                    f"{seconds!r}."
                )
        _check_address(uri, "uri")
        _check_address(artifact_location, "artifact_location")
        self.experiment = experiment
        self.uri = f"sqlite:///{uri.absolute().as_posix()}" if isinstance(uri, Path) else uri
        self._store = MlflowStore(experiment, artifact_location)
        self._parent = parent
        self._files = files
        self._delivery = Delivery(timeout, retry_after)

    @property
    def failure(self) -> str | None:
        """Why the last run was not logged; None if it was, or if there was none."""
        return self._delivery.failure

    @property
    def skipped(self) -> int:
        """Number of runs that were not logged."""
        return self._delivery.skipped

    def log_analysis(self, analysis: TrackedAnalysis) -> str | None:
        """Log one analysis of a `CodeAnalysisAgent`.

        Parameters ``model``, ``layer``, ``head``, ``truncated``; metrics ``latency_ms``,
        ``code_length`` (characters), ``n_tokens``; artifacts ``report.html``, ``report.json``,
        ``embedding.npy``, and with attention ``attention.npy`` and ``heatmap.png``.

        Returns
        -------
        str or None
            Id of the run; None if it was not logged.
        """
        from explorer.tracking._analysis_runs import analysis_run

        return self._log(lambda: analysis_run(analysis, files=self._files))

    def log_batch(
        self,
        analyses: Sequence[TrackedAnalysis | TrackedFailure],
        *,
        model: str,
        layer: int | None = None,
        head: int | None = None,
    ) -> str | None:
        """Log what `CodeAnalysisAgent.analyze_many` returned as one run.

        Parameters ``model``, ``layer``, ``head``; metrics ``codes``, ``failed``, the sums
        ``latency_ms``, ``code_length`` and ``n_tokens``, and mean and percentiles of the latency;
        artifacts ``report.html`` and ``batch.json``, with a row for each piece of code.

        Returns
        -------
        str or None
            Id of the run; None if it was not logged.
        """
        from explorer.tracking._analysis_runs import batch_run

        return self._log(
            lambda: batch_run(analyses, model=model, layer=layer, head=head, files=self._files)
        )

    def log_calibration(
        self, recommendation: Recommendation, *, resampling: Resampling | None = None
    ) -> str | None:
        """Log the result of `explorer.validation.calibrate`.

        Metrics are those on held-out traces, each with its 95 % interval: ``f1``, ``f1_low``,
        ``f1_high`` and so on, ``auc``, ``average_precision``; also ``threshold``. Artifacts are
        ``config.json``, ``figures.html``, every figure as plotly's JSON, and the tables.

        Parameters
        ----------
        recommendation
            Accepted or not; the reason of a refusal is a parameter.
        resampling
            How bootstrap samples of traces are drawn.

        Returns
        -------
        str or None
            Id of the run; None if it was not logged.
        """
        from explorer.tracking._threshold_runs import calibration_run

        content = calibration_run(recommendation, resampling=resampling)
        return self._log(lambda: content)

    def log_report(
        self,
        report: str | Path,
        *,
        scores: LabelledScores | None = None,
        threshold: float | None = None,
        config: Mapping[str, Any] | None = None,
        resampling: Resampling | None = None,
    ) -> str | None:
        """Log a page of `explorer.threshold_report`.

        Parameters
        ----------
        report
            The page or the path that `threshold_report` returned; artifact ``report.html``.
        scores, threshold
            What the report judges, from `explorer.validation.judge`: for metrics with intervals,
            as `log_calibration` logs them, and figures.
        config
            Settings of a `FeedbackExtractor`; artifact ``config.json``.
        resampling
            How bootstrap samples of traces are drawn.

        Returns
        -------
        str or None
            Id of the run; None if it was not logged.

        Raises
        ------
        InputError
            Only one of `scores` and `threshold` is given, or the report cannot be read.
        ValidationError
            The scores have no labels, or labels of one class only.
        """
        from explorer.tracking._threshold_runs import report_run

        content = report_run(
            report, scores=scores, threshold=threshold, config=config, resampling=resampling
        )
        return self._log(lambda: content)

    def _log(self, make: Callable[[], RunContent]) -> str | None:
        def prepare() -> tuple[str, str | None, RunContent]:
            imported_mlflow()  # takes seconds: not in the time that a server has
            uri = self._address()
            return uri, self._parent_run(uri), make()

        return self._delivery.run(self._address, prepare, lambda given: self._store.write(*given))

    def _address(self) -> str:
        return self.uri or str(imported_mlflow().get_tracking_uri())

    def _parent_run(self, uri: str) -> str | None:
        """Return the run to nest in; MLflow has an active run for each thread, so in this one."""
        if self._parent != _ACTIVE:
            return self._parent
        mlflow = imported_mlflow()
        active = mlflow.active_run() if uri == mlflow.get_tracking_uri() else None
        return None if active is None else str(active.info.run_id)


def _check_address(address: str | Path | None, name: str) -> None:
    """Raise `InputError` for what is neither an address nor a path."""
    reason = "it is"
    if address is None or isinstance(address, Path):
        return
    if isinstance(address, str):
        try:
            urlsplit(address)
        except ValueError as error:
            reason = f"({error}) it is"
        else:
            return
    raise InputError(f"{name} must be an address or a path, but {reason} {address!r}.")
