"""``cdn place --robust``: what is stored, what the folder says of it, and that it verifies."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner
from instances import two_edges_one_mid

from cdn.cli import cli
from cdn.errors import CdnError
from cdn.files.topologies import write_topology
from cdn.verification import verify_folder

DEMAND = "region_id,asset_id,requests,bytes,bytes_p10,bytes_p90\n"


@pytest.fixture
def folder(tmp_path):
    """Room for one of two assets at e1: keen is expected to be asked for more, sure never to be asked for less."""
    write_topology(two_edges_one_mid((10, 0, 0)), tmp_path / "t.toml")
    (tmp_path / "c.csv").write_text("asset_id,title_id,size_bytes\nsure,sure,10\nkeen,keen,10\n")
    (tmp_path / "d.csv").write_text(DEMAND + "r1,sure,10,100,90,110\nr1,keen,12,120,0,400\n")
    return tmp_path


def place(folder, *arguments):
    files = {"--topology": "t.toml", "--catalog": "c.csv", "--demand": "d.csv", "--out": "plan"}
    options = [part for option, name in files.items() for part in (option, str(folder / name))]
    result = CliRunner().invoke(cli, ["place", *options, "--json", *arguments], catch_exceptions=False)
    return result


def test_a_wary_plan_stores_what_is_sure_and_says_what_it_was_placed_for(folder):
    """As expected: 10 bytes filled at 4 each, and of 220 bytes at 4 the plan saves 120 x 4, the wary one 100 x 4."""
    found = {}
    for name, options in (("usual", []), ("wary", ["--robust", "quantile:0.2"])):
        figures = json.loads(place(folder, "--method", "mip", *options).stdout)
        found[name] = (figures["cost"], set(pd.read_parquet(folder / "plan" / "placement.parquet")["asset_id"]))
        assert all(check.holds for check in verify_folder(folder / "plan"))
    assert found == {"usual": (pytest.approx(440), {"keen"}), "wary": (pytest.approx(520), {"sure"})}
    assert figures["reason"].endswith("placed for quantile:0.2") and figures["lower_bound"] is None


def test_what_if_plans_again_by_the_rule_of_the_run(folder):
    """The wary plan stores sure. With a storage as large as before, planned again it does so again, at the same cost;
    planned for what is expected it would store keen, and cost 440."""
    change = '[[scenarios]]\nname = "as before"\n[[scenarios.changes]]\nchange = "scale_storage"\nfactor = 1.0\n'
    (folder / "s.toml").write_text(change)
    place(folder, "--method", "mip", "--robust", "quantile:0.2")
    result = CliRunner().invoke(cli, ["whatif", str(folder / "s.toml"), "--run", str(folder / "plan"), "--json"],
                                catch_exceptions=False)
    assert [row["cost"] for row in json.loads(result.stdout)["rows"]] == pytest.approx([520, 520, 520])


def test_rules_that_are_none_are_told(folder):
    for rule, words in (("minimax:2", "unknown robust rule 'minimax'"), ("peaks:2", "Q from 0.1 to 0.9")):
        result = place(folder, "--robust", rule)
        assert result.exit_code == 2 and words in " ".join(result.stderr.replace("│", " ").split())
    (folder / "d.csv").write_text("region_id,asset_id,requests,bytes\nr1,sure,10,100\n")
    with pytest.raises(CdnError, match="expected a demand with bytes_p10 and bytes_p90"):
        place(folder, "--robust", "peaks:0.7")
