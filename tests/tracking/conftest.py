"""A store of MLflow on disk, made once and copied for each test."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer.agent import CodeAnalysisAgent
from explorer.models import Model
from explorer.tracking import MlflowTracker
from explorer.tracking._mlflow_store import imported_mlflow

from ..support.tiny_models import language_model
from ..support.tiny_tokenizers import byte_level_tokenizer


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables of MLflow."""
    imported_mlflow()
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(tracking_uri=f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a store of this test; the working directory is empty too."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(empty_store, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path / 'mlflow.db'}"


@pytest.fixture
def client(store: str) -> Any:
    """MLflow's own client, to read what was logged."""
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=store)


@pytest.fixture
def tracker(store: str, tmp_path: Path) -> MlflowTracker:
    return MlflowTracker("code", store, artifact_location=tmp_path / "artifacts")


@pytest.fixture(scope="session")
def model() -> Model:
    torch_model = language_model("llama", vocab_size=400)
    return Model.wrap(torch_model, byte_level_tokenizer(), name="tiny llama")


@pytest.fixture
def agent_of(model: Model) -> Callable[..., CodeAnalysisAgent]:
    return lambda tracker: CodeAnalysisAgent(model, layer=1, head=None, tracker=tracker)


@pytest.fixture(autouse=True)
def active_run_is_left_alone() -> Any:
    """No test leaves a run of MLflow's own functions active, nor does the tracker start one."""
    mlflow = sys.modules.get("mlflow")
    before = None if mlflow is None else mlflow.active_run()
    yield
    mlflow = sys.modules.get("mlflow")
    assert (None if mlflow is None else mlflow.active_run()) is before
