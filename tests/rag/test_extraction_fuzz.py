"""Whatever the metadata hold, feedback lies in [0, 1], or the error is ours."""

from __future__ import annotations

import asyncio
import json
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from explorer.errors import ExplorerError, ExtractionWarning
from explorer.rag._extraction.extractor import FeedbackExtractor
from explorer.rag._methods.extractor_config import METHODS

pytestmark = pytest.mark.slow

QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
numbers = st.floats() | st.integers(-2, 2) | st.none()
ids = st.sampled_from(["a", "b", "1"])
texts = st.sampled_from(["The Nile.", "the nile is long", "Rhine", "", "?", "\ud800 x"])
entries = st.fixed_dictionaries(
    {},
    optional={
        "token": st.sampled_from(["The", " Nile", ".", "\ufffd"]) | anything,
        "logprob": st.floats(-9, 0) | numbers | anything,
        "bytes": st.lists(st.integers(-1, 256), max_size=3) | anything,
    },
)


def square(size):
    return st.lists(st.lists(numbers, min_size=size, max_size=size), min_size=size, max_size=size)


metadata = st.fixed_dictionaries(
    {},
    optional={
        "hyperedge_attention": st.dictionaries(ids, numbers) | st.lists(numbers) | anything,
        "attention_weights": st.dictionaries(st.sampled_from("0123x"), numbers) | anything,
        "context_mapping": st.dictionaries(ids, st.lists(st.integers(-1, 5)) | anything) | anything,
        "attention_matrix": st.integers(1, 4).flatmap(square) | anything,
        "context_texts": st.lists(texts, max_size=4) | anything,
        "context_spans": st.lists(st.lists(st.integers(-1, 5), max_size=3), max_size=4) | anything,
        "answer_start_pos": st.integers(-1, 5) | anything,
        "context_end_pos": st.integers(-1, 5) | anything,
        "tokens": st.lists(texts, max_size=5) | anything,
        "unit_attention": st.integers(1, 3).flatmap(square).map(lambda rows: [rows]) | anything,
        "unit_topk": anything,
        "unit_tokens": st.lists(st.integers(-1, 5)) | anything,
        "logprobs": st.lists(entries | anything, max_size=5)
        | st.fixed_dictionaries({"content": st.lists(entries, max_size=5) | anything})
        | anything,
        "choices": st.lists(st.fixed_dictionaries({"logprobs": anything})) | anything,
    },
)
retrieved = st.lists(
    st.fixed_dictionaries({"id": ids, "hyperedge": texts}) | anything, max_size=4
) | st.lists(st.fixed_dictionaries({"id": ids, "hyperedge": texts | anything}), max_size=4)
configs = st.fixed_dictionaries(
    {"method": st.sampled_from(METHODS)},
    optional={
        "layer": st.integers(-2, 2),
        "head": st.integers(-2, 2),
        "reduction": st.sampled_from(["mean", "mass", "top-k"]),
        "normalisation": st.sampled_from(["raw", "share", "lift"]),
        "top_k": st.integers(1, 4),
        "attention_threshold": st.sampled_from([0.0, 0.1, 1.0]),
        "similarity_threshold": st.sampled_from([0.0, 1.0]),
        "citation_threshold": st.sampled_from([0.0, 1.0]),
    },
)
functions = st.sampled_from(
    [
        lambda found: [[1.0, float(len(text))] for text in found],
        lambda found: np.zeros((len(found), 2)),
        lambda found: 1 / 0,
    ]
)


def check(extractor, answer, edges, notes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExtractionWarning)
        try:
            feedback = asyncio.run(extractor.extract_feedback(answer, edges, notes))
            table = asyncio.run(extractor.explain(answer, edges, notes))
        except ExplorerError:
            return
    assert all(0.0 <= value <= 1.0 for value in feedback.values())
    assert table.feedback.between(0.0, 1.0).all()
    assert (table.score.isna() == (table.verdict == "unknown")).all()
    assert set(feedback) == set(table.unit)
    largest = table.groupby("unit").feedback.max()
    assert all(feedback[name] == largest[name] for name in feedback)
    # whatever is not known has a reason
    unknown = table[table.verdict == "unknown"]
    assert all(len(notes) for notes in unknown.diagnostics)


@QUICK
@given(configs, functions, texts, retrieved, metadata)
def test_any_metadata_give_feedback_or_an_error_of_ours(config, function, answer, edges, notes):
    check(FeedbackExtractor(function, config), answer, edges, notes)


@QUICK
@given(configs, anything, anything, anything)
def test_any_arguments_at_all(config, answer, edges, notes):
    check(FeedbackExtractor(lambda found: [[1.0] for _ in found], config), answer, edges, notes)


@QUICK
@given(st.sampled_from(METHODS), st.lists(anything | st.lists(numbers), max_size=4))
def test_any_embeddings_at_all(method, given_vectors):
    extractor = FeedbackExtractor(lambda found: given_vectors, {"method": method})
    edges = [{"id": "a", "hyperedge": "The Nile."}, {"id": "b", "hyperedge": "Rhine"}]
    check(extractor, "an answer", edges, {})


@QUICK
@given(metadata)
def test_metadata_that_went_through_json_give_the_same(notes):
    """Integer keys become text, and nothing else changes."""
    edges = [{"id": "a", "hyperedge": "The Nile."}, {"id": "b", "hyperedge": "Rhine"}]
    extractor = FeedbackExtractor(
        lambda found: [[1.0] for _ in found], {"method": "attention", "positive_feedback": 0.7}
    )
    once = asyncio.run(extractor.extract_feedback("x", edges, notes))
    again = asyncio.run(extractor.extract_feedback("x", edges, json.loads(json.dumps(notes))))
    assert once == again
