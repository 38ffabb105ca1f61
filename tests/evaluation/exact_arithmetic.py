"""What the judge works out in float64, in exact fractions and one term at a time: bounds and least costs of tiny
problems, and random prices to try them with."""

import itertools
from fractions import Fraction

import numpy as np

from cdn.model.branching import Branching
from cdn.model.placement import Prices
from cdn.model.problem import Problem


def random_prices(problem: Problem, rng: np.random.Generator, branching=False) -> Prices:
    """Prices of any kind: nonsense, nothing, or near what the origin costs; with ``branching`` trees on some assets."""
    hours, n_caches = len(problem.demand.peak_hours()), problem.n_caches
    return Prices(
        rng.random(n_caches) * rng.choice([0, 0.1, 1, 5]),
        rng.random(n_caches) * rng.choice([0, 0.1, 1]),
        rng.random((hours, n_caches)) * rng.choice([0, 0.1]),
        rng.random((hours, len(problem.link_capacity_bps))) * rng.choice([0, 0.1]),
        random_serve(rng, len(problem.demand)),
        random_branching(problem, rng) if branching else None,
    )


def random_serve(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.random(n) * rng.choice([1, 100, 1e4]) - rng.choice([0, 0, 1])


def random_branching(problem: Problem, rng: np.random.Generator) -> Branching:
    """Some leaves share price vectors."""
    assets = np.flatnonzero(rng.random(len(problem.asset_index)) < 0.6)
    trees = [_numbered(random_tree(rng, problem.n_caches, int(rng.integers(0, 4))), rng) for _ in assets]
    entries = np.diff(problem.demand.indptr)[assets]
    n_prices = sum(-min(tree) * int(n) for tree, n in zip(trees, entries, strict=True))
    nodes = [site for tree in trees for site in tree]
    return Branching(assets, np.cumsum([0, *map(len, trees)]), nodes, random_serve(rng, n_prices))


def random_tree(rng: np.random.Generator, n_sites: int, depth: int) -> list[int]:
    """In preorder, -1 at the leaves; a site may come again further down."""
    if depth == 0 or rng.random() < 0.2:
        return [-1]
    children = [random_tree(rng, n_sites, depth - 1) for _ in range(2)]
    return [int(rng.integers(n_sites)), *children[0], *children[1]]


def _numbered(tree: list[int], rng: np.random.Generator) -> list[int]:
    """The tree with price vectors at its leaves: each bounds at least one leaf."""
    leaves = [node for node, site in enumerate(tree) if site < 0]
    vectors = rng.integers(0, len(leaves), len(leaves)) if rng.random() < 0.7 else np.arange(len(leaves))
    for leaf, vector in zip(leaves, np.unique(vectors, return_inverse=True)[1].tolist(), strict=True):
        tree[leaf] = -1 - vector
    return tree


def written_out(branching: Branching, demand_indptr: np.ndarray) -> Branching:
    """The same trees with a price vector of its own for each leaf."""
    starts = branching.serve_starts(demand_indptr, 2**31)
    site, serve = branching.site.copy(), [np.zeros(0)]
    for t, asset in enumerate(branching.asset):
        n = demand_indptr[asset + 1] - demand_indptr[asset]
        nodes = branching.indptr[t] + np.flatnonzero(site[branching.indptr[t] : branching.indptr[t + 1]] < 0)
        begins = starts[t] + n * (-1 - site[nodes].astype(np.int64))
        serve += [branching.serve[begin : begin + n] for begin in begins]
        site[nodes] = -1 - np.arange(len(nodes))
    return Branching(branching.asset, branching.indptr, site, np.concatenate(serve))


def exact(value) -> Fraction:
    return Fraction(float(value))


def storable(problem: Problem) -> np.ndarray:
    """(S, A) bool."""
    return np.array([problem.storable(s) for s in range(problem.n_caches)]).reshape(problem.n_caches, -1)


def exact_bound(problem: Problem, prices: Prices) -> Fraction:
    """The formula in the docstring of ``cdn.evaluation.bound``, as it stands there."""
    total = Fraction(0)
    able = storable(problem)
    trees = {}
    if prices.branching is not None:
        branching, start = prices.branching, 0
        for t, asset in enumerate(branching.asset):
            nodes = branching.site[branching.indptr[t] : branching.indptr[t + 1]].tolist()
            n = int(np.diff(problem.demand.indptr)[asset])
            vectors = [branching.serve[start + c * n : start + (c + 1) * n] for c in range(-min(nodes))]
            trees[int(asset)] = [(having, lacking, vectors[c]) for having, lacking, c in _leaves(nodes)]
            start += n * len(vectors)
    for asset in range(len(problem.asset_index)):
        entries = slice(problem.demand.indptr[asset], problem.demand.indptr[asset + 1])
        cases = trees.get(asset, [(set(), set(), prices.serve[entries])])
        pinned = {s for s in range(problem.n_caches) if problem.pinned.contains([s], [asset], problem.n_caches)[0]}
        total += min(
            _case_bound(problem, prices, asset, able[:, asset], pinned | having, lacking, serve)
            for having, lacking, serve in cases
            if not (pinned | having) & lacking and all(able[s, asset] for s in having)
        )
    return total - _worth(problem, prices)


def _leaves(nodes: list[int]):
    """(sites that store it, sites that do not, price vector) of each leaf, in preorder; consumes the nodes."""
    site = nodes.pop(0)
    if site < 0:
        yield set(), set(), -1 - site
        return
    for having, lacking, vector in _leaves(nodes):
        yield having | {site}, lacking, vector
    for having, lacking, vector in _leaves(nodes):
        yield having, lacking | {site}, vector


def _case_bound(problem, prices, asset, able, having, lacking, serve) -> Fraction:
    first = problem.demand.indptr[asset]
    entries = range(first, problem.demand.indptr[asset + 1])
    size = int(problem.size_bytes[asset])
    v = {
        e: min(
            exact(serve[e - first]),
            exact(problem.demand.bytes[e]) * exact(problem.origin_cost[problem.demand.region[e]]),
        )
        for e in entries
    }
    bound = sum(v.values(), Fraction(0))
    for s in range(problem.n_caches):
        price = exact(prices.storage[s]) * bool(np.isfinite(problem.storage_bytes[s]))
        if not problem.stored.contains([s], [asset], problem.n_caches)[0]:
            price += exact(problem.fill_cost_per_byte[s])
            price += exact(prices.fill[s]) * bool(np.isfinite(problem.usable_fill_bytes[s]))
        gain = sum((max(Fraction(0), v[e] - _served_cost(problem, prices, s, e)) for e in entries
                    if problem.servable[e] and np.isfinite(problem.cost_per_byte[s, problem.demand.region[e]])),
                   Fraction(0))  # fmt: skip
        if s in having:
            bound -= gain - size * price
        elif able[s] and s not in lacking:
            bound -= max(Fraction(0), gain - size * price)
    return bound


def _served_cost(problem: Problem, prices: Prices, s: int, e: int) -> Fraction:
    demand = problem.demand
    r = int(demand.region[e])
    rate_price = Fraction(0)
    links = problem.path_links[[s * len(problem.region_index) + r]].indices
    for h, hour in enumerate(demand.peak_hours()):
        price = exact(prices.egress[h, s]) * bool(np.isfinite(problem.egress_bps[s]))
        price += sum(exact(prices.link[h, k]) for k in links if np.isfinite(problem.link_capacity_bps[k]))
        rate_price += exact(demand.hour_factor[hour, r]) * price
    return exact(demand.bytes[e]) * exact(problem.cost_per_byte[s, r]) + exact(demand.peak_bps[e]) * rate_price


def _worth(problem: Problem, prices: Prices) -> Fraction:
    limits = (problem.storage_bytes, problem.usable_fill_bytes, problem.egress_bps, problem.link_capacity_bps)
    worth = Fraction(0)
    for limit, price in zip(limits, (prices.storage, prices.fill, prices.egress, prices.link), strict=True):
        each = np.broadcast_to(limit, price.shape).ravel()
        worth += sum(exact(p) * exact(x) for p, x in zip(price.ravel(), each, strict=True) if np.isfinite(x))
    return worth


def exact_least_cost(problem: Problem) -> Fraction | None:
    """The least cost of any placement, by trying all; None where the pins do not fit. Egress and links must be free."""
    assert np.isinf(problem.egress_bps).all() and np.isinf(problem.link_capacity_bps).all()
    n = problem.n_caches
    pinned, excluded, there = (pairs.dense(n) for pairs in (problem.pinned, problem.excluded, problem.stored))
    room = [exact(x) if np.isfinite(x) else None for x in problem.storage_bytes]
    fill = [exact(x) if np.isfinite(x) else None for x in problem.usable_fill_bytes]
    choices = []
    for asset, size in enumerate(problem.size_bytes.tolist()):
        options = []
        for held in itertools.product((False, True), repeat=n):
            if all(
                (h or not p) and not (h and x)
                for h, p, x in zip(held, pinned[:, asset], excluded[:, asset], strict=True)
            ):
                new = [size * (h and not t) for h, t in zip(held, there[:, asset], strict=True)]
                cost = _delivery(problem, asset, held)
                cost += sum(b * exact(f) for b, f in zip(new, problem.fill_cost_per_byte, strict=True))
                options.append(([size * h for h in held], new, cost))
        choices.append(options)
    least = None
    for combination in itertools.product(*choices):
        cost = sum((option[2] for option in combination), Fraction(0))
        if least is not None and cost >= least:
            continue
        if all(
            (room[s] is None or sum(option[0][s] for option in combination) <= room[s])
            and (fill[s] is None or sum(option[1][s] for option in combination) <= fill[s])
            for s in range(n)
        ):
            least = cost
    return least


def _delivery(problem: Problem, asset: int, held: tuple[bool, ...]) -> Fraction:
    total = Fraction(0)
    for e in range(problem.demand.indptr[asset], problem.demand.indptr[asset + 1]):
        r = problem.demand.region[e]
        able = [s for s, h in enumerate(held) if h and problem.servable[e]]
        total += exact(problem.demand.bytes[e]) * exact(min(problem.cost_per_byte[[*able, -1], r]))
    return total
