"""Units made by hand and by chance; nothing here was worked out by the code under test."""

from __future__ import annotations

import numpy as np

from explorer.validation import LabelledScores


def judged_of(scores, labels, groups=None, **more):
    scores = np.asarray(scores, dtype=np.float64)
    groups = np.zeros(len(scores), dtype=int) if groups is None else np.asarray(groups)
    n_traces = int(groups.max(initial=-1)) + 1
    rest = {
        "traces": tuple(f"t{number}" for number in range(n_traces)),
        "units": tuple(f"u{number}" for number in range(len(scores))),
        "lengths": np.full(len(scores), np.nan),
        "positions": np.full(len(scores), np.nan),
        "truth": "labels",
    }
    return LabelledScores(scores=scores, labels=np.asarray(labels), groups=groups, **(rest | more))


def by_chance(n_traces, per_trace=8, *, seed=0, digits=None, gain=1.0, prevalence=0.3):
    """Normal scores, those of used units higher by `gain`, rounded where ties are wanted."""
    random = np.random.default_rng(seed)
    n = n_traces * per_trace
    labels = random.random(n) < prevalence
    scores = random.normal(size=n) + gain * labels
    if digits is not None:
        scores = scores.round(digits)
    # As attention: float32, so that ties are ties on either side.
    return judged_of(scores.astype(np.float32), labels, np.repeat(np.arange(n_traces), per_trace))
