"""Everything that travels between the kernel and the page, written down once on this side.

`frontend/src/protocol` writes it down for the page; `tests/shared/messages.json` holds an example
of every part, which the tests of both sides read.
"""
