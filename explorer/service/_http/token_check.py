"""Whether a client has the token of the service."""

from __future__ import annotations

import hashlib
import hmac


class TokenCheck:
    """Compares tokens in a time that depends neither on their length nor on their text.

    Parameters
    ----------
    token
        The token of the service; None for a service without one.
    """

    def __init__(self, token: str | None) -> None:
        self._digest = None if token is None else _digest(token)

    @property
    def needed(self) -> bool:
        """Whether the service has a token."""
        return self._digest is not None

    def accepts(self, given: str) -> bool:
        """Return whether this is the token, or none is needed."""
        return self._digest is None or hmac.compare_digest(_digest(given), self._digest)

    def accepts_header(self, authorization: str) -> bool:
        """Return whether an ``Authorization`` header has the token, or none is needed."""
        scheme, _, given = authorization.partition(" ")
        valid = self.accepts(given.strip())
        return self._digest is None or (valid and scheme.lower() == "bearer")


def _digest(token: str) -> bytes:
    """Return a digest, so that the comparison takes as long for every length."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
