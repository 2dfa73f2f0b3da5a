"""Recording an example again gives what is packaged."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.examples import example_programs, example_traces, recorded_program
from explorer.examples._programs import RECORDED_MODEL
from explorer.examples.record import record_trace
from explorer.traces import evidence
from explorer.traces._evidence.evidence_arrays import array_of

pytestmark = pytest.mark.packaged_model


@pytest.fixture(scope="module")
def model():
    from explorer.models import load_model

    return load_model(RECORDED_MODEL)


def test_a_trace(model):
    trace = min(example_traces(), key=lambda trace: sum(trace.metadata["unit_tokens"]))
    arrays, metadata = record_trace(model, trace)
    assert metadata["unit_tokens"] == trace.metadata["unit_tokens"]
    assert metadata["answer_tokens"] == trace.metadata["answer_tokens"]
    # Two roundings to float16 (2**-11 each), and sums in another order.
    for name, stored in (("mass", "unit_attention"), ("topk", "unit_topk")):
        assert np.allclose(arrays[name], array_of(trace, stored), rtol=3e-3, atol=2e-5)
    assert evidence(trace).units[0].tokens == metadata["unit_tokens"][0]


def test_a_program(model):
    program = min(example_programs(), key=lambda program: len(program.code))
    found = recorded_program(program.code)
    tokenized = model.tokenize(program.code)
    assert tokenized.tokens == found.tokens
    assert np.array_equal(tokenized.offsets, found.offsets)
    attention = model.record(tokenized)
    for layer, head in ((0, 0), (12, 4), (29, 8)):
        exact = attention.weights(layer, head)
        assert np.abs(exact - found.attention.weights(layer, head)).max() < 1 / 255 + 1e-4
