"""Files that the page sends piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.errors import TraceError
from explorer.widgets._base.panel_part import PanelPart


class Uploads:
    """Puts the pieces of an uploaded file together.

    Parameters
    ----------
    region
        Where files are chosen or dropped.
    load
        Called with the contents and the name of a whole file.
    refuse
        Called with the name and the error of a file that cannot be taken.
    """

    def __init__(
        self,
        region: PanelPart,
        load: Callable[[bytes, str], None],
        refuse: Callable[[str, BaseException], None],
    ) -> None:
        self._region = region
        self._load = load
        self._refuse = refuse
        self._name = ""
        self._contents = bytearray()
        region.on("upload", self._receive)
        region.on("too_large", self._too_large)
        region.on("unreadable", self._unreadable)

    def _receive(self, message: Mapping[str, Any], buffers: list[memoryview]) -> None:
        if self._name != str(message["id"]):
            self._name, self._contents = str(message["id"]), bytearray()
        if int(message["offset"]) == len(self._contents):
            for buffer in buffers:
                self._contents += bytes(buffer)
        self._region.tell({"kind": "received"})
        if len(self._contents) >= int(message["size"]):
            contents = bytes(self._contents)
            self._name, self._contents = "", bytearray()
            self._load(contents, str(message["name"]))

    def _too_large(self, message: Mapping[str, Any], _: Any) -> None:
        size = int(message["size"]) / 2**20
        self._refuse(
            str(message["name"]),
            TraceError(
                f"{message['name']} is {size:,.0f} MB, and at most 200 MB can be loaded "
                "through the page. Give its path instead, or go through it with "
                "explorer.traces.iter_traces."
            ),
        )

    def _unreadable(self, message: Mapping[str, Any], _: Any) -> None:
        name = str(message["name"])
        self._refuse(name, TraceError(f"{name} cannot be read. Choose a file, not a folder."))
