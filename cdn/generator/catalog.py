"""The sample's catalog: one asset per title and encode, with ids, names and sizes."""

import numpy as np
import pandas as pd

from cdn.files.schema import INTEGER_LIMIT, joined
from cdn.generator.parameters import GeneratorParameters
from cdn.generator.titles import Titles
from cdn.model.catalog import Catalog
from cdn.model.index import Index
from cdn.units import BITS_PER_BYTE

GENRES = ("action", "comedy", "crime", "documentary", "drama", "family", "romance", "thriller")
_BPS_PER_MBPS = 1e6
_SECONDS_PER_MINUTE = 60


def build_catalog(titles: Titles, parameters: GeneratorParameters) -> Catalog:
    """The catalog (A = T x encodes assets, the encodes of a title side by side).

    Size is bit rate times running time; the bit rate is the encode's times a lognormal factor of the title's.
    """
    encodes = parameters.encodes
    title = np.repeat(np.arange(len(titles)), len(encodes))
    encode_bps = np.tile([encode.bitrate_mbps * _BPS_PER_MBPS for encode in encodes], len(titles))
    bitrate_bps = np.clip(np.round(encode_bps * titles.bitrate_factor[title]), 1, INTEGER_LIMIT - 1)
    seconds = titles.minutes[title] * _SECONDS_PER_MINUTE
    title_ids = _title_ids(titles, parameters)
    ids = title_ids if len(encodes) == 1 else [f"{id_}-{encode.name}" for id_ in title_ids for encode in encodes]
    never = np.full(len(title), np.datetime64("NaT", "us"))
    return Catalog(
        asset_index=Index(ids),
        title_ids=title_ids[title],
        size_bytes=np.clip(np.round(bitrate_bps * seconds / BITS_PER_BYTE), 1, INTEGER_LIMIT - 1),
        licence_start=never,
        licence_end=never,
        attributes={"bitrate_bps": bitrate_bps} | _ladder(parameters, len(titles))
        | {name: values[title] for name, values in _attributes(titles, parameters).items()},
    )


def _ladder(parameters: GeneratorParameters, n_titles: int) -> dict[str, np.ndarray]:
    """Which file of its title an asset is; nothing where a title is a single file of no language."""
    encodes = parameters.encodes
    columns = {}
    if len(encodes) > 1:
        columns["encode"] = np.array([encode.name for encode in encodes] * n_titles, dtype=object)
    if any(encode.language for encode in encodes):
        columns["language"] = np.array([encode.language for encode in encodes] * n_titles, dtype=object)
    return columns


def _title_ids(titles: Titles, parameters: GeneratorParameters) -> np.ndarray:
    """Ids say kind and series, never the rank."""
    names = [kind.name for kind in parameters.kinds]
    series, season = titles.series[titles.release], titles.season[titles.release]
    return np.array([
        f"{names[kind]}-{number:05d}" if s < 0 else f"series-{s:04d}-s{n:02d}e{e:02d}"
        for number, (kind, s, n, e) in enumerate(zip(titles.kind, series, season, titles.episode, strict=True))
    ], dtype=object)


def _attributes(titles: Titles, parameters: GeneratorParameters) -> dict[str, np.ndarray]:
    """The catalog's optional columns, one value per title."""
    series, season = titles.series[titles.release], titles.season[titles.release]
    genre_names = np.array([(GENRES[k] if k < len(GENRES) else f"genre-{k + 1}",) for k in range(parameters.n_genres)]
                           + [None], dtype=object)[:-1]
    start = np.datetime64(parameters.start_day, "us")
    return {
        "series_id": np.array([None if s < 0 else f"series-{s:04d}" for s in series], dtype=object),
        "season": np.where(series < 0, np.nan, season),
        "episode": np.where(series < 0, np.nan, titles.episode),
        "kind": np.array([kind.name for kind in parameters.kinds], dtype=object)[titles.kind],
        "genres": genre_names[titles.genre[titles.release]],
        "release_date": start + titles.release_day[titles.release].astype("timedelta64[D]"),
    }


def catalog_frame(catalog: Catalog) -> pd.DataFrame:
    """The catalog as a table of its file format, without the columns that would be empty."""
    attributes = dict(catalog.attributes)
    for name in ("bitrate_bps", "season", "episode"):
        attributes[name] = pd.array(attributes[name], dtype="Int64")
    attributes["genres"] = np.array([joined(genres) for genres in attributes["genres"]], dtype=object)
    return pd.DataFrame({"asset_id": catalog.asset_index.ids, "title_id": catalog.title_ids,
                         "size_bytes": catalog.size_bytes} | attributes)
