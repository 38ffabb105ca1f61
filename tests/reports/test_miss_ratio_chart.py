"""The picture of miss-ratio curves: what it says, and what tells the lines apart."""

import numpy as np
import pytest

from cdn.caching.curves import MissRatioCurve
from cdn.errors import DataError
from cdn.reports.miss_ratio_chart import DASHES, OTHER_COLOURS, curves_chart, write_picture
from cdn.reports.themes import LRU_COLOUR

SIZES = np.array([10**9, 10**10, 10**11])


def curve(policy, ratios, error=0.0, rate=1.0):
    ratios, errors = np.array(ratios), np.full(len(ratios), error)
    return MissRatioCurve(policy, "simulation" if rate == 1 else "mini-simulation", rate, 1000, int(1000 * rate),
                          SIZES[:len(ratios)], ratios, ratios**2, errors, errors)


def document_of(*curves):
    return curves_chart(curves).to_dict()


def test_the_title_names_best_and_worst_where_they_differ_most():
    found = document_of(curve("lru", [0.9, 0.6, 0.1]), curve("sieve", [0.9, 0.5, 0.1]), curve("fifo", [1, 0.7, 0.1]))
    assert found["title"]["text"] == "With 10 GB, sieve misses 50.00 % of the requests, fifo 70.00 %"
    alone = document_of(curve("lru", [0.9, 0.6, 0.1]))
    assert alone["title"]["text"] == "lru misses 60.00 % of the requests with 10 GB"


def test_the_subtitle_says_how_much_was_sampled():
    found = document_of(curve("fifo", [0.9, 0.6], np.nan, 0.01), curve("lfu", [0.9, 0.5], np.nan, 0.01))
    assert found["title"]["subtitle"].endswith("1,000 requests; mini-simulation of 1 % of the objects; "
                                                  "bands: 2 standard errors")


def test_bands_are_two_standard_errors_within_0_and_1():
    rows = document_of(curve("lru", [0.95, 0.6, 0.02], 0.05, 0.1))["vconcat"][0]["data"]["values"]
    assert [(row["low"], row["high"]) for row in rows] == [
        (pytest.approx(0.85), 1.0), (pytest.approx(0.5), pytest.approx(0.7)), (0.0, pytest.approx(0.12))]


def test_where_the_error_is_not_known_there_is_no_band():
    panel = document_of(curve("fifo", [0.9, 0.6], np.nan, 0.1))["vconcat"][0]
    assert [(row["low"], row["high"]) for row in panel["data"]["values"]] == [(None, None)] * 2
    assert panel["layer"][0]["transform"] == [{"filter": "isValid(datum.low)"}]


def test_fifteen_policies_and_lru_look_different():
    names = [f"p{k}" for k in range(len(OTHER_COLOURS) * len(DASHES))]
    lines = document_of(*(curve(name, [0.5, 0.4]) for name in [*names, "lru"]))["vconcat"][0]["layer"][1]["encoding"]
    colours, dashes = lines["color"]["scale"]["range"], lines["strokeDash"]["scale"]["range"]
    assert len({(c, tuple(d)) for c, d in zip(colours, dashes, strict=True)}) == len(names) + 1
    assert colours[lines["color"]["scale"]["domain"].index("lru")] == LRU_COLOUR


def test_the_axis_is_labelled_at_round_sizes():
    x = document_of(curve("lru", [0.9, 0.6, 0.1]))["vconcat"][0]["layer"][1]["encoding"]["x"]
    assert x["axis"]["values"] == [1e9, 2e9, 5e9, 1e10, 2e10, 5e10, 1e11]


def test_nothing_to_draw_is_drawn_all_the_same(tmp_path):
    empty = np.full(3, np.nan)
    write_picture([MissRatioCurve("lru", "stack distances", 1.0, 0, 0, SIZES, empty, empty, empty, empty)],
                  tmp_path / "empty.png")
    assert (tmp_path / "empty.png").stat().st_size > 0
    with pytest.raises(DataError, match="a file name ending in"):
        write_picture([curve("lru", [0.5])], tmp_path / "curve.jpg")
