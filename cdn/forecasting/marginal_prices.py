"""Regret without placing: which bytes land on the wrong side of each cache's marginal price.

A cache that is full stores an asset where what it saves per byte of storage is at least the worth of the cache's last
byte, its marginal price. At given prices every (cache, asset) is decided alone: a forecast is wrong only where it lies
on the other side of the price than the day, however far off it is elsewhere. What it loses is

    loss = sum over stores of the true day's best decisions (saving - price size)
         - the same over the forecast's decisions,       savings always those of the true day

(the decision loss of A. Elmachtoub, P. Grigas, Smart "predict, then optimize", Management Science 68, 2022, with the
storage limit priced out). Requests climb a ladder of caches as in a replay, a region's edge first, then its mid, then
the origin, and a mid sees what the edges leave. No solver runs, and all forecasts of a day are done at once. The same
figure is a backtest's regret by prices and what an ensemble weighs its experts by.

Without given prices every forecast fills the caches by its own lights, the most saving per byte first: then one that is
wrong about the volume only, and would place just the same, loses nothing. Storage is kept to, so there is no rent.
"""

from dataclasses import dataclass

import numpy as np

from cdn.model.arrays import frozen

NO_CACHE = -1


@dataclass(frozen=True, eq=False)
class Ladder:
    """The caches each region's requests climb. ``site`` (L, R) int32, NO_CACHE where there is none; ``saving_per_byte``
    (L, R) against the origin; ``origin_cost`` (R,); ``storage_bytes`` (S,); ``size_bytes`` (A,)."""

    site: np.ndarray
    saving_per_byte: np.ndarray
    origin_cost: np.ndarray
    storage_bytes: np.ndarray
    size_bytes: np.ndarray

    def __post_init__(self) -> None:
        for name in ("saving_per_byte", "origin_cost", "storage_bytes", "size_bytes"):
            object.__setattr__(self, name, frozen(getattr(self, name), np.float64))
        object.__setattr__(self, "site", frozen(self.site, np.int32))

    @classmethod
    def of_one_cache_per_region(cls, n_regions: int, size_bytes: np.ndarray, cache_share: float) -> "Ladder":
        """Every region has one cache that stores ``cache_share`` of all bytes; a byte from the origin costs 1."""
        storage = np.full(n_regions, cache_share * np.asarray(size_bytes, dtype=np.float64).sum())
        return cls(np.arange(n_regions)[None], np.ones((1, n_regions)), np.ones(n_regions), storage, size_bytes)


@dataclass(frozen=True, eq=False)
class Decisions:
    """What M forecasts store at every rung: ``pair`` (L, N) which (cache, asset) pair each entry belongs to, -1 none;
    ``pair_site``, ``pair_asset`` one array per rung; ``held`` one (M, P) bool per rung; ``price`` (M, S)."""

    pair: list[np.ndarray]
    pair_site: list[np.ndarray]
    pair_asset: list[np.ndarray]
    held: list[np.ndarray]
    price: np.ndarray


def decide(ladder: Ladder, region: np.ndarray, asset: np.ndarray, bytes_: np.ndarray,
           price: np.ndarray | None = None) -> Decisions:
    """What forecasts ``bytes_`` (M, N) of the entries ``region``, ``asset`` (N,) store at ``price`` (S,) per byte."""
    remaining = np.array(bytes_, dtype=float)
    prices = np.zeros((len(remaining), len(ladder.storage_bytes))) if price is None else np.tile(
        np.asarray(price, dtype=float), (len(remaining), 1))
    found = Decisions([], [], [], [], prices)
    for site_of_region, saving_per_byte in zip(ladder.site, ladder.saving_per_byte, strict=True):
        pair, site, pair_asset = _pairs(site_of_region[region], asset, len(ladder.size_bytes))
        saving = _sum_by_pair(remaining * saving_per_byte[region], pair, len(site))
        size = ladder.size_bytes[pair_asset]
        if price is None:
            held = _fill(prices, saving, size, site, ladder.storage_bytes)
        else:
            held = (saving >= prices[:, site] * size) & (size <= ladder.storage_bytes[site])
        held &= saving > 0
        remaining *= ~_at_entries(held, pair)
        for store, value in zip((found.pair, found.pair_site, found.pair_asset, found.held),
                                (pair, site, pair_asset, held), strict=True):
            store.append(value)
    return found


def losses(ladder: Ladder, region: np.ndarray, asset: np.ndarray, true_bytes: np.ndarray, bytes_: np.ndarray,
           own_prices: bool = True) -> np.ndarray:
    """(M,) decision loss of each forecast over the cost of serving all of the day from the origin.

    ``true_bytes`` (N,), ``bytes_`` (M, N). ``own_prices``: each forecast fills the caches by its own lights; otherwise
    all are held against the prices of the true day.
    """
    best = decide(ladder, region, asset, true_bytes[None, :])
    decided = decide(ladder, region, asset, bytes_, None if own_prices else best.price[0])
    # What fills the storage itself keeps within it and pays no rent.
    price = np.zeros(len(ladder.storage_bytes)) if own_prices else best.price[0]
    whole = float(true_bytes @ ladder.origin_cost[region])
    worth = net_worth(ladder, region, true_bytes, decided, price)
    return (net_worth(ladder, region, true_bytes, best, price)[0] - worth) / whole if whole > 0 else 0 * worth


def net_worth(ladder: Ladder, region: np.ndarray, true_bytes: np.ndarray, decisions: Decisions,
              price: np.ndarray) -> np.ndarray:
    """(M,) what the true bytes save with these decisions, less the rent of the storage they take at ``price`` (S,)."""
    n_forecasts = len(decisions.price)
    remaining = np.asarray(true_bytes, dtype=float)[None, :].repeat(n_forecasts, axis=0)
    worth = np.zeros(n_forecasts)
    for rung, saving_per_byte in enumerate(ladder.saving_per_byte):
        held = decisions.held[rung]
        served = _at_entries(held, decisions.pair[rung])
        worth += (remaining * served) @ saving_per_byte[region]
        worth -= held @ (price[decisions.pair_site[rung]] * ladder.size_bytes[decisions.pair_asset[rung]])
        remaining *= ~served
    return worth


def _pairs(site: np.ndarray, asset: np.ndarray, n_assets: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) pair of each entry, -1 without a cache; site and asset of the P pairs, by site, then asset."""
    key = np.where(site == NO_CACHE, -1, site.astype(np.int64) * n_assets + asset)
    keys, pair = np.unique(key, return_inverse=True)
    if len(keys) and keys[0] < 0:
        keys, pair = keys[1:], pair - 1
    return pair, keys // n_assets, keys % n_assets


def _sum_by_pair(values: np.ndarray, pair: np.ndarray, n_pairs: int) -> np.ndarray:
    """(M, P) sums over the entries of each pair."""
    kept = pair >= 0
    return np.array([np.bincount(pair[kept], row[kept], n_pairs) for row in values]).reshape(len(values), n_pairs)


def _at_entries(held: np.ndarray, pair: np.ndarray) -> np.ndarray:
    """(M, N) bool: is the pair of each entry held?"""
    padded = np.concatenate([held, np.zeros((len(held), 1), dtype=bool)], axis=1)
    return padded[:, pair]


def _fill(prices: np.ndarray, saving: np.ndarray, size: np.ndarray, site: np.ndarray,
          storage_bytes: np.ndarray) -> np.ndarray:
    """(M, P) bool: what is held where each cache is filled by falling saving per byte until one does not fit; sets the
    prices (M, S) to the saving per byte of that one, 0 where all fits. ``site`` (P,) ascending."""
    held = np.zeros(saving.shape, dtype=bool)
    starts = np.searchsorted(site, np.arange(len(storage_bytes) + 1))
    for s in np.unique(site):
        of_site = np.arange(starts[s], starts[s + 1])
        mine = of_site[size[of_site] <= storage_bytes[s]]
        density = saving[:, mine] / size[mine]
        order = np.argsort(-density, axis=1, kind="stable")
        fits = np.cumsum(size[mine][order], axis=1) <= storage_bytes[s]
        inside = np.zeros(density.shape, dtype=bool)
        np.put_along_axis(inside, order, fits, axis=1)
        held[:, mine] = inside
        prices[:, s] = np.where(inside, 0.0, density).max(axis=1, initial=0.0)
    return held
