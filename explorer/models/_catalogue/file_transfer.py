"""One download that reports its bytes, can be stopped, and does not wait for ever."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any, Self

from explorer.errors import Cancelled
from explorer.run_control import RunControl

# A hub that sends nothing for so long will not go on: give the user the app back.
STALL_S = 15.0
_POLL_S = 0.05


class _Transfer:
    """Shared between the thread that downloads and the one that waits."""

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
    """Call ``huggingface_hub.snapshot_download`` in a thread of its own.

    Parameters
    ----------
    request
        Arguments of ``snapshot_download``.
    size
        Bytes expected, for the progress bar; 0 when unknown or not worth a bar.
    control
        Told about bytes; its cancel event is noticed at once, also while the hub is silent.

    Returns
    -------
    pathlib.Path
        The snapshot's folder.

    Raises
    ------
    TimeoutError
        If no byte arrived for `STALL_S` seconds.
    Cancelled
        If the caller stopped. What has arrived is kept, and a later download goes on from there.
    """
    transfer = _Transfer()

    def work() -> None:
        from huggingface_hub import snapshot_download

        try:
            transfer.folder = Path(snapshot_download(**request, tqdm_class=_bar_class(transfer)))
        except Exception as error:  # noqa: BLE001  # handed to the waiting thread, whatever it is
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
    if transfer.folder is None:  # only SystemExit and its kin end a thread like this
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
    """A progress bar class that draws nothing and counts bytes for us."""

    class Bar:
        """Stands in for tqdm: huggingface_hub makes one for bytes written, one for files."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.total = kwargs.get("total")
            self.format_dict: dict[str, Any] = {}
            self.n = 0.0
            self._iterable = args[0] if args else kwargs.get("iterable")
            # Bytes are counted once: a second bar counts what arrives before decompression.
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
