"""The one state object of the app: what is shown, and how. Panels observe it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import traitlets as t

from explorer.attention.measures import MEASURES
from explorer.errors import InputError
from explorer.feedback import NORMALISATIONS, REDUCTIONS, HeadCombination
from explorer.figures.colours import scale_choices
from explorer.validation._data.ground_truth import LEAST_DROP, check_truth

UNIT_KINDS = ("line", "identifier", "node", "token")
CODE_MEASURES = {name: measure.label for name, measure in MEASURES.items() if measure.in_menu}
"""Menu texts of the measures of a head over code, by name."""
TRACE_MEASURES = {
    "mass": "mass on hyperedges",
    "labelled": "share on labelled",
    "focus": "largest share",
}
"""Measures of a head over a trace, and what the menu calls them."""


METHOD_THRESHOLDS = {
    "attention": "threshold",
    "embedding": "similarity_threshold",
    "citation": "citation_threshold",
    "hybrid": "similarity_threshold",
    "logprobs": "threshold",
    "ensemble": "threshold",
}
"""The methods of the traces tab, and the threshold that each of them compares its scores with."""

IN_THE_PLACE = ("layer", "head", "reduction", "normalisation")
"""What a set of heads is in the place of."""

UPDATE_STRATEGIES = ("ema", "additive", "multiplicative")
TRUTHS = ("labels", "ablation")
QUALITIES = ("auc", "average_precision", "f1")
"""How the map of the thresholds tab judges a head, as `explorer.validation.quality_map` has it."""


class Checked(t.Any):
    """A trait that leaves every check, that of None too, to its validator."""

    allow_none = False


class ExplorerState(t.HasTraits):
    """What the app shows. Every trait can be read, set, observed and linked from a notebook."""

    tab = t.Unicode("code", help="The tab in front.")
    """Which tab is in front: ``"code"``, ``"traces"`` or ``"thresholds"``. Default ``"code"``."""

    layer: Any = t.Any(None, allow_none=True, help="Layer; None is the mean over layers.")
    """Layer shown, counted from 0 (a negative number counts from the end when set); ``None`` is
    the mean over all layers. Default: the layer at 70 % of the depth, above the middle."""

    head: Any = t.Any(None, allow_none=True, help="Head; None is the mean over heads.")
    """Head shown, counted from 0; ``None`` is the mean over the heads. Default ``None``."""

    threshold: Any = Checked(0.1, help="Score from which a unit counts as used.")
    """Score in [0, 1] from which a unit counts as used. Default 0.1."""

    similarity_threshold: Any = Checked(0.7, help="Similarity from which a hyperedge counts.")
    """Traces tab: similarity, (cosine + 1) / 2, from which the embedding method calls a hyperedge
    used. Default 0.7."""

    citation_threshold: Any = Checked(0.8, help="Ratio from which a hyperedge counts as cited.")
    """Traces tab: ratio from which the citation method calls a hyperedge used. Default 0.8."""

    reference_threshold: Any = Checked(0.1, help="Threshold that another is held against.")
    """Thresholds tab: what flips is told against this threshold. Default 0.1."""

    truth = t.Unicode("labels", help="What the thresholds tab judges by.")
    """Thresholds tab: what scores are held against: the ``"labels"`` (default), or causal use by
    ``"ablation"``, as `explorer.validation.ablate` or the tab itself has measured it. The two are
    never mixed."""

    least_drop: Any = Checked(LEAST_DROP, help="Drop from which a hyperedge counts as used.")
    """Thresholds tab, judged by ablation: by how much the log-probability of the answer must fall
    without a hyperedge for it to count as used, in nats. Default log 2, about 0.693: the answer
    becomes half as likely."""

    quality = t.Unicode("auc", help="What the map of heads in the thresholds tab shows.")
    """Thresholds tab: how every head is judged in the map: ``"auc"`` (ROC-AUC, default),
    ``"average_precision"``, or ``"f1"`` at the threshold that is best for the head."""

    method = t.Unicode("attention", help="What feedback is worked out from.")
    """Traces tab: what feedback is worked out from: ``"attention"`` (default), ``"embedding"``,
    ``"citation"``, ``"hybrid"``, ``"logprobs"`` or ``"ensemble"``."""

    compare = t.Bool(False, help="Show the methods side by side.")
    """Traces tab: show the feedback of the methods side by side. Default ``False``."""

    reading_view = t.Unicode("cards", help="Hyperedges as cards or as the text they make.")
    """Traces tab: the hyperedges as ``"cards"`` (default), or as the ``"text"`` that was read,
    coloured by feedback."""

    weight_view = t.Unicode("entities", help="What stands under the bars.")
    """Traces tab: under the bars the ``"entities"`` of the trace's hyperedges (default), or the
    ``"weights"`` that this threshold leads to over all traces."""

    update_strategy = t.Unicode("ema", help="How feedback moves weights.")
    """Traces and thresholds tab: how feedback moves the weights: ``"ema"`` (default),
    ``"additive"`` or ``"multiplicative"``."""

    threshold_scale = t.Unicode("log", help="Scale of the score axis.")
    """Scale of the score axis and the threshold slider: ``"log"`` (default) or ``"linear"``."""

    reduction = t.Unicode("mean", help="How the tokens of a unit become one number.")
    """How a unit's token attentions become one number: ``"mean"`` (default), ``"mass"`` or
    ``"top-k"``."""

    normalisation = t.Unicode("raw", help="Raw score, share of all units, or lift.")
    """``"raw"`` (default), ``"share"`` of all units, or ``"lift"`` (share over the share of
    tokens)."""

    unit_kind = t.Unicode("line", help="What the units of the code tab are.")
    """Units of the code tab: ``"line"`` (default), ``"identifier"``, ``"node"`` or
    ``"token"``."""

    model = t.Any(help="Name of the model, or a model to wrap.")
    """Name of the model. A `Model` or a pair ``(transformers model, tokenizer)`` may be assigned:
    it is registered and the trait then holds its name. ``None`` when a matrix is shown without a
    model."""

    source = t.Unicode("", help="The code shown in the code tab.")
    """The code of the code tab. Setting it records the attention anew."""

    trace = t.Any(None, allow_none=True, help="Index of the trace shown.")
    """Index of the trace shown, from 0; the id of a trace may be assigned. ``None`` when no
    traces are loaded."""

    selection: Any = t.Dict(default_value=None, allow_none=True, help="What is pinned.")
    """The one thing pinned in every view: ``{"kind": "token", "index": 12}``,
    ``{"kind": "cell", "query": 12, "key": 3}`` or ``{"kind": "unit", "name": "line 4"}``;
    ``None`` when nothing is pinned. Token indices count the tokens of the attention map."""

    direction = t.Unicode("row", help="Where a pinned token looks, or who looks at it.")
    """For a pinned token: ``"row"`` shows where it looks (default), ``"column"`` who looks at
    it."""

    colour_scale = t.Unicode("", help="Name of the attention colour scale.")
    """Name of the colour scale of attention; empty is the default scale."""

    scaling = t.Unicode("sqrt", help="How a weight becomes a colour.")
    """How a weight becomes a colour: ``"linear"``, ``"sqrt"`` (default) or ``"log"``."""

    hide_special = t.Bool(False, help="Hide the special tokens.")
    """Hide the model's special tokens in the heatmap. Default ``False``."""

    hide_sink = t.Bool(True, help="Hide the sink column.")
    """Hide the attention sink: the first key column, which draws attention whatever it says.
    Default ``True``."""

    measure = t.Unicode("entropy", help="Measure that colours the grid of heads.")
    """Measure that colours the grid of heads."""

    bar_order = t.Unicode("order", help="Order of the bars.")
    """Order of the feedback bars: ``"order"`` of the text or of retrieval (default), or
    ``"score"``."""

    heads: Any = t.Any(None, allow_none=True, help="Set of heads that scores come from.")
    """Traces and thresholds tabs: a `HeadCombination`, or the mapping that its ``to_dict`` gives.
    The attention method then scores by it in the place of layer, head, reduction and
    normalisation. Choosing one of these four there takes the set away; the code tab knows no sets.
    ``None`` (default) is no set."""

    # What follows is made by the session, not set by the user.
    code_scene = t.Any(None, allow_none=True)
    trace_scene = t.Any(None, allow_none=True)
    focus = t.Any(None, allow_none=True)
    # Tables have no truth value, which traitlets takes for a change: every table is announced.
    table = t.Any(None, allow_none=True)
    method_table = t.Any(None, allow_none=True)
    comparison = t.Any(None, allow_none=True)
    trajectory = t.Any(None, allow_none=True)

    find_trace: Callable[[Any], int | None] = staticmethod(lambda value: value)
    """Turns an index or id into an index; set by the session."""
    register_model: Callable[[Any], str | None] = staticmethod(lambda value: value)
    """Turns a model into its name; set by the session."""

    _keeping_heads = False
    _batch_depth = 0
    _after_batch: tuple[Callable[[], None], ...] = ()

    @property
    def batching(self) -> bool:
        """Whether several traits are being set together."""
        return self._batch_depth > 0

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Set several traits; what waits by `after_batch` then runs once."""
        self._batch_depth += 1
        try:
            yield
        finally:
            self._batch_depth -= 1
            if self._batch_depth == 0:
                waiting, self._after_batch = self._after_batch, ()
                for run in waiting:
                    run()

    def after_batch(self, run: Callable[[], None]) -> None:
        """Run this once when the batch under way ends."""
        if run not in self._after_batch:
            self._after_batch = (*self._after_batch, run)

    @contextmanager
    def keeping_heads(self) -> Iterator[None]:
        """Set layer or head as the app itself must, which is no choice against the set of heads."""
        before, self._keeping_heads = self._keeping_heads, True
        try:
            yield
        finally:
            self._keeping_heads = before

    def _leave_heads(self) -> None:
        if self.heads is not None and self.tab != "code" and not self._keeping_heads:
            self.heads = None

    @t.observe(*IN_THE_PLACE)
    def _chosen_in_the_place(self, _: Any) -> None:
        # Before anybody else hears of the change, as this handler was there first.
        self._leave_heads()

    def _chosen_again(self, name: str, value: Any) -> None:
        """To choose what is chosen already is a choice too, but no change to be observed."""
        if name in IN_THE_PLACE and value == getattr(self, name):
            self._leave_heads()

    @property
    def scene(self) -> Any:
        """The scene of the tab in front."""
        return self.code_scene if self.tab == "code" else self.trace_scene

    @property
    def threshold_name(self) -> str:
        """Name of the threshold that the chosen method compares its scores with."""
        if self.tab != "code":
            return METHOD_THRESHOLDS[self.method]
        return "threshold"

    def scale_of(self, threshold_name: str) -> str:
        """Scale of the axis of a threshold: similarities are not small, so theirs is linear."""
        return self.threshold_scale if threshold_name == "threshold" else "linear"

    @t.validate("threshold", "similarity_threshold", "citation_threshold", "reference_threshold")
    def _check_threshold(self, proposal: Mapping[str, Any]) -> float:
        given, name = proposal["value"], proposal["trait"].name.replace("_", " ")
        number = isinstance(given, int | float | np.integer | np.floating)
        if not number or isinstance(given, bool):
            raise InputError(f"The {name} must be a number from 0 to 1, not {given!r}.")
        if not 0 <= given <= 1:  # NaN is not
            raise InputError(f"The {name} must be a number from 0 to 1, and {given} is not.")
        return float(given)

    @t.validate(
        "tab", "threshold_scale", "reduction", "normalisation", "unit_kind", "direction",
        "scaling", "bar_order", "colour_scale", "measure", "method", "reading_view", "weight_view",
        "update_strategy", "quality", "truth",
    )  # fmt: skip
    def _check_choice(self, proposal: Mapping[str, Any]) -> str:
        name, value = proposal["trait"].name, proposal["value"]
        choices = _CHOICES[name]
        if value not in choices:
            listed = ", ".join(repr(choice) for choice in choices)
            raise InputError(f"{name} must be one of {listed}; {value!r} is none of them.")
        self._chosen_again(name, value)
        return str(value)

    @t.validate("least_drop")
    def _check_drop(self, proposal: Mapping[str, Any]) -> float:
        check_truth("ablation", proposal["value"])
        return float(proposal["value"])

    @t.validate("heads")
    def _check_heads(self, proposal: Mapping[str, Any]) -> HeadCombination | None:
        value = proposal["value"]
        return None if value is None else HeadCombination.of(value)

    @t.validate("source")
    def _check_source(self, proposal: Mapping[str, Any]) -> str:
        source = str(proposal["value"])
        if not source.strip():
            raise InputError("There is no code to look at. Paste some, or try one of the examples.")
        return source

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
        name, value = proposal["trait"].name, proposal["value"]
        index = self._index(name, value)
        self._chosen_again(name, index)
        return index

    def _index(self, name: str, value: Any) -> int | None:
        scene = self.scene
        if value is None:
            return None
        if not isinstance(value, int | np.integer) or isinstance(value, bool):
            raise InputError(f"{name} must be a whole number, or None for the mean; got {value!r}.")
        if scene is None or scene.attention is None:
            return int(value)
        count = getattr(scene.attention, f"n_{name}s")
        if not -count <= value < count:
            raise InputError(
                f"{name} must lie in 0 to {count - 1} (this map has {count} {name}s), or be None "
                f"for their mean; {value} does not."
            )
        return int(value % count)

    @t.validate("selection")
    def _check_selection(self, proposal: Mapping[str, Any]) -> dict[str, Any] | None:
        value = proposal["value"]
        if value is None:
            return None
        kind = value.get("kind")
        fields = _SELECTIONS.get(kind) if isinstance(kind, str) else None
        if fields is None or set(value) != {"kind", *fields}:
            raise InputError(
                'selection must be None, {"kind": "token", "index": 12}, {"kind": "cell", '
                f'"query": 12, "key": 3}} or {{"kind": "unit", "name": "line 4"}}; got {value!r}.'
            )
        return {"kind": kind} | {
            field: self._check_selected(field, value[field]) for field in fields
        }

    def _check_selected(self, field: str, value: Any) -> int | str:
        scene = self.scene
        attention = getattr(scene, "attention", None)
        if field == "name":
            names = None if scene is None else scene.unit_names(self.unit_kind)
            if not isinstance(value, str) or (names is not None and value not in names):
                listed = [repr(name) for name in (names or [])[:6]]
                raise InputError(
                    f"No unit of the selection's name {value!r} is here. Units are, for example, "
                    f"{', '.join(listed) or 'none'}."
                )
            return value
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool | np.bool_)
        count = None
        if attention is not None:
            count = attention.n_queries if field == "query" else attention.n_keys
            if field == "index":
                count = max(attention.n_queries, attention.n_keys)
        if not whole or value < 0 or (count is not None and value >= count):
            limit = "a position of the map" if count is None else f"0 to {count - 1}"
            raise InputError(
                f"The {field} of a selection must lie in {limit}; {value!r} does not."
                if count is not None
                else f"The {field} of a selection must be {limit}; {value!r} is not."
            )
        return int(value)


_SELECTIONS: dict[str, tuple[str, ...]] = {
    "token": ("index",),
    "cell": ("query", "key"),
    "unit": ("name",),
}
_CHOICES: dict[str, tuple[str, ...]] = {
    "tab": ("code", "traces", "thresholds"),
    "colour_scale": tuple(name for name, _ in scale_choices()),
    "measure": (*CODE_MEASURES, *TRACE_MEASURES),
    "threshold_scale": ("log", "linear"),
    "reduction": tuple(REDUCTIONS),
    "normalisation": tuple(NORMALISATIONS),
    "unit_kind": UNIT_KINDS,
    "direction": ("row", "column"),
    "scaling": ("linear", "sqrt", "log"),
    "bar_order": ("order", "score"),
    "method": tuple(METHOD_THRESHOLDS),
    "reading_view": ("cards", "text"),
    "weight_view": ("entities", "weights"),
    "update_strategy": UPDATE_STRATEGIES,
    "quality": QUALITIES,
    "truth": TRUTHS,
}
