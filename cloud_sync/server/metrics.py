"""Figures about the server itself for Prometheus: owns their names. One registry a server, none global."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """Counters of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.media_taken = Counter("island_media_taken_total", "Pictures stored", registry=self.registry)
        self.requests = Histogram(
            "island_request_seconds",
            "Time a request took",
            ["method", "status"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.stream_clients = Gauge("island_stream_clients", "Live streams open", registry=self.registry)
        self.stream_dropped = Counter(
            "island_stream_dropped_total", "Live streams closed because they read too slowly", registry=self.registry
        )
        self.gateway_age_s = Gauge(
            "island_gateway_age_seconds", "Since the last sign of a gateway", ["gateway"], registry=self.registry
        )
        self.gateway_backlog = Gauge(
            "island_gateway_backlog", "Events a gateway still holds", ["gateway"], registry=self.registry
        )
        self.holds_waiting = Gauge("island_holds_waiting", "Vehicles that wait for a person", registry=self.registry)

    def text(self) -> bytes:
        """In the Prometheus text format."""
        return generate_latest(self.registry)
