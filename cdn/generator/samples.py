"""A sample: its catalog, and the requests of any of its days, drawn or expected."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from cdn.generator.catalog import build_catalog
from cdn.generator.clock import hour_factors
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.popularity import Popularity, draw_popularity, draw_seeds
from cdn.generator.regions import Regions, made_up_regions
from cdn.generator.titles import draw_titles
from cdn.model.catalog import Catalog
from cdn.model.request_log import RequestLog
from cdn.units import HOURS_PER_DAY, MICROSECONDS_PER_SECOND, SECONDS_PER_HOUR

_BYTES_PER_MB = 1e6


@dataclass(frozen=True, eq=False)
class Sample:
    """Everything that is drawn once; days follow from it. R regions, A assets."""

    parameters: GeneratorParameters
    regions: Regions
    catalog: Catalog
    popularity: Popularity
    day_seeds: tuple[np.random.SeedSequence, ...]

    def date_of(self, day: int) -> date:
        """The calendar day (UTC) of day 0, 1, ..."""
        return self.parameters.start_day + timedelta(days=day)

    def hour_factors(self, day: int) -> np.ndarray:
        """(24, R) rate in each UTC hour over the region's mean rate."""
        return hour_factors(self.date_of(day), self.regions.time_zones, self.parameters)

    def requests_per_hour(self, day: int) -> np.ndarray:
        """(24, R) expected requests."""
        mean = self.parameters.requests_per_day / HOURS_PER_DAY
        return mean * self.regions.weight * self.hour_factors(day)

    def draw_days(self) -> Iterator[tuple[date, RequestLog]]:
        """Each day's requests, one day in memory at a time."""
        for day in range(self.parameters.days):
            yield self.date_of(day), self.draw_day(day)

    def draw_day(self, day: int) -> RequestLog:
        """One day's requests; the same whichever days were drawn before."""
        rng = np.random.default_rng(self.day_seeds[day])
        title_weight = self.popularity.title_weight(day)
        per_hour = rng.poisson(self.requests_per_hour(day))
        assets, hours = [], []
        for region in range(len(self.regions)):
            n = int(per_hour[:, region].sum())
            share = np.cumsum(self.popularity.shares(region, title_weight))
            if n and share[-1] > 0:
                assets.append(np.searchsorted(share, rng.random(n) * share[-1], side="right"))
            else:
                per_hour[:, region] = 0
            hours.append(np.repeat(np.arange(HOURS_PER_DAY), per_hour[:, region]))
        hour = np.concatenate(hours)
        asset = np.concatenate([*assets, np.zeros(0, dtype=np.int64)])
        second = hour * SECONDS_PER_HOUR + rng.integers(0, SECONDS_PER_HOUR, len(hour))
        first_us = np.datetime64(self.date_of(day), "us").astype(np.int64)
        return RequestLog(
            region_index=self.regions.index,
            asset_index=self.catalog.asset_index,
            # Logs carry whole seconds.
            time_us=first_us + second * MICROSECONDS_PER_SECOND,
            region=np.repeat(np.arange(len(self.regions)), per_hour.sum(axis=0)),
            asset=asset,
            bytes=self.draw_bytes(asset, rng),
        )

    def draw_bytes(self, asset: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(N,) bytes of each request: the whole asset, or the whole segments of a Beta-distributed part of it."""
        parameters, size = self.parameters, self.catalog.size_bytes[asset]
        segment = parameters.segment_mb * _BYTES_PER_MB
        part = rng.beta(parameters.partial_alpha, parameters.partial_beta, len(asset))
        partial = np.minimum(np.maximum(np.ceil(part * size / segment), 1) * segment, size)
        return np.where(rng.random(len(asset)) < parameters.complete_share, size, partial).astype(np.int64)

    def mean_bytes(self) -> np.ndarray:
        """(A,) expected bytes of a request. A last segment begun counts for half of one on average."""
        parameters, size = self.parameters, self.catalog.size_bytes.astype(float)
        part = parameters.partial_alpha / (parameters.partial_alpha + parameters.partial_beta)
        partial = np.minimum(part * size + parameters.segment_mb * _BYTES_PER_MB / 2, size)
        return parameters.complete_share * size + (1 - parameters.complete_share) * partial


def concatenated(logs: Sequence[RequestLog]) -> RequestLog:
    """Days as one log; at least one, all of the same regions and assets."""
    names = ("time_us", "region", "asset", "bytes")
    columns = {name: np.concatenate([getattr(log, name) for log in logs]) for name in names}
    return RequestLog(logs[0].region_index, logs[0].asset_index, **columns)


def draw_sample(parameters: GeneratorParameters, rng: np.random.Generator, regions: Regions | None = None) -> Sample:
    """Draws catalog, tastes and the days' seeds. ``regions``: those of the topology; without them ``n_regions`` are
    made up. Raises ValueError where there are neither."""
    if regions is None:
        if parameters.n_regions is None:
            raise ValueError("the parameters name a topology: give its regions")
        regions = made_up_regions(parameters.n_regions)
    titles_rng, taste_rng, days_rng = rng.spawn(3)
    titles = draw_titles(parameters, len(regions), regions.weight, titles_rng)
    return Sample(parameters, regions, build_catalog(titles, parameters),
                  draw_popularity(titles, parameters, len(regions), taste_rng),
                  draw_seeds(parameters.days, days_rng))
