"""The packaged programs and the attention recorded over them."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.examples import example_programs, recorded_program
from explorer.examples._programs import packed, unpacked
from explorer.source import code_units, detect_language


def test_six_short_programs_two_of_each_language():
    programs = example_programs()
    assert [program.language for program in programs] == [
        *("python", "python", "javascript", "javascript", "sql", "sql")
    ]
    for program in programs:
        assert 8 <= len(program.code.splitlines()) <= 30
        assert program.title
        assert detect_language(program.code) == program.language
        assert code_units(program.code, "identifier", language=program.language)


def test_the_python_programs_do_what_their_titles_say():
    code = {program.name: program.code for program in example_programs()}
    names: dict = {}
    exec(code["fibonacci.py"], names)  # noqa: S102
    assert names["fibonacci"](30) == 832040
    names = {"print": lambda *_: None}
    exec(code["remove_negatives.py"], names)  # noqa: S102
    assert names["balance"] == [5, -7, 3]  # the bug that the example is about


@pytest.mark.parametrize("program", example_programs(), ids=lambda program: program.name)
def test_recorded_attention_fits_the_program(program):
    found = recorded_program(program.code)
    attention = found.attention
    n_tokens = len(found.tokens)
    assert (attention.n_layers, attention.n_heads) == (30, 9)
    assert attention.n_queries == attention.n_keys == n_tokens
    assert "".join(found.tokens) == program.code
    assert [program.code[start:stop] for start, stop in found.offsets] == list(found.tokens)
    weights = attention.weights(layer=5, head=2)
    assert np.allclose(weights.sum(axis=1), 1)
    assert not np.triu(weights, 1).any()
    assert attention.causal
    assert "1/255" in attention.notes[0]


def test_other_code_and_other_models_were_not_recorded():
    code = example_programs()[0].code
    assert recorded_program(code + " ") is None
    assert recorded_program(code, "all-MiniLM-L6-v2") is None


def test_packing_keeps_rows_whole_and_weights_within_a_step():
    rng = np.random.default_rng(3)
    weights = np.tril(rng.random((2, 3, 20, 20)) ** 6)
    weights /= weights.sum(axis=-1, keepdims=True)
    steps = packed(weights.astype(np.float32))
    assert steps.shape == (2, 3, 210)
    again = unpacked(steps, 20)
    assert np.allclose(again.sum(axis=-1), 1)
    assert np.abs(again - weights).max() < 1 / 255
    assert packed(again).tolist() == steps.tolist()
