"""The metrics of one gridzero as prometheus_client wants them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite

from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gridzero import __version__
from gridzero.outputs.feed import Feed
from gridzero.outputs.metrics.catalogue import METRICS
from gridzero.outputs.metrics.reading import Metric

FRESH_S: Mapping[str, float] = {
    "state": 10.0,
    "cells": 60.0,
    "battery": 60.0,
    "energy": 180.0,
    "settings": 300.0,
    "config": 60.0,
    "score": 300.0,
    "health": 1800.0,
}
"""Up to which age a topic counts: several times its period. What is older has no samples."""

UP = "gridzero_up"
AGE = "gridzero_topic_age_seconds"
BUILD = "gridzero_build_info"

OWN = (
    (UP, "1 while gridzero says that it is online, and its state is fresh", ()),
    (AGE, "How long ago a topic was heard last", ("topic",)),
    (BUILD, "Version of the program that answers", ("version",)),
)
"""What does not come from a topic: name, help, labels."""


class FeedCollector(Collector):
    """Reads the feed when somebody asks."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def collect(self) -> Iterator[Family]:
        """See prometheus_client.registry.Collector. What is unknown or old is absent."""
        yield from self._own()
        for metric in METRICS:
            family = _family(metric)
            for labels, value in self._samples(metric):
                family.add_metric(labels, value)
            yield family

    def describe(self) -> Iterator[Family]:
        """Names alone, so that registering does not read the feed."""
        yield from map(_family, METRICS)

    def _own(self) -> Iterator[Family]:
        up, age, build = (GaugeMetricFamily(name, text, labels=names) for name, text, names in OWN)
        up.add_metric((), float(self._is_up))
        for topic in FRESH_S:
            age_s = self._feed.age_s(topic)
            if isfinite(age_s):
                age.add_metric((topic,), age_s)
        build.add_metric((__version__,), 1.0)
        yield from (up, age, build)

    @property
    def _is_up(self) -> bool:
        return self._feed.is_online is True and self._is_fresh("state")

    def _is_fresh(self, topic: str) -> bool:
        return self._feed.age_s(topic) <= FRESH_S[topic]

    def _samples(self, metric: Metric) -> Iterator[tuple[tuple[str, ...], float]]:
        values = self._feed.latest(metric.topic)
        if values is not None and self._is_fresh(metric.topic):
            yield from metric.samples(values).items()


def _family(metric: Metric) -> GaugeMetricFamily | CounterMetricFamily:
    kind = CounterMetricFamily if metric.is_counter else GaugeMetricFamily
    return kind(metric.name, metric.text, labels=metric.labels)
