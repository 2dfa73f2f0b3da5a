"""Settings of the service are checked when they are made."""

from __future__ import annotations

import pytest

from explorer.errors import InputError
from explorer.service import ServiceSettings

TOKEN = "0123456789abcdef"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_needs_no_token(host) -> None:
    assert ServiceSettings(host=host).is_loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "my.machine", "127.0.0.1.evil"])  # noqa: S104
def test_any_other_host_needs_a_token(host) -> None:
    with pytest.raises(InputError, match="needs a token"):
        ServiceSettings(host=host)
    assert not ServiceSettings(host=host, token=TOKEN).is_loopback


@pytest.mark.parametrize("token", ["", "short", "with a space in it", "ümlaut-ümlaut-ümlaut", 7])
def test_a_weak_token_is_refused_and_not_repeated(token) -> None:
    with pytest.raises(InputError) as raised:
        ServiceSettings(token=token)
    assert not token or str(token) not in str(raised.value)


def test_the_token_is_in_no_representation() -> None:
    assert TOKEN not in repr(ServiceSettings(token=TOKEN))


@pytest.mark.parametrize(
    "change",
    [
        {"port": -1},
        {"port": 65_536},
        {"port": "80"},
        {"host": ""},
        {"model": " "},
        {"max_tokens": 0},
        {"max_queue": 1.5},
        {"max_cells": True},
        {"request_seconds": 0},
        {"body_seconds": float("inf")},
        {"header_seconds": float("nan")},
        {"request_seconds": 1e300},
        {"downloads": "no"},
        {"preload": 1},
        {"extra_models": "tiny"},
        {"extra_models": None},
        {"extra_models": {"tiny": 2}},
        {"extra_models": {"": "/models/tiny"}},
    ],
)
def test_a_value_that_is_not_valid_is_named(change) -> None:
    (name,) = change
    with pytest.raises(InputError, match=name):
        ServiceSettings(**change)


def test_addresses_are_written_as_in_a_browser() -> None:
    assert ServiceSettings(host="::1", port=7).address == "http://[::1]:7"
