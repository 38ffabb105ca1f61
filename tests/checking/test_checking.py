"""The check of input files: what each is, and every fault where it stands."""

import shutil

import pandas as pd
import pytest
from checking.check_examples import FILES, KINDS, write_files

from cdn.checking.files import check_files
from cdn.checking.kinds import SCHEMAS, TOPOLOGY, kind_of
from cdn.checking.tables import TABLE_CHECKS
from cdn.errors import DataError
from cdn.files.catalogs import CATALOG
from cdn.files.schema import write_table
from cdn.logs.request_log_files import REQUEST_LOG


def faults_of(paths, **options):
    return [(fault.file.rpartition("/")[2], fault.row, fault.column) for fault in check_files(paths, **options).faults]


def test_sound_files_have_no_faults_and_are_counted(tmp_path):
    """Storage 1 + 2 GB; the log covers two UTC days and holds two equal rows; a stores x, b stores z and x."""
    report = check_files(write_files(tmp_path))
    assert report.faults == [] and report.notes == ()
    found = {file.file.rpartition("/")[2]: file for file in report.files}
    assert {name: file.kind for name, file in found.items()} == KINDS
    counts = {name: (f.rows, f.regions, f.sites, f.assets, f.bytes, f.days) for name, f in found.items()}
    assert counts == {
        "net.toml": (None, 2, 3, None, 3 * 10**9, None),
        "catalog.csv": (3, None, None, 3, 2 * 10**9, None),
        "log.csv": (3, 2, None, 2, 600_000_010, 2),
        "demand.csv": (2, 2, None, 2, 2_400_000_000, None),
        "demand.hours.csv": (2, 1, None, None, None, None),
        "now.csv": (3, None, None, 2, 2_100_000_000, None),
        "placement.csv": (2, None, 2, 2, 1_500_000_000, None),
        "routing.csv": (3, 2, 2, 2, None, None),
        "plan.csv": (2, None, None, 1, 600_000_000, None),
        "costs.csv": (3, 2, 2, None, None, None),
        "prices.csv": (1, None, None, None, None, None),
        "nodes.csv": (3, None, 1, 1, None, None),
    }


@pytest.mark.parametrize(
    ("altered", "fault"),
    [
        ({"net_toml": ("storage_gb = 1}", "storage_gb = -1}")}, ("net.toml", "appliances[1]", "storage_gb")),
        ({"net_toml": ('site_or_node = "m"', 'site_or_node = "n"')}, ("net.toml", "regions[2]", "site_or_node")),
        ({"net_toml": ('{a = "o"', '{a = "p"')}, ("net.toml", None, None)),
        ({"catalog_csv": ("600000000", "-6")}, ("catalog.csv", 2, "size_bytes")),
        ({"catalog_csv": (",e,,,,", ",n,,,,")}, ("catalog.csv", 2, "pinned_sites")),
        ({"catalog_csv": (",e,,,,", ",o,,,,")}, ("catalog.csv", 2, "pinned_sites")),
        ({"catalog_csv": (",e,,,,", ",e,e,,,")}, ("catalog.csv", 2, "excluded_sites")),
        ({"catalog_csv": ("e;m,r", "e;k,r")}, ("catalog.csv", 3, "excluded_sites")),
        ({"catalog_csv": ("e;m,r", "e;m,r;s")}, ("catalog.csv", 3, "allowed_regions")),
        ({"catalog_csv": ("2013-01-01", "2012-01-01")}, ("catalog.csv", 3, "licence_end")),
        ({"catalog_csv": ("900000000,,", "900000000,e,")}, ("catalog.csv", None, "pinned_sites")),
        ({"log_csv": (",q,", ",s,")}, ("log.csv", 3, "region_id")),
        ({"log_csv": (",y,5", ",w,5")}, ("log.csv", 3, "asset_id")),
        ({"log_csv": (",y,5", ",y,-5")}, ("log.csv", 3, "bytes")),
        ({"log_csv": ("2012-12-27T", "2012-13-27T")}, ("log.csv", 2, "time")),
        ({"log_csv": ("time,", "times,")}, ("log.csv", 1, "time")),
        ({"log_csv": ("time,", "when,")}, ("log.csv", None, None)),
        ({"demand_csv": ("q,z", "s,z")}, ("demand.csv", 3, "region_id")),
        ({"demand_csv": ("q,z", "q,w")}, ("demand.csv", 3, "asset_id")),
        ({"demand_csv": ("requests", "request")}, ("demand.csv", 1, "requests")),
        ({"demand_hours_csv": (",23,", ",24,")}, ("demand.hours.csv", 3, "hour")),
        ({"now_csv": ("b,z", "c,z")}, ("now.csv", 3, "appliance_id")),
        ({"now_csv": ("a,x\nb,z\nb,x", "a,x\na,z\nb,x")}, ("now.csv", None, "appliance_id")),
        ({"placement_csv": ("m,z", "o,z")}, ("placement.csv", 3, "site_id")),
        ({"placement_csv": ("m,z", "e,z")}, ("placement.csv", None, "site_id")),
        ({"placement_csv": ("m,z", "m,y")}, ("placement.csv", 3, "site_id")),
        ({"routing_csv": ("m,r,x,0.5", "m,r,x,0.6")}, ("routing.csv", 3, "share")),
        ({"routing_csv": ("m,q", "o,q")}, ("routing.csv", 4, "site_id")),
        ({"plan_csv": ("add,x,600000000", "add,x,600000001")}, ("plan.csv", 3, "bytes")),
        ({"plan_csv": ("02:10:00", "01:10:00")}, ("plan.csv", 3, "end")),
        ({"plan_csv": (",o\n", ",\n")}, ("plan.csv", 3, "source_id")),
        ({"plan_csv": (",o\n", ",p\n")}, ("plan.csv", 3, "source_id")),
        ({"plan_csv": ("b,remove", "e,remove")}, ("plan.csv", 2, "appliance_id")),
        ({"costs_csv": ("r,e", "r,f")}, ("costs.csv", 4, "site_id")),
        ({"costs_csv": ("q,o", "q,m")}, ("costs.csv", None, "region_id")),
        ({"prices_csv": ("0.5", "nan")}, ("prices.csv", 2, "price")),
        ({"nodes_csv": ("x,e", "w,e")}, ("nodes.csv", 2, "tree_asset_id")),
        ({"nodes_csv": ("x,e", "x,o")}, ("nodes.csv", 2, "branch_site_id")),
        ({"nodes_csv": ("x,e,", "x,e,1")}, ("nodes.csv", 2, "price_vector")),
        ({"nodes_csv": ("x,,1", "x,,")}, ("nodes.csv", 3, "price_vector")),
        ({"nodes_csv": ("x,,1", "x,,-1")}, ("nodes.csv", 3, "price_vector")),
    ],
    ids=lambda value: str(value)[:60],
)
def test_one_altered_file_has_that_fault(tmp_path, altered, fault):
    """Others may have faults too where what they refer to went bad. Without a time a log may as well be demand."""
    assert fault in faults_of(write_files(tmp_path, **altered))


def test_each_kind_of_fault_is_reported_alone_where_nothing_else_is_wrong(tmp_path):
    assert faults_of(write_files(tmp_path, plan_csv=(",o\n", ",p\n"))) == [("plan.csv", 3, "source_id")]
    assert faults_of(write_files(tmp_path, now_csv=("b,z", "c,z"))) == [("now.csv", 3, "appliance_id")]


def test_all_faults_of_all_files_are_reported_at_once(tmp_path):
    """Ids, numbers and limits; a bad file does not hide another's faults."""
    paths = write_files(
        tmp_path,
        demand_csv=("r,x,1,600000000\nq,z", "s,x,1,600000000\nq,w"),
        now_csv=("a,x", "k,x"),
        log_csv=(",q,y,5\n", ",s,v,5\n"),
    )
    assert faults_of(paths) == [
        ("log.csv", 3, "region_id"),
        ("demand.csv", 2, "region_id"),
        ("demand.csv", 3, "asset_id"),
        ("now.csv", 2, "appliance_id"),
    ]


def test_more_than_the_message_shows_are_kept(tmp_path):
    (tmp_path / "d.csv").write_text(
        "region_id,asset_id,requests,bytes\n" + "".join(f"r,a{k},-1,1\n" for k in range(50))
    )
    assert len(check_files([tmp_path / "d.csv"]).faults) == 50


def test_an_unsound_topology_is_not_used_against_others(tmp_path):
    """No id of the other files is called unknown for want of a topology; a note says it was not checked."""
    report = check_files(write_files(tmp_path, net_toml=('kind = "mid"', 'kind = "middle"')))
    assert [(fault.row, fault.column) for fault in report.faults] == [("sites[3]", "kind")]
    assert any(note.startswith("no sound topology") for note in report.notes)


def test_files_are_checked_by_themselves_where_nothing_is_there_to_refer_to(tmp_path):
    write_files(tmp_path)
    report = check_files([tmp_path / name for name in ("demand.csv", "now.csv", "log.csv")])
    assert report.faults == []
    assert report.files[1].bytes is None
    assert len(report.notes) == 2


def test_the_topology_and_catalog_may_be_named(tmp_path):
    paths = write_files(tmp_path, demand_csv=("q,z", "s,z"))
    other = tmp_path / "other.toml"
    other.write_text(FILES["net.toml"].replace('id = "q"', 'id = "s"'))
    assert faults_of([paths[3]], topology_path=paths[0]) == [("demand.csv", 3, "region_id")]
    assert faults_of([paths[3]], topology_path=other, catalog_path=paths[1]) == []
    ambiguous = check_files([paths[0], other, paths[3]])
    assert ambiguous.faults == []
    assert ambiguous.notes[0].startswith("2 files are a topology: say which one")


def test_what_is_named_as_a_topology_must_be_one(tmp_path):
    paths = write_files(tmp_path)
    assert faults_of([], topology_path=paths[1]) == [("catalog.csv", None, None)]
    assert faults_of([], catalog_path=paths[3]) == [("demand.csv", None, None)]


def test_the_hours_beside_a_demand_file_are_checked_with_it(tmp_path):
    paths = write_files(tmp_path, demand_hours_csv=(",23,", ",24,"))
    assert faults_of([paths[3]]) == [("demand.hours.csv", 3, "hour")]
    assert faults_of(paths) == [("demand.hours.csv", 3, "hour")]


def test_large_assets_and_idle_sites_are_worth_a_note(tmp_path):
    report = check_files(write_files(tmp_path, catalog_csv=("900000000", "2000000001"))[:2])
    assert report.faults == []
    assert report.notes == (f"{tmp_path}/catalog.csv: 1 assets fit no site and are always served by the origin",)
    report = check_files(write_files(tmp_path, net_toml=("storage_gb = 2", "storage_gb = 0"))[:1])
    assert report.notes == (f"{tmp_path}/net.toml: sites without storage: m",)


def test_a_parquet_file_is_its_csv(tmp_path):
    for path in write_files(tmp_path)[1:]:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        write_table(frame, path.with_suffix(".parquet"))
    paths = [tmp_path / name.replace(".csv", ".parquet") for name in FILES]
    report = check_files(paths)
    assert report.faults == []
    assert [file.kind for file in report.files] == list(KINDS.values())


def test_a_log_store_is_checked_file_by_file(tmp_path):
    write_files(tmp_path)
    store = tmp_path / "store"
    store.mkdir()
    frame = pd.read_csv(tmp_path / "log.csv")
    for day, rows in frame.groupby(frame["time"].str[:10]):
        write_table(rows, store / f"requests-{day}.parquet")
    checked = check_files([store]).files[0]
    assert (checked.kind, checked.rows, checked.days, checked.faults) == ("request log", 3, 2, ())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\xff\xfe\x00"),
        ("a.csv", b"colour,shape\nred,round\n"),
        ("a.parquet", b"PAR1 no"),
        ("a.toml", b"= 3"),
        ("a.toml", b"colour = 'red'"),
        ("a.json", b"{}"),
        ("a.csv.gz", b"no gzip"),
    ],
)
def test_what_cannot_be_told_is_a_fault_of_the_file(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    report = check_files([tmp_path / name])
    assert {fault.file for fault in report.faults} == {str(tmp_path / name)}


def test_files_that_are_not_there_are_faults(tmp_path):
    (tmp_path / "empty").mkdir()
    names = ["none.csv", "none.toml", "none.parquet", "empty"]
    assert faults_of([tmp_path / name for name in names]) == [(name, None, None) for name in names]


def test_an_empty_log_is_a_fault(tmp_path):
    (tmp_path / "log.csv").write_text("time,region_id,asset_id,bytes\n")
    assert faults_of([tmp_path / "log.csv"]) == [("log.csv", None, None)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_kind_is_told_from_its_required_columns_even_if_one_is_misspelt(tmp_path, name):
    required = [column.name for column in SCHEMAS[name].columns if column.required]
    path = tmp_path / "t.csv"
    for misspelt in (None, *required):
        path.write_text(",".join(column + "s" * (column == misspelt) for column in required) + "\n")
        assert kind_of(path) == name


def test_foreign_columns_do_not_change_the_kind(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("asset_id,title_id,size_bytes," + ",".join(f"extra{k}" for k in range(40)) + "\n")
    assert kind_of(path) == CATALOG.name
    path.write_text("region,asset\n")
    with pytest.raises(DataError):
        kind_of(path)


def test_every_kind_has_a_check():
    assert set(TABLE_CHECKS) | {CATALOG.name, REQUEST_LOG.name, TOPOLOGY} == {*SCHEMAS, TOPOLOGY}


def test_a_file_named_twice_is_checked_once(tmp_path):
    paths = write_files(tmp_path)
    assert len(check_files([paths[3], paths[3]], topology_path=paths[0]).files) == 2
    shutil.copy(paths[3], tmp_path / "again.csv")
    assert len(check_files([paths[3], tmp_path / "again.csv"]).files) == 2
