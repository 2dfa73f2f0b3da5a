from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explorer.attention import DenseAttention
from explorer.errors import InputError, ShapeError


def causal(layers=2, heads=3, n=6, seed=0):
    scores = np.random.default_rng(seed).normal(size=(layers, heads, n, n))
    weights = np.exp(scores) * np.tril(np.ones((n, n)))
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7), (2, 3, 5, 7)])
def test_two_three_and_four_dimensions_are_read_alike(shape):
    array = np.random.default_rng(0).dirichlet(np.ones(7), size=shape[:-1])
    attention = DenseAttention(array)
    assert (attention.n_queries, attention.n_keys) == (5, 7)
    assert attention.n_heads == (shape[-3] if len(shape) > 2 else 1)
    assert attention.n_layers == (shape[0] if len(shape) > 3 else 1)
    mean = array.reshape(-1, 5, 7).mean(axis=0)
    np.testing.assert_allclose(attention.weights(), mean, atol=1e-6)
    assert attention.weights().dtype == np.float32
    assert attention.notes == ()


def test_none_is_the_mean_and_a_number_is_one():
    array = causal()
    attention = DenseAttention(array)
    np.testing.assert_allclose(attention.weights(1, 2), array[1, 2], atol=1e-7)
    np.testing.assert_allclose(attention.weights(-1, None), array[1].mean(0), atol=1e-7)
    np.testing.assert_allclose(attention.weights(None, 0), array[:, 0].mean(0), atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(
    array=hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=4, max_dims=4, max_side=5),
        elements=st.floats(0, 1, width=32),
    ),
    choice=st.data(),
)
def test_windows_and_spans_follow_their_definitions(array, choice):
    attention = DenseAttention(array)
    queries, keys = array.shape[2:]
    rows = choice.draw(st.lists(st.integers(-queries, queries - 1), min_size=1))
    columns = choice.draw(st.lists(st.integers(-keys, keys - 1), min_size=1))
    np.testing.assert_allclose(
        attention.weights(rows=rows, columns=columns),
        array.mean(axis=(0, 1))[rows][:, columns],
        atol=1e-6,
    )
    start, stop = sorted(choice.draw(st.tuples(st.integers(0, keys), st.integers(0, keys))))
    average = array[:, :, rows].mean(axis=2)  # (layers, heads, keys)
    mass = attention.span_mass([(start, stop), [(0, keys)]], rows=rows)
    np.testing.assert_allclose(mass[..., 0], average[..., start:stop].sum(-1), atol=1e-5)
    np.testing.assert_allclose(mass[..., 1], average.sum(-1), atol=1e-5)
    top = attention.span_topk([(start, stop)], rows=rows, k=2)[..., 0]
    if stop > start:
        expected = np.sort(average[..., start:stop], axis=-1)[..., -2:].mean(-1)
        np.testing.assert_allclose(top, expected, atol=1e-5)
    else:
        assert np.isnan(top).all()


def test_a_position_named_twice_in_one_unit_counts_once():
    attention = DenseAttention(np.array([[0.1, 0.2, 0.3, 0.4]]))
    mass = attention.span_mass([[(0, 2), (1, 3)], [(3, 4), (0, 1)], []])
    np.testing.assert_allclose(mass[0, 0], [0.6, 0.5, 0.0], atol=1e-6)


def test_received_is_averaged_over_the_rows_that_can_see_the_key():
    array = causal(1, 1, 4)
    received = DenseAttention(array).received()
    by_hand = [array[0, 0, key:, key].mean() for key in range(4)]
    np.testing.assert_allclose(received, by_hand, atol=1e-6)
    both_ways = np.full((4, 4), 0.25)
    np.testing.assert_allclose(DenseAttention(both_ways).received(), [0.25] * 4)


def test_a_key_that_no_chosen_row_sees_receives_nothing():
    received = DenseAttention(causal(1, 1, 4)).received(rows=[0, 1])
    assert received[2:].tolist() == [0.0, 0.0]


def test_rows_can_be_chosen_by_slice_range_mask_or_single_number():
    array = causal()
    attention = DenseAttention(array)
    for rows in (slice(1, 3), range(1, 3), [1, 2], np.array([1, 2]), np.isin(np.arange(6), [1, 2])):
        np.testing.assert_allclose(attention.weights(0, 0, rows), array[0, 0, 1:3], atol=1e-7)
    np.testing.assert_allclose(attention.weights(0, 0, rows=4), array[0, 0, 4:5], atol=1e-7)
    assert attention.weights(0, 0, rows=[]).shape == (0, 6)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda a: a.weights(layer=2), "no layer 2"),
        (lambda a: a.weights(layer=-3), "no layer -3"),
        (lambda a: a.weights(head=3), "no head 3"),
        (lambda a: a.weights(head="1"), "whole number"),
        (lambda a: a.weights(layer=True), "whole number"),
        (lambda a: a.weights(rows=[6]), "no row 6"),
        (lambda a: a.weights(columns=[0.5]), "whole numbers"),
        (lambda a: a.weights(rows=np.array([True, False])), "boolean"),
        (lambda a: a.span_mass([(0, 7)]), r"Span \(0, 7\) of unit 0"),
        (lambda a: a.span_mass([(0, 1), (3, 2)]), "unit 1"),
        (lambda a: a.span_mass([(-1, 2)]), "unit 0"),
        (lambda a: a.span_mass([(0.0, 2.0)]), "whole"),
        (lambda a: a.span_mass([(0, 2)], rows=[]), "at least one"),
        (lambda a: a.span_topk([(0, 2)], k=0), "at least 1"),
        (lambda a: a.batch(1), "no batch item 1"),
        (lambda a: a.layer_weights(None), "Give one layer"),
    ],
)
def test_what_does_not_exist_is_refused_in_plain_words(call, words):
    with pytest.raises(InputError, match=words):
        call(DenseAttention(causal()))


@pytest.mark.parametrize(
    ("array", "note"),
    [
        (np.array([[np.nan, 0.5]]), "NaN"),
        (np.array([[np.inf, 0.5]]), "NaN or infinite"),
        (np.array([[-0.2, 0.5]]), "negative"),
        (np.array([[3, 1]]), "above 1"),
        (np.array([[0.7, 0.7]]), "sum to more than 1"),
    ],
)
def test_numbers_that_are_no_attention_are_taken_and_told(array, note):
    attention = DenseAttention(array)
    assert any(note in text for text in attention.notes)
    np.testing.assert_allclose(attention.weights(), array.astype(np.float32))


@pytest.mark.parametrize(
    ("array", "error"),
    [
        (np.zeros(3), ShapeError),
        (np.float64(0.5), ShapeError),
        (np.zeros((1, 1, 1, 2, 2)), ShapeError),
        (np.zeros((0, 4)), ShapeError),
        (np.zeros((2, 0, 3, 3)), ShapeError),
        ([[0.5, 0.5], [1.0]], ShapeError),
        ([], ShapeError),
        (np.array([[0.5 + 0.1j]]), InputError),
        (np.array([[None, 0.5]]), InputError),
        (np.array([["a", "b"]]), InputError),
        ("attention", InputError),
    ],
)
def test_what_is_no_attention_array_is_refused(array, error):
    with pytest.raises(error):
        DenseAttention(array)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int64, np.uint8, np.bool_, ">f4"])
def test_every_real_dtype_is_read_as_float32(dtype):
    attention = DenseAttention(np.eye(3, dtype=dtype))
    assert attention.weights().dtype == np.float32
    np.testing.assert_array_equal(attention.weights(), np.eye(3))
    assert attention.notes == ()


def test_arrays_with_gaps_in_memory_are_read_and_left_alone():
    array = np.asfortranarray(causal())[:, ::-1, ::2]
    before = array.copy()
    attention = DenseAttention(array)
    np.testing.assert_allclose(attention.weights(1, 0), before[1, 0], atol=1e-7)
    attention.weights()[:] = 7
    np.testing.assert_array_equal(array, before)


def test_a_memory_map_is_checked_only_where_it_is_read(tmp_path):
    array = np.full((2, 1, 4, 4), 0.25, dtype=np.float32)
    array[1, 0, 3, 3] = np.nan
    np.save(tmp_path / "attention.npy", array)
    attention = DenseAttention(np.load(tmp_path / "attention.npy", mmap_mode="r"))
    assert attention.weights(0, 0).tolist() == array[0, 0].tolist()
    assert attention.notes == ()
    attention.weights(1, 0)
    assert "NaN" in attention.notes[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_torch_tensors_and_model_outputs_are_taken(dtype):
    layers = tuple(torch.full((1, 3, 4, 4), 0.25, dtype=dtype, requires_grad=True) for _ in "ab")
    attention = DenseAttention(layers)
    assert (attention.n_layers, attention.n_heads) == (2, 3)
    np.testing.assert_allclose(DenseAttention(layers[0][0]).weights(), np.full((4, 4), 0.25))


def test_tokens_name_keys_and_for_a_square_map_queries_too():
    attention = DenseAttention(np.eye(2), tokens=["a", "a"])
    assert attention.tokens == attention.query_tokens == ("a", "a")
    wide = DenseAttention(np.full((1, 2), 0.5)).with_tokens(["a", "b"], ["answer"])
    assert (wide.tokens, wide.query_tokens) == (("a", "b"), ("answer",))
    with pytest.raises(ShapeError, match="2 keys but 3 tokens"):
        attention.with_tokens(["a", "b", "c"])
