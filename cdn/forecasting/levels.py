"""LEVELS: what is forecast, files or titles. A method forecasts each file from that file's own requests, or each title
from those of all its files, and the title's requests are then split over its files by
``cdn.forecasting.file_mixes``."""

from collections.abc import Callable
from typing import Any

import numpy as np

from cdn.forecasting.expectation import ExpectedRequests
from cdn.forecasting.file_mixes import estimate_mixes, file_shares, requests_behind
from cdn.forecasting.forecaster import Forecaster
from cdn.forecasting.history import History
from cdn.forecasting.knowledge import NOTHING_KNOWN, Knowledge
from cdn.forecasting.title_files import TitleFiles, title_history, title_knowledge
from cdn.model.catalog import Catalog


def by_file(forecaster: Forecaster, catalog: Catalog) -> Forecaster:
    """Each file for itself: the method as it is."""
    return forecaster


def by_title(forecaster: Forecaster, catalog: Catalog) -> Forecaster:
    """The method on titles, split over their files; the files of a title add up to what it forecasts of the title."""
    files = TitleFiles.of_catalog(catalog)

    def forecast_split(history: History, day: int, knowledge: Knowledge = NOTHING_KNOWN,
                       **parameters: Any) -> ExpectedRequests:
        of_titles = forecaster(title_history(history, files), day, title_knowledge(knowledge, files), **parameters)
        return split_over_files(of_titles, history, files, knowledge.country_of(len(history.region_index)))

    return forecast_split


LEVELS: dict[str, Callable[[Forecaster, Catalog], Forecaster]] = {"file": by_file, "title": by_title}


def split_over_files(of_titles: ExpectedRequests, history: History, files: TitleFiles,
                     country: np.ndarray) -> ExpectedRequests:
    """Expected requests of files from those of titles; ``country`` (R,) codes of the regions' countries.

    A share p of a negative binomial count is one of the same phi; that p itself is known from K requests only
    (Dirichlet: squared relative sd (1 - p) / (p (K + 1))) makes it phi + (1 + phi) (1 - p) / (p (K + 1)).
    """
    mixes = estimate_mixes(history, files, country)
    region, title = of_titles.region, of_titles.asset
    pair, file, share = file_shares(mixes, files, region, title)
    n_regions = len(history.region_index)
    order = np.argsort(file.astype(np.int64) * n_regions + region[pair], kind="stable")
    pair, file, share = pair[order], file[order], share[order]
    dispersion = None
    if of_titles.dispersion is not None:
        known_from = requests_behind(mixes, files, region, title)[pair]
        unsure = (1 - share) / np.maximum(share * (known_from + 1), 1e-9)
        phi = of_titles.dispersion[pair]
        dispersion = phi + (1 + phi) * unsure
    return ExpectedRequests(region[pair], file, of_titles.requests[pair] * share, dispersion)
