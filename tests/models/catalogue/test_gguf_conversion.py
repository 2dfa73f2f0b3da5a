"""Converted models are kept on disk, whole or not at all."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from explorer.errors import ExplorerWarning, MissingExtraError
from explorer.models._catalogue import gguf_conversion
from explorer.models._catalogue.converted_store import cache_folder, discard, is_intact, store
from explorer.models._catalogue.gguf_conversion import load_packaged
from explorer.models._catalogue.packaged_models import PackagedModel
from explorer.run_control import RunControl


def write_two(folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "weights").write_bytes(bytes(range(256)) * 40_000)  # 10 MB: larger than all samples


def test_the_cache_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("EXPLORER_CACHE")
    assert cache_folder().name == "attention-explorer"


def test_a_stored_folder_is_intact(tmp_path):
    store(tmp_path / "models" / "one", write_two)
    assert is_intact(tmp_path / "models" / "one")
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["one"]
    assert not is_intact(tmp_path / "models" / "none")


@pytest.mark.parametrize("damage", ["shorter", "changed", "missing", "no manifest"])
def test_damage_is_noticed_and_repaired(tmp_path, damage):
    folder = tmp_path / "one"
    store(folder, write_two)
    weights = folder / "weights"
    if damage == "shorter":
        weights.write_bytes(weights.read_bytes()[:-1])
    elif damage == "changed":
        weights.write_bytes(bytes(weights.stat().st_size))
    elif damage == "missing":
        weights.unlink()
    else:
        (folder / "explorer.json").write_text("null")
    assert not is_intact(folder)
    store(folder, write_two)
    assert is_intact(folder)


def test_a_failed_write_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        write_two(folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store(tmp_path / "one", fail)
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once_leave_one_whole_folder(tmp_path):
    together = threading.Barrier(2)

    def write(folder: Path) -> None:
        write_two(folder)
        together.wait(10)

    threads = [threading.Thread(target=store, args=(tmp_path / "one", write)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert is_intact(tmp_path / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_what_a_killed_process_left_is_swept_away(tmp_path):
    import os

    old, new = tmp_path / ".one.aaa.part", tmp_path / ".one.bbb.part"
    for leftover in (old, new):
        leftover.mkdir()
    os.utime(old, (time.time() - 7200, time.time() - 7200))
    store(tmp_path / "one", write_two)
    assert not old.exists()
    assert new.exists()  # perhaps another process is writing it right now


def test_discarding_what_is_gone_is_fine(tmp_path):
    discard(tmp_path / "none")


@pytest.fixture
def gguf(tiny_llama, llama_folder, monkeypatch, tmp_path) -> PackagedModel:
    """A packaged model whose conversion is replaced by something quick."""
    source = tmp_path / "site" / "tiny.gguf"
    source.parent.mkdir()
    source.write_bytes(b"GGUF")
    monkeypatch.setenv("EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(PackagedModel, "locate", lambda self: source)
    conversions = []

    def convert(model, path, folder, control):
        from transformers import AutoTokenizer

        control.report("conversion", 0.0, "...")
        conversions.append(path)
        tiny_llama.save_pretrained(folder)
        AutoTokenizer.from_pretrained(llama_folder).save_pretrained(folder)

    monkeypatch.setattr(gguf_conversion, "convert_file", convert)
    monkeypatch.setattr(gguf_conversion, "conversions", conversions, raising=False)
    return PackagedModel("tiny", "Tiny", "causal", "tiny", "tiny==1", "tiny.gguf", (), "")


def test_conversion_happens_once(gguf):
    seen = []
    load_packaged(gguf, RunControl(seen.append))
    assert seen[0].stage == "conversion"
    model, _ = load_packaged(gguf, RunControl())
    assert model.config.num_hidden_layers == 3
    assert len(gguf_conversion.conversions) == 1


@pytest.mark.parametrize("unnoticed", [False, True], ids=["noticed", "unnoticed by the samples"])
def test_a_damaged_conversion_is_made_again(gguf, unnoticed, monkeypatch):
    load_packaged(gguf, RunControl())
    weights = next(cache_folder().rglob("model.safetensors"))
    weights.write_bytes(bytes(weights.stat().st_size))
    if unnoticed:
        monkeypatch.setattr(gguf_conversion, "is_intact", lambda folder: folder.exists())
    load_packaged(gguf, RunControl())
    assert len(gguf_conversion.conversions) == 2
    monkeypatch.undo()
    assert is_intact(weights.parent)


def test_without_the_extra_the_error_says_how_to_install_it(gguf, monkeypatch):
    monkeypatch.setitem(sys.modules, "gguf", None)  # as if it were not installed
    with pytest.raises(MissingExtraError, match=r"attention-explorer\[gguf\]") as raised:
        load_packaged(gguf, RunControl())
    assert raised.value.missing == ("gguf",)
    assert gguf_conversion.conversions == []
    monkeypatch.undo()


def test_a_converted_model_needs_no_extra(gguf, monkeypatch):
    load_packaged(gguf, RunControl())
    monkeypatch.setitem(sys.modules, "gguf", None)
    model, _ = load_packaged(gguf, RunControl())
    assert model.config.num_hidden_layers == 3


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(gguf, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(gguf_conversion, "store", full)
    with pytest.warns(ExplorerWarning, match="EXPLORER_CACHE"):
        model, _ = load_packaged(gguf, RunControl())
    assert model.config.num_hidden_layers == 3
