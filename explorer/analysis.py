"""Attention within a piece of code, in one call: for scripts and services.

The numbers are those of the app, returned as plain values.
"""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from explorer._extras import is_installed
from explorer.errors import ExplorerError, InputError
from explorer.models._model_argument import (
    ModelArgument,
    as_model,
    attention_title,
    auto_layer,
    check_layer_and_head,
    check_number,
    from_zero,
)

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from explorer.attention import AttentionMap
    from explorer.figures.colours import Scaling
    from explorer.models import Model, TokenizedText


_SIDE: Final = 700


class TokenAttention(NamedTuple):
    """Tokens and the attention between them.

    Attributes
    ----------
    tokens
        Source text of each token, special tokens by name.
    weights
        float32 (tokens, tokens): a row attends, a column is attended to.
    """

    tokens: tuple[str, ...]
    weights: NDArray[np.float32]


class CodeAttention(TypedDict):
    """Result of `analyze_code_attention`; all values can be written as JSON."""

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
    model: ModelArgument = None,
) -> CodeAttention:
    """Return the attention within a piece of code, its summary and a picture.

    Parameters
    ----------
    code
        Source text in any language. If it is longer than the model takes, its beginning is used and
        ``truncated`` is True.
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
            Rows of weights: one row per token that attends, one column per token attended to.
        ``importance``
            One number per entry of ``tokens``: the attention that this occurrence receives,
            averaged over the positions that can attend to it. Repeated tokens are separate.
        ``visualization``
            The heatmap as a PNG image in base64.
        ``error``
            None, or a message that says what to change; the other values are then empty.
        ``truncated``, ``n_tokens``
            Whether only the beginning of the code was used, and how many tokens the whole code
            has (special tokens not counted).
        ``layer``, ``head``, ``model``, ``seconds``
            Layer and head counted from 0 (None for the mean), name of the model, and run time.

    Notes
    -----
    Invalid input raises no error, so that a service can return the result unchanged.
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
        chosen, tokenized, recorded, weights = _record_code(code, layer, head, model)
        title = _title(recorded, layer, head, chosen)
        result = CodeAttention(
            tokens=list(tokenized.tokens),
            attention=weights.tolist(),
            importance=recorded.received(layer, head).tolist(),
            visualization=_picture(weights, tokenized, title),
            error=None,
            truncated=tokenized.truncated,
            n_tokens=tokenized.n_total,
            layer=from_zero(layer, recorded.n_layers),
            head=from_zero(head, recorded.n_heads),
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
    model: ModelArgument = None,
) -> TokenAttention:
    """Return the tokens of a piece of code and the attention between them.

    The parameters are those of `analyze_code_attention`.

    Raises
    ------
    InputError
        If the code is empty, or the layer or head does not exist.
    ModelError
        If the model cannot be loaded.
    """
    _, tokenized, _, weights = _record_code(code, layer, head, model)
    return TokenAttention(tokenized.tokens, weights)


def plot_attention(
    code: str,
    layer: int | Literal["auto"] | None = "auto",
    head: int | None = None,
    model: ModelArgument = None,
    *,
    hide_sink: bool = True,
    scaling: Scaling = "sqrt",
) -> go.Figure:
    """Return an interactive heatmap of the attention within a piece of code, as the app shows it.

    Parameters
    ----------
    code, head, model
        As in `analyze_code_attention`.
    layer
        A number (negative counts from the end), None for the mean over all, or ``"auto"``: the
        layer that the app begins with, at 70 % of the depth.
    hide_sink
        Whether to leave out the first key column, the attention sink.
    scaling
        How a weight from 0 to 1 becomes a colour: ``"linear"``, ``"sqrt"`` or ``"log"``.

    Raises
    ------
    InputError, ModelError
        As `get_attention`.
    """
    from explorer.figures import heatmap

    if isinstance(layer, str):
        if layer != "auto":
            raise InputError(f'The layer must be a whole number, None or "auto", not {layer!r}.')
        model = as_model(model)
        layer = auto_layer(model.n_layers)
    chosen, tokenized, recorded, weights = _record_code(code, layer, head, model)
    first = 1 if hide_sink and len(tokenized.tokens) > 1 else 0
    figure = heatmap(
        weights[:, first:],
        tokenized.tokens,
        tokenized.tokens[first:],
        title=_title(recorded, layer, head, chosen),
        scaling=scaling,
        zmax=1.0,
        width=_SIDE,
        height=_SIDE,
    )
    # A token is as wide as it is high, as in the app.
    figure.update_layout(width=_SIDE, height=_SIDE, yaxis={"scaleanchor": "x"})
    return figure


def _record_code(
    code: str,
    layer: int | None,
    head: int | None,
    model: ModelArgument,
) -> tuple[Model, TokenizedText, AttentionMap, NDArray[np.float32]]:
    check_number(layer, "layer")
    check_number(head, "head")
    chosen = as_model(model)
    tokenized = chosen.tokenize(code)
    check_layer_and_head(chosen, layer, head)
    recorded = chosen.record(tokenized)
    return chosen, tokenized, recorded, recorded.weights(layer, head)


def _title(recorded: AttentionMap, layer: int | None, head: int | None, model: Model) -> str:
    return attention_title(
        model.label, from_zero(layer, recorded.n_layers), from_zero(head, recorded.n_heads)
    )


def _picture(weights: NDArray[np.float32], tokenized: TokenizedText, title: str) -> str | None:
    """A PNG in base64; None without the extra ``images``, as the rest of the result needs none."""
    if not is_installed("images"):
        return None
    from explorer.figures._attention.pixel_heatmap import heatmap_pixels

    picture = heatmap_pixels(weights, tokenized.tokens, tokenized.tokens, title)
    return base64.b64encode(picture).decode("ascii")
