"""Figures about the gateway for Prometheus: owns their names. They are made when asked for; none holds a plate."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from edge.app import Gateway
from edge.energy.figures import energy_figures


def metrics_text(gateway: Gateway) -> bytes:
    """In the Prometheus text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(gateway))
    return generate_latest(registry)


class _Figures:
    """Reads the running gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def collect(self) -> Iterable[Metric]:
        yield from self._queue()
        yield from self._reader()
        yield self._backlog()
        if self._gateway.parts.energy is not None:
            yield from energy_figures(self._gateway.parts.energy)
        parts = CounterMetricFamily("island_part_restarts", "Parts of the gateway that failed and were started again")
        parts.add_metric([], self._gateway.restarts)
        yield parts

    def _queue(self) -> Iterable[Metric]:
        inference = self._gateway.parts.inference
        if inference is None:
            return []
        age = GaugeMetricFamily(
            "island_reader_queue_age_seconds", "How long a lane's picture has been waiting", labels=["lane"]
        )
        waited = GaugeMetricFamily(
            "island_reader_wait_seconds_max", "The longest that a lane's picture has waited", labels=["lane"]
        )
        pictures = CounterMetricFamily(
            "island_reader_pictures", "Pictures of a lane by what became of them", labels=["lane", "outcome"]
        )
        for lane in self._gateway.parts.lanes:
            lane_id = lane.settings.lane_id
            tally = inference.tally(lane_id)
            age.add_metric([lane_id], inference.queue_age_s(lane_id))
            waited.add_metric([lane_id], tally.waited_s_max)
            for outcome in ("read", "dropped", "failed"):
                pictures.add_metric([lane_id, outcome], getattr(tally, outcome))
        return [age, waited, pictures]

    def _reader(self) -> Iterable[Metric]:
        reader = self._gateway.parts.reader
        if reader is None:
            return
        works = GaugeMetricFamily("island_reader_up", "1 while the reader works")
        works.add_metric([], float(reader.watch.gone is None))
        losses = CounterMetricFamily("island_reader_losses", "Times that the reader died, hung or did not start")
        losses.add_metric([], reader.losses)
        models = GaugeMetricFamily("island_models_info", "The models in use", labels=["version"])
        models.add_metric([self._gateway.models], 1.0)
        yield from (works, losses, models)

    def _backlog(self) -> Metric:
        backlog = GaugeMetricFamily("island_journal_backlog", "Events that the cloud does not have", labels=["lane"])
        for lane, count in self._gateway.parts.journal.backlog().items():
            backlog.add_metric([lane], count)
        return backlog
