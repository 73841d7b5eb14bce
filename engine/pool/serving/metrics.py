# pyright: strict
"""Metrics of a pool."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 3.0, 6.0, 12.0, 30.0)


class PoolMetrics:
    """What is counted.

    Attributes:
        registry: of all.
        requests: by endpoint and status.
        seconds: by endpoint, until it was answered.
        again: phrases that had been asked for before.
        making: phrases that are being made.
        heavy: phrases of heavy networks, by what played them.
        batch: phrases in the fullest call of a network that each had a share in, of those whose calls are shared.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        own = self.registry
        self.requests = Counter("perpetuum_pool_requests", "Requests of players.", ("endpoint", "status"), registry=own)
        self.seconds = Histogram(
            "perpetuum_pool_request_seconds", "Until they were answered.", ("endpoint",), buckets=_SECONDS, registry=own
        )
        self.again = Counter("perpetuum_pool_phrases_again", "Phrases that had been asked for before.", registry=own)
        self.batch = Histogram(
            "perpetuum_pool_batch",
            "Phrases in the fullest shared call of a network, for each phrase.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=own,
        )
        self.heavy = Counter(
            "perpetuum_pool_heavy_phrases", "Phrases of heavy networks, by what played them.", ("by",), registry=own
        )
        self.making = Gauge("perpetuum_pool_phrases_making", "Phrases that are being made.", registry=own)
