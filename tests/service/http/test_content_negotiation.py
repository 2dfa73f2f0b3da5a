"""The format of an answer follows RFC 9110."""

from __future__ import annotations

import pytest

from explorer.service._http.content_negotiation import chosen_format
from explorer.service._http.problems import ProblemError

OFFERED = ("application/json", "application/x-npy", "application/x-safetensors")


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/x-npy", "application/x-npy"),
        ("APPLICATION/X-NPY", "application/x-npy"),
        ("application/x-npy;q=0.5, application/json;q=0.4", "application/x-npy"),
        ("application/json;q=0.1, */*", "application/x-npy"),
        ("application/json;q=0, */*;q=0.1", "application/x-npy"),
        ("text/html, */*;q=0.1", "application/json"),
        ("application/safetensors", "application/x-safetensors"),
        ("application/x-npy; charset=x; q=1", "application/x-npy"),
        ("application/x-npy, application/json", "application/json"),
    ],
)
def test_the_best_format_is_chosen(accept, chosen) -> None:
    assert chosen_format(accept, OFFERED) == chosen


@pytest.mark.parametrize(
    "accept", ["text/html", "*/*;q=0", "application/json;q=x", ",", "application", "image/*"]
)
def test_nothing_else_is_sent(accept) -> None:
    with pytest.raises(ProblemError) as raised:
        chosen_format(accept, OFFERED)
    assert raised.value.kind == "not-acceptable"
