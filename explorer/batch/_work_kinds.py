"""The kinds of work of a batch: scoring and feedback."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.batch._batch_work import WorkDone
from explorer.batch._feedback_job import FeedbackJob
from explorer.batch._feedback_table_file import check_own_table, write_feedback_table
from explorer.errors import ModelError
from explorer.rag import ExtractorConfig, StandInSettings
from explorer.rag._scoring.job_progress import TraceProgress
from explorer.rag._scoring.scored_file import scored_line
from explorer.rag._scoring.scoring_job import ScoringJob, TraceStream, loaded_model
from explorer.rag._scoring.trace_scoring import scoring_task
from explorer.rag._scoring.trace_task import digest
from explorer.run_control import RunControl
from explorer.traces import iter_traces, save_traces

if TYPE_CHECKING:
    from explorer.models import Model


@dataclass(frozen=True)
class ScoreWork:
    """Scores by a stand-in model: `score_traces` on a stream.

    Attributes
    ----------
    model, settings, overwrite, batch_tokens
        As for `score_traces`.
    device
        Where the model runs; None for where it is, the CPU for a name.
    """

    model: str | Model | tuple[Any, Any] | None = None
    settings: StandInSettings | None = None
    overwrite: bool = False
    batch_tokens: int | None = None
    device: str | None = None
    name: str = "score"

    def key(self) -> str:
        """Return a digest of model and settings."""
        named = self.model if isinstance(self.model, str | None) else "a model in memory"
        return digest([self.name, named, repr(self.settings or StandInSettings()), self.overwrite])

    def run(self, traces: TraceStream, path: Path, control: RunControl | None) -> WorkDone:
        """Write the scored traces; see `BatchWork`."""
        job = ScoringJob(
            traces,
            self.model if self.device is None else lambda: self._on_device(control),
            scoring_task(self.settings, overwrite=self.overwrite, batch_tokens=self.batch_tokens),
            path=path,
            progress=TraceProgress(control, len(traces)),
            on_trace=None,
        )
        names: list[str] = []
        job.work_through(names)
        return WorkDone(len(names), job.kept, job.failures, job.problems)

    def _on_device(self, control: RunControl | None) -> Model:
        """Return the model on the device; raise ModelError if that is not there."""
        import torch

        model = loaded_model(self.model, control or RunControl())
        try:
            model.torch_model.to(torch.device(str(self.device)))
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise ModelError(
                f"{model.label} cannot run on {self.device!r}: {reason} "
                "`attention-explorer doctor` names the devices of this machine."
            ) from None
        return model

    def lines_of(self, table: Path) -> Iterator[bytes]:
        """Yield the lines of scored traces; see `BatchWork`."""
        return (scored_line(trace) for trace in iter_traces(table, format="native"))

    def write_table(self, lines: Path, table: Path) -> None:
        """Write scored traces as Parquet; see `BatchWork`."""
        save_traces(iter_traces(lines, format="native"), table)


@dataclass(frozen=True)
class FeedbackWork:
    """Feedback for every hyperedge: `FeedbackExtractor.explain_traces` on a stream.

    Attributes
    ----------
    config, embedding_func
        As for `FeedbackExtractor`.
    """

    config: ExtractorConfig
    embedding_func: Any = None
    name: str = "feedback"

    def key(self) -> str:
        """Return a digest of config and embedding function."""
        return digest([self.name, repr(self.config), _function_name(self.embedding_func)])

    def run(self, traces: TraceStream, path: Path, control: RunControl | None) -> WorkDone:
        """Write a line of feedback for each trace; see `BatchWork`."""
        job = FeedbackJob(traces, path, self.config, self.embedding_func, self.key(), control)
        return job.run()

    def lines_of(self, table: Path) -> None:
        """Check that the table is one of feedback, which is quickly made anew; see `BatchWork`."""
        check_own_table(table)

    def write_table(self, lines: Path, table: Path) -> None:
        """Write one row for each hyperedge; see `BatchWork`."""
        write_feedback_table(lines, table)


def _function_name(function: Any) -> str:
    return "packaged" if function is None else getattr(function, "__qualname__", repr(function))
