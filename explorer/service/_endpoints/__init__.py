"""The endpoints: what they take, what they give, and how they are documented."""

from __future__ import annotations

from explorer.service._endpoints import (
    code_endpoints,
    explain_endpoint,
    feedback_endpoints,
    status_endpoints,
)

_ALL = (code_endpoints, explain_endpoint, feedback_endpoints, status_endpoints)

ROUTERS = tuple(module.router for module in _ALL)
"""The routers of all endpoints."""

TYPES = tuple(kind for module in _ALL for kind in module.TYPES)
"""The bodies and answers of all endpoints, for the OpenAPI document."""
