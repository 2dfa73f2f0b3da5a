"""The alphabet in which byte-level tokenizers write bytes."""

from __future__ import annotations

from functools import cache


@cache
def byte_alphabet() -> dict[str, int]:
    """Return the byte of each printable character that byte-level BPE writes.

    Printable Latin-1 bytes are themselves; the others follow in order from code point 256. Source:
    Radford et al. 2019 (GPT-2), ``bytes_to_unicode`` in its published encoder.
    """
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {
        **{chr(byte): byte for byte in printable},
        **{chr(256 + rank): byte for rank, byte in enumerate(others)},
    }
