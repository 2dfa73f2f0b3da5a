"""Settings that the Code tab has for itself: what suits code does not suit retrieved facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MappingProxyType
from typing import Any, Final

import traitlets as t

from explorer.widgets._state.checks import checked_threshold
from explorer.widgets._state.threshold_traits import Checked

CODE_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "normalisation": "lift",
        "threshold_scale": "linear",
        "threshold": 0.5,
        "threshold_mode": "auto",
    }
)
"""What the Code tab begins with: a mean over tokens mostly repeats how near a line is and how many
rows can see it, while a lift compares each line with its length. No label says what is enough."""

TRACE_SETTINGS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "normalisation": "raw",
        "threshold_scale": "log",
        "threshold": 0.1,
        "threshold_mode": "fixed",
    }
)
"""What the other tabs begin with: the reference settings of a `FeedbackExtractor`."""


class TabSettings(t.HasTraits):
    """The threshold and what it is compared with: the Code tab has its own, the others share one.

    When the tab changes, they become those of the new tab.
    """

    threshold: Any = Checked(CODE_SETTINGS["threshold"], help="Score from which a unit counts.")
    """Score in [0, 1] from which a unit counts as used (code: as looked at). Default 0.1, in the
    Code tab what ``"auto"`` finds. Setting it to ``"auto"`` sets `threshold_mode`; the trait itself
    is always the number in view. The Code tab has a threshold of its own."""

    threshold_mode = t.Unicode(
        CODE_SETTINGS["threshold_mode"], help="Who chooses the threshold: fixed or auto."
    )
    """``"fixed"`` (default, but in the Code tab): the threshold stays where it was set.
    ``"auto"`` (default in the Code tab): it is found in the scores in view by
    `explorer.feedback.auto_threshold`, anew for each trace or view, and `threshold` holds what was
    found. Setting `threshold`, or dragging its line, makes it ``"fixed"``. The Thresholds tab
    judges one number for all traces, so there it stays."""

    threshold_scale = t.Unicode(CODE_SETTINGS["threshold_scale"], help="Scale of the score axis.")
    """Scale of the score axis and the threshold slider: ``"log"`` (default) or ``"linear"``
    (default in the Code tab)."""

    normalisation = t.Unicode(
        CODE_SETTINGS["normalisation"], help="Raw score, share of all units, or lift."
    )
    """``"raw"`` (default), ``"share"`` of all units, or ``"lift"`` (default in the Code tab): share
    over the share of tokens."""

    finding_threshold = False
    """Whether the app itself sets the threshold: to what it found, or to that of another tab."""
    _number: float = CODE_SETTINGS["threshold"]
    _kept: Any = t.Instance(dict, ())

    def keeping_heads(self) -> AbstractContextManager[None]:
        """Set for the app itself: a set of heads stays."""
        raise NotImplementedError

    def batch(self) -> AbstractContextManager[None]:
        """Set several traits; what waits then runs once."""
        raise NotImplementedError

    def show_found_threshold(self, value: float) -> None:
        """Set the threshold to what was found in the scores in view: its mode stays ``"auto"``."""
        with self._by_itself():
            self.threshold = value

    def default_of(self, name: str) -> Any:
        """Return what a setting is at the beginning, in the tab in front."""
        own = CODE_SETTINGS if _side(getattr(self, "tab", "code")) == "code" else TRACE_SETTINGS
        return own[name] if name in own else self.trait_defaults(name)

    def set_for_traces(self, **values: Any) -> None:
        """Set settings of the traces and Thresholds tabs, also while the code is in front.

        With `threshold` and `threshold_mode` the mode comes last, since a threshold makes it fixed.
        """
        if _side(getattr(self, "tab", "code")) == "code":
            self._kept["traces"] = {**self.traces_settings(), **values}
            return
        for name, value in values.items():
            setattr(self, name, value)

    def traces_settings(self) -> dict[str, Any]:
        """Return the settings of the traces and Thresholds tabs, whichever tab is in front."""
        if _side(getattr(self, "tab", "code")) == "code":
            return {**TRACE_SETTINGS, **self._kept.get("traces", {})}
        return {name: getattr(self, name) for name in TRACE_SETTINGS}

    @contextmanager
    def _by_itself(self) -> Iterator[None]:
        before, self.finding_threshold = self.finding_threshold, True
        try:
            yield
        finally:
            self.finding_threshold = before

    def notify_change(self, change: Any) -> None:
        """Announce a change; that of the tab with the settings of the new tab in place.

        They are announced after the tab, and all is drawn once: until it has heard of the tab, the
        panel in front is still that of the old one.
        """
        sides = (_side(change["old"]), _side(change["new"])) if change["name"] == "tab" else ()
        if len(set(sides)) < 2:
            super().notify_change(change)
            return
        before = self._change_side(*sides)
        with self.batch(), self.keeping_heads(), self._by_itself():
            super().notify_change(change)
            for name, old in before.items():
                new = getattr(self, name)
                if new != old:
                    told = t.Bunch(name=name, old=old, new=new, owner=self, type="change")
                    super().notify_change(told)

    def _change_side(self, old: str, new: str) -> dict[str, Any]:
        """Put the settings of the new tab in place without a word; return those of the old."""
        before = {name: getattr(self, name) for name in CODE_SETTINGS}
        begins = CODE_SETTINGS if new == "code" else TRACE_SETTINGS
        self._trait_values.update(self._kept.get(new, begins))
        self._kept[old] = before
        self._number = self.threshold
        return before

    @t.validate("threshold")
    def _check_own_threshold(self, proposal: Mapping[str, Any]) -> float:
        value = proposal["value"]
        if isinstance(value, str) and value == "auto":
            self.threshold_mode = "auto"
            return self._number
        self._number = checked_threshold("threshold", value)
        if not self.finding_threshold:
            self.threshold_mode = "fixed"
        return self._number


def _side(tab: str) -> str:
    return "code" if tab == "code" else "traces"
