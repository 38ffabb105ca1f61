"""Who asks: regions with their share of the requests and their clocks, from a topology or made up."""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen
from cdn.model.index import Index
from cdn.model.topology import Topology

TIME_ZONES = ("Europe/Berlin", "Europe/London", "Europe/Paris", "Europe/Madrid", "Europe/Warsaw", "Europe/Athens",
              "Europe/Lisbon", "Europe/Istanbul", "Europe/Helsinki", "Europe/Rome")


@dataclass(frozen=True, eq=False)
class Regions:
    """R regions: ``weight`` (R,) share of the requests, adds up to 1; ``time_zones`` (R,) IANA names."""

    index: Index
    weight: np.ndarray
    time_zones: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", frozen(self.weight, np.float64))

    def __len__(self) -> int:
        return len(self.weight)


def regions_of(topology: Topology) -> Regions:
    """The topology's regions. Raises ValueError where all weights are 0."""
    weight = np.array([region.weight for region in topology.regions])
    if not weight.sum() > 0:
        raise ValueError("the regions' weights add up to 0: nobody asks")
    return Regions(topology.region_index, weight / weight.sum(), tuple(region.time_zone for region in topology.regions))


def made_up_regions(n_regions: int) -> Regions:
    """Regions whose weights fall as 1 / sqrt(rank), roughly as providers' sizes do, in ten time zones by turns."""
    weight = np.arange(1, n_regions + 1) ** -0.5
    zones = tuple(TIME_ZONES[k % len(TIME_ZONES)] for k in range(n_regions))
    return Regions(Index(f"region-{k:03d}" for k in range(1, n_regions + 1)), weight / weight.sum(), zones)
