"""Parameter files: what is read, and what is refused with its place."""

import pytest
from generator.sample_parameters import small

from cdn.errors import DataError
from cdn.generator.parameters import read_parameters, topology_path

LEAST = "n_regions = 3\nn_titles = 10\nstart_day = 2026-03-02\ndays = 2\nrequests_per_day = 5\n"
KIND = '[[kinds]]\nname = "film"\ntitle_share = 1\nminutes = 90\n'
ENCODE = '[[encodes]]\nname = "hd"\nbitrate_mbps = 5\n'


def read(tmp_path, text):
    path = tmp_path / "p.toml"
    path.write_text(text, encoding="utf-8")
    return read_parameters(path)


def test_the_least_there_must_be(tmp_path):
    parameters = read(tmp_path, LEAST)
    assert parameters == small(n_titles=10, days=2, requests_per_day=5.0)
    assert [kind.name for kind in parameters.kinds] == ["film", "episode"]


def test_a_topology_is_looked_for_beside_the_file(tmp_path):
    parameters = read(tmp_path, LEAST.replace("n_regions = 3", 'topology = "../nets/a.toml"'))
    assert topology_path(parameters, tmp_path / "p.toml") == tmp_path / "../nets/a.toml"
    assert topology_path(small(), tmp_path / "p.toml") is None


@pytest.mark.parametrize(("text", "place", "expected"), [
    (LEAST.replace("n_titles = 10\n", ""), "n_titles", "a value, none is given"),
    (LEAST + "zipf = 1", "zipf", "no such key"),
    (LEAST.replace("= 10", "= 0"), "n_titles", "greater than or equal to 1"),
    (LEAST.replace("= 10", "= 10.5"), "n_titles", "integer"),
    (LEAST.replace("= 10", '= "10"'), "n_titles", "integer"),
    (LEAST.replace("= 10", "= true"), "n_titles", "integer"),
    (LEAST.replace("= 5", "= nan"), "requests_per_day", "less than or equal to"),
    (LEAST.replace("= 5", "= inf"), "requests_per_day", "less than or equal to"),
    (LEAST.replace("= 5", "= -5"), "requests_per_day", "greater than 0"),
    (LEAST.replace("2026-03-02", '"soon"'), "start_day", "date"),
    (LEAST.replace("2026-03-02", "1066-10-14"), "", "start_day in the years 1970 to 2200"),
    (LEAST.replace("n_regions = 3\n", ""), "", "either `topology` or `n_regions`"),
    (LEAST + 'topology = "t.toml"', "", "either `topology` or `n_regions`"),
    (LEAST + "held_out_days = 2", "", "held_out_days below days"),
    (LEAST + "weekday_factors = [1, 1]", "weekday_factors", "at least 7"),
    (LEAST + "weekday_factors = [0, 0, 0, 0, 0, 0, 0]", "", "weekday_factors that add up to more than 0"),
    (LEAST + "launch_weekdays = [1, 1, 1, 1, 1, 1, -1]", "launch_weekdays", "greater than or equal to 0"),
    (LEAST + KIND + KIND, "", "names of kinds that stand once"),
    (LEAST + KIND.replace("= 1", "= 0"), "", "kinds.title_share that add up to more than 0"),
    (LEAST + KIND.replace("= 90", "= 0"), "kinds[1]:minutes", "greater than 0"),
    (LEAST + ENCODE.replace("hd", "h/d"), "encodes[1]:name", "match pattern"),
    (LEAST + ENCODE + ENCODE, "", "names of encodes that stand once"),
    ("n_titles = ", "", "a readable TOML file"),
])
def test_faults_name_their_place(tmp_path, text, place, expected):
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value)
    assert f"p.toml:{place}" in str(caught.value) if place else "p.toml" in str(caught.value)


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(DataError) as caught:
        read(tmp_path, "n_titles = 0\ndays = 0\n")
    assert len(caught.value.faults) == 4


def test_a_missing_file_and_bytes_that_are_no_text(tmp_path):
    with pytest.raises(DataError, match="a readable TOML file"):
        read_parameters(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(DataError, match="a readable TOML file"):
        read_parameters(tmp_path / "latin.toml")
