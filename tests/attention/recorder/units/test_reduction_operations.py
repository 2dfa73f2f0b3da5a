"""Reducing a batch to units takes as many operations for many units and texts as for few."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.attention import record_attention
from explorer.attention._recorder import TextUnits, reduce_texts
from explorer.attention._recorder._units.unit_keys import UnitKeys
from explorer.attention._recorder._units.unit_reducer import UnitReducer
from explorer.attention._recorder.capture import Capture

from ....support.tiny_models import ARCHITECTURES, tiny_model


class Operations(TorchDispatchMode):
    """Counts operations on tensors, views left out; each is about one kernel on a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if not func.is_view:
            self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def operations(n_texts: int, n_units: int, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Names of the operations that each layer's reduction takes."""
    model = tiny_model(ARCHITECTURES["llama"])
    ids = torch.randint(2, 99, (n_texts, 120), generator=torch.Generator().manual_seed(0))
    of_unit = 100 // n_units
    spans = [(start, start + of_unit) for start in range(0, n_units * of_unit, of_unit)]
    texts = [
        TextUnits(spans, [110, 113, 119], [str(i) for i in range(n_units)], None, {"q": [105, 106]})
        for _ in range(n_texts)
    ]
    found: list[list[str]] = []
    add = UnitReducer.add

    def counted(self: UnitReducer, part: torch.nn.Module, capture: Capture) -> None:
        with Operations() as mode:
            add(self, part, capture)
        found.append(mode.names)

    with monkeypatch.context() as patched:
        patched.setattr(UnitReducer, "add", counted)
        reduce_texts(model, {"input_ids": ids}, texts)
    return found


def test_a_layer_takes_as_many_operations_for_25_units_and_six_texts(monkeypatch):
    few = operations(2, 5, monkeypatch)
    many = operations(6, 25, monkeypatch)
    assert len(few) == len(many) == 3
    # The first layer makes the indices; the others use them.
    assert [len(names) for names in few[1:]] == [len(names) for names in many[1:]]
    assert len(many[1]) <= 25
    assert not {"_to_copy.default", "lift_fresh_copy.default"} & set(many[1])  # no transfer


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_sums_and_largest_values_are_those_of_each_unit_alone(data):
    n_texts, n_keys = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 40))
    k = data.draw(st.integers(1, 4))
    one_unit = st.lists(st.integers(0, n_keys - 1), max_size=n_keys, unique=True).map(sorted)
    columns = [
        [np.array(unit, dtype=np.int64) for unit in data.draw(st.lists(one_unit, max_size=6))]
        for _ in range(n_texts)
    ]
    units = UnitKeys(columns, n_keys, k, torch.device("cpu"))
    values = np.random.default_rng(1).random((n_texts, 2, 3, n_keys)).astype(np.float32)
    cut = data.draw(st.integers(0, n_keys))
    values[..., cut:] = 0  # columns missing at the end have no attention
    mass, top = units.mass_and_top(torch.as_tensor(values[..., :cut]))
    by_row = units.mass_by_row(torch.as_tensor(values[..., :cut]))
    for text, of_text in enumerate(columns):
        for number, unit in enumerate(of_text):
            place = int(units.starts[text]) + number
            picked = values[text][..., unit]
            np.testing.assert_allclose(mass[..., place], picked.sum(-1), atol=1e-5)
            np.testing.assert_allclose(by_row[text, ..., number], picked.sum(-1), atol=1e-5)
            expected = (
                np.sort(picked, axis=-1)[..., ::-1][..., :k].mean(-1) if unit.size else np.nan
            )
            np.testing.assert_allclose(top[..., place], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["llama", "mistral", "gemma2", "gpt-oss", "bert"])
def test_texts_of_several_lengths_are_those_read_alone(name):
    model = tiny_model(ARCHITECTURES[name])
    random = np.random.default_rng(2)
    texts = [random.integers(2, 99, size) for size in (30, 24, 11)]
    ids = torch.tensor([[*text, *[1] * (30 - len(text))] for text in texts])
    mask = torch.tensor([[1] * len(text) + [0] * (30 - len(text)) for text in texts])
    units = [
        TextUnits(
            [(0, 4), [(5, 6), (8, 10)], (2, 2)], [-1, 3], ["a", "b", "none"], None, {"q": rows}
        )
        for rows in ([1], [2, 3, 4], None)
    ]
    found = reduce_texts(model, {"input_ids": ids, "attention_mask": mask}, units, keep_rows=True)
    for text, of_text, one in zip(texts, units, found, strict=True):
        alone = record_attention(model, input_ids=torch.tensor(text)[None])
        rows = [len(text) - 1, 3]
        np.testing.assert_allclose(
            one.attention.array.mean(axis=2), alone.span_mass(of_text.spans, rows), atol=3e-6
        )
        np.testing.assert_allclose(
            one.attention.topk, alone.span_topk(of_text.spans, rows), atol=3e-6
        )
        more = one.more["q"]
        np.testing.assert_allclose(
            more.array, alone.span_mass(of_text.spans, of_text.more_rows["q"]), atol=3e-6
        )
        assert one.attention.rows == tuple(rows)
