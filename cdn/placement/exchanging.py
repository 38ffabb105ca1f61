"""Exchanges: drop what is worth least per byte, fill up again greedily, keep the better of the two.

A ruin-and-recreate neighbourhood (Schrimpf et al. 2000) whose ruin is chosen by worth, so it needs no random numbers.
"""

import numpy as np

from cdn.compilation import kernel
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates
from cdn.placement.greedy import complete_greedily

DROPPED_SHARES = (0.02, 0.05, 0.1, 0.2, 0.4)
ROUNDS = 3


@kernel
def _worth(entry, entry_pair, saving, held, worth):
    """Adds to each held pair what its entries would lose without it; triples are entry-major."""
    start = 0
    while start < len(entry):
        end, best, second, winner = start, 0.0, 0.0, -1
        while end < len(entry) and entry[end] == entry[start]:
            if held[entry_pair[end]]:
                if saving[end] > best:
                    second = best
                    best, winner = saving[end], entry_pair[end]
                elif saving[end] > second:
                    second = saving[end]
            end += 1
        if winner >= 0:
            worth[winner] += best - second
        start = end


def worth_of_held(problem: Problem, candidates: Candidates, held: np.ndarray) -> np.ndarray:
    """(P,) cost each held pair saves, all others staying, fill cost taken off; 0 where not held."""
    c = candidates
    worth = np.zeros(len(held))
    _worth(c.entry, c.entry_pair, c.saving, held, worth)
    return np.where(held, worth - problem.fill_cost_per_byte[c.site] * problem.size_bytes[c.asset] * c.new, 0.0)


def exchange(problem: Problem, candidates: Candidates, held: np.ndarray) -> tuple[np.ndarray, float]:
    """Improves a feasible set of held pairs; returns it (P,) and the cost it saves. Never worse than given."""
    best, best_saving = complete_greedily(problem, candidates, held)
    size = problem.size_bytes[candidates.asset]
    for _ in range(ROUNDS):
        before = best_saving
        for share in DROPPED_SHARES:
            density = np.where(best & ~candidates.pinned, worth_of_held(problem, candidates, best) / size, np.inf)
            n_dropped = int(share * best.sum())
            kept = best.copy()
            kept[np.argsort(density, kind="stable")[:n_dropped]] = False
            tried, saving = complete_greedily(problem, candidates, kept & best)
            if saving > best_saving:
                best, best_saving = tried, saving
        if best_saving <= before * (1 + 1e-9):
            break
    return best, best_saving
