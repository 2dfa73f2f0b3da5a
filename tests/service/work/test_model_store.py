"""Models in memory are bounded, and loaded once."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from explorer.service import ServiceSettings
from explorer.service._http.problems import ProblemError
from explorer.service._work.model_store import ModelStore


class Loaded:
    """Stands for a model."""

    def __init__(self, name: str) -> None:
        self.name = name


def store(**changes):
    loads: list[str] = []

    def load(name: str):
        loads.append(name)
        return Loaded(name)

    names = {"a": "/a", "b": "/b", "c": "/c"}
    return ModelStore(ServiceSettings(model="a", extra_models=names, **changes), load), loads


def test_the_model_used_least_recently_is_released() -> None:
    made, loads = store(max_models=2)

    async def use(*names: str) -> list[object]:
        return [await made.get(name) for name in names]

    first = weakref.ref(asyncio.run(use("a"))[0])
    asyncio.run(use("b", "a"))
    assert list(made.loaded) == ["a", "b"]  # looking is not using
    asyncio.run(use("c"))
    assert set(made.loaded) == {"a", "c"}
    assert loads == ["/a", "/b", "/c"]
    asyncio.run(use("b"))
    gc.collect()
    assert first() is None
    made.close()


def test_requests_at_once_load_a_model_once() -> None:
    made, loads = store()

    async def together() -> list[object]:
        return await asyncio.gather(*(made.get("a") for _ in range(8)))

    assert len({id(model) for model in asyncio.run(together())}) == 1
    assert loads == ["/a"]
    made.close()


def test_names_of_the_menu_are_taken_in_any_case_and_folders_never(tmp_path) -> None:
    made, _ = store(downloads=True)
    assert made.resolved(None) == "a"
    assert made.resolved("QWEN/qwen3-0.6b") == "Qwen/Qwen3-0.6B"
    for name in (str(tmp_path), "/a", "A", "someone/else"):
        with pytest.raises(ProblemError):
            made.resolved(name)
    made.close()


def test_a_default_model_in_a_folder_is_named_after_it(tmp_path) -> None:
    folder = tmp_path / "secret" / "mymodel"
    folder.mkdir(parents=True)
    made = ModelStore(ServiceSettings(model=str(folder)), Loaded)
    assert made.default == "mymodel" == made.resolved("mymodel")
    assert asyncio.run(made.get("mymodel")).name == str(folder)
    made.close()
