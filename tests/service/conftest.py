"""A service with tiny models, behind a client in this process or behind a socket."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.testclient import TestClient

from explorer.models import Model
from explorer.service import RunningService, ServiceSettings, create_app, start_service

from ..support.tiny_models import TINY_ENCODER, language_model, tiny_model
from ..support.tiny_tokenizers import byte_level_tokenizer, word_piece_tokenizer

NAMES = {"tiny": "/models/llama", "encoder": "/models/bert"}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models are slower with threads."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def causal() -> Model:
    """A random Llama with 3 layers, 4 heads and room for 256 tokens."""
    torch_model = language_model("llama", vocab_size=400, max_position_embeddings=256)
    return Model.wrap(torch_model, byte_level_tokenizer(), name="/models/llama")


@pytest.fixture(scope="session")
def encoder() -> Model:
    """A random BERT with 2 layers, 2 heads and room for 64 tokens."""
    torch_model = tiny_model(TINY_ENCODER, vocab_size=300)
    return Model.wrap(torch_model, word_piece_tokenizer(), name="/models/bert")


@pytest.fixture
def load(causal: Model, encoder: Model) -> Callable[[str], Model]:
    """Loads the tiny models by the names that the operator gave them."""
    return {"/models/llama": causal, "/models/bert": encoder}.__getitem__


@pytest.fixture
def open_client(load) -> Iterator[Callable[..., TestClient]]:
    """Make clients of services with these settings; no socket is opened."""
    with ExitStack() as stack:

        def make(*, headers: dict[str, str] | None = None, **changes: Any) -> TestClient:
            settings = ServiceSettings(**{"model": "tiny", "extra_models": NAMES, **changes})
            client = TestClient(
                create_app(settings, load=load),
                base_url="http://127.0.0.1:8001",
                headers=headers,
                raise_server_exceptions=False,
            )
            return stack.enter_context(client)

        yield make


@pytest.fixture
def client(open_client) -> TestClient:
    """A client of a service with default limits."""
    return open_client()


@pytest.fixture
def started(load) -> Iterator[Callable[..., RunningService]]:
    """Start services behind a socket."""
    with ExitStack() as stack:

        def make(**changes: Any) -> RunningService:
            settings = ServiceSettings(
                **{"port": 0, "model": "tiny", "extra_models": NAMES, **changes}
            )
            return stack.enter_context(start_service(settings, load=load))

        yield make
