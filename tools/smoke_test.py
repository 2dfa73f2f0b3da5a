"""What an installed explorer must do, without its sources: `python smoke_test.py VERSION`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import explorer
from explorer._extras import EXTRAS, is_installed
from explorer.errors import MissingExtraError
from explorer.examples import example_programs, example_traces
from explorer.validation import Resampling


def main(version: str) -> None:
    """Use every part that is installed; an exception is a broken release."""
    assert explorer.__version__ == version, explorer.__version__
    assert "site-packages" in explorer.__file__, explorer.__file__
    for name in explorer.__all__:
        getattr(explorer, name)

    tokens = ["a", " b", " c"]
    weights = np.tril(np.ones((3, 3))) / np.arange(1, 4)[:, None]
    app = explorer.Explorer.from_attention(weights, tokens)
    assert app.feedback is not None
    assert len(app.feedback) == 3
    app.close()

    assert len(example_programs()) > 0
    app = explorer.Explorer.from_traces(example_traces())
    assert app.feedback is not None
    assert set(app.feedback["verdict"]) <= {"used", "near", "not used", "unknown"}
    with tempfile.TemporaryDirectory() as folder:
        app.save(Path(folder) / "view.html")
        app.save(Path(folder) / "traces.jsonl")
        assert len(explorer.load_traces(Path(folder) / "traces.jsonl")) == len(app.traces or ())
    app.tab = "thresholds"
    app.wait()
    if is_installed("validation"):
        assert app.sweep is not None
    else:
        assert "attention-explorer[validation]" in str(app.error)
    try:
        explorer.threshold_report(
            app.traces, {"method": "citation"}, resampling=Resampling(samples=10)
        )
    except MissingExtraError:
        assert not is_installed("validation")
    app.close()
    installed = [extra for extra in EXTRAS if is_installed(extra)]
    print(f"explorer {version} works; extras: {', '.join(installed) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1])
