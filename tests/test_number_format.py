"""One way to write a number, in Python and on the page."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer._number_format import NO_NUMBER, three_digits
from explorer.figures import three_digits as of_figures

CASES = json.loads((Path(__file__).parent / "shared" / "number_format.json").read_text("utf-8"))


@pytest.mark.parametrize(("value", "text"), CASES)
def test_a_number_is_written_as_on_the_page(value, text):
    assert three_digits(value) == of_figures(value) == text


def test_what_is_not_finite():
    written = [three_digits(value) for value in (math.nan, math.inf, -math.inf, -0.0)]
    assert written == [NO_NUMBER, "∞", "-∞", "0"]


@given(st.floats(min_value=-999, max_value=999).filter(bool))
def test_it_can_be_read_back(value):
    assert float(three_digits(value)) == pytest.approx(value, rel=5.001e-3, abs=0)


@given(st.floats(min_value=1e-9, max_value=9e8))
def test_larger_is_never_written_as_less(value):
    def back(text: str) -> float:
        return float(text.replace(",", ""))

    assert back(three_digits(value)) <= back(three_digits(value * 1.02))
