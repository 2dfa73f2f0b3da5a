"""Batches that are killed at random points lose nothing and double nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.batch import feedback_files, score_files
from explorer.run_control import RunControl, silent
from explorer.traces import save_traces

from ..support.tiny_folder import labelled_trace

QUIET = RunControl(silent)

# No embedding: nothing is imported that takes seconds, so that most kills hit the work itself.
FEEDBACK = """
import sys
import numpy as np
from explorer.batch import feedback_files
from explorer.run_control import RunControl, silent
feedback_files(*sys.argv[1:3], config={"method": "citation"}, embedding_func=lambda texts: None,
               control=RunControl(silent))
"""
SCORE = """
import sys
from explorer.batch import score_files
from explorer.run_control import RunControl, silent
score_files(*sys.argv[1:3], model=sys.argv[3], batch_tokens=1, control=RunControl(silent))
"""


def kill_at_random(
    script: str, out: Path, arguments: list[str], random_: np.random.Generator
) -> bool:
    """Start a batch, and kill it when its file has grown by a random length; False if it ended."""
    before = out.stat().st_size if out.exists() else 0
    more = int(random_.integers(1, 20_000))
    command = [sys.executable, "-c", script, *arguments]
    with subprocess.Popen(command) as running:
        while running.poll() is None:
            size = out.stat().st_size if out.exists() else 0
            if size != before and abs(size - before) >= more:
                break
            time.sleep(0.002)
        running.send_signal(signal.SIGKILL)
        return running.wait() == -signal.SIGKILL


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def ids(path: Path) -> list[str]:
    return [line["id"] for line in lines(path)]


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_killed_feedback(tmp_path: Path, kills: int) -> None:
    given, out, whole = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "whole.jsonl"))
    save_traces([labelled_trace(number) for number in range(4000)], given)
    random_ = np.random.default_rng(kills)
    killed = sum(
        kill_at_random(FEEDBACK, out, [str(given), str(out)], random_) for _ in range(kills)
    )
    assert killed >= 1
    options = {"config": {"method": "citation"}, "embedding_func": lambda texts: None}
    feedback_files(given, whole, **options, control=QUIET)
    # The function of the killed processes has another name than ours, so theirs is continued by it.
    subprocess.run([sys.executable, "-c", FEEDBACK, str(given), str(out)], check=True)
    assert ids(out) == [f"t{number}" for number in range(4000)]
    for line, other in zip(lines(out), lines(whole), strict=True):
        assert line["feedback"] == other["feedback"]
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.slow
def test_killed_scores(tmp_path: Path, tiny: str) -> None:
    given, out, whole = (tmp_path / name for name in ("in.jsonl", "out.jsonl", "whole.jsonl"))
    save_traces([labelled_trace(number) for number in range(400)], given)
    random_ = np.random.default_rng(1)
    killed = sum(
        kill_at_random(SCORE, out, [str(given), str(out), tiny], random_) for _ in range(4)
    )
    assert killed >= 1
    score_files(given, out, model=tiny, control=QUIET)
    score_files(given, whole, model=tiny, control=QUIET)
    assert ids(out) == ids(whole) == [f"t{number}" for number in range(400)]
    for line, other in zip(lines(out), lines(whole), strict=True):
        found, wanted = (one["metadata"]["unit_attention"] for one in (line, other))
        np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-6)
