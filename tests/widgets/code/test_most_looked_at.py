"""Unpinned, the sentence and the tint of the code tab name what others look at."""

from __future__ import annotations

import numpy as np

from explorer import Explorer

from ...support.app_driver import AppDriver


def _app() -> Explorer:
    n = 40
    weights = np.tril(np.full((n, n), 0.002))
    np.fill_diagonal(weights, 0.6)  # the last tokens look at themselves
    weights[15:, 12] = 0.3
    weights[1:, 0] = 1 - weights[1:, 1:].sum(axis=1)
    return Explorer.from_attention(weights, [f"t{i}" for i in range(n)])


def test_the_sentence_names_no_last_token_and_says_how_many_rows() -> None:
    page = AppDriver(_app())
    said = page.status["sentence"]
    mean = (2 * 0.002 + 25 * 0.3) / 27
    assert f"on average: “t12” (line 1) {mean:.3f} over 27 rows" in said
    assert said.endswith("10 tokens are left out, as fewer than 10 rows can see them")
    assert "t39" not in said


def test_the_tint_leaves_them_out() -> None:
    app = _app()
    page = AppDriver(app)
    tint = np.frombuffer(page.code.model.tint, dtype=np.uint8)
    assert int(np.argmax(tint)) == 12
    assert (tint[30:] == tint.min()).all()
