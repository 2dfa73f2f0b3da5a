"""Delivery to a store that may be dead: in bounded time, with one warning for each outage."""

from __future__ import annotations

import contextvars
import socket
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from explorer.errors import TrackingWarning

_PORTS = {"http": 80, "https": 443}
_CONNECT = 3.0  # seconds for the connection that tells whether a server is there


Prepared = TypeVar("Prepared")


class Delivery:
    """Prepares and writes runs; a failure is a warning.

    A local store is written in the calling thread. One on another machine is written in a thread
    that is waited for only so long: MLflow itself repeats requests to a dead server for minutes.
    After a failure nothing is tried for a while; the warning comes once, until a run is written.

    Parameters
    ----------
    timeout
        Most seconds to wait for one run to be written to another machine.
    retry_after
        Seconds without a further try after a failure.

    Attributes
    ----------
    failure
        The last failure, None after a success.
    skipped
        Number of runs that failed or were not tried.
    """

    def __init__(self, timeout: float, retry_after: float) -> None:
        self.failure: str | None = None
        self.skipped = 0
        self._timeout = timeout
        self._retry_after = retry_after
        self._paused_until = 0.0
        self._late: threading.Thread | None = None
        self._lock = threading.Lock()

    def run(
        self,
        uri: Callable[[], str],
        prepare: Callable[[], Prepared],
        write: Callable[[Prepared], str],
    ) -> str | None:
        """Return what `write` makes of what `prepare` returns; None if it failed or must wait.

        Parameters
        ----------
        uri
            Returns the address of the store.
        prepare
            Called in this thread, and only if the store is to be tried.
        write
            Called in another thread if the store is on another machine.
        """
        if self._waits():
            return None
        address = ""
        try:
            address, prepared = uri(), prepare()
            if is_remote(address):
                connect(address, min(_CONNECT, self._timeout))
                found = self._in_time(lambda: write(prepared))
            else:
                open_database(address, min(_CONNECT, self._timeout))
                found = write(prepared)
        except Exception as error:  # noqa: BLE001 - tracking never stops an analysis
            self._fail(address, error)
            return None
        with self._lock:
            self.failure = None
            self._paused_until = 0.0
        return found

    def _waits(self) -> bool:
        """Return whether the store failed a moment ago, or a thread still waits for it."""
        with self._lock:
            late = self._late is not None and self._late.is_alive()
            if late or time.monotonic() < self._paused_until:
                self.skipped += 1
                return True
            self._late = None
            return False

    def _in_time(self, work: Callable[[], str]) -> str:
        found: list[str] = []
        failed: list[Exception] = []

        def run() -> None:
            try:
                found.append(work())
            except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
                failed.append(error)

        context = contextvars.copy_context()
        thread = threading.Thread(
            target=context.run, args=(run,), name="explorer tracking", daemon=True
        )
        thread.start()
        thread.join(self._timeout)
        if thread.is_alive():
            with self._lock:
                self._late = thread
            raise TimeoutError(f"it did not answer within {self._timeout:g} s")
        if failed:
            raise failed[0]
        return found[0]

    def _fail(self, address: str, error: Exception) -> None:
        with self._lock:
            self.skipped += 1
            first = self.failure is None
            self.failure = f"{type(error).__name__}: {error}"
            self._paused_until = time.monotonic() + self._retry_after
        if first:
            where = without_password(address) or "MLflow"
            reason = " ".join(self.failure.split())[:300].rstrip(".")
            warnings.warn(
                f"A run was not logged to {where}: {reason}. Analyses go on without tracking; the "
                f"next try is in {self._retry_after:g} s.",
                TrackingWarning,
                stacklevel=5,  # _fail, run, _log, log_..., its caller
            )


def is_remote(uri: str) -> bool:
    """Return whether a store may be on another machine."""
    scheme = urlsplit(uri).scheme.partition("+")[0].lower()
    if uri.partition("://")[0].startswith("databricks"):
        return True
    # One letter is a drive of Windows.
    return len(scheme) > 1 and scheme not in {"file", "sqlite"}


def open_database(uri: str, timeout: float) -> None:
    """Open an SQLite file and close it; other stores are left alone.

    MLflow itself tries for two minutes to open a file that cannot be opened.

    Raises
    ------
    OSError, sqlite3.Error
        The file cannot be opened or read, is no database, or stays locked.
    """
    scheme, _, path = uri.partition(":///")
    if scheme.partition("+")[0].lower() != "sqlite" or "?" in path or path in ("", ":memory:"):
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)  # as MLflow does
    with closing(sqlite3.connect(path, timeout=timeout)) as connection:
        connection.execute("PRAGMA schema_version")


def without_password(uri: str) -> str:
    """Return an address without user name, password and query."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # what is secret in it is not known
        return "an address that is not valid"
    if not parts.netloc:
        return uri
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def connect(uri: str, timeout: float) -> None:
    """Open a connection to an HTTP server and close it; does nothing behind a proxy.

    Raises
    ------
    OSError
        Nothing answers there.
    """
    parts = urlsplit(uri)
    host, port = parts.hostname, parts.port or _PORTS.get(parts.scheme)
    if parts.scheme not in _PORTS or host is None:
        return
    proxies = getproxies()
    if (parts.scheme in proxies or "all" in proxies) and not proxy_bypass(host):
        return
    socket.create_connection((host, port or 0), timeout=timeout).close()
