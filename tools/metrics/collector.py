"""`WorldCollector`: a world as a collector of prometheus_client, so that a game may add it to a registry of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ...runtime import Distribution
from ...workflows.errors import DeathlessError
from .families import FAMILIES, PREFIX, UP, UP_HELP, Family, Values
from .picture import Picture, Subject

if TYPE_CHECKING:
    from prometheus_client import Metric


class WorldCollector:
    """Gives the metrics of a world each time it is asked.

    registry.register(WorldCollector(OpenWorld(world)))
    """

    def __init__(self, subject: Subject) -> None:
        """Collect from a world: an `OpenWorld` of this process, or a `SavedWorld` of another."""
        self._subject = subject

    def describe(self) -> list[Any]:
        """Return nothing: what there is depends on where the world is looked at from."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Give the metrics as of now; of a world that cannot be read, that it is not up."""
        # It takes long to import, and a game that exports nothing never needs it.
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415

        picture: Picture | None = None
        with contextlib.suppress(DeathlessError, OSError):
            picture = self._subject.picture()
        yield GaugeMetricFamily(UP, UP_HELP, value=float(picture is not None))
        if picture is not None:
            for family in FAMILIES:
                values = family.read(picture)
                if values is not None:
                    yield _metric(family, values)


def _metric(family: Family, values: Values) -> Metric:
    from prometheus_client.core import (  # noqa: PLC0415 - as above.
        CounterMetricFamily,
        GaugeMetricFamily,
        HistogramMetricFamily,
    )

    name = PREFIX + family.name
    if isinstance(values, Distribution):
        bounds = (*map(str, values.bounds), "+Inf")
        buckets = list(zip(bounds, accumulate(values.counts), strict=True))
        return HistogramMetricFamily(name, family.help, buckets=buckets, sum_value=values.total)
    made = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}[family.kind]
    metric: Metric = made(name, family.help, labels=family.labels)
    samples = [((), values)] if isinstance(values, int | float) else values
    for labels, value in samples or ():
        metric.add_metric(labels, value)  # type: ignore[attr-defined] # Of both kinds.
    return metric
