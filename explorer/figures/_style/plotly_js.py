"""The vendored plotly.js bundle, used by the app and by standalone pages."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

PLOTLY_JS_VERSION: Final = "4.1.1"
"""Version of the vendored plotly.js; `plotly.offline.get_plotlyjs_version()` of plotly 7.1."""


@cache
def plotly_js() -> bytes:
    """Return the source of plotly.js with its cartesian traces alone, a third of the whole."""
    name = f"plotly-cartesian-{PLOTLY_JS_VERSION}.min.js"
    return (Path(__file__).parents[1] / "vendor" / name).read_bytes()
