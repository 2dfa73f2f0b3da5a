"""The model, layer and head that functions on code take as arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.attention._head_name import head_name
from explorer.errors import InputError
from explorer.models._catalogue.model_loader import load_model
from explorer.models._catalogue.packaged_models import DEFAULT_MODEL
from explorer.models._running.model import Model

ModelArgument = str | Model | tuple[Any, Any] | None
"""A name for `load_model`, a `Model`, a pair (torch model, tokenizer), or None for the default."""


def as_model(model: ModelArgument) -> Model:
    """Return the model that an argument means.

    Raises
    ------
    InputError
        It is none of the kinds of `ModelArgument`.
    ModelError
        The model cannot be loaded.
    """
    if model is None:
        return load_model(DEFAULT_MODEL)
    if isinstance(model, Model):
        return model
    if isinstance(model, str):
        return load_model(model)
    if isinstance(model, tuple) and len(model) == 2:
        return Model.wrap(*model)
    raise InputError(
        "The model must be a name, a Model, or a pair (torch model, tokenizer), "
        f"but it is a {type(model).__name__}."
    )


def check_number(value: object, what: str) -> None:
    """Raise `InputError` if a layer or head is neither a whole number nor None."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer)):
        raise InputError(
            f"The {what} must be a whole number or None (the mean), but it is {value!r}."
        )


def check_layer_and_head(model: Model, layer: int | None, head: int | None) -> None:
    """Raise `InputError` for a layer or head that does not exist, before the model runs."""
    for value, count, what in ((layer, model.n_layers, "layer"), (head, model.n_heads, "head")):
        check_number(value, what)
        if value is not None and not -count <= value < count:
            raise InputError(
                f"{model.label} has {count} {what}s, so there is no {what} {value}. "
                f"Choose 0 to {count - 1}, or None for their mean."
            )


def from_zero(value: int | None, count: int) -> int | None:
    """Return a layer or head counted from 0; None, the mean, is returned unchanged."""
    return None if value is None else int(value) % count


def auto_layer(n_layers: int) -> int:
    """Return the layer that is shown where none is chosen, at 70 % of the depth.

    Above the middle is where heads that carry content tend to sit; a mean over all layers says
    little, as sinks dominate it.
    """
    return int(0.7 * n_layers)


def attention_title(label: str, layer: int | None, head: int | None) -> str:
    """Return a title with a model's label, and layer and head counted from 0."""
    return f"{label}: {head_name(layer, head)}"
