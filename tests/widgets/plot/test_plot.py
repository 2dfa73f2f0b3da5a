"""`Plot` without a page: what it would send, and what it makes of what a page reports."""

from __future__ import annotations

import threading

import numpy as np
import plotly.graph_objects as go
import plotly.offline
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explorer.errors import InputError, ShapeError
from explorer.figures._style.pooling import pool_blocks
from explorer.widgets._plot import encoding
from explorer.widgets._plot.latest_only_queue import LatestOnlyQueue, together
from explorer.widgets._plot.page_channel import PLOTLY_JS_VERSION, Library
from explorer.widgets._plot.plot import Plot

from ...support.app_driver import PlotDriver


@pytest.fixture
def plot():
    made = Plot(go.Figure(go.Heatmap(z=[[0.0, 0.5], [1.0, 0.25]], zmin=0, zmax=1)))
    yield made
    made.close()


def from_page(plot, **content):
    """Hand the plot a message as the page sends it."""
    PlotDriver(plot).report(content.pop("kind"), **content)


def settle(plot):
    """Report everything sent so far as drawn, until nothing waits."""
    PlotDriver(plot).settle()


def wire(plot):
    """What travels to the page: figure, heatmap, arrays and marks."""
    return PlotDriver(plot).channel


def codes(message):
    return np.frombuffer(message["codes"], np.uint8).reshape(message["rows"], message["columns"])


def decoded(encoded):
    return np.frombuffer(encoded["buffer"], encoded["dtype"]).reshape(encoded["shape"])


class TestQuantise:
    def test_ends_middle_and_missing(self):
        found = encoding.quantise([-1.0, 0.0, 0.25, 0.5, 1.0, 7.0, np.nan], 0.0, 1.0)
        assert found.tolist() == [0, 0, 64, 127, 254, 254, 255]
        assert found.dtype == np.uint8

    @given(
        hnp.arrays(
            np.float32, hnp.array_shapes(min_dims=2, max_dims=2), elements=st.floats(0, 1, width=32)
        )
    )
    def test_the_code_is_within_half_a_level_of_the_value(self, values):
        back = encoding.quantise(values, 0.0, 1.0) / 254
        assert np.abs(back - values).max() <= 0.5 / 254 + 1e-6

    def test_the_callers_array_is_left_alone(self):
        values = np.array([[0.1, np.nan]], dtype=np.float32)
        encoding.quantise(values, 0.0, 1.0)
        np.testing.assert_array_equal(values, np.array([[0.1, np.nan]], dtype=np.float32))

    def test_equal_ends_give_the_lowest_colour(self):
        assert encoding.quantise([0.3, 0.3], 0.3, 0.3).tolist() == [0, 0]

    @pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int64, bool])
    def test_any_real_dtype(self, dtype):
        assert encoding.quantise(np.array([0, 1], dtype=dtype), 0, 1).tolist() == [0, 254]

    def test_ends_that_are_not_finite_are_refused(self):
        with pytest.raises(InputError, match="finite ends"):
            encoding.quantise([0.1], 0.0, float("inf"))


class TestMaxPool:
    @given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4))
    def test_every_block_keeps_its_largest_value(self, rows, columns, high, wide):
        values = np.random.default_rng(0).random((rows, columns)).astype(np.float32)
        pooled = pool_blocks(values, high, wide)
        assert pooled.dtype == np.float32
        assert pooled.shape == (-(-rows // high), -(-columns // wide))
        for i in range(pooled.shape[0]):
            for j in range(pooled.shape[1]):
                block = values[i * high : (i + 1) * high, j * wide : (j + 1) * wide]
                assert pooled[i, j] == block.max()

    def test_a_missing_value_does_not_hide_its_neighbours(self):
        assert pool_blocks(np.array([[np.nan, 0.2]]), 1, 2).tolist() == [[0.2]]

    def test_an_empty_block_is_refused(self):
        with pytest.raises(InputError, match="at least one"):
            pool_blocks(np.ones((2, 2)), 0, 1)


class TestEncoding:
    def test_float64_travels_as_float32_and_int64_as_int32(self):
        assert encoding.encode(np.array([0.5, 0.25]))["dtype"] == "float32"
        whole = encoding.encode(np.array([1, -2]))
        assert whole["dtype"] == "int32"
        assert decoded(whole).tolist() == [1, -2]

    def test_integers_too_large_for_int32_keep_their_value(self):
        assert decoded(encoding.encode(np.array([2**40]))).tolist() == [2**40]

    def test_texts_and_missing_numbers_are_what_json_can_carry(self):
        assert encoding.encode({"a": ("<b>", float("nan"), np.float32(0.5), None)}) == {
            "a": ["<b>", None, 0.5, None]
        }
        assert encoding.encode(np.array(["x", None], dtype=object)) == ["x", None]

    def test_a_heatmap_on_an_even_grid_becomes_cells(self):
        figure = go.Figure(go.Heatmap(z=[[0.0, 2.0]], x=[10, 12], y0=5, dy=3, zmin=0, zmax=2))
        (trace,) = encoding.encode_figure(figure)["data"]
        cells = trace["cells"]
        assert codes(cells).tolist() == [[0, 254]]
        assert (cells["x0"], cells["dx"], cells["y0"], cells["dy"]) == (10, 2, 5, 3)
        assert "z" not in trace

    @pytest.mark.parametrize(
        "settings",
        [{"xgap": 1}, {"x": ["a", "b"]}, {"x": [0, 5]} | {"z": [[0, 1, 2]]}, {"zsmooth": "best"},
         {"text": [["p", "q"]]}],
    )  # fmt: skip
    def test_other_heatmaps_are_left_to_plotly(self, settings):
        settings = {"z": [[0.0, 1.0]], "x": [0, 1]} | settings
        (trace,) = encoding.encode_figure(go.Figure(go.Heatmap(**settings)))["data"]
        assert "cells" not in trace
        assert "z" in trace

    def test_on_a_category_axis_plotly_draws(self):
        figure = go.Figure(go.Heatmap(z=[[0.0, 1.0]])).update_layout(xaxis_type="category")
        assert "cells" not in encoding.encode_figure(figure)["data"][0]

    def test_without_ends_the_colours_span_the_finite_values(self):
        figure = go.Figure(go.Heatmap(z=[[1.0, 3.0, np.nan]]))
        cells = encoding.encode_figure(figure)["data"][0]["cells"]
        assert (cells["zmin"], cells["zmax"]) == (1.0, 3.0)
        assert codes(cells).tolist() == [[0, 254, 255]]

    def test_what_is_no_figure_is_refused(self):
        with pytest.raises(InputError, match="plotly Figure"):
            encoding.encode_figure([1, 2])


class TestFastPath:
    def test_a_new_heatmap_is_one_byte_a_cell(self, plot):
        settle(plot)
        plot.restyle_heatmap(np.full((512, 512), 0.5), zmin=0, zmax=1)
        sent = wire(plot).heatmap
        assert len(sent["codes"]) == 512 * 512
        assert set(codes(sent).ravel()) == {127}

    def test_colour_ends_are_kept_when_not_given(self, plot):
        settle(plot)
        plot.restyle_heatmap([[0.0, 1.0]], zmin=-1, zmax=1)
        settle(plot)
        plot.restyle_heatmap([[0.0, 1.0]])
        settle(plot)
        assert codes(wire(plot).heatmap).tolist() == [[127, 254]]

    def test_labels_stay_until_others_come(self, plot):
        settle(plot)
        plot.restyle_heatmap([[0.0, 1.0]], x_labels=["<b>", "b"])
        plot.restyle_heatmap([[1.0, 1.0]])
        settle(plot)
        assert wire(plot).heatmap["labels"] == {"x": ["<b>", "b"]}

    def test_a_new_figure_forgets_the_heatmap_before(self, plot):
        settle(plot)
        plot.restyle_heatmap([[0.0, 1.0]])
        settle(plot)
        plot.figure = go.Figure(go.Heatmap(z=[[0.0]]))
        settle(plot)
        assert wire(plot).heatmap is None

    def test_without_a_heatmap_it_says_what_to_do(self):
        plot = Plot(go.Figure(go.Bar(y=[1])))
        with pytest.raises(InputError, match="Set `figure`"):
            plot.restyle_heatmap([[1.0]])

    def test_a_vector_is_no_heatmap(self, plot):
        with pytest.raises(ShapeError, match="two-dimensional"):
            plot.restyle_heatmap([0.1, 0.2])

    def test_arrays_of_a_trace(self):
        plot = Plot(go.Figure([go.Bar(x=[1, 2], y=["a", "b"]), go.Bar(x=[3, 4], y=["a", "b"])]))
        settle(plot)
        plot.restyle(1, x=[0.5, 0.25], marker_color=["red", "blue"])
        plot.restyle(0, text=["p", "q"])
        settle(plot)
        arrays = wire(plot).arrays
        changes = {(c["trace"], c["path"]): c for c in arrays["changes"]}
        assert decoded(changes[1, "x"]["value"]).tolist() == [0.5, 0.25]
        assert changes[1, "marker.color"]["value"] == ["red", "blue"]
        assert changes.keys() == {(1, "x"), (1, "marker.color"), (0, "text")}
        assert changes[0, "text"]["value"] == ["p", "q"]
        # A page that drew the first message needs only what came with the second.
        assert arrays["serial"] == changes[0, "text"]["serial"]
        assert changes[1, "x"]["serial"] == arrays["serial"] - 1
        with pytest.raises(InputError, match="no trace 2"):
            plot.restyle(2, x=[1])

    def test_a_batch_is_one_message(self, plot):
        settle(plot)
        before = PlotDriver(plot).serial
        with plot.batch():
            plot.figure = go.Figure(go.Heatmap(z=np.zeros((3, 3))))
            plot.restyle_heatmap(np.ones((3, 3)), zmin=0, zmax=1)
        assert PlotDriver(plot).serial == before + 1
        assert wire(plot).figure["serial"] == wire(plot).heatmap["serial"] == before + 1


class TestOutbox:
    def collect(self, patience=60.0):
        sent = []
        return LatestOnlyQueue(
            lambda serial, changes: sent.append((serial, changes)), patience
        ), sent

    def test_while_one_is_under_way_only_the_newest_waits(self):
        outbox, sent = self.collect()
        for value in range(100):
            outbox.put(heatmap=value)
        assert sent == [(1, {"heatmap": 0})]
        outbox.drawn(1)
        assert sent[1:] == [(2, {"heatmap": 99})]
        outbox.drawn(2)
        assert len(sent) == 2
        outbox.close()

    def test_different_things_wait_together(self):
        outbox, sent = self.collect()
        outbox.put(figure="f")
        outbox.put(heatmap=1)
        outbox.put(arrays=2)
        outbox.drawn(1)
        assert sent[1:] == [(2, {"heatmap": 1, "arrays": 2})]
        outbox.close()

    def test_a_page_that_never_answers_holds_nothing_up(self):
        arrived, threads = threading.Event(), []

        def send(serial, _):
            threads.append(threading.current_thread())
            if serial == 2:
                arrived.set()

        outbox = LatestOnlyQueue(send, patience=0.05)
        outbox.put(heatmap=0)
        outbox.put(heatmap=1)
        assert arrived.wait(10)
        assert threads[0] is threading.current_thread()
        assert isinstance(threads[1], threading.Timer), "the second waits for the page, or a timer"

    def test_together_queues_send_at_the_end_in_the_order_of_their_first_changes(self):
        sent = []
        first, second = (
            LatestOnlyQueue(lambda serial, changes, name=name: sent.append((name, serial, changes)))
            for name in ("first", "second")
        )
        with together():
            first.put(heatmap=0)
            with together(), second.batch():
                second.put(figure="f")
                second.put(arrays=1)
            first.put(heatmap=2)
            assert sent == []
        assert sent == [
            ("first", 1, {"heatmap": 2}),
            ("second", 1, {"figure": "f", "arrays": 1}),
        ]
        first.drawn(1)
        first.put(heatmap=3)
        assert sent[2:] == [("first", 2, {"heatmap": 3})]

    def test_what_was_put_together_is_sent_although_an_error_follows(self):
        outbox, sent = self.collect()

        def fail():
            with together():
                outbox.put(heatmap=0)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert sent == [(1, {"heatmap": 0})]

    def test_another_thread_waits_for_no_queues_of_this_one(self):
        outbox, sent = self.collect()
        with together():
            thread = threading.Thread(target=lambda: outbox.put(heatmap=0))
            thread.start()
            thread.join()
            assert sent == [(1, {"heatmap": 0})]

    def test_closed_it_sends_nothing(self):
        outbox, sent = self.collect(patience=0.01)
        outbox.put(heatmap=0)
        outbox.put(heatmap=1)
        outbox.close()
        outbox.drawn(1)
        assert len(sent) == 1


class TestReports:
    def test_drawn_updates_are_counted(self, plot):
        before = plot.ready
        from_page(plot, kind="drawn", serial=1, width=640)
        assert (plot.ready, plot.width) == (before + 1, 640)

    def test_a_dragged_line_is_observed(self, plot):
        plot.set_line("x", 0.1)
        seen = []
        plot.observe(lambda change: seen.append(change["new"]), "line")
        from_page(plot, kind="line", value=0.25, n=1, view="v")
        assert seen == [0.25]
        assert wire(plot).marks["line"]["value"] == 0.25

    def test_clicks_hover_zoom_and_pin(self, plot):
        cell = {"trace": 0, "row": 1, "column": 0, "x": 0, "y": 1, "value": 1.0}
        from_page(plot, kind="clicked", value=cell | {"n": 1})
        from_page(plot, kind="hovered", value=cell)
        from_page(plot, kind="pin", value=[1, 0])
        from_page(plot, kind="zoom", value=[0, 1, 0.5, 1.5])
        assert plot.clicked == cell | {"n": 1}
        assert plot.hovered == cell
        assert (plot.selected_row, plot.selected_column) == (1, 0)
        assert plot.zoom == (0.0, 1.0, 0.5, 1.5)
        from_page(plot, kind="pin", value=None)
        from_page(plot, kind="zoom", value=None)
        assert (plot.selected_row, plot.zoom) == (None, None)

    def test_a_zoom_from_the_page_is_not_asked_of_it_again(self, plot):
        from_page(plot, kind="zoom", value=[0, 1, 0, 1])
        assert wire(plot).marks["zoom"]["n"] == 0
        plot.zoom = (0, 1, 0, 1.5)
        assert wire(plot).marks["zoom"] == {"n": 1, "window": (0, 1, 0, 1.5)}

    def test_an_error_of_the_page_is_a_trait(self, plot):
        from_page(plot, kind="error", value="This figure could not be drawn: no.")
        assert plot.error == "This figure could not be drawn: no."

    def test_exact_rows_are_float32_with_the_serial_of_what_is_drawn(self, plot, monkeypatch):
        sent = []
        monkeypatch.setattr(wire(plot), "send", lambda c, **b: sent.append((c, b.get("buffers"))))
        plot.on_exact = lambda rows: {row: np.array([0.123456789, row]) for row in rows}
        settle(plot)
        from_page(plot, kind="exact", rows=[1], ack={"view": "v", "key": "exact", "n": 1})
        answer, values = sent[0]
        assert answer == {"kind": "exact", "rows": [1], "serial": wire(plot).figure["serial"]}
        assert np.frombuffer(values[0], "<f4").tolist() == [np.float32(0.123456789), 1.0]
        assert sent[1][0] == {
            "kind": "acknowledged",
            "ack": {"view": "v", "key": "exact", "n": 1},
        }

    def test_a_failing_on_exact_is_reported_and_answered(self, plot, monkeypatch):
        sent = []
        monkeypatch.setattr(wire(plot), "send", lambda c, buffers=None: sent.append(c))
        plot.on_exact = lambda rows: 1 / 0
        settle(plot)
        from_page(plot, kind="exact", rows=[1], ack={"view": "v", "key": "exact", "n": 1})
        assert "division by zero" in plot.error
        assert [message["kind"] for message in sent] == ["acknowledged"]

    def test_a_line_stands_on_x_or_y(self, plot):
        with pytest.raises(InputError, match='"x" or "y"'):
            plot.set_line("z", 0.1)


class TestLibrary:
    def test_all_plots_share_one(self, plot):
        other = Plot()
        assert other.library_id == plot.library_id
        other.close()

    def test_the_bundle_is_plotlys_own_version(self):
        assert plotly.offline.get_plotlyjs_version() == PLOTLY_JS_VERSION
        assert f"v{PLOTLY_JS_VERSION}".encode() in Library.shared().plotly[:200]

    def test_what_every_plot_sends_to_the_page_is_small(self, plot):
        # anywidget gives up on a module that takes two seconds to import.
        assert len(plot.get_state("_esm")["_esm"]) < 8_000
