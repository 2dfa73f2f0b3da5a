"""The format of an answer, chosen by the header ``Accept``."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.service._http.problems import ProblemError

JSON = "application/json"
NPY = "application/x-npy"
SAFETENSORS = "application/x-safetensors"
ARROW = "application/vnd.apache.arrow.stream"
PNG = "image/png"

MATRIX_FORMATS = (JSON, NPY, SAFETENSORS, ARROW)
"""Formats of answers that hold arrays; the first is the default."""

_OTHER_NAMES = {
    "application/safetensors": SAFETENSORS,
    "application/vnd.safetensors": SAFETENSORS,
    "application/npy": NPY,
}


def chosen_format(accept: str | None, offered: Sequence[str]) -> str:
    """Return the offered format that a client prefers.

    Parameters
    ----------
    accept
        The header; None or empty accepts everything.
    offered
        Media types; of equally good ones the first is chosen.

    Raises
    ------
    ProblemError
        The client accepts none of them.

    Examples
    --------
    >>> chosen_format("text/html, application/*;q=0.5", ["application/json"])
    'application/json'
    """
    if not accept or not accept.strip():
        return offered[0]
    ranges = [_range(one) for one in accept.lower().split(",") if one.strip()]
    best, best_quality = "", 0.0
    for kind in offered:
        # The most specific range that fits counts (RFC 9110, 12.5.1).
        fits = [(rank, quality) for rank, quality in (_fit(one, kind) for one in ranges) if rank]
        quality = max(fits)[1] if fits else 0.0
        if quality > best_quality:
            best, best_quality = kind, quality
    if not best:
        raise ProblemError(
            "not-acceptable",
            f"The answer can be {', '.join(offered)}, but the request accepts {accept[:80]!r}.",
        )
    return best


def _range(text: str) -> tuple[str, float]:
    """Return a media range and its quality."""
    kind, *parameters = (part.strip() for part in text.split(";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
    return _OTHER_NAMES.get(kind, kind), min(1.0, max(0.0, quality))


def _fit(one: tuple[str, float], kind: str) -> tuple[int, float]:
    """Return how specifically a range names a media type (0 if it does not), and its quality."""
    name, quality = one
    if name == kind:
        return 3, quality
    if name == f"{kind.partition('/')[0]}/*":
        return 2, quality
    return (1, quality) if name == "*/*" else (0, 0.0)
