"""The settings of the service: address, token, models and limits."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType

from explorer.errors import InputError
from explorer.models import DEFAULT_MODEL

LEAST_TOKEN = 16
"""Fewest characters of a token."""

LONGEST_SECONDS = 7 * 24 * 3600
"""The longest time limit."""

_NO_MODELS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ServiceSettings:
    """Address, token, models and limits of a service.

    Attributes
    ----------
    host, port
        The address to listen on. Port 0 takes any free port. A host other than loopback needs a
        `token`.
    token
        What a client sends as ``Authorization: Bearer TOKEN``; at least 16 characters without
        white space. None for no check, on loopback only.
    model
        The model of requests that name no model: a name for `load_model`, or a key of
        `extra_models`.
    extra_models
        Further models that clients may name: from the name that a client gives to a name for
        `load_model`, such as a folder. Clients never give folders themselves.
    downloads
        Whether a request may download a model of the menu that is not installed.
    preload
        Whether the default model is loaded at the start. Until then ``/health`` is not ready.
    max_body_bytes
        Longest body of a request.
    max_depth
        Deepest nesting of arrays and objects in JSON.
    max_tokens
        Most tokens of a text, special tokens included.
    max_cells
        Most cells of a matrix, in a request or an answer.
    max_concurrency
        Most requests that are handled at once.
    max_connections
        Most open connections.
    max_queue
        Most forward passes that wait.
    max_sessions
        Most connections to ``/live``, such as open pages.
    max_message_bytes
        Longest message of ``/live``.
    max_models
        Most models in memory; the one that was used least recently is released.
    idle_seconds
        Time after which a connection to ``/live`` without a message is closed.
    request_seconds, body_seconds, header_seconds
        Time limits: from the complete request to the answer, for receiving the body (and for
        sending each part of an answer), and for receiving the headers.

    Raises
    ------
    InputError
        A value is not valid, or the host is not loopback and there is no token.

    Examples
    --------
    >>> ServiceSettings(port=9000).address
    'http://127.0.0.1:9000'
    """

    host: str = "127.0.0.1"
    port: int = 8001
    token: str | None = field(default=None, repr=False)
    model: str = DEFAULT_MODEL
    extra_models: Mapping[str, str] = field(default_factory=lambda: _NO_MODELS, hash=False)
    downloads: bool = False
    preload: bool = True
    max_body_bytes: int = 8 * 2**20
    max_depth: int = 64
    max_tokens: int = 2048
    max_cells: int = 2048 * 2048
    max_concurrency: int = 64
    max_connections: int = 256
    max_queue: int = 64
    max_models: int = 2
    max_sessions: int = 8
    max_message_bytes: int = 2**20
    idle_seconds: float = 1800.0
    request_seconds: float = 60.0
    body_seconds: float = 10.0
    header_seconds: float = 10.0

    def __post_init__(self) -> None:
        if not isinstance(self.host, str) or not self.host.strip():
            raise InputError(f"The host must be a name or an address, but it is {self.host!r}.")
        if not _is_whole(self.port) or not 0 <= self.port < 65_536:
            raise InputError(
                f"The port must be a whole number from 0 to 65535 (0 takes a free one), but it is "
                f"{self.port!r}."
            )
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name.startswith("max_") and (not _is_whole(value) or value < 1):
                raise InputError(
                    f"{one.name} must be a whole number of at least 1, but it is {value!r}."
                )
            if one.name.endswith("_seconds") and not _is_duration(value):
                raise InputError(
                    f"{one.name} must be a number above 0 and at most {LONGEST_SECONDS} (a "
                    f"week), but it is {value!r}."
                )
            if one.name in ("downloads", "preload") and not isinstance(value, bool):
                raise InputError(f"{one.name} must be True or False, but it is {value!r}.")
        if not isinstance(self.model, str) or not self.model.strip():
            raise InputError(f"The model must be a name, but it is {self.model!r}.")
        self._check_token()
        given = self.extra_models
        if not isinstance(given, Mapping) or not all(
            isinstance(text, str) and text.strip() for pair in given.items() for text in pair
        ):
            raise InputError(
                "extra_models must be a dict from the name that clients give to a name for "
                f"load_model, but it is {given!r}."
            )
        object.__setattr__(self, "extra_models", MappingProxyType(dict(self.extra_models)))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the service."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    @property
    def address(self) -> str:
        """The address of the service, such as ``http://127.0.0.1:8001``."""
        bare = self.host.strip("[]")
        return f"http://{f'[{bare}]' if ':' in bare else bare}:{self.port}"

    def _check_token(self) -> None:
        token = self.token
        if token is None:
            if not self.is_loopback:
                raise InputError(
                    f"Other machines can reach the host {self.host}, so the service needs a token "
                    f"there. Set token to at least {LEAST_TOKEN} random characters, or use the "
                    "host 127.0.0.1."
                )
            return
        # The token itself is in no message: messages are logged.
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise InputError("The token must be a text of printable ASCII characters.")
        if len(token) < LEAST_TOKEN or " " in token:
            raise InputError(
                f"The token must have at least {LEAST_TOKEN} characters and no white space. "
                "`python -c 'import secrets; print(secrets.token_urlsafe())'` makes one."
            )


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_duration(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return 0 < value <= LONGEST_SECONDS
