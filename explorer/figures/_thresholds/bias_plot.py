"""Figure of the mean score by position and by length; a flat line means no bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from explorer.figures._style.label_text import escape_label, three_digits
from explorer.figures._style.line_labels import line_label_positions
from explorer.figures._style.score_axis import LEFT, RIGHT, Truth, truth_terms
from explorer.figures._style.theme import LABEL_SIZE, axis_title, bare_axis, base_layout, note
from explorer.figures.colours import NEUTRAL_INK, Theme

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

_TOP, _BELOW, _BETWEEN = 46, 40, 44
_ROOMY = 640
_COLOUR = "#7a66f0"


@dataclass(frozen=True, eq=False)
class BiasBins:
    """Mean scores in bins of position or of length.

    Parameters
    ----------
    table : pandas.DataFrame
        As the table of `explorer.validation.bias`: ``middle``, ``low``, ``high``, ``units``,
        ``score``, ``score_low``, ``score_high`` and ``used``.
    spearman : (value, low, high)
        Rank correlation within traces; NaN if unknown.
    counted_in : str
        Unit of lengths.
    """

    table: pd.DataFrame
    spearman: tuple[float, float, float]
    counted_in: str = ""


def score_bias(position: BiasBins | None, length: BiasBins | None, **settings: Any) -> Any:
    """`score_bias_spec` as a Figure, with the same parameters."""
    import plotly.graph_objects as go

    figure: go.Figure = go.Figure(score_bias_spec(position, length, **settings))
    return figure


def score_bias_spec(
    position: BiasBins | None,
    length: BiasBins | None,
    theme: Theme = "light",
    *,
    truth: Truth = "labels",
    width: int = 700,
    height: int = 240,
) -> dict[str, Any]:
    """Mean score, as a multiple of the mean over all units, by position and by length.

    A value of 1 everywhere means no bias. The dotted line is the share of used units in the same
    bins: a score that follows this line is not necessarily biased.

    Parameters
    ----------
    position, length : BiasBins, optional
        None if unknown.
    theme : {"light", "dark"}
    truth : {"labels", "ablation", "agreement"}
        Kind of ground truth.
    width, height : int
        Pixels.

    Returns
    -------
    dict
        ``layout.meta["bins"]`` is the number of bins in each panel.
    """
    room = width - LEFT - RIGHT
    # In a narrow panel the caption takes two lines.
    lifted = 16 if width < _ROOMY else 0
    above = _TOP + lifted
    share = (room - _BETWEEN) / 2 / room
    panels = [_BinPanel.of(one) for one in (position, length)]
    top = max([1.5, *(panel.top for panel in panels)])
    top = float(np.ceil(top * 1.06 * 4) / 4)
    fixed = {"fixedrange": True}
    axes: dict[str, Any] = {}
    for place, panel in enumerate(panels):
        number = "" if place == 0 else "2"
        domain = [0, share] if place == 0 else [1 - share, 1]
        title = "position in the trace" if place == 0 else _length_title(length)
        ticks = _position_ticks() if place == 0 else _length_ticks(panel)
        axes[f"xaxis{number}"] = bare_axis(
            theme, title=axis_title(title, 6), tickangle=0, anchor=f"y{number}", **ticks, **fixed
        ) | {"domain": domain}
        axes[f"yaxis{number}"] = bare_axis(
            theme,
            range=[0, top],
            showgrid=True,
            tickvals=_multiples(top),
            ticktext=[f"{at:g}\u00d7" if at else "0" for at in _multiples(top)],
            anchor=f"x{number}",
            **fixed,
        )
    return {
        "data": [
            trace
            for place, panel in enumerate(panels)
            for trace in panel.traces(
                "" if place == 0 else "2",
                ("position", "length")[place],
                axes["xaxis2" if place else "xaxis"],
                (share * room, height - above - _BELOW, top),
            )
        ],
        "layout": base_layout(
            theme,
            height=height,
            margin={"l": LEFT, "r": RIGHT, "t": above, "b": _BELOW},
            hovermode="closest",
            meta={"bins": [len(panel.x) for panel in panels]},
            **axes,
            annotations=[
                *_captions(position, 0.0, ("later", "earlier"), "position", width),
                *_captions(length, 1 - share, ("longer", "shorter"), "length", width),
                note(
                    truth_terms(truth)[2],
                    x=1,
                    xanchor="right",
                    y=1,
                    yanchor="bottom",
                    yshift=24 + lifted,
                ),
            ],
        ),
    }


@dataclass(frozen=True, eq=False)
class _BinPanel:
    """One of the two panels, in multiples of the mean."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    used: NDArray[np.float64]
    hovers: list[str]

    @classmethod
    def of(cls, bins: BiasBins | None) -> _BinPanel:
        if bins is None or not len(bins.table):
            nothing = np.empty(0)
            return cls(nothing, nothing, nothing, nothing, nothing, [])
        table = bins.table
        units = table["units"].to_numpy(dtype=np.float64)

        def column(name: str) -> NDArray[np.float64]:
            return table[name].to_numpy(dtype=np.float64)

        def times(values: NDArray[np.float64], mean: float) -> NDArray[np.float64]:
            return values / mean if mean > 0 else np.full(len(values), np.nan)

        mean = float(np.average(column("score"), weights=units))
        used = float(np.average(column("used"), weights=units))
        columns = ("low", "high", "score", "score_low", "score_high", "units", "used")
        rows = zip(*(column(name).tolist() for name in columns), strict=True)
        counted = escape_label(bins.counted_in)
        place = f"{{}} {counted}" if counted else "position {}"
        hovers = [
            f"{place.format(_range(low, high))}: mean score <b>{three_digits(score)}</b> "
            f"({three_digits(least)} to {three_digits(most)})"
            f"<br>{int(number):,} units, {share:.0%} used"
            for low, high, score, least, most, number, share in rows
        ]
        return cls(
            column("middle"),
            times(column("score"), mean),
            times(column("score_low"), mean),
            times(column("score_high"), mean),
            times(column("used"), used),
            hovers,
        )

    @property
    def top(self) -> float:
        """Largest number drawn; intervals are cut at three times the mean."""
        ends = [self.y, np.minimum(self.high, 3.0), np.minimum(self.used, 3.0)]
        finite = np.concatenate(ends)
        finite = finite[np.isfinite(finite)]
        return float(finite.max()) if finite.size else 1.0

    def traces(
        self, number: str, name: str, axis: dict[str, Any], size: tuple[float, float, float]
    ) -> list[dict[str, Any]]:
        """Traces of lines and dots; `size` is width and height in pixels, and the top value."""
        here = {"type": "scatter", "xaxis": f"x{number}", "yaxis": f"y{number}"}
        quiet = here | {"mode": "lines", "hoverinfo": "skip"}
        ends = self.x[[0, -1]] if self.x.size else np.empty(0)
        gaps = np.full(len(self.x), np.nan)
        return [
            quiet
            | {"x": ends, "y": np.ones(len(ends)), "name": f"{name} flat"}
            | {"line": {"color": NEUTRAL_INK, "width": 1, "dash": "4px,3px"}},
            quiet
            | {"x": self.x, "y": self.used, "name": f"{name} used"}
            | {"line": {"color": NEUTRAL_INK, "width": 1.5, "dash": "1px,3px"}},
            quiet
            | {"x": np.repeat(self.x, 3), "name": f"{name} intervals"}
            | {"y": np.stack([self.low, self.high, gaps], axis=1).reshape(-1)}
            | {"line": {"color": _COLOUR, "width": 2}, "opacity": 0.5},
            here
            | {
                "x": self.x,
                "y": self.y,
                "mode": "lines+markers",
                "line": {"color": _COLOUR, "width": 2},
                "marker": {"size": 7, "color": _COLOUR},
                "name": name,
                "customdata": self.hovers,
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            here | self._words(axis, size) | {"name": f"{name} words"},
        ]

    def _words(self, axis: dict[str, Any], size: tuple[float, float, float]) -> dict[str, Any]:
        """A text trace that names the dotted line, if there is a place for the name."""
        log = axis.get("type") == "log"
        low, high = axis["range"]
        along = np.log10(self.x) if log else self.x
        across, up = (along - low) / (high - low) * size[0], size[1] / size[2]
        lines = [(across, values * up) for values in (self.used, self.y)]
        lines.append((across, np.full(len(across), up)))
        ((x, y), *_) = line_label_positions(lines, ["share used"], size[:2])
        at = x / size[0] * (high - low) + low
        return {
            "x": np.array([10**at if log else at]),
            "y": np.array([y / up]),
            "mode": "text",
            "text": ["share used"],
            "textposition": "middle center",
            "textfont": {"size": LABEL_SIZE, "color": NEUTRAL_INK},
            "hoverinfo": "skip",
        }


def _range(low: float, high: float) -> str:
    return three_digits(low) if low == high else f"{three_digits(low)} to {three_digits(high)}"


def _multiples(top: float) -> list[float]:
    step = 0.5 if top <= 2.5 else 1.0
    return [step * at for at in range(int(top / step) + 1)]


def _position_ticks() -> dict[str, Any]:
    return {
        "range": [-0.04, 1.04],
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "ticktext": ["first", "", "middle", "", "last"],
    }


def _length_ticks(panel: _BinPanel) -> dict[str, Any]:
    """Ticks at round lengths; on a log axis if the longest is over six times the shortest."""
    if not panel.x.size:
        return {"range": [0, 1], "tickvals": []}
    low, high = float(panel.x.min()), float(panel.x.max())
    if low > 0 and high / low > 6:
        ends = [np.log10(low) - 0.05, np.log10(high) + 0.05]
        ticks = [d * 10.0**p for p in range(6) for d in (1, 2, 5)]
        kept = [tick for tick in ticks if 10 ** ends[0] <= tick <= 10 ** ends[1]]
        words = [f"{tick:g}" for tick in kept]
        return {"type": "log", "range": ends, "tickvals": kept, "ticktext": words}
    room = 0.04 * max(high - low, 1.0)
    return {"range": [low - room, high + room], "nticks": 6}


def _length_title(length: BiasBins | None) -> str:
    counted = "" if length is None else length.counted_in
    return f"length in {escape_label(counted)}" if counted else "length"


def _captions(
    bins: BiasBins | None, x: float, sides: tuple[str, str], name: str, width: int
) -> list[dict[str, Any]]:
    left = {"x": x, "xanchor": "left", "y": 1, "yanchor": "bottom"}
    if bins is None or not len(bins.table):
        return [note(f"The {name} is not known.", **left, yshift=8)]
    value, low, high = bins.spearman
    if np.isnan(value):
        finding = "no rank correlation: all equal"
    elif not low <= 0 <= high and not (np.isnan(low) or np.isnan(high)):
        finding = f"{sides[0] if value > 0 else sides[1]} units score higher"
    else:
        finding = "no clear bias"
    ends = "" if np.isnan(low) else f" ({low:+.2f} to {high:+.2f})"
    numbers = "" if np.isnan(value) else f"rank correlation {value:+.2f}{ends}"
    if width < _ROOMY:
        numbers = numbers.replace("rank correlation", "\u03c1")
    captions = [note(finding, **left, yshift=24, font={"size": 12, "color": NEUTRAL_INK})]
    captions.append(
        note(numbers.replace("-", "\u2212"), **left, yshift=8, font={"size": LABEL_SIZE})
        | {"font": {"size": LABEL_SIZE, "color": NEUTRAL_INK}}
    )
    return captions
