"""What appliances plausibly hold: the most requested assets of a log, site by site, as simple operators fill them."""

import numpy as np

from cdn.model.catalog import Catalog
from cdn.model.fill_plan import StoredNow
from cdn.model.network import Network
from cdn.model.request_log import RequestLog
from cdn.model.topology import EDGE, MID


def popular_content(network: Network, catalog: Catalog, log: RequestLog) -> StoredNow:
    """Each edge site holds what its regions (those it is the cheapest edge site of) ask for most; each mid site what
    its regions ask for most and do not find at their edge site. Every asset lies whole on one appliance of a site.

    Memory: a table (R, A) of requests.
    """
    topology = network.topology
    n_assets = len(catalog)
    missed = np.bincount(log.region.astype(np.int64) * n_assets + log.asset,
                         minlength=len(topology.regions) * n_assets).reshape(-1, n_assets)
    appliances, assets = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for kind in (EDGE, MID):
        cheapest = _cheapest_site(network, kind)
        for site in np.unique(cheapest[cheapest >= 0]):
            mine = cheapest == site
            appliance, asset = _fill_site(network, int(site), missed[mine].sum(axis=0), catalog.size_bytes)
            missed[np.ix_(mine, asset)] = 0
            appliances.append(appliance)
            assets.append(asset)
    return StoredNow(np.concatenate(appliances), np.concatenate(assets))


def _cheapest_site(network: Network, kind: str) -> np.ndarray:
    """(R,) cheapest site of a kind where that is cheaper than the origin, else -1."""
    of_kind = np.array([site.kind == kind for site in network.topology.sites[:-1]], dtype=bool)
    if not of_kind.any():
        return np.full(len(network.topology.regions), -1)
    cost = np.where(of_kind[:, None], network.cost_per_byte[:-1], np.inf)
    return np.where(cost.min(axis=0) < network.cost_per_byte[-1], cost.argmin(axis=0), -1)


def _fill_site(network: Network, site: int, requests: np.ndarray,
               size_bytes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Appliance and asset of what a site holds: assets laid end to end, in order of requests, over the storage of its
    appliances; one that would lie across two of them is left out."""
    topology = network.topology
    members = [k for k, appliance in enumerate(topology.appliances) if appliance.site_id == topology.sites[site].id]
    ends = np.cumsum([topology.appliances[k].storage_bytes for k in members])
    order = np.argsort(-requests, kind="stable")
    order = order[requests[order] > 0]
    end = np.cumsum(size_bytes[order])
    first = np.searchsorted(ends, end - size_bytes[order], side="right")
    last = np.searchsorted(ends, end, side="left")
    whole = (first == last) & (first < len(members))
    return np.array(members, dtype=np.int64)[first[whole]], order[whole]
