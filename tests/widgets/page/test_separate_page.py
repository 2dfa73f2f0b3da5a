"""Widgets of a page of its own: nothing of them reaches a kernel of the same process."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Mapping
from typing import Any

import comm
import ipywidgets
import pytest
from ipywidgets.widgets.widget import _instances

from explorer import Explorer
from explorer.errors import InputError
from explorer.models import DEFAULT_MODEL, Model
from explorer.widgets._code.controller import record_text
from explorer.widgets._jobs.model_controller import ModelController
from explorer.widgets._page.code_page import CodePage
from explorer.widgets._plot.separate_page import PageComm, SeparatePage

from ...support.tiny_models import language_model
from ...support.tiny_tokenizers import byte_level_tokenizer

Sent = list[tuple[str, Mapping[str, Any]]]


def page_of(sent: Sent) -> CodePage:
    return CodePage(lambda part, data, _: sent.append((part, data)), ModelController, record_text)


@pytest.fixture
def kernel_comms(monkeypatch) -> list[Any]:
    """The channels that a kernel of this process is asked for."""
    made: list[Any] = []
    create = comm.create_comm

    def noted(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs)
        return create(*args, **kwargs)

    monkeypatch.setattr(comm, "create_comm", noted)
    return made


def test_a_page_makes_no_widget_of_a_kernel(kernel_comms) -> None:
    kernels, known = comm.create_comm, set(_instances)
    sent: Sent = []

    async def use() -> None:
        page = page_of(sent)
        page.begin({"model": DEFAULT_MODEL, "head": 2, "threshold": 0.3})
        await asyncio.sleep(0.1)
        assert page.table is not None
        page.layer = 3
        page.receive(page.places["toolbar"], {"kind": "set", "name": "unit_kind", "value": "token"})
        assert page.unit_kind == "token"
        await asyncio.sleep(0.1)
        assert set(_instances) == known
        page.close()

    asyncio.run(use())
    assert kernel_comms == []
    assert comm.create_comm is kernels
    assert len({part for part, _ in sent}) == 7


def test_a_widget_that_another_thread_makes_meanwhile_is_the_kernels(kernel_comms) -> None:
    page = SeparatePage(lambda *_: None)
    made: list[ipywidgets.Widget] = []
    with page.building():
        mine = ipywidgets.IntSlider()
        thread = threading.Thread(target=lambda: made.append(ipywidgets.IntSlider()))
        thread.start()
        thread.join()
    assert isinstance(mine.comm, PageComm)
    assert not isinstance(made[0].comm, PageComm)
    assert kernel_comms
    assert isinstance(ipywidgets.IntSlider().comm, PageComm) is False


def test_an_app_of_the_same_process_shows_the_same(kernel_comms) -> None:
    app = Explorer(head=2, layer=4, threshold=0.03)
    sent: Sent = []
    found: list[Any] = []

    async def use() -> None:
        page = page_of(sent)
        page.begin({"model": DEFAULT_MODEL, "head": 2, "layer": 4, "threshold": 0.03})
        await asyncio.sleep(0.2)
        found.append(page.table)
        page.close()

    asyncio.run(use())
    columns = ["unit", "score", "feedback", "verdict"]
    assert found[0][columns].equals(app.feedback[columns])
    app.close()


def test_a_page_is_freed() -> None:
    torch_model = language_model("llama", vocab_size=400, max_position_embeddings=256)
    model = Model.wrap(torch_model, byte_level_tokenizer(), name="tiny")

    async def use() -> list[weakref.ref[Any]]:
        page = page_of([])
        scored = asyncio.Event()
        page.observe(lambda _: scored.set(), names="table")
        page.begin({"model": model, "source": "x = 1\n"})
        await scored.wait()
        scene = page.code_scene
        found = [weakref.ref(one) for one in (page, scene, scene.attention)]
        page.close()
        return found

    held = asyncio.run(use())
    gc.collect()
    assert [one() for one in held] == [None, None, None]


def test_what_a_page_cannot_begin_with_is_told() -> None:
    sent: Sent = []

    async def use() -> tuple[str, CodePage]:
        page = page_of(sent)
        page.begin({"model": DEFAULT_MODEL, "threshold": 7, "unit_kind": "token"})
        await asyncio.sleep(0.1)
        assert (page.threshold, page.unit_kind) == (0.5, "token")
        assert page.table is not None
        page.close()
        return page.places["status"], page

    status, _ = asyncio.run(use())
    states = [data.get("state", {}) for part, data in sent if part == status]
    errors = [(state.get("content") or {}).get("error") for state in states]
    assert any(error and "threshold" in error for error in errors)


def test_parts_that_are_not_there_and_other_tabs() -> None:
    async def use() -> None:
        page = page_of([])
        page.begin({"model": DEFAULT_MODEL})
        with pytest.raises(InputError, match="no part"):
            page.receive("", {"kind": "set"})
        with pytest.raises(InputError, match="one tab"):
            page.receive(
                page.places["header"], {"kind": "set", "name": "tab", "value": "thresholds"}
            )
        page.close()

    asyncio.run(use())
