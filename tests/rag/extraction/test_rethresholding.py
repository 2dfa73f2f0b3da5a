"""Scores that are known become feedback again; the numbers follow the formulas of docs/rag.md."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.rag import ExtractorConfig
from explorer.rag._extraction.rethresholding import rethreshold

CONFIG = ExtractorConfig(
    method="ensemble",
    attention_threshold=0.2,
    similarity_threshold=0.6,
    citation_threshold=0.5,
    positive_feedback=0.8,
    negative_feedback=0.2,
    neutral_feedback=0.4,
)


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # From 0.2 at 0 up to 0.4 below the threshold, from 0.8 at the threshold up to 1.
        ("attention", [0.2, 0.3, 0.8, 0.9, 1.0]),
        ("logprobs", [0.2, 0.3, 0.8, 0.9, 1.0]),
        # 0.2 + s / 0.6 x 0.2 below 0.6.
        ("embedding", [0.2, 0.2 + 0.1 / 3, 0.2 + 0.2 / 3, 0.8, 1.0]),
        # 0.8 times the ratio from 0.5 on.
        ("citation", [0.2, 0.2, 0.2, 0.48, 0.8]),
    ],
)
def test_each_method_has_its_threshold_and_formula(method, expected):
    scores = [0.0, 0.1, 0.2, 0.6, 1.0]
    assert rethreshold(scores, method, CONFIG) == pytest.approx(expected)


@pytest.mark.parametrize("method", ["attention", "embedding", "citation"])
def test_what_is_not_known_stays_so(method):
    found = rethreshold([[np.nan, 0.9]], method, CONFIG)
    assert found.shape == (1, 2)
    assert np.isnan(found[0, 0])
    assert found[0, 1] > 0.5
