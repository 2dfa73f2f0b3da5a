"""The files of the page at `/`: a fixed list; no path from a client is opened."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from explorer.service._http.problems import ProblemError

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    # plotly.js puts its rules into a <style> element, and both set style attributes.
    "style-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy of the page: nothing from elsewhere, and no script of its own text."""

router = APIRouter(include_in_schema=False)


def _asset(name: str) -> Callable[[], bytes]:
    def content() -> bytes:
        from explorer.widgets._plot.page_channel import asset

        return asset(name).encode()

    return content


def _plotly() -> bytes:
    from explorer.figures._style.plotly_js import plotly_js

    return bytes(plotly_js())


_FILES: Final = {
    "/": ("text/html; charset=utf-8", _asset("web.html")),
    "/page/web.js": ("text/javascript; charset=utf-8", _asset("web.js")),
    "/page/web.css": ("text/css; charset=utf-8", _asset("web.css")),
    "/page/explorer.css": ("text/css; charset=utf-8", _asset("explorer.css")),
    "/page/plot.css": ("text/css; charset=utf-8", _asset("plot.css")),
    "/page/plotly.js": ("text/javascript; charset=utf-8", _plotly),
}

PAGE_PATHS: Final = frozenset(_FILES)
"""The paths of the page: they hold no data, and need no token."""


@cache
def _file(path: str) -> tuple[str, bytes, str]:
    kind, content = _FILES[path]
    body = content()
    return kind, body, f'"{sha256(body).hexdigest()[:32]}"'


def _answer(request: Request) -> Response:
    try:
        kind, body, tag = _file(request.url.path)
    except KeyError:
        raise ProblemError("not-found", "The page has no such file.") from None
    headers = {
        "ETag": tag,
        "Cache-Control": "no-cache",
        "Content-Security-Policy": PAGE_POLICY,
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=kind, headers=headers)


for _path in _FILES:
    router.add_api_route(_path, _answer, methods=["GET", "HEAD"])
