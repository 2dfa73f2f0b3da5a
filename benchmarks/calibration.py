"""What calibration reaches on labelled questions that it has not seen.

    python benchmarks/calibration.py musique.json scored.jsonl
    python benchmarks/calibration.py musique.json scored.jsonl --on other.json other-scored.jsonl

The first file is any that `load_traces` reads, with labels; the second keeps what the model
recorded, so that running again goes on where it stopped. Twofold, cut by question, three times.
"""

from __future__ import annotations

import argparse
import asyncio
import json

import explorer
from explorer.validation import CrossValidation, calibrate, confusion_at, judge, rank

SHOWN = ["scores", "auc", "auc_low", "auc_high", "average_precision", "f1", "f1_low", "f1_high"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("traces")
    parser.add_argument("scored")
    parser.add_argument("--on", nargs=2, metavar=("TRACES", "SCORED"), help="use it there as well")
    arguments = parser.parse_args()
    found = calibrate(
        scored(arguments.traces, arguments.scored),
        cross_validation=CrossValidation(folds=2, repeats=3),
    )
    print(found)
    print(found.refusal or found.choice)
    print(found.table[SHOWN].round(3).to_string(index=False))
    if arguments.on is not None and found.accepted:
        other = scored(*arguments.on)
        extractor = explorer.FeedbackExtractor(config=json.loads(found.to_json())["config"])
        judged = judge(other, asyncio.run(extractor.explain_traces(other)))
        print("on the other corpus: ROC-AUC", rank(judged).auc)
        print(confusion_at(judged, found.threshold))


def scored(traces, path):
    return explorer.score_traces(
        explorer.load_traces(traces),
        settings=explorer.rag.StandInSettings(rows=("answer", "question"), content_free=True),
        overwrite=True,
        path=path,
    )


if __name__ == "__main__":
    main()
