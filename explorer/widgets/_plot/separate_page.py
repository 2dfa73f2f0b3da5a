"""Widgets of a page of its own: what they send goes to that page, and to no kernel.

ipywidgets opens a channel (a comm) for every widget with `comm.create_comm`, which a kernel
replaces by its own. A `SeparatePage` replaces it in turn while its widgets are made, for the
thread that makes them alone: widgets that a notebook makes meanwhile in the same process are its
own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import comm
import ipywidgets
from comm.base_comm import BaseComm
from ipywidgets.widgets.widget import _instances

Send = Callable[[str, Mapping[str, Any], Sequence[Any]], None]
"""Takes the model id, the data of a message as Jupyter has it, and its buffers."""


class PageComm(BaseComm):
    """The channel of one widget of a page; silent until the page follows the widget."""

    def __init__(self, page: SeparatePage, comm_id: str | None = None) -> None:
        self._page: SeparatePage | None = page
        self.followed = False
        super().__init__(target_name="jupyter.widget", comm_id=comm_id, primary=False)

    def publish_msg(self, msg_type: str, data: Any = None, *_: Any, **more: Any) -> None:
        """Send what belongs to a message of a followed widget."""
        if self.followed and self._page is not None and msg_type == "comm_msg":
            self._page.send(self.comm_id, data or {}, more.get("buffers") or ())

    def close(self, *_: Any, **__: Any) -> None:
        """Send nothing more."""
        self._closed, self._page, self._msg_callback = True, None, None

    def receive(self, content: Mapping[str, Any], buffers: Sequence[memoryview]) -> None:
        """Give the widget a message of the page."""
        # Not `handle_msg`: it would announce the execution of a cell to a kernel.
        if self._msg_callback is not None:
            data = {"method": "custom", "content": content}
            self._msg_callback({"content": {"data": data}, "buffers": list(buffers)})


class SeparatePage:
    """The widgets of one page.

    Parameters
    ----------
    send
        Called with every message of a widget that the page follows, in the thread that changes
        the widget.
    """

    _building: ClassVar[threading.local] = threading.local()
    _lock: ClassVar[threading.Lock] = threading.Lock()
    _builders: ClassVar[int] = 0
    _kernel_comm: ClassVar[Callable[..., BaseComm]] = comm.create_comm

    LIBRARY_ID: ClassVar[str] = "library"
    """Model id that stands for the drawing library: the page loads it from a file."""

    def __init__(self, send: Send) -> None:
        self.send = send
        self._comms: dict[str, PageComm] = {}

    @classmethod
    def current(cls) -> SeparatePage | None:
        """Return the page whose widgets this thread makes; None for those of a notebook."""
        return getattr(cls._building, "page", None)

    @contextmanager
    def building(self) -> Iterator[None]:
        """Widgets that this thread makes inside the `with` belong to the page."""
        cls = type(self)
        with cls._lock:
            if not cls._builders:
                cls._kernel_comm = comm.create_comm
                comm.create_comm = _create_comm
            cls._builders += 1
        cls._building.page = self
        try:
            yield
        finally:
            cls._building.page = None
            # A notebook that asks for the states of all widgets must not get those of the page.
            for model_id in self._comms:
                _instances.pop(model_id, None)
            with cls._lock:
                cls._builders -= 1
                if not cls._builders and comm.create_comm is _create_comm:
                    comm.create_comm = cls._kernel_comm

    def follow(self, widget: ipywidgets.Widget) -> None:
        """Send the state of a widget, and whatever it sends from now on."""
        self._comms[widget.model_id].followed = True
        widget.send_state()

    def receive(
        self, model_id: str, content: Mapping[str, Any], buffers: Sequence[memoryview] = ()
    ) -> bool:
        """Give a followed widget a message of the page; return whether there is such a widget."""
        found = self._comms.get(model_id)
        if found is None or not found.followed:
            return False
        found.receive(content, buffers)
        return True

    def close(self) -> None:
        """Send nothing more."""
        for one in self._comms.values():
            one.close()
        self._comms.clear()

    def _comm(self, comm_id: str | None) -> PageComm:
        made = PageComm(self, comm_id)
        self._comms[made.comm_id] = made
        return made


def _create_comm(*args: Any, **kwargs: Any) -> BaseComm:
    """Return the channel of a widget: the page's, or as before."""
    page = SeparatePage.current()
    if page is None:
        return SeparatePage._kernel_comm(*args, **kwargs)  # noqa: SLF001
    return page._comm(kwargs.get("comm_id"))  # noqa: SLF001
