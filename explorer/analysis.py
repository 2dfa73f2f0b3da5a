"""Attention of a piece of code in one call, for scripts and services.

The app shows the same numbers; these functions return them as plain values.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from explorer._extras import is_installed
from explorer.errors import ExplorerError, InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.attention import AttentionMap
    from explorer.models import Model, TokenizedText


class TokenAttention(NamedTuple):
    """Tokens and the attention between them.

    Attributes
    ----------
    tokens
        Source text of each token, special tokens by name.
    weights
        float32 (tokens, tokens): rows look, columns are looked at.
    """

    tokens: tuple[str, ...]
    weights: NDArray[np.float32]


class CodeAttention(TypedDict):
    """What `analyze_code_attention` returns; every value can be written as JSON."""

    tokens: list[str]
    attention: list[list[float]]
    importance: list[float]
    visualization: str | None
    error: str | None
    truncated: bool
    n_tokens: int
    layer: int | None
    head: int | None
    model: str | None
    seconds: float


def analyze_code_attention(
    code: str,
    layer: int | None = -1,
    head: int | None = None,
    model: str | Model | tuple[Any, Any] | None = None,
) -> CodeAttention:
    """Look at the attention within a piece of code.

    Parameters
    ----------
    code
        Source text in any language. Of code longer than the model takes, the beginning is used,
        and the result says so.
    layer, head
        Numbers (negative counts from the end), or None for the mean over all. By default the last
        layer, averaged over its heads.
    model
        A name for `load_model`, a `Model`, or a ``(torch model, tokenizer)`` pair of
        transformers; None for the packaged SmolLM2-135M-Instruct.

    Returns
    -------
    dict
        ``tokens``
            Source text of each token; special tokens by name.
        ``attention``
            List of rows, one per token that looks; a column per token looked at.
        ``importance``
            One number per entry of ``tokens``: the attention that this occurrence receives, on
            average over the positions that can see it. Repeated tokens stay apart.
        ``visualization``
            The heatmap as a PNG picture in base64.
        ``error``
            None, or a sentence that says what to change. Then the other values are empty.
        ``truncated``, ``n_tokens``
            Whether only the beginning of the code was used, and how many tokens the whole code
            has (special tokens not counted).
        ``layer``, ``head``, ``model``, ``seconds``
            What was looked at (layer and head counted from 0), and how long it took.

    Notes
    -----
    Nothing is raised for bad input, so that a service can pass the result on as it is.
    """
    began = time.perf_counter()
    result = CodeAttention(
        tokens=[],
        attention=[],
        importance=[],
        visualization=None,
        error=None,
        truncated=False,
        n_tokens=0,
        layer=None,
        head=None,
        model=None,
        seconds=0.0,
    )
    try:
        chosen, tokenized, recorded, weights = _look(code, layer, head, model)
        title = _title(recorded, layer, head, chosen)
        result = CodeAttention(
            tokens=list(tokenized.tokens),
            attention=weights.tolist(),
            importance=recorded.received(layer, head).tolist(),
            visualization=_picture(weights, tokenized, title),
            error=None,
            truncated=tokenized.truncated,
            n_tokens=tokenized.n_total,
            layer=_from_zero(layer, recorded.n_layers),
            head=_from_zero(head, recorded.n_heads),
            model=chosen.name,
            seconds=0.0,
        )
    except ExplorerError as error:
        result["error"] = str(error)
    result["seconds"] = round(time.perf_counter() - began, 3)
    return result


def get_attention(
    code: str,
    layer: int | None = -1,
    head: int | None = None,
    model: str | Model | tuple[Any, Any] | None = None,
) -> TokenAttention:
    """Return the tokens of a piece of code and the attention between them.

    Takes what `analyze_code_attention` takes.

    Raises
    ------
    InputError
        If the code is empty, or the layer or head does not exist.
    ModelError
        If the model cannot be loaded.
    """
    _, tokenized, _, weights = _look(code, layer, head, model)
    return TokenAttention(tokenized.tokens, weights)


def plot_attention(
    code: str,
    layer: int | None = -1,
    head: int | None = None,
    model: str | Model | tuple[Any, Any] | None = None,
) -> go.Figure:
    """Draw the attention within a piece of code as an interactive heatmap.

    Takes what `analyze_code_attention` takes; raises what `get_attention` raises.
    """
    from explorer.figures import heatmap

    chosen, tokenized, recorded, weights = _look(code, layer, head, model)
    return heatmap(
        weights,
        tokenized.tokens,
        tokenized.tokens,
        title=_title(recorded, layer, head, chosen),
    )


def _title(recorded: AttentionMap, layer: int | None, head: int | None, model: Model) -> str:
    """Say in a figure's title what is looked at, counting layers and heads from 0."""
    layers = "mean of all layers" if layer is None else f"layer {layer % recorded.n_layers}"
    heads = "mean of all heads" if head is None else f"head {head % recorded.n_heads}"
    return f"{model.label}: {layers}, {heads}"


def _look(
    code: str,
    layer: int | None,
    head: int | None,
    model: str | Model | tuple[Any, Any] | None,
) -> tuple[Model, TokenizedText, AttentionMap, NDArray[np.float32]]:
    for value, what in ((layer, "layer"), (head, "head")):
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int | np.integer)
        ):
            raise InputError(
                f"The {what} must be a whole number or None (the mean), but it is {value!r}."
            )
    chosen = _model(model)
    tokenized = chosen.tokenize(code)
    _check_range(layer, chosen.n_layers, "layer", chosen)
    _check_range(head, chosen.n_heads, "head", chosen)
    recorded = chosen.record(tokenized)
    return chosen, tokenized, recorded, recorded.weights(layer, head)


def _check_range(value: int | None, count: int, what: str, model: Model) -> None:
    """Refuse a layer or head that does not exist before the model runs."""
    if value is not None and not -count <= value < count:
        raise InputError(
            f"{model.label} has {count} {what}s, so there is no {what} {value}. "
            f"Choose 0 to {count - 1}, or None for their mean."
        )


def _model(model: str | Model | tuple[Any, Any] | None) -> Model:
    from explorer.models import DEFAULT_MODEL, Model, load_model

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


def _from_zero(value: int | None, count: int) -> int | None:
    return None if value is None else int(value) % count


def _picture(weights: NDArray[np.float32], tokenized: TokenizedText, title: str) -> str | None:
    """A PNG in base64; None without the extra ``images``, as the rest of the result needs none."""
    if not is_installed("images"):
        return None
    from explorer.figures._attention.static_images import heatmap_png

    picture = heatmap_png(weights, tokenized.tokens, tokenized.tokens, title)
    return base64.b64encode(picture).decode("ascii")
