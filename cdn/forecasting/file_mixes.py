"""Which files of a title a region asks for: shares of classes of files, from the world down to the title in the region.

Of N requests for a title in a region, n_f were for file f. With c(f) the file's class,

    n ~ Multinomial(N, p),   p ~ Dirichlet(k2 m_r, over the title's files),   m_r ~ Dirichlet(k1 m_country),
    E[p_f | n] = (n_f + k2 m_r[c(f)] / S) / (N + k2),    S = sum of m_r over the title's files

and so on up: the world's shares are the prior of a country's, a country's of its regions', and each level's k makes the
counts likeliest (``cdn.forecasting.concentration``; T. Minka, Estimating a Dirichlet distribution, 2000). A title that
nobody asked for yet has its region's shares. Titles need not have the same files: shares of a level solve

    m_c = (n_c + k q_c) / (sum over titles of N_t files_tc / S_t + k)

by iteration, a step of which never makes the counts less likely (D. Hunter, MM algorithms for generalized Bradley-Terry
models, Ann. Stat. 32, 2004); with the same files everywhere the first step is the answer.
"""

from dataclasses import dataclass

import numpy as np

from cdn.forecasting.concentration import concentration
from cdn.forecasting.history import History, sums_by_key
from cdn.forecasting.title_files import TitleFiles

_STEPS, _TOLERANCE = 50, 1e-6
_LEAST_SHARE = 1e-9
_SAMPLED_PAIRS = 200_000


@dataclass(frozen=True, eq=False)
class FileMixes:
    """``world`` (K,), ``region`` (R, K) shares of the classes, each adds up to 1; ``country_k``, ``region_k``,
    ``title_k`` concentrations: requests that the level above is worth. ``key`` (N,) file * R + region, ascending, and
    ``requests`` (N,) counted of each."""

    world: np.ndarray
    region: np.ndarray
    country_k: float
    region_k: float
    title_k: float
    key: np.ndarray
    requests: np.ndarray


def estimate_mixes(history: History, files: TitleFiles, country: np.ndarray) -> FileMixes:
    """The mixes that the history's files tell; ``country`` (R,) codes from 0."""
    n_regions = len(history.region_index)
    key, requests = sums_by_key(history.asset.astype(np.int64) * n_regions + history.region, history.requests)
    # A title of one file leaves no choice.
    chosen = files.n_files[files.title[key // n_regions]] > 1
    asked = _Asked.of_counts(key[chosen], requests[chosen], files, n_regions)
    n_classes = len(files.classes)
    world = asked.summed(np.zeros(n_regions, dtype=np.int64), 1).shares(np.full((1, n_classes), 1 / n_classes), 1.0)
    of_countries = asked.summed(country, int(country.max(initial=-1)) + 1)
    prior = np.broadcast_to(world, of_countries.count.shape)
    country_k = of_countries.likeliest_k(prior)
    region, region_k = of_countries.shares(prior, country_k)[country], country_k
    several = np.bincount(country)[country] > 1
    if several.any():
        within = asked.rows(several)
        region_k = within.likeliest_k(region[several])
        region[several] = within.shares(region[several], region_k)
    title_k = _likeliest_title_k(key[chosen], requests[chosen], files, region)
    return FileMixes(world[0], region, country_k, region_k, title_k, key, requests)


def file_shares(mixes: FileMixes, files: TitleFiles, region: np.ndarray, title: np.ndarray,
                ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For pairs (N,) of region and title: the pair and the file of each of M entries, pair by pair, and the file's
    share of the pair's requests (M,); shares of a pair add up to 1."""
    pair = np.repeat(np.arange(len(title)), files.n_files[title])
    within = np.arange(len(pair)) - (np.cumsum(files.n_files[title]) - files.n_files[title])[pair]
    file = files.file[files.indptr[title][pair] + within]
    prior = mixes.region[region[pair], files.file_class[file]]
    prior = prior / np.bincount(pair, prior, len(title))[pair]
    count = _counted(mixes, file.astype(np.int64) * len(mixes.region) + region[pair])
    share = count + mixes.title_k * prior
    return pair, file, share / np.bincount(pair, share, len(title))[pair]


def requests_behind(mixes: FileMixes, files: TitleFiles, region: np.ndarray, title: np.ndarray) -> np.ndarray:
    """(N,) requests that the shares of each pair of region and title rest on, the prior's included."""
    n_regions = len(mixes.region)
    key, total = sums_by_key(_title_keys(mixes.key, files, n_regions), mixes.requests)
    wanted = title.astype(np.int64) * n_regions + region
    return mixes.title_k + _looked_up(key, total, wanted)


def _counted(mixes: FileMixes, key: np.ndarray) -> np.ndarray:
    return _looked_up(mixes.key, mixes.requests, key)


def _looked_up(key: np.ndarray, value: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(M,) the value (N,) of each wanted key among ascending ones; 0 where it is not there."""
    if not len(key):
        return np.zeros(len(wanted))
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    return np.where(key[place] == wanted, value[place], 0).astype(float)


def _title_keys(key: np.ndarray, files: TitleFiles, n_regions: int) -> np.ndarray:
    return files.title[key // n_regions].astype(np.int64) * n_regions + key % n_regions


@dataclass(frozen=True, eq=False)
class _Asked:
    """G groups of requests, for titles of L ladders: ``count`` (G, K) by class, ``total`` (G, L) by ladder, ``ladder``
    (L, K) files of each class that a title of the ladder has."""

    count: np.ndarray
    total: np.ndarray
    ladder: np.ndarray

    @classmethod
    def of_counts(cls, key: np.ndarray, requests: np.ndarray, files: TitleFiles, n_regions: int) -> "_Asked":
        """One group per region."""
        ladder, of_title = np.unique(files.per_title(), axis=0, return_inverse=True)
        file, region = np.divmod(key, n_regions)
        tables = []
        of_class, of_ladder = files.file_class[file], of_title.ravel()[files.title[file]]
        for code, n in ((of_class, len(files.classes)), (of_ladder, len(ladder))):
            tables.append(np.bincount(region * n + code, requests, n_regions * n).reshape(n_regions, n))
        return cls(tables[0], tables[1], ladder)

    def rows(self, chosen: np.ndarray) -> "_Asked":
        return _Asked(self.count[chosen], self.total[chosen], self.ladder)

    def summed(self, group: np.ndarray, n_groups: int) -> "_Asked":
        count, total = np.zeros((n_groups, self.count.shape[1])), np.zeros((n_groups, len(self.ladder)))
        np.add.at(count, group, self.count)
        np.add.at(total, group, self.total)
        return _Asked(count, total, self.ladder)

    def shares(self, prior: np.ndarray, k: float) -> np.ndarray:
        """(G, K) shares of the classes with a prior (G, K) worth k requests."""
        m = prior.copy()
        for _ in range(_STEPS):
            per_unit = (self.total / np.maximum(m @ self.ladder.T, _LEAST_SHARE)) @ self.ladder
            new = np.maximum((self.count + k * prior) / (per_unit + k), _LEAST_SHARE)
            new /= new.sum(axis=1, keepdims=True)
            moved, m = np.abs(new - m).max(initial=0.0), new
            if moved < _TOLERANCE:
                break
        return m

    def likeliest_k(self, prior: np.ndarray) -> float:
        """What the prior (G, K) is worth, in requests."""
        expected = prior * ((self.total / np.maximum(prior @ self.ladder.T, _LEAST_SHARE)) @ self.ladder)
        expected /= np.maximum(expected.sum(axis=1, keepdims=True), _LEAST_SHARE)
        group, of_class = np.nonzero(self.count)
        return concentration(group, self.count[group, of_class], expected[group, of_class], self.count.sum(axis=1))


def _likeliest_title_k(key: np.ndarray, requests: np.ndarray, files: TitleFiles, region_shares: np.ndarray) -> float:
    """k2, from every pair of region and title that was asked for at least twice (of very many every k-th)."""
    n_regions = len(region_shares)
    pair_key, pair = np.unique(_title_keys(key, files, n_regions), return_inverse=True)
    total = np.bincount(pair, requests, len(pair_key))
    usable = np.flatnonzero(total > 1)
    usable = usable[::max(1, len(usable) // _SAMPLED_PAIRS)]
    chosen = np.zeros(len(pair_key), dtype=bool)
    chosen[usable] = True
    rows = chosen[pair]
    file, region = np.divmod(key[rows], n_regions)
    # The prior's shares are over all files of the title, those nobody asked for included.
    scale = np.einsum("nk,nk->n", region_shares[region], files.per_title()[files.title[file]])
    share = region_shares[region, files.file_class[file]] / np.maximum(scale, _LEAST_SHARE)
    return concentration(pair[rows], requests[rows].astype(float), share, total[usable])
