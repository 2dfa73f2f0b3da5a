"""A tiny causal model in a folder, for what loads models by name: batches and commands."""

from __future__ import annotations

from pathlib import Path

from explorer.traces import Hyperedge, Trace

from .tiny_models import language_model
from .tiny_tokenizers import ANSWERS, BRACKET_CHAT, FACTS, FACTS_AND_ANSWERS, byte_level_tokenizer


def write_tiny_model(folder: Path) -> Path:
    """Write a random Llama with a chat template, and return its folder."""
    model = language_model("llama", max_position_embeddings=2048)
    model.save_pretrained(folder)
    byte_level_tokenizer(FACTS_AND_ANSWERS, 330, chat_template=BRACKET_CHAT).save_pretrained(folder)
    return folder


def labelled_trace(number: int, n_facts: int = 3) -> Trace:
    """Return a short trace; the first hyperedge is labelled used, the others not used."""
    edges = [
        Hyperedge(f"h{place}", FACTS[(number + place) % 4], label=place == number % n_facts)
        for place in range(n_facts)
    ]
    answer = ANSWERS[number % len(ANSWERS)]
    return Trace(f"t{number}", f"where was he born {'x' * (number % 7)}", edges, answer)
