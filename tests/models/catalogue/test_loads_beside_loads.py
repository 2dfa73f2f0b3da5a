"""Loading a model changes nothing that another thread sees, and nothing of others reaches it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoModelForSeq2SeqLM
from transformers.modeling_utils import PreTrainedModel, local_torch_dtype

from explorer.errors import ModelError
from explorer.models import DEFAULT_MODEL, clear_models, load_model
from explorer.models._catalogue import gguf_conversion
from explorer.models._catalogue.converted_store import is_unchanged, only_writer_of, store
from explorer.models._catalogue.gguf_conversion import convert_file, load_packaged
from explorer.models._catalogue.packaged_models import PackagedModel
from explorer.models._catalogue.weight_reading import read_model
from explorer.models._model_kind import kind_of
from explorer.run_control import RunControl

from ...support.tiny_models import ARCHITECTURES, LANGUAGE_MODELS, tiny_model

KNOWN = {**ARCHITECTURES, **LANGUAGE_MODELS}
CONVERTED = ("deepseek-v3", "gpt-neox")
"""Models whose files have other names than the model: transformers converts them as it reads."""
READ = {
    "causal": AutoModelForCausalLM,
    "encoder": AutoModel,
    "encoder-decoder": AutoModelForSeq2SeqLM,
}


def _same(model: Any, reference: Any, but: Sequence[str] = ()) -> None:
    for ours, theirs in (
        (model.state_dict(), reference.state_dict()),
        (dict(model.named_buffers()), dict(reference.named_buffers())),
    ):
        assert list(ours) == list(theirs)
        for name, tensor in theirs.items():
            assert (ours[name].dtype, ours[name].device) == (tensor.dtype, tensor.device), name
            assert name in but or torch.equal(ours[name], tensor), name
    assert not model.training
    # Weights that are one stay one.
    assert len(list(model.parameters())) == len(list(reference.parameters()))


@pytest.mark.parametrize("name", sorted(KNOWN))
@pytest.mark.parametrize("parts", [False, True], ids=["one file", "several files"])
def test_a_model_is_what_transformers_loads(name: str, parts: bool, tmp_path: Any) -> None:
    tiny_model(KNOWN[name], spread=None).save_pretrained(
        tmp_path, max_shard_size="20KB" if parts else "1GB"
    )
    settings = AutoConfig.from_pretrained(tmp_path)
    found = read_model(tmp_path, settings, kind_of(settings), RunControl())
    reference, info = READ[kind_of(settings)].from_pretrained(
        tmp_path, dtype=torch.float32, output_loading_info=True
    )
    if name in CONVERTED:
        assert found is None
        return
    assert found is not None
    assert found[1] == sorted(info["missing_keys"])
    _same(found[0], reference, but=found[1])
    if reference.can_generate():
        assert found[0].generation_config.to_dict() == reference.generation_config.to_dict()


def test_names_of_old_files_and_of_base_models_are_known(tiny_bert: Any, tmp_path: Any) -> None:
    tiny_bert.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    renamed = {
        "bert."
        + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in load_file(file).items()
        if "pooler" not in name
    }
    save_file(renamed, file)
    found = read_model(tmp_path, AutoConfig.from_pretrained(tmp_path), "encoder", RunControl())
    assert found is not None
    assert all("pooler" in name for name in found[1])
    ours = found[0].state_dict()
    for name, tensor in tiny_bert.state_dict().items():
        assert ours[name].isfinite().all()
        assert "pooler" in name or torch.equal(ours[name], tensor)


def test_a_file_of_other_shapes_is_left_to_transformers(tiny_llama: Any, tmp_path: Any) -> None:
    tiny_llama.save_pretrained(tmp_path)
    settings = AutoConfig.from_pretrained(tmp_path, hidden_size=128)
    assert read_model(tmp_path, settings, "causal", RunControl()) is None


def _in_a_thread(run: Callable[[], Any]) -> Any:
    found: dict[str, Any] = {}

    def work() -> None:
        try:
            found["result"] = run()
        except BaseException as error:  # noqa: BLE001  # shown by the test
            found["error"] = error

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert "error" not in found, repr(found["error"])
    return found["result"]


def test_a_load_in_the_midst_of_another_is_what_it_is_alone(llama_folder: Any) -> None:
    from transformers import initialization

    reference = AutoModelForCausalLM.from_pretrained(llama_folder, dtype=torch.float32)
    names = ("tie_weights", "init_weights")
    before = [getattr(PreTrainedModel, name) for name in names]
    with ExitStack() as user:  # where from_pretrained of another cell is at this moment
        user.enter_context(local_torch_dtype(torch.bfloat16))
        user.enter_context(initialization.no_tie_weights())
        user.enter_context(initialization.no_init_weights())
        user.enter_context(torch.device("meta"))
        user.enter_context(initialization.meta_device_safe_creation_ops())
        held = [getattr(PreTrainedModel, name) for name in names], torch.linspace
        loaded = _in_a_thread(lambda: load_model(str(llama_folder)))
        assert torch.get_default_dtype() is torch.bfloat16
        assert torch.empty(2).device.type == "meta"
        assert held == ([getattr(PreTrainedModel, name) for name in names], torch.linspace)
    _same(loaded.torch_model, reference)
    assert [getattr(PreTrainedModel, name) for name in names] == before
    assert torch.get_default_dtype() is torch.float32


def test_a_load_waits_for_a_cell_that_makes_all_buffers_on_meta(llama_folder: Any) -> None:
    accelerate = pytest.importorskip("accelerate")
    reference = AutoModelForCausalLM.from_pretrained(llama_folder, dtype=torch.float32)
    asked = threading.Event()

    class Asking(RunControl):
        def check(self) -> None:
            asked.set()

    settings = AutoConfig.from_pretrained(llama_folder)
    found: list[Any] = []
    with accelerate.init_empty_weights(include_buffers=True):
        thread = threading.Thread(
            target=lambda: found.append(read_model(llama_folder, settings, "causal", Asking()))
        )
        thread.start()
        assert asked.wait(30)  # it has seen that its buffers are on meta
    thread.join(30)
    _same(found[0][0], reference)


def test_a_load_touches_nothing_of_the_process(llama_folder: Any, monkeypatch: Any) -> None:
    from transformers import initialization
    from transformers.utils import logging

    touched: list[str] = []

    def note(owner: Any, name: str) -> None:
        monkeypatch.setattr(owner, name, lambda *_, **__: touched.append(name))

    note(torch, "set_default_dtype")
    note(torch, "set_default_device")
    note(initialization, "no_tie_weights")
    note(initialization, "guard_torch_init_functions")
    note(transformers.AutoModelForCausalLM, "from_pretrained")
    note(logging, "set_verbosity")
    note(logging, "set_tqdm_hook")
    monkeypatch.setattr(
        torch.utils._device.DeviceContext, "__enter__", lambda self: touched.append("device")
    )
    assert load_model(str(llama_folder)).torch_model.config.num_hidden_layers == 3
    assert touched == []


@pytest.mark.packaged_model
def test_both_sides_load_at_once(tmp_path: Any) -> None:
    """The two begin together, again and again."""
    reference = load_model(DEFAULT_MODEL).torch_model
    reference.save_pretrained(tmp_path)
    for _ in range(5):
        clear_models()
        together = threading.Barrier(2)

        def load(together: threading.Barrier = together) -> Any:
            together.wait(30)
            return load_model(DEFAULT_MODEL)

        users: list[Any] = []

        def user(together: threading.Barrier = together, users: list[Any] = users) -> None:
            together.wait(30)
            users.append(AutoModelForCausalLM.from_pretrained(tmp_path))

        thread = threading.Thread(target=user)
        thread.start()
        loaded = load()
        thread.join(60)
        _same(loaded.torch_model, reference)
        _same(users[0], reference)


# what is stored


@pytest.fixture
def stored(tiny_llama: Any, llama_folder: Any, monkeypatch: Any, tmp_path: Any) -> PackagedModel:
    """A packaged model whose conversion is stored."""
    source = tmp_path / "site" / "tiny.gguf"
    source.parent.mkdir()
    source.write_bytes(b"GGUF")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(PackagedModel, "locate", lambda self: source)

    def convert(model: Any, path: Any, folder: Any, control: Any) -> None:
        converted.append(path)
        for file in llama_folder.iterdir():
            (folder / file.name).write_bytes(file.read_bytes())

    converted: list[Any] = []
    monkeypatch.setattr(gguf_conversion, "convert_file", convert)
    monkeypatch.setattr(gguf_conversion, "converted", converted, raising=False)
    return PackagedModel("tiny", "Tiny", "causal", "tiny", "tiny==1", "tiny.gguf", (), "")


def test_a_whole_stored_model_is_never_discarded(stored: PackagedModel, monkeypatch: Any) -> None:
    load_packaged(stored, RunControl())
    folder = gguf_conversion.stored_folder(stored.locate())  # type: ignore[arg-type]

    def fail(*_: Any) -> Any:
        raise ModelError("Cannot copy out of meta tensor; no data!")

    with monkeypatch.context() as broken:
        broken.setattr(gguf_conversion, "load_folder", fail)
        with pytest.raises(ModelError, match=r"meta tensor.*files are whole.*restart it") as raised:
            load_packaged(stored, RunControl())
    assert str(folder) in str(raised.value)
    assert is_unchanged(folder)
    load_packaged(stored, RunControl())
    assert len(gguf_conversion.converted) == 1  # type: ignore[attr-defined]


def test_many_at_once_convert_once(stored: PackagedModel) -> None:
    together = threading.Barrier(4)
    found: list[Any] = []

    def load() -> None:
        together.wait(30)
        found.append(load_packaged(stored, RunControl()))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 4
    assert len(gguf_conversion.converted) == 1  # type: ignore[attr-defined]


def test_who_waits_for_another_process_hears_of_it(tmp_path: Any) -> None:
    inside, waited, leave = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        with only_writer_of(tmp_path / "one", lambda: None):
            inside.set()
            leave.wait(30)

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(30)

    def waiting() -> None:
        waited.set()
        leave.set()

    with only_writer_of(tmp_path / "one", waiting):
        assert waited.is_set()
    thread.join(30)
    assert list(tmp_path.iterdir()) == []


def test_damage_between_the_samples_is_found_by_the_whole_checksum(tmp_path: Any) -> None:
    def write(folder: Any) -> None:
        (folder / "weights").write_bytes(bytes(10_000_000))

    store(tmp_path / "one", write)
    assert is_unchanged(tmp_path / "one")
    weights = tmp_path / "one" / "weights"
    changed = bytearray(weights.read_bytes())
    changed[80_000] = 1  # behind the first sample, before the second
    weights.write_bytes(changed)
    assert not is_unchanged(tmp_path / "one")


@pytest.mark.slow
def test_a_file_that_is_no_gguf_says_why(
    stored: PackagedModel, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.undo()
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"no GGUF at all")
    steps: list[Any] = []
    with pytest.raises(ModelError, match="tiny could not be converted: "):
        convert_file(stored, path, tmp_path, RunControl(steps.append))
    assert steps[0].stage == "conversion"
