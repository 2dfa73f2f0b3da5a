"""Configs of a `FeedbackExtractor`: applied to the app, and exported from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.widgets._state import HEAD_SET_OVERRIDES, METHOD_THRESHOLDS, ExplorerState


def apply_config(state: ExplorerState, config: Mapping[str, Any]) -> None:
    """Show scores and feedback as a `FeedbackExtractor` with this config computes them.

    Parameters
    ----------
    state
        The state to set: method, its threshold, and the heads, or layer, head, reduction and
        normalisation.
    config
        As `FeedbackExtractor` takes it; missing keys have their defaults.

    Raises
    ------
    InputError
        The config is not valid, or has a layer or head that the traces do not have.
    """
    from explorer.rag._methods.extractor_config import ExtractorConfig

    wanted = ExtractorConfig.of(config)
    threshold = METHOD_THRESHOLDS[wanted.method]
    name = "attention_threshold" if threshold == "threshold" else threshold
    with state.batch():
        state.method = wanted.method
        setattr(state, threshold, getattr(wanted, name))
        if wanted.heads is None:
            for part in HEAD_SET_OVERRIDES:
                setattr(state, part, getattr(wanted, part))
        state.heads = wanted.heads


def is_shown(state: ExplorerState, config: Mapping[str, Any]) -> bool:
    """Whether scores and threshold in view are those that `apply_config` shows."""
    from explorer.rag._methods.extractor_config import ExtractorConfig

    wanted = ExtractorConfig.of(config)
    threshold = METHOD_THRESHOLDS[wanted.method]
    name = "attention_threshold" if threshold == "threshold" else threshold
    theirs = {"method": wanted.method, threshold: getattr(wanted, name), "heads": wanted.heads}
    if threshold == "threshold":
        auto = theirs["threshold"] == "auto"
        theirs["threshold_mode"] = "auto" if auto else "fixed"
        theirs["threshold"] = state.threshold if auto else theirs["threshold"]
    if wanted.heads is None:
        theirs |= {part: getattr(wanted, part) for part in HEAD_SET_OVERRIDES}
    return all(getattr(state, part) == value for part, value in theirs.items())


class SettingsUndo:
    """The settings before a config was applied, to go back to.

    Parameters
    ----------
    state
        The state before the config is applied.
    """

    # The mode comes after the threshold, which makes it "fixed".
    _NAMES = (
        "method",
        *dict.fromkeys(METHOD_THRESHOLDS.values()),
        "threshold_mode",
        *HEAD_SET_OVERRIDES,
    )

    def __init__(self, state: ExplorerState) -> None:
        self._state = state
        self._values = {name: getattr(state, name) for name in self._NAMES}
        self._heads = state.heads
        self._applied: float | None = None

    def applied(self) -> None:
        """Remember the threshold that came with the config."""
        self._applied = float(getattr(self._state, self._state.threshold_name))

    def restore(self) -> None:
        """Set the settings of before."""
        with self._state.batch():
            for name, value in self._values.items():
                setattr(self._state, name, value)
            self._state.heads = self._heads

    def restore_threshold(self) -> None:
        """Set the threshold of before: that of a set of heads does not suit a single head.

        A threshold that was set since then is kept.
        """
        name = self._state.threshold_name
        if getattr(self._state, name) == self._applied:
            setattr(self._state, name, self._values[name])


def exported_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config of the app as JSON takes it, without settings that its heads override."""
    heads = config["heads"]
    left_out = {"heads"} if heads is None else set(HEAD_SET_OVERRIDES)
    found = {name: value for name, value in config.items() if name not in left_out}
    return found if heads is None else found | {"heads": heads.to_dict()}


def json_of(config: Mapping[str, Any]) -> str:
    """Return a config of the app as a JSON file."""
    return json.dumps(exported_config(config), indent=2)


def python_of_config(config: Mapping[str, Any]) -> str:
    """Return Python that makes an extractor of a config of the app."""
    from explorer.rag._methods.extractor_config import as_python

    return as_python(exported_config(config))
