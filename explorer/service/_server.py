"""`serve` and `start_service`: the application behind a socket, in this thread or another."""

from __future__ import annotations

import logging
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from explorer._extras import require_extra
from explorer.errors import ExplorerError, InputError
from explorer.service._application import create_app
from explorer.service._service_settings import ServiceSettings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from explorer.models import Model

_KEEP_ALIVE = 5
"""Seconds that an idle connection stays open."""


def serve(
    settings: ServiceSettings | None = None,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Run the service until it is interrupted (Ctrl-C, SIGTERM); then finish what runs.

    Parameters
    ----------
    settings
        Address, token, models and limits; None for the defaults.
    on_ready
        Called with the address when the service listens; None to write it to stderr.

    Raises
    ------
    InputError
        The address is in use, or does not exist on this machine.
    MissingExtraError
        The extra ``service`` is not installed.
    """
    require_extra("service", "The service")
    listener, settings = _listening(settings or ServiceSettings())
    server = _server(create_app(settings), settings, on_ready or _print_address)
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        listener.close()


def start_service(
    settings: ServiceSettings | None = None, *, load: Callable[[str], Model] | None = None
) -> RunningService:
    """Start the service in a thread and return it when it listens, for notebooks and tests.

    Parameters
    ----------
    settings
        As for `serve`; port 0 takes a free port.
    load
        As for `create_app`.

    Returns
    -------
    RunningService
        Its ``url`` has the port; ``stop()``, or the end of a ``with`` block, stops it.

    Raises
    ------
    InputError, MissingExtraError
        As `serve`.
    """
    require_extra("service", "The service")
    listener, settings = _listening(settings or ServiceSettings())
    return RunningService(create_app(settings, load=load), settings, listener)


class RunningService:
    """A service that runs in a thread; `start_service` makes it.

    Attributes
    ----------
    url
        Its address, such as ``http://127.0.0.1:8001``.
    app
        The application.
    """

    def __init__(self, app: FastAPI, settings: ServiceSettings, listener: socket.socket) -> None:
        self.app = app
        self.url = settings.address
        self._listener = listener
        ready = threading.Event()
        self._server = _server(app, settings, lambda address: ready.set())
        self._failure: BaseException | None = None
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="explorer-service", daemon=True
        )
        self._thread.start()
        ready.wait()
        if self._failure is not None:
            raise ExplorerError(f"The service did not start: {self._failure!r}.")

    def stop(self) -> None:
        """Finish the requests that run, and stop; once stopped, nothing happens."""
        self._server.should_exit = True
        self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"RunningService({self.url!r})"

    def _run(self, ready: threading.Event) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            self._failure = error
        finally:
            ready.set()


def _listening(settings: ServiceSettings) -> tuple[socket.socket, ServiceSettings]:
    """Return a socket that listens, and the settings with its port."""
    name, port = settings.host.strip("[]"), settings.port
    listener: socket.socket | None = None
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(128)
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"The service cannot listen on {settings.host}, port {port}: {reason}. Choose another "
            "port, 0 for any free one, or stop the program that uses it."
        ) from None
    return listener, replace(settings, port=listener.getsockname()[1])


def _server(
    app: FastAPI, settings: ServiceSettings, on_ready: Callable[[str], None]
) -> uvicorn.Server:
    import uvicorn

    from explorer.service._http.connection_protocol import connection_protocol

    class AnnouncedServer(uvicorn.Server):
        """A server that says when it listens."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready(settings.address)

    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=connection_protocol(settings),
        ws="websockets-sansio",
        ws_max_size=settings.max_body_bytes,
        lifespan="on",
        access_log=False,  # its lines hold paths and queries of clients; /metrics counts requests
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.request_seconds) + 5,
    )
    return AnnouncedServer(config)


def _print_address(address: str) -> None:
    # stderr may be closed, or a pipe without a reader: the service runs nevertheless.
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(f"The service listens on {address} (Ctrl-C stops it).\n")
        sys.stderr.flush()
