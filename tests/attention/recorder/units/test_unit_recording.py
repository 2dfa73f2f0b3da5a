"""Attention reduced while the model runs is what the full record gives."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from explorer.attention import record_units
from explorer.attention._recorder import reduce_units
from explorer.errors import Cancelled, InputError
from explorer.run_control import RunControl

from ....support.tiny_models import (
    ARCHITECTURES,
    ENCODER_DECODERS,
    HYBRID,
    WITHOUT_INTERFACE,
    eager_outputs,
    item_of,
    tiny_model,
)

pytestmark = pytest.mark.slow

SPANS = [(0, 3), [(4, 6), (8, 10)], (5, 5)]
ROWS = [7, 9, -1]
UNITS = [(0, 1), (1, 2)]


def by_definition(weights, spans=SPANS, rows=ROWS):
    """Mass by row: (layers, heads, rows, units)."""
    columns = [[0, 1, 2], [4, 5, 8, 9], []]
    return np.stack([weights[:, :, rows][..., unit].sum(-1) for unit in columns], axis=-1)


@pytest.mark.parametrize("name", ["llama", "bert", "mistral", "gemma2", "gpt-oss"])
def test_mass_and_topk_are_those_of_eager_attention(name, token_ids):
    model = tiny_model(ARCHITECTURES[name])
    mask = torch.ones_like(token_ids[:1])
    mask[0, :6] = 0
    inputs = {"input_ids": token_ids[:1], "attention_mask": mask}
    weights = item_of(eager_outputs(model, **inputs).attentions)[..., 6:, 6:]
    expected = by_definition(weights)
    units = record_units(model, SPANS, ROWS, k=2, names=["a", "b", "none"], **inputs)
    assert units.tokens == ("a", "b", "none")
    assert units.rows == (7, 9, 13)
    np.testing.assert_allclose(units.array, expected.mean(axis=2), atol=1e-5)
    average = weights[:, :, ROWS].mean(axis=2)
    top = np.sort(average[..., :3], axis=-1)[..., -2:].mean(-1)
    np.testing.assert_allclose(units.span_topk([(0, 1)], k=2)[..., 0], top, atol=1e-5)
    by_row = record_units(model, SPANS, ROWS, keep_rows=True, **inputs)
    np.testing.assert_allclose(by_row.array, expected, atol=1e-5)


def test_no_rows_means_all(token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    weights = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    units = record_units(model, [(0, 20), (0, 1)], None, input_ids=token_ids[:1])
    np.testing.assert_allclose(units.array[..., 0], 1, atol=1e-5)
    np.testing.assert_allclose(units.array[..., 1], weights[..., 0].mean(-1), atol=1e-5)


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_an_encoder_decoder_model_is_read_by_its_cross_attention(name, token_ids):
    model = tiny_model(ENCODER_DECODERS[name])
    inputs = {"input_ids": token_ids[:1], "decoder_input_ids": token_ids[:1, :10]}
    weights = item_of(eager_outputs(model, **inputs).cross_attentions)
    units = record_units(model, SPANS, ROWS, keep_rows=True, **inputs)
    np.testing.assert_allclose(units.array, by_definition(weights), atol=1e-5)


def test_hybrid_models_and_fallbacks_are_reduced_too(token_ids):
    model = tiny_model(HYBRID)
    assert record_units(model, SPANS, ROWS, input_ids=token_ids[:1]).n_layers == 2
    model = tiny_model(WITHOUT_INTERFACE["deberta"])
    weights = item_of(eager_outputs(model, input_ids=token_ids[:1]).attentions)
    with pytest.warns(UserWarning, match="eager"):
        units = record_units(model, SPANS, ROWS, keep_rows=True, input_ids=token_ids[:1])
    np.testing.assert_allclose(units.array, by_definition(weights), atol=1e-5)
    assert "eager" in units.notes[0]


@pytest.mark.parametrize(
    ("spans", "rows", "words"),
    [([(0, 21)], None, "unit 0"), ([(0, 2)], [20], "no row 20"), ([(0, 2)], [], "at least one")],
)
def test_spans_and_rows_outside_the_text_are_refused(spans, rows, words, token_ids):
    model = tiny_model(ARCHITECTURES["llama"])
    with pytest.raises(InputError, match=words):
        record_units(model, spans, rows, input_ids=token_ids[:1])
    assert model.config._attn_implementation == "sdpa"


def test_one_text_at_a_time(token_ids):
    with pytest.raises(InputError, match="one text"):
        record_units(tiny_model(ARCHITECTURES["llama"]), SPANS, ROWS, input_ids=token_ids)


def test_it_can_be_stopped(token_ids):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        reduce_units(
            tiny_model(ARCHITECTURES["llama"]),
            {"input_ids": token_ids[:1]},
            SPANS,
            ROWS,
            control=RunControl(cancel=cancel),
        )
