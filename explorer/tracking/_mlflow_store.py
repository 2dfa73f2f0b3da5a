"""Runs written with MLflow's client, which leaves the state of its own functions alone."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from explorer.tracking._run_content import RunContent

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PARENT = "mlflow.parentRunId"
_TELEMETRY = "MLFLOW_DISABLE_TELEMETRY"
_NO_ADDRESS = "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"

# Environment variables are those of the whole process: one change at a time.
_environment_lock = threading.RLock()


class MlflowStore:
    """An experiment in a store of MLflow; several threads may write to it.

    Parameters
    ----------
    experiment
        Name of the experiment; made if it does not exist.
    artifact_location
        Where the artifacts of a new experiment are kept; None for the default of the store.
    """

    def __init__(self, experiment: str, artifact_location: str | Path | None) -> None:
        self._experiment = experiment
        self._location = (
            artifact_location.absolute().as_uri()
            if isinstance(artifact_location, Path)
            else artifact_location
        )
        self._client: MlflowClient | None = None
        self._experiment_id: str | None = None
        self._lock = threading.RLock()

    def write(self, uri: str, parent: str | None, content: RunContent) -> str:
        """Write a finished run and return its id.

        Parameters
        ----------
        uri
            Address of the store; the same for every run.
        parent
            Id of the run that it is nested in, whose experiment it then belongs to.
        """
        from mlflow.entities import Metric, Param

        client = self._connected(uri)
        tags = {"explorer.kind": content.kind}
        if parent is not None:
            tags[_PARENT] = parent
            experiment = client.get_run(parent).info.experiment_id
        else:
            experiment = self._id_of_experiment(client)
        run = client.create_run(experiment, tags=tags, run_name=f"explorer {content.kind}")
        run_id: str = run.info.run_id
        status = "FAILED"
        try:
            client.log_batch(
                run_id,
                metrics=[
                    Metric(name, value, run.info.start_time, 0)
                    for name, value in content.numbers.items()
                ],
                params=[Param(name, text) for name, text in content.texts.items()],
            )
            _write_files(client, run_id, content)
            status = "FINISHED"
        finally:
            with _with_variable(_NO_ADDRESS):  # MLflow prints an address for every run of a server
                client.set_terminated(run_id, status)
        return run_id

    def _connected(self, uri: str) -> MlflowClient:
        from mlflow import MlflowClient

        with self._lock:
            if self._client is None:
                self._client = MlflowClient(tracking_uri=uri)
            return self._client

    def _id_of_experiment(self, client: MlflowClient) -> str:
        """Return the id of the experiment, which another process may make at the same time."""
        from mlflow.exceptions import MlflowException

        with self._lock:
            if self._experiment_id is not None:
                return self._experiment_id
            found = client.get_experiment_by_name(self._experiment)
            if found is None:
                try:
                    made = client.create_experiment(self._experiment, self._location)
                    self._experiment_id = str(made)
                    return self._experiment_id
                except MlflowException:
                    found = client.get_experiment_by_name(self._experiment)
                    if found is None:
                        raise
            self._experiment_id = str(found.experiment_id)
            return self._experiment_id


def imported_mlflow() -> Any:
    """Return the module; nothing of a first import here reports to MLflow's makers."""
    first = "mlflow" not in sys.modules
    with _with_variable(_TELEMETRY) if first else nullcontext():
        import mlflow  # waits for another thread that imports it
    return mlflow


def _write_files(client: MlflowClient, run_id: str, content: RunContent) -> None:
    if not content.files:
        return
    with TemporaryDirectory() as folder:
        for name, contents in content.files.items():
            path = Path(folder) / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(contents)
        client.log_artifacts(run_id, folder)


@contextmanager
def _with_variable(name: str) -> Iterator[None]:
    """Set an environment variable to true if the user has not set it, and unset it afterwards."""
    with _environment_lock:
        if name in os.environ:
            yield
            return
        os.environ[name] = "true"
        try:
            yield
        finally:
            os.environ.pop(name, None)
