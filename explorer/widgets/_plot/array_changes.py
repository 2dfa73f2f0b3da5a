"""How the arrays of a figure differ from those that the figure was sent with."""

from __future__ import annotations

import threading
from typing import Any

from explorer.widgets._protocol.plot_messages import ArraysMessage


class ArrayChanges:
    """The newest value of every attribute that was changed, and the message that first had it.

    A page that has drawn a message carries out what came later and compares nothing; a page that
    comes late finds every difference from the figure. Changes may be sent from another thread.
    """

    def __init__(self) -> None:
        self._values: dict[tuple[int, str], Any] = {}
        self._sent: dict[tuple[int, str], int] = {}
        self._lock = threading.Lock()

    def put(self, trace: int, path: str, value: Any) -> None:
        """Take the encoded value of an attribute, by plotly's dotted name."""
        with self._lock:
            self._values[trace, path] = value
            self._sent.pop((trace, path), None)

    def clear(self) -> None:
        """Forget all changes: there is a new figure."""
        with self._lock:
            self._values.clear()
            self._sent.clear()

    def message(self, serial: int) -> ArraysMessage:
        """Return all changes, those not sent before as part of this message."""
        with self._lock:
            for place in self._values:
                self._sent.setdefault(place, serial)
            return {
                "serial": serial,
                "changes": [
                    {
                        "trace": trace,
                        "path": path,
                        "serial": self._sent[trace, path],
                        "value": value,
                    }
                    for (trace, path), value in self._values.items()
                ],
            }
