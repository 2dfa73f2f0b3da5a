"""The attention of a piece of code in one call."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import numpy as np
import pytest

import explorer
from explorer.errors import InputError, ModelNotFoundError
from explorer.models import Model
from explorer.models._catalogue.packaged_models import PACKAGED

from .support.tiny_models import language_model
from .support.tiny_tokenizers import byte_tokenizer

_CODE = "def fibonacci(n): return n if n <= 1 else fibonacci(n-1) + fibonacci(n-2)"
_KEYS = {
    "tokens",
    "attention",
    "importance",
    "visualization",
    "error",
    "truncated",
    "n_tokens",
    "layer",
    "head",
    "model",
    "seconds",
}


@pytest.fixture(scope="module")
def pair() -> tuple[Any, Any]:
    """A random GPT-2 with one token per byte, and 48 positions."""
    import torch

    torch.set_num_threads(1)
    changes = {"vocab_size": 256, "n_positions": 48, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return language_model("gpt2", spread=None, **changes), byte_tokenizer()


def eager(pair: tuple[Any, Any], text: str) -> np.ndarray:
    """What transformers itself says: (layers, heads, queries, keys)."""
    import copy

    import torch

    model, tokenizer = copy.deepcopy(pair[0]), pair[1]
    model.set_attn_implementation("eager")
    with torch.no_grad():
        out = model(**tokenizer(text, return_tensors="pt"), output_attentions=True)
    return torch.cat(out.attentions).numpy()


def test_the_result_is_the_last_layer_averaged_over_heads(pair):
    result = explorer.analyze_code_attention("x = x + 1", model=pair)
    assert set(result) == _KEYS
    assert result["error"] is None
    assert "".join(result["tokens"]) == "x = x + 1"
    expected = eager(pair, "x = x + 1")[-1].mean(axis=0)
    np.testing.assert_allclose(result["attention"], expected, atol=1e-5)
    assert (result["layer"], result["head"], result["truncated"]) == (1, None, False)
    assert result["n_tokens"] == len(result["tokens"]) == 9
    json.dumps(result)


def test_importance_keeps_repeated_tokens_apart(pair):
    result = explorer.analyze_code_attention("x = x + x", model=pair)
    attention = eager(pair, "x = x + x")[-1].mean(axis=0)
    # Attention received by each position from the positions that can see it: itself and later.
    expected = [attention[i:, i].mean() for i in range(len(attention))]
    np.testing.assert_allclose(result["importance"], expected, atol=1e-5)
    at = [i for i, token in enumerate(result["tokens"]) if token == "x"]
    assert len(at) == len({result["importance"][i] for i in at}) == 3


@pytest.mark.parametrize(("layer", "head"), [(0, 0), (1, 1), (-2, -1), (None, 0), (None, None)])
def test_any_layer_and_head(pair, layer, head):
    tokens, weights = explorer.get_attention("a = b", layer, head, pair)
    assert tokens == tuple("a = b")
    full = eager(pair, "a = b")
    chosen = full.mean(axis=0) if layer is None else full[layer]
    chosen = chosen.mean(axis=0) if head is None else chosen[head]
    np.testing.assert_allclose(weights, chosen, atol=1e-5)
    assert weights.dtype == np.float32


def test_the_picture_is_a_png(pair):
    from matplotlib.image import imread

    result = explorer.analyze_code_attention("x = 1", model=pair)
    assert result["visualization"] is not None
    content = base64.b64decode(result["visualization"], validate=True)
    assert content.startswith(b"\x89PNG")
    assert min(imread(io.BytesIO(content)).shape[:2]) > 200


def test_long_code_is_cut_at_the_models_limit_and_says_so(pair):
    result = explorer.analyze_code_attention(_CODE, model=pair)
    assert result["error"] is None
    assert result["truncated"]
    assert result["n_tokens"] == len(_CODE)
    assert "".join(result["tokens"]) == _CODE[:48]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"code": ""}, "empty"),
        ({"code": " \n"}, "empty"),
        ({"code": None}, "must be a string"),
        ({"code": b"x = 1"}, "bytes"),
        ({"code": "\ud800"}, "surrogate"),
        ({"layer": 2}, "2 layers, so there is no layer 2"),
        ({"layer": -3}, "no layer -3"),
        ({"head": 9}, "no head 9"),
        ({"layer": "last"}, "layer must be a whole number"),
        ({"layer": True}, "layer must be a whole number"),
        ({"head": 0.5}, "head must be a whole number"),
        ({"model": 3}, "model must be a name"),
        ({"model": "./nothing"}, "no folder"),
    ],
)
def test_bad_input_comes_back_as_a_sentence(pair, arguments, words):
    result = explorer.analyze_code_attention(**{"code": "x = 1", "model": pair, **arguments})
    assert result["error"] is not None
    assert words in result["error"]
    assert result["tokens"] == result["attention"] == result["importance"] == []
    assert result["visualization"] is None
    assert set(result) == _KEYS


def test_the_plain_functions_raise(pair):
    with pytest.raises(InputError, match="empty"):
        explorer.get_attention("", model=pair)
    with pytest.raises(InputError, match="no layer 7"):
        explorer.plot_attention("x", layer=7, model=pair)
    with pytest.raises(ModelNotFoundError):
        explorer.get_attention("x", model="./nothing")


def test_the_plot_shows_the_same_numbers(pair):
    model = Model.wrap(*pair, name="<i>tiny")
    shown = {"hide_sink": False, "scaling": "linear"}
    figure = explorer.plot_attention("<b> = 1", layer=-1, model=model, **shown)
    _, weights = explorer.get_attention("<b> = 1", model=pair)
    np.testing.assert_allclose(np.asarray(figure.data[0].z, dtype=float), weights, atol=1e-6)
    assert "<i>" not in figure.layout.title.text  # a name is text, not markup


def test_the_plot_looks_as_the_app_does(pair):
    figure = explorer.plot_attention("a = b + 1", model=pair)
    app = explorer.Explorer.from_code("a = b + 1", model=pair)
    try:
        app.wait()
        _, weights = explorer.get_attention("a = b + 1", layer=app.layer, model=pair)
        assert f"layer {app.layer}" in figure.layout.title.text
        assert app.hide_sink
        assert app.scaling == "sqrt"
    finally:
        app.close()
    shown = np.asarray(figure.data[0].z, dtype=float)
    np.testing.assert_allclose(shown, np.sqrt(weights[:, 1:]), atol=1e-6)
    assert (figure.data[0].zmin, figure.data[0].zmax) == (0, 1)
    assert figure.layout.yaxis.scaleanchor == "x"


@pytest.mark.skipif(PACKAGED[0].locate() is None, reason="SmolLM2 is not installed")
@pytest.mark.packaged_model
def test_the_default_model_needs_no_network():
    result = explorer.analyze_code_attention(_CODE)
    assert result["error"] is None
    assert result["model"] == "SmolLM2-135M-Instruct"
    assert "".join(result["tokens"]) == _CODE
    assert np.shape(result["attention"]) == (len(result["tokens"]),) * 2
    np.testing.assert_allclose(np.sum(result["attention"], axis=1), 1, atol=1e-4)
