"""The policy that fills what a published graph lacks: sites, storage, rates, costs, time zones."""

import math
from dataclasses import dataclass, fields

from cdn.files.topologies import window_minutes
from cdn.importing.apportionment import APPORTIONMENTS
from cdn.importing.site_choice import SITE_CHOICES
from cdn.model.topology import is_time_zone

DEFAULT_EDGES, DEFAULT_MIDS = 10, 2
LATENCY_MS_PER_KM = 0.005  # light in glass: 5 us per km


@dataclass(frozen=True)
class ImportPolicy:
    """What a published graph lacks. Raises ValueError naming the field that is out of range.

    ``storage_gb_edge``, ``storage_gb_mid``: mean storage of a site of the kind; ``apportion`` says how the kind's total
    is shared out among its sites. ``edges``, ``mids``: how many sites (None: 10 and 2, or what the nodes allow),
    ``edge_choice``, ``mid_choice`` where. ``regions``: how many of the heaviest nodes (None: all that weigh
    anything). ``origin``: the node the origin hangs on (None: the most central). Rates and windows are per appliance
    (None: no limit). A GB costs ``link_cost_per_gb`` over a link and ``cost_per_gb_per_1000km`` on top, out of the
    origin ``origin_cost_per_gb`` more, out of a mid site ``link_cost_per_gb`` more. ``default_link_km``: length of a
    link where nothing tells.
    """

    storage_gb_edge: float
    storage_gb_mid: float
    edges: int | None = None
    mids: int | None = None
    edge_choice: str = "spread"
    mid_choice: str = "central"
    regions: int | None = None
    origin: str | None = None
    apportion: str = "equal"
    appliances_per_site: int = 1
    egress_gbps: float | None = None
    fill_gbps: float | None = None
    fill_window: str = "00:00-24:00"
    time_zone: str | None = None
    link_cost_per_gb: float = 0.001
    cost_per_gb_per_1000km: float = 0.01
    origin_cost_per_gb: float = 0.02
    default_link_km: float = 500.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{field.name} is a finite number >= 0, not {value!r}")
        for name in ("regions", "appliances_per_site"):
            if getattr(self, name) == 0:
                raise ValueError(f"{name} is at least 1")
        rules = {"edge_choice": SITE_CHOICES, "mid_choice": SITE_CHOICES, "apportion": APPORTIONMENTS}
        for name, known in rules.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is one of {', '.join(known)}, not {getattr(self, name)!r}")
        if self.time_zone is not None and not is_time_zone(self.time_zone):
            raise ValueError(f"time_zone is in the IANA database, as Europe/Paris is, not {self.time_zone!r}")
        window_minutes(self.fill_window)


def longitude_zone(longitude: float | None) -> str:
    """The whole-hour zone of a longitude. The Etc zones count hours *behind* Greenwich, so east is minus.

    >>> longitude_zone(13.4), longitude_zone(-74.0), longitude_zone(-3.7), longitude_zone(None)
    ('Etc/GMT-1', 'Etc/GMT+5', 'Etc/GMT', 'UTC')
    """
    if longitude is None:
        return "UTC"
    hours_east = math.floor(longitude / 15 + 0.5)
    return f"Etc/GMT{-hours_east:+d}" if hours_east else "Etc/GMT"
