"""The network as anyone would write it: one request after the other, dicts and lists, sums taken anew."""

from caching.references import Base, Lru, S3fifo

from cdn.simulation import COPY_RULES, REQUEST_CLASSES

CACHES = {"fifo": Base, "lru": Lru, "s3fifo": S3fifo}


class SlowNetwork:
    """Walks every request; ``served_bytes``: bytes by (site, hour)."""

    def __init__(self, problem, topology, catalog, pinned, *, policy=None, share=0.0, copy="lce", egress_limits=False,
                 truth=None):  # fmt: skip
        self.problem, self.topology, self.catalog, self.copy = problem, topology, catalog, copy
        self.size, self.cost, self.origin = problem.size_bytes.tolist(), problem.cost_per_byte, problem.n_caches
        self.pins = pairs_of(pinned)
        self.truth = None if truth is None else pairs_of(truth)
        self.budget = [problem.egress_bps[s] * 3600 // 8 if egress_limits else float("inf") for s in range(self.origin)]
        self.caches = {}
        if policy is not None:
            self.caches = {s: CACHES[policy](self.size, int(problem.storage_bytes[s] * share))
                           for s in range(self.origin)}  # fmt: skip
        self.served_bytes, self.seen = {}, set()

    def usable(self, r):
        """Cheapest first, the first listed of equals."""
        those = [s for s in range(self.origin) if self.cost[s, r] <= self.cost[self.origin, r]]
        return sorted(those, key=lambda s: self.cost[s, r])

    def path(self, r):
        stored = [s for s in self.usable(r) if self.caches and self.problem.storage_bytes[s]]
        first = {kind: next((s for s in stored if self.topology.sites[s].kind == kind), None)
                 for kind in ("edge", "mid")}  # fmt: skip
        if None not in first.values() and self.cost[first["edge"], r] > self.cost[first["mid"], r]:
            first["edge"] = None
        return [s for s in first.values() if s is not None]

    def excluded(self, s, a):
        return self.topology.sites[s].id in self.catalog.excluded_sites.get(a, ())

    def forbidden(self, r, a):
        allowed = self.catalog.allowed_regions.get(a)
        return allowed is not None and self.topology.regions[r].id not in allowed

    def has_egress(self, s, hour, bytes_):
        return self.served_bytes.get((s, hour), 0) + bytes_ <= self.budget[s]

    def ask(self, r, a, bytes_, hour):
        """(site that served, name of the class)."""
        path = self.path(r)
        # A pin comes before the reactive part that costs as much.
        stops = [(self.cost[s, r], 0, s) for s in self.usable(r) if (s, a) in self.pins]
        stops += [(self.cost[s, r], 1 + path.index(s), s) for s in path if not self.excluded(s, a)]
        server, vain, refused, n_reactive = self.origin, [], False, 0
        for _, reactive, s in sorted(stops) if not self.forbidden(r, a) else []:
            if not reactive or self.caches[s].find(a):
                if self.has_egress(s, hour, bytes_):
                    server = s
                    break
                refused = True
            else:
                vain.append((n_reactive, s))
            n_reactive += bool(reactive)
        self.served_bytes[server, hour] = self.served_bytes.get((server, hour), 0) + bytes_
        for position, s in vain:
            if COPY_RULES[self.copy](position, s == vain[-1][1]):
                self.store(self.caches[s], a)
        name = self.name_of(r, a, server, refused)
        self.seen.add(a)
        return server, name

    def store(self, cache, a):
        if self.size[a] <= cache.capacity and cache.fits(a):
            while cache.bytes() + self.size[a] > cache.capacity:
                cache.evict(a)
            cache.insert(a)

    def name_of(self, r, a, server, refused):
        if server != self.origin:
            return "spilled" if refused else "hit"
        able = [s for s in self.usable(r) if self.size[a] <= self.problem.storage_bytes[s] and not self.excluded(s, a)]
        holds = any((s, a) in self.pins for s in self.usable(r))
        if self.forbidden(r, a) or not (able or holds):
            return "not_placeable"
        if refused:
            return "health"
        if a not in self.seen:
            return "cold"
        if self.truth is None:
            return "content"
        return "forecast" if any((s, a) in self.truth for s in self.usable(r)) else "capacity"

    def run(self, log):
        hours = (log.time_us // 3_600_000_000).tolist()
        answers = [self.ask(*request) for request in zip(log.region.tolist(), log.asset.tolist(), log.bytes.tolist(),
                                                         hours, strict=True)]  # fmt: skip
        return [site for site, _ in answers], [REQUEST_CLASSES.index(name) for _, name in answers]


def pairs_of(stored):
    return set(zip(stored.site.tolist(), stored.asset.tolist(), strict=True))
