"""Sets of caches and limits as the compiled search reads them, and what it works with."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from cdn.array_records import ArrayRecord
from cdn.model.arrays import csr_indptr, rows_of
from cdn.model.problem import Problem
from cdn.placement.candidates import Candidates
from cdn.placement.subsets import Subsets


@dataclass(frozen=True, eq=False)
class SetTables(ArrayRecord):
    """Sets M by asset (``of_asset`` (A + 1,)): ``asset``, ``saving`` (M,), and the pairs of each, ``pair`` from
    ``of_set`` (M + 1,) on. Limits K, of storage or fill, and L items by limit (``of_limit`` (K + 1,)): ``item_pair``,
    ``item_limit``, ``item_bytes`` (L,), which may take ``limit_bytes`` (K,) together. Pairs P: ``pair_asset`` (P,), and
    the items of each, ``pair_item`` from ``of_pair`` (P + 1,) on."""

    of_asset: np.ndarray
    asset: np.ndarray
    saving: np.ndarray
    of_set: np.ndarray
    pair: np.ndarray
    of_limit: np.ndarray
    item_pair: np.ndarray
    item_limit: np.ndarray
    item_bytes: np.ndarray
    limit_bytes: np.ndarray
    pair_asset: np.ndarray
    of_pair: np.ndarray
    pair_item: np.ndarray


@dataclass(frozen=True, eq=False)
class Limits:
    """What is limited: the items of each limit as (K, P) bytes of pairs, ``limit_bytes`` (K,), and ``price`` (K,) per
    byte to begin with."""

    bytes: sp.csr_array
    limit_bytes: np.ndarray
    price: np.ndarray

    def begin_with(self) -> np.ndarray:
        """(L,) prices of items."""
        return self.price[rows_of(self.bytes.indptr)] * self.bytes.data


def find_limits(problem: Problem, c: Candidates, storage_price: np.ndarray, fill_price: np.ndarray) -> Limits:
    """Limits of storage and of fill that could be exceeded; prices (S,)."""
    size, n = problem.size_bytes[c.asset].astype(np.float64), len(c.site)
    parts, limits, prices = [], [], []
    for limit, price, counted in (
        (problem.storage_bytes, storage_price, size > 0),
        (problem.usable_fill_bytes, fill_price, (size > 0) & c.new),
    ):
        used = np.bincount(c.site[counted], weights=size[counted], minlength=problem.n_caches)
        pair = np.flatnonzero(counted & (used > limit)[c.site])
        rows = sp.csr_array((size[pair], (c.site[pair], pair)), shape=(problem.n_caches, n))
        tight = np.flatnonzero(used > limit)
        parts.append(rows[tight])
        limits.append(limit[tight].astype(np.float64))
        prices.append(price[tight])
    return Limits(sp.csr_array(sp.vstack(parts)), np.concatenate(limits), np.concatenate(prices))


def build_set_tables(sets: Subsets, limits: Limits, pair_asset: np.ndarray) -> SetTables:
    """``pair_asset`` (P,): the asset of each pair, numbered as in ``sets``."""
    rows = limits.bytes
    item_pair = rows.indices.astype(np.int64)
    return SetTables(
        of_asset=np.append(sets.least(), len(sets)).astype(np.int64),
        asset=sets.asset.astype(np.int64),
        saving=sets.saving,
        of_set=sets.pairs.indptr.astype(np.int64),
        pair=sets.pairs.indices.astype(np.int64),
        of_limit=rows.indptr.astype(np.int64),
        item_pair=item_pair,
        item_limit=rows_of(rows.indptr).astype(np.int64),
        item_bytes=rows.data.astype(np.float64),
        limit_bytes=limits.limit_bytes,
        pair_asset=pair_asset.astype(np.int64),
        of_pair=csr_indptr(np.sort(item_pair), rows.shape[1]),
        pair_item=np.argsort(item_pair, kind="stable").astype(np.int64),
    )


@dataclass(frozen=True, eq=False)
class Workspace(ArrayRecord):
    """What one look at a choice works with. Of items (L,): ``price``, ``best_price`` so far, ``step`` direction,
    ``is_packed`` and ``loss`` where that were the other way, ``order`` by worth per byte. Of pairs (P,):
    ``pair_price``, ``is_used``, ``level`` (how often used of late), ``n_with`` sets. Of sets (M,): ``worth`` at the
    prices. Of assets (A,): ``best_set``, ``base_loss``, ``n_sets``, ``n_in``,
    ``chosen`` set. Of limits (K,): ``packed``
    value, ``room``. For one packing, as long as the largest limit has items: ``item``, ``value``, ``weight``,
    ``density``, ``is_in``, ``is_best``."""

    price: np.ndarray
    best_price: np.ndarray
    step: np.ndarray
    is_packed: np.ndarray
    loss: np.ndarray
    order: np.ndarray
    pair_price: np.ndarray
    is_used: np.ndarray
    level: np.ndarray
    n_with: np.ndarray
    worth: np.ndarray
    best_set: np.ndarray
    base_loss: np.ndarray
    n_sets: np.ndarray
    n_in: np.ndarray
    chosen: np.ndarray
    packed: np.ndarray
    room: np.ndarray
    item: np.ndarray
    value: np.ndarray
    weight: np.ndarray
    density: np.ndarray
    is_in: np.ndarray
    is_best: np.ndarray


def make_workspace(tables: SetTables) -> Workspace:
    """Prices are yet to be set."""
    n_items, n_pairs = len(tables.item_pair), len(tables.pair_asset)
    n_sets, n_assets = len(tables.asset), len(tables.of_asset) - 1
    n_limits, longest = len(tables.limit_bytes), int(np.diff(tables.of_limit).max(initial=0))
    return Workspace(
        price=np.zeros(n_items),
        best_price=np.zeros(n_items),
        step=np.zeros(n_items),
        is_packed=np.zeros(n_items, dtype=bool),
        loss=np.zeros(n_items),
        order=np.arange(n_items),
        pair_price=np.zeros(n_pairs),
        is_used=np.zeros(n_pairs, dtype=bool),
        level=np.zeros(n_pairs),
        n_with=np.zeros(n_pairs, dtype=np.int64),
        worth=np.zeros(n_sets),
        best_set=np.zeros(n_assets, dtype=np.int64),
        base_loss=np.zeros(n_assets),
        n_sets=np.zeros(n_assets, dtype=np.int64),
        n_in=np.zeros(n_assets, dtype=np.int64),
        chosen=np.zeros(n_assets, dtype=np.int64),
        packed=np.zeros(n_limits),
        room=np.zeros(n_limits),
        item=np.zeros(longest, dtype=np.int64),
        value=np.zeros(longest),
        weight=np.zeros(longest),
        density=np.zeros(longest),
        is_in=np.zeros(longest, dtype=bool),
        is_best=np.zeros(longest, dtype=bool),
    )


ALIVE = 1 << 30


@dataclass(frozen=True, eq=False)
class Decisions(ArrayRecord):
    """What is decided so far: pairs (P,) ``state`` 1 in, -1 out, 0 open, ``since`` that depth; sets (M,) ruled out at a
    depth, ``ALIVE`` if not."""

    state: np.ndarray
    since: np.ndarray
    ruled_out: np.ndarray


def undecided(tables: SetTables) -> Decisions:
    """Nothing decided."""
    n_pairs = len(tables.pair_asset)
    return Decisions(
        np.zeros(n_pairs, dtype=np.int64),
        np.zeros(n_pairs, dtype=np.int64),
        np.full(len(tables.asset), ALIVE, dtype=np.int64),
    )
