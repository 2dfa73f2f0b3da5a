"""Labelled traces made by chance, with scores that lean towards the used ones."""

from __future__ import annotations

import numpy as np

from explorer.traces import Hyperedge, Trace, TraceSet


def made_traces(n_traces=30, per_trace=6, *, seed=0, gain=0.25, **metadata):
    """Traces and their scores by id; each hyperedge has a text and a label."""
    random = np.random.default_rng(seed)
    words = "alder birch cedar elm fir hazel larch maple oak pine rowan willow".split()  # noqa: SIM905
    traces, scores = [], {}
    for number in range(n_traces):
        labels = random.random(per_trace) < 0.3
        labels[0] = number % 2 == 0
        edges = [
            Hyperedge(
                f"h{place}",
                " ".join(random.choice(words, 5 + place % 3)) + f" {number}",
                label=bool(label),
            )
            for place, label in enumerate(labels)
        ]
        traces.append(Trace(f"t{number}", "Which tree?", edges, "the oak", metadata=dict(metadata)))
        found = np.clip(0.3 + 0.15 * random.normal(size=per_trace) + gain * labels, 0, 1)
        # As attention: float32, so that ties are ties on either side.
        scores[f"t{number}"] = found.astype(np.float32).astype(float).tolist()
    return TraceSet(traces), scores
