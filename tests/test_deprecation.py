"""Old public names and parameters work for one release, and say what they are called now."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass

import pytest

import explorer.figures
import explorer.models
import explorer.run_control
import explorer.validation
from explorer._deprecation import old_parameters, renamed, renamed_parameters
from explorer._old_modules import MOVED
from explorer.errors import InputError
from explorer.traces import Hyperedge, Trace, TraceSet
from explorer.validation._calibration.outer_folds import PartialCalibration


@dataclass(frozen=True)
class Resampled:
    samples: int = 1000
    seed: int = 0


@old_parameters(resampling=(Resampled, ("samples", "seed")))
def interval(scores, *, resampling=None):
    return scores, resampling


@dataclass(frozen=True)
class Standard:
    kind: str = "labels"
    drop: float = 0.7


@old_parameters(standard=(Standard, ("drop",), "kind"))
def compared(scores, standard="labels"):
    return standard


@pytest.mark.parametrize(
    ("package", "old", "new"),
    [
        (explorer.models, "Progress", explorer.run_control.Progress),
        (explorer.models, "Reading", explorer.models.RecordedAnswer),
        (explorer.validation, "Judged", explorer.validation.LabelledScores),
        (explorer.validation, "side_by_side", explorer.validation.compare_scores),
        (explorer.validation, "flipped", explorer.validation.changed_units),
        (explorer.figures, "LabelledScores", explorer.figures.ScoreGroups),
        (explorer.figures, "flips", explorer.figures.changed_calls),
        (explorer.figures, "flips_spec", explorer.figures.changed_calls_spec),
    ],
)
def test_an_old_name_gives_the_new_object_and_a_warning(package, old, new):
    with pytest.warns(DeprecationWarning, match=f"{old} is now .*{new.__name__}"):
        assert getattr(package, old) is new


def test_a_name_that_never_was_is_an_attribute_error():
    with pytest.raises(AttributeError):
        _ = explorer.validation.Judgement
    attribute = renamed("some.package", {"old": "new"}, lambda name: name)
    with pytest.warns(DeprecationWarning, match=r"some\.package\.old is now some\.package\.new"):
        assert attribute("old") == "new"
    assert attribute("other") == "other"


def test_old_keywords_build_the_object_with_a_warning():
    with pytest.warns(DeprecationWarning, match=r"interval\(samples=, seed=\) is now"):
        assert interval([1], samples=5, seed=2) == ([1], Resampled(5, 2))
    with pytest.warns(DeprecationWarning, match=r"interval\(seed=\)"):
        assert interval([1], seed=2) == ([1], Resampled(1000, 2))


def test_the_new_form_gives_no_warning_and_both_forms_at_once_are_refused():
    assert interval([1], resampling=Resampled(7)) == ([1], Resampled(7))
    assert interval([1]) == ([1], None)
    with pytest.raises(InputError, match="both resampling= and seed="):
        interval([1], resampling=Resampled(7), seed=3)


@pytest.mark.parametrize("place", ["position", "keyword"])
def test_a_plain_value_and_an_old_keyword_build_one_object(place):
    with pytest.warns(DeprecationWarning, match=r"compared\(drop=\) is now"):
        found = (
            compared([1], "ablation", drop=2.0)
            if place == "position"
            else compared([1], standard="ablation", drop=2.0)
        )
    assert found == Standard("ablation", 2.0)
    with pytest.warns(DeprecationWarning, match="Standard"):
        assert compared([1], drop=2.0) == Standard("labels", 2.0)
    with pytest.raises(InputError, match="both standard= and drop="):
        compared([1], Standard("ablation"), drop=2.0)
    assert compared([1], "ablation") == "ablation"


@renamed_parameters(callback="told", control="reporter")
def followed(callback, control=None):
    return callback, control


def test_an_old_keyword_reaches_the_renamed_parameter_with_a_warning():
    with pytest.warns(DeprecationWarning, match=r"followed\(told=\) is now followed\(callback=\)"):
        assert followed(told="a") == ("a", None)
    with pytest.warns(DeprecationWarning, match=r"\(reporter=\) is now .*\(control=\)"):
        assert followed("a", reporter="b") == ("a", "b")
    assert followed("a", control="b") == ("a", "b")
    with pytest.raises(InputError, match=r"callback twice.*told="):
        followed("a", told="b")
    with pytest.raises(InputError, match=r"control twice.*reporter="):
        followed("a", control="b", reporter="c")


class Listener:
    """Counts the labels reported to it; a set calls bound methods only."""

    heard = 0

    def hear(self):
        self.heard += 1


def test_labels_are_followed_and_left_by_the_old_keyword():
    traces = TraceSet([Trace("q1", "Which?", [Hyperedge("he1", "The Nile.")])])
    listener = Listener()
    with pytest.warns(DeprecationWarning, match=r"follow_labels\(told=\) .*callback="):
        traces.follow_labels(told=listener.hear)
    traces.label("q1", "he1", True)
    assert listener.heard == 1
    with pytest.warns(DeprecationWarning, match=r"leave_labels\(told=\) .*callback="):
        traces.leave_labels(told=listener.hear)
    traces.label("q1", "he1", False)
    assert listener.heard == 1


def test_a_stopped_calibration_is_made_and_read_by_the_old_name():
    partial = PartialCalibration((), ())
    with pytest.warns(DeprecationWarning, match=r"\(begun=\) is now .*\(partial=\)"):
        stopped = explorer.validation.CalibrationCancelled(begun=partial)
    with pytest.warns(DeprecationWarning, match="begun is now CalibrationCancelled.partial"):
        assert stopped.begun is partial


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_an_old_module_path_gives_the_names_of_the_new_one_and_a_warning(old, new, monkeypatch):
    monkeypatch.delitem(sys.modules, old, raising=False)
    with pytest.warns(DeprecationWarning, match=f"{old} is no longer public"):
        module = importlib.import_module(old)
    monkeypatch.delitem(sys.modules, old)
    current = importlib.import_module(new)
    names = [name for name in vars(current) if not name.startswith("_")]
    assert names
    assert all(getattr(module, name) is getattr(current, name) for name in names)


def test_the_warning_of_a_module_names_what_was_renamed_in_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "explorer.rag.trajectory", raising=False)
    with pytest.warns(
        DeprecationWarning, match=r"from explorer\.rag, where follow is now follow_w"
    ):
        importlib.import_module("explorer.rag.trajectory")
    monkeypatch.delitem(sys.modules, "explorer.rag.trajectory")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("explorer.rag.order", "update_order"),
        ("explorer.rag.trajectory", "follow"),
        ("explorer.rag.trajectory", "weight_trajectory"),
        ("explorer.rag.updater", "WeightUpdater"),
        ("explorer.widgets.plot", "Plot"),
    ],
)
@pytest.mark.filterwarnings("ignore:The module explorer:DeprecationWarning")
def test_what_older_notebooks_import_is_there(path, name):
    assert callable(getattr(importlib.import_module(path), name))
