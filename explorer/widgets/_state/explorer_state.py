"""The state of the app: what is shown, and how. Panels observe it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import traitlets as t

from explorer.feedback import HeadCombination
from explorer.widgets._state.batch import Batch
from explorer.widgets._state.checks import (
    checked_choice,
    checked_index,
    checked_selection,
    checked_source,
    checked_threshold,
)
from explorer.widgets._state.choices import (
    CHOICES,
    HEAD_SET_OVERRIDES,
    METHOD_THRESHOLDS,
    RISING_WEIGHTS,
)
from explorer.widgets._state.tab_settings import TabSettings
from explorer.widgets._state.threshold_traits import Checked, ThresholdTraits


class TableTrait(t.Any):
    """A trait for tables: every table set is announced, None only after a table.

    Tables have no truth value, so a comparison with the table before could not say that nothing
    has changed; it is left out, because it takes longer than making a table.
    """

    def set(self, obj: Any, value: Any) -> None:
        """Keep the value and announce it."""
        # As in traitlets' own `set`, without its comparison.
        new, values = self._validate(obj, value), obj._trait_values  # noqa: SLF001
        old = values.get(self.name)
        values[self.name] = new
        if not (new is None and old is None):
            obj.notify_change(t.Bunch(name=self.name, old=old, new=new, owner=obj, type="change"))


class ExplorerState(TabSettings, ThresholdTraits):
    """What the app shows. Every trait can be read, set, observed and linked from a notebook."""

    tab = t.Unicode("code", help="The tab in front.")
    """Which tab is in front: ``"code"``, ``"traces"`` or ``"thresholds"``. Default ``"code"``."""

    layer: Any = t.Any(None, allow_none=True, help="Layer; None is the mean over layers.")
    """Layer shown, counted from 0 (a negative number counts from the end when set); ``None`` is
    the mean over all layers. Default: the layer at 70 % of the depth, above the middle."""

    head: Any = t.Any(None, allow_none=True, help="Head; None is the mean over heads.")
    """Head shown, counted from 0; ``None`` is the mean over the heads. Default ``None``."""

    similarity_threshold: Any = Checked(0.7, help="Similarity from which a hyperedge counts.")
    """Traces tab: similarity, (cosine + 1) / 2, from which the embedding method calls a hyperedge
    used. Default 0.7."""

    citation_threshold: Any = Checked(0.8, help="Ratio from which a hyperedge counts as cited.")
    """Traces tab: ratio from which the citation method calls a hyperedge used. Default 0.8."""

    lexical_threshold: Any = Checked(0.2, help="Overlap of words from which a hyperedge counts.")
    """Traces tab: overlap from which the lexical method calls a hyperedge used. Default 0.2."""

    method = t.Unicode("attention", help="Method that computes the feedback.")
    """Traces tab: the method that computes feedback: ``"attention"`` (default), ``"embedding"``,
    ``"citation"``, ``"lexical"``, ``"hybrid"``, ``"logprobs"`` or ``"ensemble"``."""

    compare = t.Bool(False, help="Show the methods side by side.")
    """Traces tab: show the feedback of the methods side by side. Default ``False``."""

    reading_view = t.Unicode("cards", help="Hyperedges as cards or as one text.")
    """Traces tab: the hyperedges as ``"cards"`` (default), or as the ``"text"`` that the model
    read, coloured by feedback."""

    weight_view = t.Unicode("entities", help="Plot under the bars.")
    """Traces tab: the plot under the bars: the ``"entities"`` of the trace's hyperedges (default),
    or the ``"weights"`` that follow from this threshold over all traces."""

    weights_can_rise = t.Bool(False, help="Weights are followed with settings that let them rise.")
    """Traces and thresholds tab: follow weights without decay and up to four times the quality
    score. Default ``False``, the settings of a `WeightUpdater`: decay 0.99 and twice the quality
    score, which is where a weight starts, so that no weight ends above its start."""

    update_strategy = t.Unicode("ema", help="Rule that updates weights.")
    """Traces and thresholds tab: the rule by which feedback updates the weights: ``"ema"``
    (default), ``"additive"`` or ``"multiplicative"``."""

    reduction = t.Unicode("mean", help="How the tokens of a unit become one number.")
    """How the attentions of a unit's tokens become one number: ``"mean"`` (default), ``"mass"`` or
    ``"top-k"``."""

    unit_kind = t.Unicode("line", help="Kind of the units of the code tab.")
    """Units of the code tab: ``"line"`` (default), ``"identifier"``, ``"node"`` or
    ``"token"``."""

    model = t.Any(help="Name of the model, or a model to wrap.")
    """Name of the model. A `Model` or a pair ``(transformers model, tokenizer)`` may be assigned:
    it is registered and the trait then holds its name. ``None`` when a matrix is shown without a
    model."""

    source = t.Unicode("", help="The code shown in the code tab.")
    """The code of the code tab. Setting it records its attention."""

    language = t.Unicode("auto", help="Language of the code.")
    """Language of the code of the code tab: ``"auto"`` (default) finds it by parsing;
    ``"python"``, ``"javascript"`` or ``"sql"`` say it. ``"text"`` is none of these: its units are
    lines and tokens."""

    trace = t.Any(None, allow_none=True, help="Index of the trace shown.")
    """Index of the trace shown, from 0; the id of a trace may be assigned. ``None`` when no
    traces are loaded."""

    selection: Any = t.Dict(default_value=None, allow_none=True, help="What is pinned.")
    """The one thing pinned in every view: ``{"kind": "token", "index": 12}``,
    ``{"kind": "cell", "query": 12, "key": 3}`` or ``{"kind": "unit", "name": "line 4"}``;
    ``None`` when nothing is pinned. Token indices count the tokens of the attention map."""

    direction = t.Unicode("row", help="Row or column of a pinned token.")
    """For a pinned token: ``"row"`` shows the tokens that it attends to (default), ``"column"`` the
    tokens that attend to it."""

    colour_scale = t.Unicode("", help="Name of the attention colour scale.")
    """Name of the colour scale of attention; empty is the default scale."""

    scaling = t.Unicode("sqrt", help="How a weight becomes a colour.")
    """How a weight becomes a colour: ``"linear"``, ``"sqrt"`` (default) or ``"log"``."""

    colour_range = t.Unicode("fixed", help="Weight at the end of the colour scale.")
    """The weight at the end of the heatmap's colours: ``"fixed"`` (default) is 1, so that equal
    colours are equal weights in every view; ``"window"`` is the largest weight in the part of the
    map that is in view, for long texts whose weights are small."""

    hide_special = t.Bool(False, help="Hide the special tokens.")
    """Hide the model's special tokens in the heatmap. Default ``False``."""

    hide_sink = t.Bool(True, help="Hide the sink column.")
    """Hide the attention sink: the first key column, which attracts attention whatever its token.
    Default ``True``."""

    measure = t.Unicode("entropy", help="Measure that colours the grid of heads.")
    """Measure that colours the grid of heads."""

    bar_order = t.Unicode("order", help="Order of the bars.")
    """Order of the feedback bars: ``"order"`` of the text or of retrieval (default), or
    ``"score"``."""

    reading_hint = t.Bool(True, help="Say in a line how the picture is read.")
    """Say in a line how the picture of the Code tab is read. Default ``True``."""

    view_open = t.Bool(False, help="Show the menu of how things are scored and drawn.")
    """Show the menu with units, score, order, colours and what is hidden. Default ``False``."""

    heads: Any = t.Any(None, allow_none=True, help="Set of heads that scores hyperedges.")
    """Traces and thresholds tabs: a `HeadCombination`, or the mapping that its ``to_dict`` gives.
    It overrides layer, head, reduction and normalisation for the attention method. Setting one of
    these four in these tabs removes the set; the code tab ignores it. ``None`` (default) is no
    set."""

    # Set by the session, not by the user.
    code_scene = t.Any(None, allow_none=True)
    trace_scene = t.Any(None, allow_none=True)
    focus = t.Any(None, allow_none=True)
    table = TableTrait(None, allow_none=True)
    method_table = TableTrait(None, allow_none=True)
    comparison = t.Any(None, allow_none=True)
    trajectory = t.Any(None, allow_none=True)
    packaged = t.Any(None, allow_none=True)
    """The recommendation of the packaged traces while it is in view: `heads` is then the set that
    was chosen without the open trace."""

    find_trace: Callable[[Any], int | None] = staticmethod(lambda value: value)
    """Return the index for an index or id; set by the session."""
    register_model: Callable[[Any], str | None] = staticmethod(lambda value: value)
    """Register a model and return its name; set by the session."""

    _batch: Any = t.Instance(Batch, ())
    _keeping_heads = False

    @property
    def batching(self) -> bool:
        """Whether several traits are being set together."""
        return bool(self._batch.is_open)

    def batch(self) -> AbstractContextManager[None]:
        """Set several traits; what waits by `after_batch` then runs once."""
        opened: AbstractContextManager[None] = self._batch.open()
        return opened

    def after_batch(self, run: Callable[[], None]) -> None:
        """Run this once when the current batch ends."""
        self._batch.add(run)

    @contextmanager
    def keeping_heads(self) -> Iterator[None]:
        """Set layer or head for the app itself: a set of heads stays."""
        before, self._keeping_heads = self._keeping_heads, True
        try:
            yield
        finally:
            self._keeping_heads = before

    @property
    def scene(self) -> Any:
        """The scene of the tab in front."""
        return self.code_scene if self.tab == "code" else self.trace_scene

    @property
    def weight_settings(self) -> dict[str, Any]:
        """The settings that weights are followed with, as `explorer.rag.UpdateConfig` has them."""
        room = RISING_WEIGHTS if self.weights_can_rise else {}
        return {"strategy": self.update_strategy, **room}

    @property
    def threshold_name(self) -> str:
        """Name of the trait with the threshold of the chosen method."""
        return METHOD_THRESHOLDS[self.method] if self.tab != "code" else "threshold"

    def scale_of(self, threshold_name: str) -> str:
        """Scale of the axis of a threshold: linear for scores that are not small.

        These are similarities, and the scores of a head set, which lie around its threshold.
        """
        of_set = self.heads is not None and self.tab != "code"
        small = threshold_name == "threshold" and not of_set
        return self.threshold_scale if small else "linear"

    # A set of heads ends when one of the settings that it overrides is chosen.

    def _leave_heads(self) -> None:
        if self.heads is not None and self.tab != "code" and not self._keeping_heads:
            self.heads = None

    @t.observe(*HEAD_SET_OVERRIDES)
    def _override_changed(self, _: Any) -> None:
        # Called before all other observers, since it was registered first.
        self._leave_heads()

    def _override_chosen(self, name: str, value: Any) -> None:
        """Choosing the value that is there already is a choice too, but not a change."""
        if name in HEAD_SET_OVERRIDES and value == getattr(self, name):
            self._leave_heads()

    # validation

    @t.validate("similarity_threshold", "citation_threshold", "lexical_threshold",
        "reference_threshold",
    )  # fmt: skip
    def _check_threshold(self, proposal: Mapping[str, Any]) -> float:
        return checked_threshold(proposal["trait"].name, proposal["value"])

    @t.validate(*CHOICES)
    def _check_choice(self, proposal: Mapping[str, Any]) -> str:
        value = checked_choice(proposal["trait"].name, proposal["value"])
        self._override_chosen(proposal["trait"].name, value)
        return value

    @t.validate("heads")
    def _check_heads(self, proposal: Mapping[str, Any]) -> HeadCombination | None:
        value = proposal["value"]
        return None if value is None else HeadCombination.of(value)

    @t.validate("source")
    def _check_source(self, proposal: Mapping[str, Any]) -> str:
        return checked_source(proposal["value"])

    @t.validate("trace")
    def _check_trace(self, proposal: Mapping[str, Any]) -> int | None:
        return self.find_trace(proposal["value"])

    @t.validate("model")
    def _check_model(self, proposal: Mapping[str, Any]) -> str | None:
        value = proposal["value"]
        if value is None or (isinstance(value, str) and value.strip()):
            return value if value is None else value.strip()
        return self.register_model(value)

    @t.validate("layer", "head")
    def _check_index(self, proposal: Mapping[str, Any]) -> int | None:
        name, attention = proposal["trait"].name, getattr(self.scene, "attention", None)
        index = checked_index(name, proposal["value"], attention)
        self._override_chosen(name, index)
        return index

    @t.validate("selection")
    def _check_selection(self, proposal: Mapping[str, Any]) -> dict[str, Any] | None:
        return checked_selection(proposal["value"], self.scene, self.unit_kind)
