"""A download that reports its bytes, can be cancelled, and ends when no bytes arrive."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Self

from explorer.errors import Cancelled
from explorer.run_control import RunControl

# After this many seconds without a byte the download is given up.
STALL_S = 15.0
_POLL_S = 0.05


class _Transfer:
    """State shared by the downloading and the waiting thread."""

    def __init__(self) -> None:
        self.received = 0.0
        self.moved = time.monotonic()
        self.abandoned = threading.Event()
        self.error: Exception | None = None
        self.folder: Path | None = None

    def advance(self, count: float) -> None:
        if self.abandoned.is_set():
            raise Cancelled("Stopped as you asked. Nothing was changed.")
        self.received += count
        self.moved = time.monotonic()


def download(request: dict[str, Any], size: int, control: RunControl) -> Path:
    """Return the folder that ``huggingface_hub.snapshot_download`` fills, called in its own thread.

    Parameters
    ----------
    request
        Arguments of ``snapshot_download``.
    size
        Bytes expected, for the progress bar; 0 to report no progress.
    control
        Receives the progress; its cancel event is checked also while no bytes arrive.

    Returns
    -------
    pathlib.Path
        The snapshot's folder.

    Raises
    ------
    TimeoutError
        If no byte arrived for `STALL_S` seconds.
    Cancelled
        If the cancel event was set. Received files are kept, and a later download continues.
    """
    transfer = _Transfer()

    def work() -> None:
        from huggingface_hub import snapshot_download

        try:
            transfer.folder = Path(snapshot_download(**request, tqdm_class=_bar_class(transfer)))
        except Exception as error:  # noqa: BLE001  # any error is raised in the waiting thread
            transfer.error = error

    thread = threading.Thread(target=work, name="explorer-download", daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_POLL_S)
            _report(request["repo_id"], transfer, size, control)
            if time.monotonic() - transfer.moved > STALL_S:
                raise TimeoutError(f"no bytes for {STALL_S:.0f} s")
    finally:
        transfer.abandoned.set()  # the thread stops at its next chunk
    if transfer.error is not None:
        raise transfer.error
    if transfer.folder is None:  # a SystemExit ended the thread
        raise ConnectionError("the download ended without a result")
    return transfer.folder


def _report(hub_id: str, transfer: _Transfer, size: int, control: RunControl) -> None:
    if not size:
        control.check()
        return
    done = min(transfer.received, size)
    control.report(
        "download", done / size, f"Downloading {hub_id}: {done / 1e6:,.0f} of {size / 1e6:,.0f} MB"
    )


def _bar_class(transfer: _Transfer) -> type:
    """Return a progress bar class that draws nothing and counts the bytes of a transfer."""

    class Bar:
        """A silent tqdm: huggingface_hub makes one for bytes written and one for files."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.total = kwargs.get("total")
            self.format_dict: dict[str, Any] = {}
            self.n = 0.0
            self._iterable = args[0] if args else kwargs.get("iterable")
            # A second bar counts the same bytes before decompression; it is ignored.
            description = str(kwargs.get("desc") or "")
            self._counts = kwargs.get("unit") == "B" and description != "Downloading bytes"

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            transfer.advance((n or 0) if self._counts else 0)

        def __iter__(self) -> Any:
            return iter(self._iterable or ())

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return lambda *args, **kwargs: None

        _lock = threading.RLock()

        @classmethod
        def get_lock(cls) -> Any:
            return cls._lock

        @classmethod
        def set_lock(cls, lock: Any) -> None:
            cls._lock = lock

    return Bar
