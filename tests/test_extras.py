"""Optional extras: the code and the package agree about their libraries."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from explorer import load_model
from explorer._extras import EXTRAS, require_extra
from explorer.errors import ExplorerError, MissingExtraError
from explorer.models import clear_models
from explorer.models._catalogue.packaged_models import PackagedModel
from explorer.traces import Hyperedge, Trace
from explorer.validation import judge

PROJECT = Path(__file__).parents[1] / "pyproject.toml"
# Libraries that are imported under another name than they are installed under.
IMPORTED_AS = {
    "mlflow-skinny": "mlflow",
    "prometheus-client": "prometheus_client",
    "python-calamine": "python_calamine",
    "scikit-learn": "sklearn",
}
DISTRIBUTIONS = {module: name for name, module in IMPORTED_AS.items()}
# The others are for a service, for experiment tracking and for a cluster.
OF_THE_APP = ("excel", "gguf", "images", "validation")


@pytest.mark.parametrize("extra", EXTRAS)
def test_the_package_offers_the_extra_with_these_libraries(extra: str) -> None:
    offered = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["optional-dependencies"][extra]
    names = [re.match(r"[\w.-]+", requirement) for requirement in offered]
    modules = [
        IMPORTED_AS.get(name[0], name[0])
        for name in names
        if name is not None and name[0] != "attention-explorer"
    ]
    assert sorted(modules) == sorted(EXTRAS[extra])


@pytest.mark.parametrize("extra", EXTRAS)
def test_a_missing_library_is_named_with_the_command_that_installs_it(
    extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_extra(extra, "This test")
    hidden = EXTRAS[extra][0]
    monkeypatch.setitem(sys.modules, hidden, None)
    with pytest.raises(MissingExtraError) as raised:
        require_extra(extra, "This test")
    named = DISTRIBUTIONS.get(hidden, hidden)
    assert str(raised.value).startswith(f"This test needs {named}.")
    assert f'pip install "attention-explorer[{extra}]"' in str(raised.value)
    assert (raised.value.extra, raised.value.missing) == (extra, (hidden,))
    assert isinstance(raised.value, ExplorerError)
    assert isinstance(raised.value, ImportError)


def test_the_default_model_names_the_extra_before_it_converts_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packaged = tmp_path / "model.gguf"
    packaged.write_bytes(b"GGUF")
    monkeypatch.setattr(PackagedModel, "locate", lambda self: packaged)
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(sys.modules, "accelerate", None)
    clear_models()
    with pytest.raises(MissingExtraError, match="SmolLM2-135M-Instruct comes as a GGUF file"):
        load_model("SmolLM2-135M-Instruct")
    assert not (tmp_path / "cache").exists()


MODULES = {module: extra for extra, modules in EXTRAS.items() for module in modules}


SCORES = {f"t{number}": [0.5, 0.2, 0.1 * number] for number in range(4)}


def traces() -> list[Trace]:
    made = []
    for number in range(4):
        edges = [Hyperedge(f"h{i}", f"Fact {i}.", label=i == 0) for i in range(3)]
        scores = {"h0": 0.5, "h1": 0.2, "h2": 0.1 * number}
        made.append(Trace(f"t{number}", "What?", edges, "This.", {"hyperedge_attention": scores}))
    return made


def test_the_commands_of_the_readme_install_those_of_the_app_and_none_comes_always() -> None:
    project = tomllib.loads(PROJECT.read_text("utf-8"))["project"]
    assert f"attention-explorer[{','.join(OF_THE_APP)}]" in project["optional-dependencies"]["lab"]
    always = {re.split(r"[^\w.-]", one)[0] for one in project["dependencies"]}
    assert not {IMPORTED_AS.get(name, name) for name in always} & set(MODULES)


def _roc():
    from explorer.validation import roc

    roc(judge(traces(), SCORES))


def _precision_recall():
    from explorer.validation import precision_recall

    precision_recall(judge(traces(), SCORES))


def _calibrator():
    from explorer.validation import CrossValidation, fit_calibrator

    split = CrossValidation(folds=2, min_traces=2, min_positives=2)
    fit_calibrator(judge(traces(), SCORES), cross_validation=split)


def _calibration():
    from explorer.validation import calibrate

    calibrate(traces())


def _interval():
    from explorer.validation import sweep

    sweep(judge(traces(), SCORES))


def _png():
    from explorer.figures._attention.static_images import heatmap_png

    heatmap_png(np.eye(2), ["a", "b"], ["a", "b"], "title")


@pytest.mark.parametrize(
    ("module", "use"),
    [
        ("sklearn", _roc),
        ("sklearn", _precision_recall),
        ("sklearn", _calibrator),
        ("threadpoolctl", _calibration),
        ("scipy", _interval),
        ("matplotlib", _png),
    ],
)
def test_what_needs_a_missing_library_names_its_extra(module, use, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=rf"\[{MODULES[module]}\]"):
        use()


CORE = """
import sys
for name in {hidden!r}:
    sys.modules[name] = None
import importlib, pkgutil
import explorer
for package in {packages!r}:
    module = importlib.import_module(package)
    for name in module.__all__:
        getattr(module, name)
import numpy as np
from explorer import Explorer, FeedbackExtractor, analyze_code_attention
from explorer.figures import heatmap
from explorer.traces import Hyperedge, Trace
edges = [Hyperedge("h0", "A fact.", label=True), Hyperedge("h1", "Another.", label=False)]
trace = Trace("t", "What?", edges, "A fact.", {{"hyperedge_attention": {{"h0": 0.5, "h1": 0.05}}}})
app = Explorer.from_traces([trace])
assert app.feedback["verdict"].tolist() == ["used", "not used"]
app._ipython_display_()
app.save({folder!r} + "/view.html")
heatmap(np.eye(2), ["a", "b"], ["a", "b"])
app.tab = "thresholds"
app.wait()
assert "attention-explorer[validation]" in app.error, app.error
app.tab = "traces"
print("works")
"""


@pytest.mark.slow
def test_everything_else_works_without_any_of_them(tmp_path: Path) -> None:
    packages = [
        "explorer", "explorer.attention", "explorer.feedback", "explorer.figures",
        "explorer.models", "explorer.rag", "explorer.reporting", "explorer.source",
        "explorer.traces", "explorer.validation", "explorer.widgets",
    ]  # fmt: skip
    script = CORE.format(hidden=[*MODULES], packages=packages, folder=str(tmp_path))
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip().endswith("works"), ran.stderr[-3000:]
