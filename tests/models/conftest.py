"""Tiny random models with tokenizers trained on a few lines, built once a session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.models import Model, clear_models

from ..support.tiny_models import TINY_ENCODER, language_model, tiny_model
from ..support.tiny_tokenizers import MARKER_CHAT, byte_level_tokenizer, word_piece_tokenizer


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny models are slower with threads."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def nothing_loaded():
    """No test profits from what another loaded."""
    clear_models()
    yield
    clear_models()


@pytest.fixture(scope="session")
def tiny_llama() -> Any:
    """A random Llama: 3 layers, 4 heads, 256 positions."""
    return language_model("llama", spread=None, vocab_size=400, max_position_embeddings=256)


@pytest.fixture(scope="session")
def tiny_bert() -> Any:
    """A random BERT: 2 layers, 2 heads, 64 positions."""
    return tiny_model(TINY_ENCODER, spread=None, vocab_size=300)


@pytest.fixture(scope="session")
def tiny_t5() -> Any:
    """A random T5: 2 layers, 2 heads."""
    return language_model("t5", spread=None, vocab_size=400)


@pytest.fixture
def causal(tiny_llama: Any) -> Model:
    """A causal model without a chat template."""
    return Model.wrap(tiny_llama, byte_level_tokenizer(), name="tiny llama")


@pytest.fixture
def chat(tiny_llama: Any) -> Model:
    """The same with a chat template that writes the beginning-of-text token itself."""
    tokenizer = byte_level_tokenizer(chat_template=MARKER_CHAT)
    return Model.wrap(tiny_llama, tokenizer, name="tiny chat")


@pytest.fixture
def encoder(tiny_bert: Any) -> Model:
    """An encoder with an uncased tokenizer."""
    return Model.wrap(tiny_bert, word_piece_tokenizer(), name="tiny bert")


@pytest.fixture
def translator(tiny_t5: Any) -> Model:
    """An encoder-decoder."""
    return Model.wrap(tiny_t5, byte_level_tokenizer(), name="tiny t5")


@pytest.fixture(scope="session")
def llama_folder(tiny_llama: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local folder as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("folders") / "tiny-llama"
    tiny_llama.save_pretrained(folder)
    byte_level_tokenizer(chat_template=MARKER_CHAT).save_pretrained(folder)
    return folder
