"""How much work a try at a placement takes: a loose gap is tried for with little, and with more where that fails."""

from dataclasses import dataclass, replace

import numpy as np

from cdn.placement.decomposition.pricing import COLD, EXACT, WARM, Schedule

FREED, FREED_OF_FEW = (0.005, 0.005, 0.0025), (0.01, 0.02, 0.05, 0.1)
ONWARD_STEP = 0.2
"""How long steps are at first that go on from the prices of a try that was not good enough."""


@dataclass(frozen=True)
class Effort:
    """``prices``: steps by local search; ``exact``: steps by exact blocks after them; blocks' proofs may leave open a
    ``tolerance`` (share of the cost); ``sweeps`` of balancing; ``freed``: shares of every cache to free and fill again,
    ``freed_of_few``: more of them where caches hold few assets, so that a small share is none; ``moves``: copies are
    moved there as well. ``least_gap``: not worth a try where less is asked."""

    least_gap: float
    prices: Schedule
    exact: Schedule | None
    tolerance: float
    sweeps: int
    freed: tuple[float, ...]
    freed_of_few: tuple[float, ...] = ()
    moves: bool = False

    def from_step(self, longest: float) -> "Effort":
        """The same with no longer steps than this."""
        steps = self.prices
        return replace(self, prices=replace(steps, first=min(steps.first, longest)))


FULL = Effort(0.0, COLD, EXACT, 4e-4, 3, FREED, FREED_OF_FEW, moves=True)
LIMITED = Schedule(360, 0.15, 0.005, momentum=0.9)
"""Exact steps where egress or links may bind: their prices follow samples of the loads, which scatter more than storage
does, and blocks that search alone has settled leave them far off, so steps are longer at first, shorter in the end."""
ASSETS_PER_STEP = 1500
"""Where there are more, more steps: what follows takes so long there that they hardly count."""
QUICK = (
    Effort(0.004, Schedule(30, 0.6, 0.04, momentum=0.5), None, 2e-3, 1, FREED[:1]),
    Effort(0.0015, Schedule(60, 0.6, 0.02, momentum=0.5), None, 1e-3, 1, FREED[:1]),
)
"""With less momentum than ``FULL``: so few steps would be over before prices come to rest."""


def rounds(gap: float | None, warm: bool, limited: bool, n_assets: int) -> list[list[Effort]]:
    """Rounds of efforts to be made until the asked gap is certified. In a round one effort follows the other, each from
    the prices of the one before; a round begins anew. ``warm``: the start is near the end. ``limited``: egress or links
    may bind. The last round is what is made where no gap is asked, so that asking never misses what that finds."""
    quick = [effort for effort in QUICK if gap is not None and gap >= effort.least_gap]
    full = replace(FULL, prices=WARM) if warm else replace(FULL, exact=limited_steps(n_assets)) if limited else FULL
    first_step = WARM.first if warm else np.inf
    tried_first = [[*quick, full]] if quick else []
    return [_one_after_the_other(efforts, first_step) for efforts in (*tried_first, [full])]


def _one_after_the_other(efforts: list[Effort], first_step: float) -> list[Effort]:
    first, *onward = efforts
    return [first.from_step(first_step), *(effort.from_step(ONWARD_STEP) for effort in onward)]


def limited_steps(n_assets: int) -> Schedule:
    """``LIMITED``, or so many more steps as ``ASSETS_PER_STEP`` asks."""
    return replace(LIMITED, steps=max(LIMITED.steps, n_assets // ASSETS_PER_STEP))
