"""Who serves each request: worked out by hand, and against a walk through the network request by request."""

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simulation.replay_examples import (
    E1,
    E2,
    MID_SITE,
    ORIGIN_SITE,
    REQUESTS,
    listed_topology,
    log_of,
    pairs,
    problem_of,
    small_catalog,
    small_topology,
)

from cdn.caching import REACTIVE_POLICIES, simulate_cache
from cdn.errors import UnknownNameError
from cdn.evaluation import cheapest_routing
from cdn.model.catalog import Catalog
from cdn.model.network import Network
from cdn.model.problem import build_problem
from cdn.model.request_log import RequestLog
from cdn.model.site_assets import SiteAssets
from cdn.simulation import demand_of_log, replay

# What the walk through the network below can do; each policy has a reference of its own in tests/caching.
WALKED = ("fifo", "lfu", "lru")
LETTERS = {E1: "1", E2: "2", MID_SITE: "m", ORIGIN_SITE: "o"}


def served(topology, catalog, words=REQUESTS, **how):
    """One letter per request: 1 and 2 for the edges, m for the mid, o for the origin."""
    how = {name: log_of(value, topology, catalog) if name == "warm_up" else value for name, value in how.items()}
    result = replay(problem_of(topology, catalog), topology, catalog, log_of(words, topology, catalog), **how)
    return "".join(LETTERS[site] for site in result.served_by.tolist())


@pytest.mark.parametrize("policy, expected", [
    ("lru", "omom2m1omomom"),
    ("fifo", "omom2m1omooom"),
    ("lfu", "omom2m1oooomm"),
])
def test_reactive_by_hand(policy, expected):
    """An edge holds one asset, so under every policy the last one it was asked for; the mid holds two. Requests, who
    serves them, and what the mid holds then:

     1 east a  o   a
     2 west a  m   a
     3 east b  o   a b
     4 east a  m   a b
     5 west a  e2  a b  (the mid sees nothing)
     6 west b  m   a b
     7 east a  e1  a b
     8 west c  o        lru evicts a (4 before 6): b c, fifo evicts a: b c, lfu evicts b (2 uses, a 3): a c
     9 east b  lru m, fifo m, lfu o, evicts c: a b
    10 west d  o        lru evicts c: b d, fifo evicts b: c d, lfu evicts b (1 use): a d
    11 west b  lru m, fifo o, evicts c: d b, lfu o, evicts d: a b
    12 east a  lru o, evicts d: b a, fifo o, evicts d: b a, lfu m
    13 west a  m
    """
    assert served(small_topology(), small_catalog(), policy=policy) == expected


def test_pinned_by_hand():
    """e1 pins a, the mid b and c: east gets a at home and west from e1 (cost 2, origin 4); d comes from the origin."""
    topology, catalog = small_topology(), small_catalog()
    stored = pairs("e1 a, m b, m c", topology, catalog)
    assert served(topology, catalog, pinned=stored) == "11m11m1mmom11"


def test_hybrid_by_hand():
    """Twice the storage, half of it reactive, the other half pins the same a at e1, b and c at the mid.

    East's a is pinned at home. West's a passes e2 (cost 0) and the mid (1) before e1 (2): both take a copy at 2, so
    e2 serves 5, and the mid 13, when e2 has turned to b. b and c are pinned at the mid, so only the edge is passed:
    east's b at 3 is copied to e1, which serves 9. d is pinned nowhere: e2, mid, origin.
    """
    topology, catalog = small_topology(storage_scale=2), small_catalog()
    stored = pairs("e1 a, m b, m c", topology, catalog)
    how = {"pinned": stored, "policy": "lru", "reactive_share": 0.5}
    assert served(topology, catalog, **how) == "11m12m1m1om1m"


def test_warm_up_fills_caches_and_is_not_counted():
    """After the warm-up (east b, east a) e1 holds a, the mid a and b: no request of the day misses."""
    topology, catalog = small_topology(), small_catalog()
    problem = problem_of(topology, catalog)
    whole = log_of("east b, east a | east a, west b, west a", topology, catalog)
    warm_up, log = whole.select(whole.hour == 0), whole.select(whole.hour == 1)
    cold = replay(problem, topology, catalog, log, policy="lru")
    warm = replay(problem, topology, catalog, log, policy="lru", warm_up=warm_up)
    assert cold.served_by.tolist() == [ORIGIN_SITE, ORIGIN_SITE, MID_SITE]
    assert warm.served_by.tolist() == [E1, MID_SITE, MID_SITE]


def test_regions_that_rights_keep_from_caches_go_to_the_origin_and_leave_no_copy():
    """a may be cached for west only: east's a bypasses e1 and the mid, pinned or not."""
    topology = small_topology()
    catalog = small_catalog(allowed_regions={0: ("west", "elsewhere")})
    words = "east a, east a, west a, east a, west a"
    assert served(topology, catalog, words, policy="lru") == "oooo2"
    assert served(topology, catalog, words, pinned=pairs("e1 a", topology, catalog)) == "oo1o1"


def test_a_cache_takes_no_copy_of_what_is_excluded_from_it():
    """a is excluded from e2: west's a is cached by the mid alone, and does not evict e2's b."""
    topology = small_topology()
    catalog = small_catalog(excluded_sites={0: ("e2",)})
    assert served(topology, catalog, "west b, west a, west a, west b", policy="lru") == "oom2"


def test_an_edge_dearer_than_the_mid_is_not_on_the_path():
    """r0: mid 3, edge 5, origin 10: mid only. r1: both 3: the edge first. r2: the edge alone may serve. r3: the mid is
    dearer than the origin, the edge is not. The second edge is cheapest everywhere but has no storage."""
    inf = np.inf
    topology = listed_topology(["edge", "edge", "mid"], [10, 0, 10],
                               [[5, 3, 5, 5], [1, 1, 1, 1], [3, 3, inf, 20], [10, 10, 10, 10]])
    catalog = Catalog.of_sizes(["x"], [10])
    problem = problem_of(topology, catalog)

    def of_region(r):
        log = RequestLog(topology.region_index, catalog.asset_index, [0, 1], [r, r], [0, 0], [1, 1])
        return replay(problem, topology, catalog, log, policy="lru").served_by.tolist()

    assert [of_region(r) for r in range(4)] == [[3, 2], [3, 0], [3, 0], [3, 0]]


@pytest.mark.parametrize("how, message", [
    ({"policy": "lru", "reactive_share": 1.5}, "reactive_share must be in 0..1, not 1.5"),
    ({"policy": "lru", "reactive_share": np.nan}, "reactive_share must be in 0..1"),
    ({"reactive_share": 0.5}, "needs a policy"),
    ({"pinned": "e1 a, e1 b"}, "site 'e1' pins 20 bytes, but 10 are left beside a reactive share of 0"),
    ({"pinned": "m a, m b", "policy": "lru", "reactive_share": 0.5}, "site 'm' pins 20 bytes, but 10 are left"),
    ({"policy": "lru", "warm_up": "east a, east a | east a"}, "the warm-up ends after the log begins"),
])
def test_what_cannot_be_replayed_is_refused(how, message):
    topology, catalog = small_topology(), small_catalog()
    if "pinned" in how:
        how = how | {"pinned": pairs(how["pinned"], topology, catalog)}
    with pytest.raises(ValueError, match=message):
        served(topology, catalog, **how)


def test_a_log_of_other_assets_is_refused():
    topology, catalog = small_topology(), small_catalog()
    other = Catalog.of_sizes(["a", "b"], [10, 10])
    with pytest.raises(ValueError, match="not the problem's"):
        replay(problem_of(topology, catalog), topology, catalog, log_of("east a", topology, other), policy="lru")


def test_an_unknown_policy_is_named():
    with pytest.raises(UnknownNameError, match="unknown policy 'opt'"):
        served(small_topology(), small_catalog(), policy="opt")


def test_an_empty_log_has_an_empty_replay():
    topology, catalog = small_topology(), small_catalog()
    log = log_of("east a", topology, catalog).select(np.zeros(1, dtype=bool))
    assert len(replay(problem_of(topology, catalog), topology, catalog, log, policy="lru")) == 0


@st.composite
def networks(draw):
    """Up to 4 caches, 3 regions, 5 assets and 40 requests; listed costs, ties, missing pairs, rules of the catalog."""
    n_caches, n_regions, n_assets = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    kinds = draw(st.lists(st.sampled_from(["edge", "mid"]), min_size=n_caches, max_size=n_caches))
    cost = np.array(draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, np.inf]), min_size=n_caches * n_regions,
                                  max_size=n_caches * n_regions)), dtype=float).reshape(n_caches, n_regions)
    cost = np.vstack([cost, draw(st.lists(st.integers(1, 4), min_size=n_regions, max_size=n_regions))])
    topology = listed_topology(kinds, draw(st.lists(st.integers(0, 12), min_size=n_caches, max_size=n_caches)), cost)
    some_regions = st.lists(st.sampled_from(list(topology.region_index)), min_size=1, unique=True).map(tuple)
    some_sites = st.lists(st.sampled_from(list(topology.site_index)[:-1]), min_size=1, unique=True).map(tuple)
    catalog = Catalog.of_sizes(
        [f"x{a}" for a in range(n_assets)],
        draw(st.lists(st.integers(1, 5), min_size=n_assets, max_size=n_assets)),
        allowed_regions=draw(st.dictionaries(st.integers(0, n_assets - 1), some_regions, max_size=2)),
        excluded_sites=draw(st.dictionaries(st.integers(0, n_assets - 1), some_sites, max_size=2)),
    )
    requests = draw(st.lists(st.tuples(st.integers(0, n_regions - 1), st.integers(0, n_assets - 1), st.integers(0, 9)),
                             max_size=40))
    region, asset, bytes_ = np.array(requests, dtype=np.int64).reshape(-1, 3).T
    log = RequestLog(topology.region_index, catalog.asset_index, np.arange(len(region)), region, asset, bytes_)
    wanted = draw(st.lists(st.tuples(st.integers(0, n_caches - 1), st.integers(0, n_assets - 1)), unique=True))
    return topology, catalog, log, wanted


def fitting_pins(problem, wanted, share):
    """As many of the wanted pairs as fit beside the reactive share."""
    room, kept = problem.storage_bytes * (1 - share), []
    for site, asset in wanted:
        if problem.size_bytes[asset] <= room[site]:
            room[site] -= problem.size_bytes[asset]
            kept.append((site, asset))
    site, asset = np.array(kept, dtype=np.int64).reshape(-1, 2).T
    return SiteAssets.from_pairs(site, asset, len(problem.asset_index))


def walk(problem, topology, catalog, log, pinned, policy, share):
    """The obvious simulator: every request walks up its path, one cache after the other."""
    origin, cost = problem.n_caches, problem.cost_per_byte
    size, pins = problem.size_bytes, set(zip(pinned.site.tolist(), pinned.asset.tolist(), strict=True))
    caches = [SmallCache(policy, int(problem.storage_bytes[s] * share), size) for s in range(origin)]
    served_by = []
    for r, a in zip(log.region.tolist(), log.asset.tolist(), strict=True):
        if a in catalog.allowed_regions and topology.regions[r].id not in catalog.allowed_regions[a]:
            served_by.append(origin)
            continue
        usable = [s for s in range(origin) if cost[s, r] <= cost[origin, r]]
        holders = [s for s in usable if (s, a) in pins]
        server = min(holders, key=lambda s: cost[s, r]) if holders else origin
        path = [min(those, key=lambda s: cost[s, r]) for kind in ("edge", "mid")
                if (those := [s for s in usable if topology.sites[s].kind == kind and problem.storage_bytes[s]])]
        if len(path) == 2 and cost[path[0], r] > cost[path[1], r]:
            path = path[1:]
        for s in path:
            if server != origin and cost[s, r] >= cost[server, r]:
                break
            if topology.sites[s].id in catalog.excluded_sites.get(a, ()):
                continue
            if caches[s].ask(a):
                server = s
                break
        served_by.append(server)
    return served_by


class SmallCache:
    """One cache, one request at a time: objects in an OrderedDict, oldest first, with their uses."""

    def __init__(self, policy, capacity_bytes, size_bytes):
        self.policy, self.capacity_bytes, self.size_bytes = policy, capacity_bytes, size_bytes
        self.uses = OrderedDict()

    def ask(self, asset):
        hit = asset in self.uses
        if not hit:
            if self.size_bytes[asset] > self.capacity_bytes:
                return False
            while sum(self.size_bytes[a] for a in self.uses) + self.size_bytes[asset] > self.capacity_bytes:
                del self.uses[min(self.uses, key=self.uses.get) if self.policy == "lfu" else next(iter(self.uses))]
        self.uses[asset] = self.uses.get(asset, 0) + 1
        if self.policy != "fifo":
            self.uses.move_to_end(asset)
        return hit


@pytest.mark.parametrize("policy", WALKED)
@settings(deadline=None, max_examples=150)
@given(network=networks(), share=st.sampled_from([0.0, 0.25, 0.5, 1.0]), cut=st.integers(0, 40))
def test_every_cache_on_its_own_stream_equals_a_walk_request_by_request(policy, network, share, cut):
    """And with the first requests as a warm-up, the rest is served as before."""
    topology, catalog, log, wanted = network
    problem = problem_of(topology, catalog)
    pinned = fitting_pins(problem, wanted, share)
    expected = walk(problem, topology, catalog, log, pinned, policy, share)
    how = {"pinned": pinned, "policy": policy, "reactive_share": share}
    assert replay(problem, topology, catalog, log, **how).served_by.tolist() == expected
    early = np.arange(len(log)) < cut
    rest = replay(problem, topology, catalog, log.select(~early), warm_up=log.select(early), **how)
    assert rest.served_by.tolist() == expected[cut:]


@settings(deadline=None)
@given(network=networks(), policy=st.sampled_from(REACTIVE_POLICIES))
def test_the_hybrid_ends_in_the_pure_placement_and_the_pure_policy(network, policy):
    topology, catalog, log, wanted = network
    problem = problem_of(topology, catalog)
    pinned = fitting_pins(problem, wanted, 0.0)

    def run(**how):
        return replay(problem, topology, catalog, log, **how).served_by.tolist()

    assert run(pinned=pinned, policy=policy, reactive_share=0.0) == run(pinned=pinned)
    nothing = SiteAssets.empty(len(catalog))
    assert run(pinned=nothing, policy=policy, reactive_share=1.0) == run(policy=policy)


@settings(deadline=None)
@given(network=networks())
def test_a_pinned_replay_is_the_routing_that_the_judge_costs(network):
    """Of the log's own demand: each request is served by its entry's site."""
    topology, catalog, log, wanted = network
    demand = demand_of_log(log)
    problem = build_problem(Network(topology), catalog, demand)
    pinned = fitting_pins(problem, wanted, 0.0)
    routing = cheapest_routing(problem, pinned)
    site_of_entry = np.full(len(demand), problem.n_caches)
    site_of_entry[routing.entry] = routing.site
    server = {(int(r), int(a)): int(s)
              for r, a, s in zip(demand.region, demand.asset, site_of_entry, strict=True)}
    expected = [server[pair] for pair in zip(log.region.tolist(), log.asset.tolist(), strict=True)]
    assert replay(problem, topology, catalog, log, pinned=pinned).served_by.tolist() == expected


@pytest.mark.parametrize("policy", REACTIVE_POLICIES)
def test_a_network_of_one_cache_is_that_cache(policy):
    rng = np.random.default_rng(3)
    topology = listed_topology(["edge"], [500], [[1.0], [2.0]])
    catalog = Catalog.of_sizes([f"x{a}" for a in range(100)], rng.integers(1, 60, 100))
    asset = np.minimum(rng.zipf(1.4, 3000) - 1, 99)
    log = RequestLog(topology.region_index, catalog.asset_index, np.arange(3000), np.zeros(3000), asset,
                     catalog.size_bytes[asset])
    hit = simulate_cache(policy, asset, catalog.size_bytes, 500)
    assert 0 < hit.sum() < 3000
    result = replay(problem_of(topology, catalog), topology, catalog, log, policy=policy)
    assert (result.served_by == np.where(hit, 0, 1)).all()


def test_inputs_are_left_as_they_were_and_the_replay_is_frozen():
    topology, catalog = small_topology(), small_catalog()
    log = log_of(REQUESTS, topology, catalog)
    result = replay(problem_of(topology, catalog), topology, catalog, log, policy="lru")
    again = replay(problem_of(topology, catalog), topology, catalog, log, policy="lru")
    assert (result.served_by == again.served_by).all()
    with pytest.raises(ValueError, match="read-only"):
        result.served_by[0] = 0
