"""What the judge works out in float64, in exact fractions and one term at a time: bounds and least costs of tiny
problems, and random prices to try them with."""

import itertools
from fractions import Fraction

import numpy as np

from cdn.model.branching import WHOLE, Branching
from cdn.model.placement import Prices
from cdn.model.problem import Problem
from cdn.model.shares import Shares


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
    """Some leaves share price vectors; some assets have trees by group of entries, and shares that may come to more
    than 1."""
    shares = random_shares(problem, rng) if rng.random() < 0.6 else None
    owners = []
    for asset in np.flatnonzero(rng.random(len(problem.asset_index)) < 0.6).tolist():
        by_group = shares is not None and rng.random() < 0.7
        groups = np.flatnonzero(rng.random(shares.n_groups) < 0.7).tolist() if by_group else [WHOLE]
        owners += [(asset, group) for group in groups]
    trees = [_numbered(random_tree(rng, problem.n_caches, int(rng.integers(0, 4))), rng) for _ in owners]
    n_prices = sum(
        -min(tree) * len(entries_of(problem, asset, group, shares))
        for tree, (asset, group) in zip(trees, owners, strict=True)
    )
    assets, groups = np.array(owners, dtype=np.int32).reshape(-1, 2).T
    nodes = [site for tree in trees for site in tree]
    indptr = np.cumsum([0, *map(len, trees)])
    return Branching(assets, indptr, nodes, random_serve(rng, n_prices), groups, shares)


def random_shares(problem: Problem, rng: np.random.Generator) -> Shares:
    """Groups of demand entries, and shares of prices at some caches."""
    entry_group = rng.integers(0, 3, len(problem.demand))
    n_groups = int(entry_group.max(initial=-1)) + 1
    listed = rng.random((len(problem.asset_index), problem.n_caches, n_groups)) < 0.4
    asset, site, group = np.nonzero(listed)
    return Shares(entry_group, asset, site, group, np.minimum(rng.random(len(asset)) * rng.choice([0.5, 1, 2]), 1.0))


def entries_of(problem: Problem, asset: int, group: int, shares: Shares | None) -> list[int]:
    """An asset's demand entries, or those of a group."""
    entries = range(problem.demand.indptr[asset], problem.demand.indptr[asset + 1])
    return [e for e in entries if group == WHOLE or shares.entry_group[e] == group]


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


def written_out(branching: Branching, problem: Problem) -> Branching:
    """The same trees with a price vector of its own for each leaf."""
    starts = branching.serve_starts(problem.demand.indptr, problem.n_caches)
    site, serve = branching.site.copy(), [np.zeros(0)]
    for t, (asset, group) in enumerate(zip(branching.asset.tolist(), branching.group.tolist(), strict=True)):
        n = len(entries_of(problem, asset, group, branching.shares))
        nodes = branching.indptr[t] + np.flatnonzero(site[branching.indptr[t] : branching.indptr[t + 1]] < 0)
        begins = starts[t] + n * (-1 - site[nodes].astype(np.int64))
        serve += [branching.serve[begin : begin + n] for begin in begins]
        site[nodes] = -1 - np.arange(len(nodes))
    return Branching(
        branching.asset, branching.indptr, site, np.concatenate(serve), branching.group, branching.shares
    )


def exact(value) -> Fraction:
    return Fraction(float(value))


def storable(problem: Problem) -> np.ndarray:
    """(S, A) bool."""
    return np.array([problem.storable(s) for s in range(problem.n_caches)]).reshape(problem.n_caches, -1)


def exact_bound(problem: Problem, prices: Prices) -> Fraction:
    """The formula in the docstring of ``cdn.evaluation.bound``, as it stands there."""
    trees, shares = exact_trees(problem, prices), prices.branching.shares if prices.branching is not None else None
    total = Fraction(0)
    for asset in range(len(problem.asset_index)):
        in_parts = any(a == asset and g != WHOLE for a, g in trees)
        in_parts |= shares is not None and asset in shares.asset and (asset, WHOLE) not in trees
        if not in_parts:
            everything = dict.fromkeys(range(problem.n_caches), Fraction(1))
            total += _block_bound(problem, prices, asset, WHOLE, trees, everything, shares)
            continue
        left = dict.fromkeys(range(problem.n_caches), Fraction(1))
        for group in range(shares.n_groups):
            if entries_of(problem, asset, group, shares):
                charged = _charged(problem, asset, group, shares, trees, left)
                total += _block_bound(problem, prices, asset, group, trees, charged, shares)
    return total - _worth(problem, prices)


def exact_trees(problem: Problem, prices: Prices) -> dict:
    """By asset and group: (sites that store it, sites that do not, prices) of each leaf."""
    trees, branching, start = {}, prices.branching, 0
    for t in range(len(branching) if branching is not None else 0):
        asset, group = int(branching.asset[t]), int(branching.group[t])
        nodes = branching.site[branching.indptr[t] : branching.indptr[t + 1]].tolist()
        n = len(entries_of(problem, asset, group, branching.shares))
        vectors = [branching.serve[start + c * n : start + (c + 1) * n] for c in range(-min(nodes))]
        trees[asset, group] = [(having, lacking, vectors[c]) for having, lacking, c in _leaves(nodes)]
        start += n * len(vectors)
    return trees


def _charged(problem: Problem, asset: int, group: int, shares: Shares, trees, left: dict) -> dict[int, Fraction]:
    """The group's share of each cache's price; takes it off what is ``left``."""
    charged, demand, n = {}, problem.demand, problem.n_caches
    told_apart = set().union(*(having | lacking for having, lacking, _ in trees.get((asset, group), [])))
    regions = [demand.region[e] for e in entries_of(problem, asset, group, shares) if problem.servable[e]]
    for s in range(problem.n_caches):
        rows = np.flatnonzero((shares.asset == asset) & (shares.site == s))
        if len(rows):
            asked = [exact(shares.share[k]) for k in rows if shares.group[k] == group]
            charged[s] = min(sum(asked, Fraction(0)), left[s])
        else:
            serves = (problem.cost_per_byte[s] < problem.origin_cost)[regions].any()
            met = serves or s in told_apart or problem.pinned.contains([s], [asset], n)[0]
            charged[s] = left[s] if met else Fraction(0)
        left[s] -= charged[s]
    return charged


def _block_bound(problem, prices, asset, group, trees, charged, shares) -> Fraction:
    entries = entries_of(problem, asset, group, shares)
    cases = trees.get((asset, group), [(set(), set(), prices.serve[entries])])
    able = storable(problem)[:, asset]
    pinned = {s for s in range(problem.n_caches) if problem.pinned.contains([s], [asset], problem.n_caches)[0]}
    return min(
        _case_bound(problem, prices, asset, able, pinned | having, lacking, dict(zip(entries, serve, strict=True)),
                    charged)
        for having, lacking, serve in cases
        if not (pinned | having) & lacking and all(able[s] for s in having)
    )  # fmt: skip


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


def _case_bound(problem, prices, asset, able, having, lacking, serve, charged) -> Fraction:
    size = int(problem.size_bytes[asset])
    v = {
        e: min(exact(price), exact(problem.demand.bytes[e]) * exact(problem.origin_cost[problem.demand.region[e]]))
        for e, price in serve.items()
    }
    bound = sum(v.values(), Fraction(0))
    for s in range(problem.n_caches):
        price = exact(prices.storage[s]) * bool(np.isfinite(problem.storage_bytes[s]))
        if not problem.stored.contains([s], [asset], problem.n_caches)[0]:
            price += exact(problem.fill_cost_per_byte[s])
            price += exact(prices.fill[s]) * bool(np.isfinite(problem.usable_fill_bytes[s]))
        gain = sum((max(Fraction(0), v[e] - _served_cost(problem, prices, s, e)) for e in v
                    if problem.servable[e] and np.isfinite(problem.cost_per_byte[s, problem.demand.region[e]])),
                   Fraction(0))  # fmt: skip
        price *= charged[s]
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
