"""Metrics of the service in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class ServiceMetrics:
    """Counters and histograms of one service, in a registry of its own.

    Attributes
    ----------
    requests
        Number of answers by endpoint and status code.
    latency
        Seconds from the request's headers to the end of its answer, by endpoint.
    passes, texts, tokens
        Numbers of forward passes, and of texts and tokens in them.
    cancelled
        Number of requests whose client left.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "explorer_requests",
            "Answers by endpoint and status.",
            ("endpoint", "status"),
            registry=self.registry,
        )
        self.latency = Histogram(
            "explorer_request_seconds",
            "Seconds from the headers of a request to the end of its answer.",
            ("endpoint",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.passes = Counter(
            "explorer_forward_passes", "Forward passes of texts.", registry=self.registry
        )
        self.texts = Counter(
            "explorer_forward_texts", "Texts in forward passes.", registry=self.registry
        )
        self.tokens = Counter(
            "explorer_tokens", "Tokens in forward passes, without padding.", registry=self.registry
        )
        self.cancelled = Counter(
            "explorer_cancelled_requests",
            "Requests whose client left before the answer.",
            registry=self.registry,
        )

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """Add a value that is read when the metrics are."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def passed(self, lengths: list[int]) -> None:
        """Count one forward pass over texts of these lengths."""
        self.passes.inc()
        self.texts.inc(len(lengths))
        self.tokens.inc(sum(lengths))

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
