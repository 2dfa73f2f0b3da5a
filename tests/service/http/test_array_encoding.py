"""Arrays as JSON text: exact, and valid JSON whatever the numbers are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from explorer.service._http.array_encoding import matrix_json, numbers_json, vector_json

ANY = st.floats(width=32, allow_nan=True, allow_infinity=True)


def read(text: object) -> np.ndarray:
    found = json.loads(bytes(text))  # type: ignore[arg-type]
    return np.array(found, dtype=np.float64).astype(np.float32)


@given(arrays(np.float32, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=ANY))
def test_a_matrix_reads_as_the_same_numbers(matrix) -> None:
    expected = np.where(np.isfinite(matrix), matrix, np.nan)
    np.testing.assert_array_equal(read(matrix_json(matrix)), expected)
    np.testing.assert_array_equal(read(vector_json(matrix[0])), expected[0])
    texts = [json.loads(bytes(number)) for number in numbers_json(matrix[0])]
    np.testing.assert_array_equal(np.array(texts, dtype=np.float64).astype(np.float32), expected[0])


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0), (1, 1)])
def test_empty_matrices_keep_their_rows(shape) -> None:
    found = json.loads(bytes(matrix_json(np.zeros(shape, dtype=np.float32))))
    assert [len(row) for row in found] == [shape[1]] * shape[0]


def test_precision_rounds_to_digits() -> None:
    values = np.array([[0.12345678, -0.00001, 1 / 3]], dtype=np.float32)
    assert bytes(matrix_json(values, 4)) == b"[[0.1235,0,0.3333]]"
