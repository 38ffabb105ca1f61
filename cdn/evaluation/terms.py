"""What the lower bound reads of a problem, and the room it works in: see ``blocks``."""

from dataclasses import dataclass

import numpy as np

from cdn.array_records import ArrayRecord


@dataclass(frozen=True, eq=False)
class Terms(ArrayRecord):
    """What the kernel reads. A assets, S caches, N demand entries; C pairs of a region and a cache that serves it at
    less than the origin's cost, region after region (``server_indptr`` (R + 1,)), cheapest first.

    ``origin_cost`` (R,), ``server_cost``, ``server_rate_price`` (C,) are lowered below their exact values.
    ``storage_price`` and ``fill_price`` (S,) are per byte, the latter with the cost of filling.
    """

    indptr: np.ndarray
    region: np.ndarray
    bytes: np.ndarray
    peak_bps: np.ndarray
    servable: np.ndarray
    size_bytes: np.ndarray
    origin_cost: np.ndarray
    server_indptr: np.ndarray
    server: np.ndarray
    server_cost: np.ndarray
    server_rate_price: np.ndarray
    storage_bytes: np.ndarray
    usable_fill_bytes: np.ndarray
    storage_price: np.ndarray
    fill_price: np.ndarray
    stored_indptr: np.ndarray
    stored_site: np.ndarray
    pinned_indptr: np.ndarray
    pinned_site: np.ndarray
    excluded_indptr: np.ndarray
    excluded_site: np.ndarray


@dataclass(frozen=True, eq=False)
class Room(ArrayRecord):
    """What the kernel works out of one asset at a time.

    Of caches (S,): ``rule``, what the problem says; ``sites`` lists those ``met``, which have F in ``price``, the sum
    of max(0, v - g) in ``gain``, and x in ``net``; where shares are ``listed``, ``share`` is the block's and ``left``
    what groups after it may still be charged. Of demand entries (E,): those ``grouped`` by their groups, which
    begin at ``group_first`` (G + 1,); the block's in ``entry``, with ``most``, all that v can be, and its
    ``prices``; the entry's pairs with caches that may serve it begin at ``pair_first`` (E + 1,).
    Of pairs (P,): ``pair_site``, and g in ``pair_cost``, ascending in each entry.
    """

    rule: np.ndarray
    sites: np.ndarray
    met: np.ndarray
    price: np.ndarray
    gain: np.ndarray
    net: np.ndarray
    listed: np.ndarray
    share: np.ndarray
    left: np.ndarray
    grouped: np.ndarray
    group_first: np.ndarray
    entry: np.ndarray
    prices: np.ndarray
    most: np.ndarray
    pair_first: np.ndarray
    pair_site: np.ndarray
    pair_cost: np.ndarray


def new_room(n_entries: int, n_sites: int, n_groups: int, server_indptr: np.ndarray) -> Room:
    """Blank room for assets with up to so many demand entries."""
    n_pairs = n_entries * np.diff(server_indptr).max(initial=0)
    return Room(
        rule=np.zeros(n_sites, dtype=np.int8),
        sites=np.empty(n_sites, dtype=np.int32),
        met=np.zeros(n_sites, dtype=np.bool_),
        price=np.empty(n_sites),
        gain=np.zeros(n_sites),
        net=np.empty(n_sites),
        listed=np.zeros(n_sites, dtype=np.bool_),
        share=np.zeros(n_sites),
        left=np.empty(n_sites),
        grouped=np.empty(n_entries, dtype=np.int64),
        group_first=np.empty(n_groups + 1, dtype=np.int64),
        entry=np.empty(n_entries, dtype=np.int64),
        prices=np.empty(n_entries),
        most=np.empty(n_entries),
        pair_first=np.empty(n_entries + 1, dtype=np.int64),
        pair_site=np.empty(n_pairs, dtype=np.int32),
        pair_cost=np.empty(n_pairs),
    )
