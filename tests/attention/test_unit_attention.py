from __future__ import annotations

import numpy as np
import pytest

from explorer.attention import UnitAttention
from explorer.errors import InputError, ShapeError

MASS = np.array([[[0.1, 0.3], [0.2, 0.6]]])  # (1 layer, 2 heads, 2 units)


def test_units_are_the_columns_and_their_names_the_tokens():
    attention = UnitAttention(MASS, ["first", "second"])
    assert (attention.n_layers, attention.n_heads, attention.n_queries, attention.n_keys) == (
        1,
        2,
        1,
        2,
    )
    assert attention.tokens == ("first", "second")
    np.testing.assert_allclose(attention.span_mass([(0, 1), (1, 2)]), MASS, atol=1e-7)
    np.testing.assert_allclose(attention.weights(), [[0.15, 0.45]], atol=1e-7)
    np.testing.assert_allclose(attention.array, MASS, atol=1e-7)


def test_kept_rows_can_be_averaged_in_part():
    by_row = np.stack([MASS, MASS / 2], axis=2)  # (layers, heads, rows, units)
    attention = UnitAttention(by_row, ["a", "b"], rows=[7, 9], row_tokens=["x", "y"])
    assert attention.query_tokens == ("x", "y")
    assert attention.rows == (7, 9)
    np.testing.assert_allclose(attention.span_mass([(1, 2)], rows=[1])[..., 0], MASS[..., 1] / 2)
    np.testing.assert_allclose(
        attention.span_mass([(1, 2)])[..., 0], MASS[..., 1] * 0.75, atol=1e-7
    )


def test_units_that_share_tokens_may_hold_more_than_all_attention():
    assert UnitAttention(MASS * 1.5, ["a", "b"]).notes == ()


def test_topk_is_only_known_as_it_was_stored():
    attention = UnitAttention(MASS, ["a", "b"], topk=MASS / 3, k=2)
    np.testing.assert_allclose(attention.span_topk([(1, 2)], k=2), MASS[..., 1:] / 3, atol=1e-7)
    with pytest.raises(InputError, match="k = 2"):
        attention.span_topk([(1, 2)], k=3)
    with pytest.raises(InputError, match="single units"):
        attention.span_topk([(0, 2)], k=2)
    with pytest.raises(InputError, match="choose mean or mass"):
        UnitAttention(MASS, ["a", "b"]).span_topk([(0, 1)])


@pytest.mark.parametrize(
    ("array", "options"),
    [
        (np.zeros((2, 2)), {}),
        (np.zeros((1, 2, 3)), {}),
        (MASS, {"topk": np.zeros((1, 2, 3))}),
        (MASS, {"row_tokens": ["one", "two"]}),
        (MASS[:, :, None], {"rows": [4, 5]}),
    ],
)
def test_shapes_that_do_not_fit_are_refused(array, options):
    with pytest.raises(ShapeError):
        UnitAttention(array, ["a", "b"], **options)
