"""The config of a `FeedbackExtractor` taken into the app, and handed out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pprint import pformat
from typing import Any

from explorer.widgets.state import IN_THE_PLACE, METHOD_THRESHOLDS, ExplorerState


def take_config(state: ExplorerState, config: Mapping[str, Any]) -> None:
    """Show scores and feedback as a `FeedbackExtractor` with this config works them out.

    Parameters
    ----------
    state
        What to set: method, its threshold, and the heads, or layer, head, reduction and
        normalisation.
    config
        As `FeedbackExtractor` takes it; what is left out has its default.

    Raises
    ------
    InputError
        The config is none, or has a layer or head that the traces do not have.
    """
    from explorer.rag.config import ExtractorConfig

    wanted = ExtractorConfig.of(config)
    threshold = METHOD_THRESHOLDS[wanted.method]
    name = "attention_threshold" if threshold == "threshold" else threshold
    with state.batch():
        state.method = wanted.method
        setattr(state, threshold, getattr(wanted, name))
        if wanted.heads is None:
            for part in IN_THE_PLACE:
                setattr(state, part, getattr(wanted, part))
        state.heads = wanted.heads


def handed_out(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config of the app as JSON takes it, without what a set of heads is in place of."""
    heads = config["heads"]
    left_out = {"heads"} if heads is None else set(IN_THE_PLACE)
    found = {name: value for name, value in config.items() if name not in left_out}
    return found if heads is None else found | {"heads": heads.to_dict()}


def json_of(config: Mapping[str, Any]) -> str:
    """Return a config of the app as a JSON file."""
    return json.dumps(handed_out(config), indent=2)


def python_of_config(config: Mapping[str, Any]) -> str:
    """Return Python that makes an extractor of a config of the app."""
    shown = pformat(handed_out(config), width=96, compact=True, sort_dicts=False)
    return (
        "from explorer import FeedbackExtractor\n\n"
        f"config = {shown}\n"
        "extractor = FeedbackExtractor(config=config)\n"
    )
