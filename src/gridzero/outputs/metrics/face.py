"""The face of the companion that Prometheus asks."""

from __future__ import annotations

from typing import NoReturn

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from gridzero.config.faces import MetricsConfig
from gridzero.outputs.feed import Feed
from gridzero.outputs.metrics.collector import FeedCollector
from gridzero.outputs.metrics.server import Page, PageServer
from gridzero.ports.clock import Clock

PATH = "/metrics"
_OPEN_METRICS = "application/openmetrics-text"
_ANEW_S = 1.0


class MetricsFace:
    """Meets outputs.face.Face. The text is made at most once a second, however many ask."""

    name = "metrics"

    def __init__(self, config: MetricsConfig, feed: Feed, clock: Clock) -> None:
        self._clock = clock
        self._registry = CollectorRegistry()
        self._registry.register(FeedCollector(feed))
        self._made: dict[str, tuple[float, Page]] = {}
        self.server = PageServer(config.host, config.port, PATH, self.page)

    async def run(self) -> NoReturn:
        """Serve until cancelled. Raises LinkError where the port cannot be had."""
        await self.server.run()

    def page(self, accept: str) -> Page:
        """All metrics, in OpenMetrics where the client asks for it, else in Prometheus' text."""
        wanted = f"{_OPEN_METRICS}; version=1.0.0" if _OPEN_METRICS in accept else ""
        made_s, page = self._made.get(wanted, (float("-inf"), Page("", b"")))
        if self._clock.now_s() - made_s < _ANEW_S:
            return page
        encode, content_type = choose_encoder(wanted)
        page = Page(content_type, encode(self._registry))
        self._made[wanted] = self._clock.now_s(), page
        return page
