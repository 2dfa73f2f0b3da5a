"""A batch of padded texts gives what each text gives alone, and the log-probabilities with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.attention._recorder import TextUnits, reduce_texts
from explorer.attention._recorder.language_head import LanguageHead
from explorer.errors import InputError

from ...support.tiny_models import (
    ARCHITECTURES,
    ENCODER_DECODERS,
    HYBRID,
    VOCABULARY,
    eager_outputs,
    item_of,
    tiny_model,
)

pytestmark = pytest.mark.slow

LENGTHS = [20, 9, 14]
# One unit in two pieces, one of a single token, one without tokens, for each text.
SPANS = [
    [[(0, 2), (5, 9)], (10, 11), (3, 3)],
    [[(0, 1), (2, 4)], (4, 5), (0, 0)],
    [[(1, 3), (4, 6)], (9, 10), (7, 7)],
]
ROWS = [[15, 17, 18], [6, 7], [11]]
CAUSAL = {
    name: entry for name, entry in ARCHITECTURES.items() if entry[1].endswith(("LM", "LMHeadModel"))
} | {"qwen3-next": HYBRID}
CAUSAL.pop("roberta")


def texts():
    random = torch.Generator().manual_seed(5)
    return [torch.randint(3, VOCABULARY, (1, n), generator=random) for n in LENGTHS]


def padded(ids):
    """Right padding with the last token again: nothing tells pads from text but a mask."""
    longest = max(LENGTHS)
    rows = [torch.cat([one, one[:, -1:].expand(1, longest - one.shape[1])], 1) for one in ids]
    mask = torch.tensor([[1] * n + [0] * (longest - n) for n in LENGTHS])
    return torch.cat(rows), mask


def by_definition(weights, spans):
    """Sums over the tokens of every unit: (layers, heads, rows, units)."""
    columns = [
        sorted({place for start, stop in np.atleast_2d(span) for place in range(start, stop)})
        for span in spans
    ]
    return np.stack([weights[..., unit].sum(axis=-1) for unit in columns], axis=-1), columns


def asked(ids, item):
    targets = ids[item][0, [row + 1 for row in ROWS[item]]].tolist()
    return TextUnits(SPANS[item], ROWS[item], ["a", "b", "none"], targets)


def check(read, weights, logits, targets, item):
    rows = weights[:, :, ROWS[item]]
    expected, columns = by_definition(rows, SPANS[item])
    np.testing.assert_allclose(read.attention.array, expected.mean(axis=2), atol=1e-5)
    mean = rows.mean(axis=2)
    for unit in (0, 1):
        top = np.sort(mean[..., columns[unit]], axis=-1)[..., -2:].mean(axis=-1)
        np.testing.assert_allclose(read.attention.topk[..., unit], top, atol=1e-5)
    assert np.isnan(read.attention.topk[..., 2]).all()
    chosen = logits[ROWS[item]].astype(np.float64)
    probabilities = np.exp(chosen) / np.exp(chosen).sum(axis=-1, keepdims=True)
    expected = np.log(probabilities[np.arange(len(targets)), targets])
    np.testing.assert_allclose(read.logprobs, expected, atol=1e-4)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", CAUSAL)
def test_every_text_of_a_batch_is_read_as_if_alone(name, masked):
    model = tiny_model(CAUSAL[name])
    ids = texts()
    together, mask = padded(ids)
    inputs = {"input_ids": together} | ({"attention_mask": mask} if masked else {})
    found = reduce_texts(model, inputs, [asked(ids, item) for item in range(3)], k=2)
    for item, read in enumerate(found):
        outputs = eager_outputs(model, input_ids=ids[item])
        weights = np.stack(
            [one[0].numpy() for one in outputs.attentions if isinstance(one, torch.Tensor)]
        )
        targets = asked(ids, item).targets
        check(read, weights, outputs.logits[0].float().numpy(), targets, item)


@pytest.mark.parametrize("name", ENCODER_DECODERS)
def test_encoder_decoders_are_read_by_their_cross_attention(name):
    model = tiny_model(ENCODER_DECODERS[name])
    ids = texts()
    together, mask = padded(ids)
    inputs = {"input_ids": together, "attention_mask": mask, "decoder_input_ids": together}
    found = reduce_texts(model, inputs, [asked(ids, item) for item in range(3)], k=2)
    for item, read in enumerate(found):
        outputs = eager_outputs(model, input_ids=ids[item], decoder_input_ids=ids[item])
        targets = asked(ids, item).targets
        weights = item_of(outputs.cross_attentions)
        check(read, weights, outputs.logits[0].float().numpy(), targets, item)


def test_a_batch_that_falls_back_to_eager_attention_gives_the_same(monkeypatch):
    model = tiny_model(ARCHITECTURES["llama"])
    ids = texts()
    together, _ = padded(ids)
    asked_of = [asked(ids, item) for item in range(3)]
    expected = reduce_texts(model, {"input_ids": together}, asked_of, k=2)
    monkeypatch.setattr(
        "explorer.attention._recorder.forward_pass.follows_interface", lambda _model: False
    )
    with pytest.warns(UserWarning, match="eager"):
        found = reduce_texts(model, {"input_ids": together}, asked_of, k=2)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.attention.array, other.attention.array, atol=1e-5)
        np.testing.assert_allclose(one.attention.topk, other.attention.topk, atol=1e-5)
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=1e-4)


def test_the_head_sees_only_the_rows_that_were_asked(monkeypatch):
    model = tiny_model(ARCHITECTURES["llama"])
    seen = []
    model.lm_head.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape))
    ids = texts()
    together, _ = padded(ids)
    reduce_texts(model, {"input_ids": together}, [asked(ids, item) for item in range(3)])
    assert seen == [(1, 6, 32)]
    assert not model.lm_head._forward_pre_hooks
    monkeypatch.setattr("explorer.attention._recorder.language_head._BLOCK_VALUES", 2 * VOCABULARY)
    few = reduce_texts(model, {"input_ids": together}, [asked(ids, item) for item in range(3)])
    assert [len(one.logprobs) for one in few] == [3, 2, 1]


def test_a_head_that_is_no_module_is_read_from_all_logits():
    model = tiny_model(ARCHITECTURES["llama"])
    ids = texts()
    inputs = {"input_ids": ids[0]}
    expected = reduce_texts(model, inputs, [asked(ids, 0)])[0].logprobs
    positions = [np.array(ROWS[0])]
    n_tokens = ids[0].shape[1]
    head = LanguageHead(torch.nn.Linear(2, 2), positions, [asked(ids, 0).targets], n_tokens)
    with head.reduced_to_rows(), torch.no_grad():
        outputs = model(**inputs)
    head.take(outputs)
    np.testing.assert_allclose(head.logprobs[0], expected, atol=1e-6)


def test_a_model_without_a_head_gives_no_logprobs():
    model = tiny_model(ARCHITECTURES["llama"]).model
    ids = texts()
    (read,) = reduce_texts(model, {"input_ids": ids[0]}, [asked(ids, 0)])
    assert read.logprobs is None
    assert read.attention.array.shape == (3, 4, 3)


def test_what_does_not_fit_the_batch_is_refused():
    model = tiny_model(ARCHITECTURES["llama"])
    ids = texts()
    with pytest.raises(InputError, match="holds 1 texts"):
        reduce_texts(model, {"input_ids": ids[0]}, [asked(ids, 0), asked(ids, 1)])
    wrong = TextUnits([(0, 1)], [3, 4], ["a"], [7])
    with pytest.raises(InputError, match="2 rows but 1 targets"):
        reduce_texts(model, {"input_ids": ids[0]}, [wrong])
