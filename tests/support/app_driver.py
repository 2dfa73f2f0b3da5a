"""Drives the app from its page's side: reads what the page is sent, and sends what gestures send.

    page = AppDriver(Explorer.from_traces(traces))
    page.open("thresholds")
    page.plots["histogram"].drag(0.1)
    assert page.figures["counts"] == [3, 1, 0, 2]
    page.figures.press("recommend")

Nothing here knows how the app is built: panels are found by the parts of the page that they are,
plots by the name that a screen reader reads, and gestures travel as the page's own messages. The
tables below are the only places that name them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ipywidgets.widgets.widget import _instances as models

if TYPE_CHECKING:
    from explorer import Explorer
    from explorer.widgets._plot.plot import Plot

# Short names of the panels, and the parts of the page that they are.
PANELS = {
    "header": "header",
    "toolbar": "toolbar",
    "head_selector": "head_selector",
    "status": "status",
    "code": "code_text",
    "file": "trace_file",
    "settings": "trace_settings",
    "cards": "trace_cards",
    "methods": "methods",
    "weights": "weights",
    "answer": "answer",
    "questions": "questions",
    "figures": "figures",
    "between": "call_changes",
    "baselines": "baselines",
    "head_measure": "head_quality",
    "weight_moves": "weight_moves",
    "agreement": "agreement",
}

# Short names of the plots, and what a screen reader calls them.
PLOTS = {
    "code_heatmap": "Attention heatmap, query rows by key columns",
    "code_bars": "Feedback bars, one per unit of the code",
    "trace_heatmap": "Attention of answer rows to context columns",
    "trace_bars": "Feedback bars, one per hyperedge",
    "method_bars": "Feedback by every method, side by side",
    "entities": "Entities of the hyperedges",
    "histogram": "Scores of used and not used hyperedges",
    "curves": "Precision, recall and F1 at every threshold",
    "ranks": "ROC and precision-recall curves",
    "heads": "Quality of every layer and head",
    "changes": "Calls that change between the two thresholds",
    "weight_lines": "Weights of hyperedges over the traces",
    "bias": "Score against position and length",
    "dots": "Quality compared with baselines",
}


async def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Let the event loop run until the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - conditions of the app have no event of their own
            await asyncio.sleep(0.01)


class AppDriver:
    """An `Explorer` as its page sees it.

    Attributes
    ----------
    app
        The app itself, for its public traits and methods.
    plots
        The plots by their short names: see `PLOTS`.
    downloads
        Files that the app has handed to the page since it is driven: name, mime and text.
    copied
        Texts that the app has put on the clipboard.
    """

    def __init__(self, app: Explorer) -> None:
        self.app = app
        self.plots = _Plots(app)
        self.downloads: list[dict[str, str]] = []
        self.copied: list[str] = []
        for widget in _widgets(app):
            if getattr(widget, "part", "plot") != "plot":
                _listen(models[widget.channel_id], self._receive)

    def __getattr__(self, name: str) -> PanelDriver:
        if name not in PANELS:
            raise AttributeError(name)
        return self.panel(name)

    def panel(self, name: str) -> PanelDriver:
        """Return the panel of this name; it must have been drawn, so open its tab first."""
        for widget in _widgets(self.app):
            if getattr(widget, "part", None) == PANELS[name] and models[widget.channel_id].content:
                return PanelDriver(widget)
        raise LookupError(f"The page shows no {name}: open the tab that it is in.")

    # What the page shows.

    @property
    def sentence(self) -> str:
        """The sentence of the status line."""
        text: str = self.status["sentence"]
        return text

    @property
    def counts(self) -> list[int]:
        """The confusion counts of the thresholds tab: tp, fp, fn, tn."""
        return list(self.figures["counts"])

    @property
    def measures(self) -> dict[str, str]:
        """The measures at the threshold as the thresholds tab writes them, by their names."""
        return {label: value for label, _, value, _, _ in self.figures["rows"]}

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs that the status line shows as under way."""
        return [job["job"] for job in self.status["jobs"]]

    def card(self, unit: str) -> dict[str, Any]:
        """Return the card of a hyperedge."""
        return next(card for card in self.cards["cards"] if card["id"] == unit)

    def is_dimmed(self, name: str) -> bool:
        """Whether a part of the thresholds tab is marked as old: "scores" or "heads"."""
        classes = {each for widget in _widgets(self.app) for each in _classes(widget)}
        return f"ex-old-{name}" in classes

    # What a user does.

    def open(self, tab: str) -> None:
        """Bring a tab to the front."""
        self.choose("tab", tab)

    def choose(self, name: str, value: Any) -> None:
        """Set a trait by its control."""
        self.header.press("set", name=name, value=value)

    def choose_head(self, layer: int | None, head: int | None) -> None:
        """Click a cell of the head selector."""
        self.head_selector.press("head", layer=layer, head=head)

    def label(self, unit: str, value: bool | None) -> None:
        """Click the mark for used or not used on a card; None takes the label away."""
        self.cards.press("label", unit=unit, value=value)

    def load_path(self, path: object) -> None:
        """Type the path of a trace file and press Enter."""
        self.file.press("load_path", path=str(path))

    def upload(self, contents: bytes, name: str) -> None:
        """Drop a file in the traces tab."""
        self.file.press(
            "upload", id=name, name=name, size=len(contents), offset=0, buffers=[contents]
        )

    def cancel(self, job: str) -> None:
        """Press cancel in the status line, at the job of this name."""
        self.status.press("cancel", job=job)

    # What the page is sent.

    def _receive(self, message: Mapping[str, Any]) -> None:
        if message["kind"] == "download":
            self.downloads.append({k: v for k, v in message.items() if k != "kind"})
        if message["kind"] == "copy":
            self.copied.append(message["text"])


class PanelDriver:
    """A panel of the app: what it shows, by key, and its gestures.

    Parameters
    ----------
    widget
        The `PanelPart` on the page.
    """

    def __init__(self, widget: Any) -> None:
        self.model = models[widget.channel_id]

    def __getitem__(self, key: str) -> Any:
        return self.model.content[key]

    @property
    def content(self) -> dict[str, Any]:
        """Everything that the panel shows."""
        content: dict[str, Any] = self.model.content
        return content

    @property
    def document(self) -> dict[str, Any]:
        """The large part of what it shows: the tokens of the code."""
        document: dict[str, Any] = self.model.document
        return document

    def press(self, gesture: str, *, buffers: list[bytes] | None = None, **values: Any) -> None:
        """Send the message of a gesture, such as `press("best", threshold=0.15)`."""
        _send(self.model, {"kind": gesture, **values}, buffers)


class PlotDriver:
    """A plot of the app as its page sees it.

    Attributes
    ----------
    plot
        The plot itself, for its public traits.
    """

    _clicks = 0

    def __init__(self, plot: Plot) -> None:
        self.plot = plot
        self.channel = models[plot.channel_id]

    @property
    def figure(self) -> Any:
        """The figure as drawn: data, layout and meta."""
        return self.plot.drawn

    @property
    def meta(self) -> Mapping[str, Any]:
        """What the figure says of its own contents, such as units in the order of the bars."""
        meta: Mapping[str, Any] = self.figure["layout"]["meta"]
        return meta

    @property
    def values(self) -> Any:
        """The cells of the first heatmap of the figure."""
        return next(trace["z"] for trace in self.figure["data"] if trace["type"] == "heatmap")

    @property
    def shown(self) -> bool:
        """Whether the plot takes up room on the page."""
        return self.plot.layout.display != "none"

    @property
    def line(self) -> float | None:
        """Where the line stands that can be dragged."""
        value: float | None = self.plot.line
        return value

    @property
    def marks(self) -> dict[str, Any]:
        """What is sent beside the figure: line, pinned cell, zoom."""
        marks: dict[str, Any] = self.channel.marks
        return marks

    @property
    def serial(self) -> int:
        """Number of the newest drawing that was sent."""
        sent = (self.channel.figure, self.channel.heatmap, self.channel.arrays)
        return max((each["serial"] for each in sent if each is not None), default=0)

    def drag(self, value: float) -> None:
        """Drag the line to a value of its axis."""
        self.report("line", value=value)

    def click(self, **place: Any) -> None:
        """Click a point by its `index`, or a cell by `x` and `y` (and `row` and `column`)."""
        PlotDriver._clicks += 1
        self.report("clicked", value={"trace": 0, **place, "n": PlotDriver._clicks})

    def report(self, kind: str, **values: Any) -> None:
        """Send a report as the page does."""
        _send(self.channel, {"kind": kind, **values})

    def settle(self, width: int = 640) -> None:
        """Report everything sent so far as drawn, until nothing waits."""
        before = None
        while before != self.serial:
            before = self.serial
            self.report("drawn", serial=before, width=width)


class _Plots(Mapping[str, PlotDriver]):
    """The plots of an app by their short names."""

    def __init__(self, app: Explorer) -> None:
        self._app = app

    def __getitem__(self, name: str) -> PlotDriver:
        for widget in _widgets(self._app):
            if getattr(widget, "part", None) == "plot" and widget.name == PLOTS[name]:
                return PlotDriver(widget)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(PLOTS)

    def __len__(self) -> int:
        return len(PLOTS)


def _widgets(widget: Any) -> Iterator[Any]:
    """Yield a widget and everything inside it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from _widgets(child)


def _classes(widget: Any) -> tuple[str, ...]:
    return tuple(getattr(widget, "_dom_classes", ()))


def _send(model: Any, content: Mapping[str, Any], buffers: list[bytes] | None = None) -> None:
    """Send a message from the page to a model; an exception of its handler is raised here."""
    message = {
        "content": {"data": {"method": "custom", "content": json.loads(json.dumps(content))}},
        "buffers": [memoryview(buffer) for buffer in buffers or ()],
    }
    with _raised(model.log):
        model.comm.handle_msg(message)


def _listen(model: Any, receive: Callable[[Mapping[str, Any]], None]) -> None:
    """Call `receive` with every custom message that a model sends to the page from now on."""
    publish = model.comm.publish_msg

    def heard(kind: str, data: Any = None, **more: Any) -> None:
        if (data or {}).get("method") == "custom":
            receive(data["content"])
        publish(kind, data=data, **more)

    model.comm.publish_msg = heard


@contextlib.contextmanager
def _raised(log: logging.Logger) -> Iterator[None]:
    """Raise what ipywidgets only logs: the exception of a message's handler."""
    errors: list[BaseException] = []

    class Catch(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            if record.exc_info and record.exc_info[1] is not None:
                errors.append(record.exc_info[1])
                return False
            return True

    catch = Catch()
    log.addFilter(catch)
    try:
        yield
    finally:
        log.removeFilter(catch)
    if errors:
        raise errors[0]
