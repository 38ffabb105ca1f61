"""What is known before the forecast day comes, beside the history: titles and releases, countries, the calendar."""

from dataclasses import dataclass
from importlib.resources import files

import numpy as np
import pandas as pd

from cdn.forecasting.events import Calendar
from cdn.forecasting.titles import TitleAttributes
from cdn.model.arrays import frozen
from cdn.model.catalog import Catalog
from cdn.model.topology import Topology


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Every part may be None. ``titles``: A rows. ``country`` (R,) int32: codes of the regions' countries.
    ``calendar``: days known to be special. ``size_bytes`` (A,) int64: what methods that weigh decisions need.
    ``time_zones`` (R,) IANA names: the clocks that regions live by."""

    titles: TitleAttributes | None = None
    country: np.ndarray | None = None
    calendar: Calendar | None = None
    size_bytes: np.ndarray | None = None
    time_zones: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for name, dtype in (("country", np.int32), ("size_bytes", np.int64)):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, frozen(getattr(self, name), dtype))

    def titles_of(self, n_assets: int) -> TitleAttributes:
        """The titles, or titles of which nothing is known. Raises ValueError where they are of another catalog."""
        if self.titles is None:
            return TitleAttributes.of_nothing(n_assets)
        if len(self.titles) != n_assets:
            raise ValueError(f"knowledge of {len(self.titles)} titles, the history has {n_assets}")
        return self.titles

    def country_of(self, n_regions: int) -> np.ndarray:
        """(R,) country codes; without knowledge every region is a country of its own."""
        if self.country is None:
            return np.arange(n_regions, dtype=np.int32)
        if len(self.country) != n_regions:
            raise ValueError(f"countries of {len(self.country)} regions, the history has {n_regions}")
        return self.country


NOTHING_KNOWN = Knowledge()


def knowledge_of(catalog: Catalog, topology: Topology | None = None, calendar: Calendar | None = None) -> Knowledge:
    """What the catalog says about titles and the topology about time zones, and these about countries."""
    zones = None if topology is None else tuple(region.time_zone for region in topology.regions)
    country = None if zones is None else countries_of_zones(list(zones))
    return Knowledge(TitleAttributes.of_catalog(catalog), country, calendar, catalog.size_bytes, zones)


def countries_of_zones(time_zones: list[str]) -> np.ndarray:
    """(R,) codes: zones of one country by the tz database's ``zone.tab``; a zone that is not in it, such as UTC, says
    nothing about a country, and each region there is one of its own."""
    table = files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in table.splitlines() if line and not line.startswith("#")]
    country = {row[2]: row[0] for row in rows}
    return pd.factorize(np.array([country.get(zone, f"region {r}") for r, zone in enumerate(time_zones)],
                                 dtype=object))[0]
