"""One sound file of each kind, all of the same small network; a test alters one of them."""

from pathlib import Path

FILES = {
    "net.toml": """sites = [{id = "o", kind = "origin"}, {id = "e", kind = "edge"}, {id = "m", kind = "mid"}]
appliances = [{id = "a", site = "e", storage_gb = 1}, {id = "b", site = "m", storage_gb = 2}]
regions = [{id = "r", site_or_node = "e"}, {id = "q", site_or_node = "m"}]
links = [{a = "o", b = "m", cost_per_gb = 3}, {a = "m", b = "e", cost_per_gb = 1}]
""",
    "catalog.csv": """asset_id,title_id,size_bytes,pinned_sites,excluded_sites,allowed_regions,licence_start,licence_end
x,x,600000000,e,,,,
y,y,500000000,,e;m,r,2012-01-01,2013-01-01
z,z,900000000,,,,,
""",
    "log.csv": """time,region_id,asset_id,bytes
2012-12-27T23:59:59Z,r,x,600000000
2012-12-28T00:00:00Z,q,y,5
2012-12-28T00:00:00Z,q,y,5
""",
    "demand.csv": "region_id,asset_id,requests,bytes\nr,x,1,600000000\nq,z,2,1800000000\n",
    "demand.hours.csv": "region_id,hour,factor\nr,0,1\nr,23,0.5\n",
    "now.csv": "appliance_id,asset_id\na,x\nb,z\nb,x\n",
    "placement.csv": "site_id,asset_id\ne,x\nm,z\n",
    "routing.csv": "site_id,region_id,asset_id,share\ne,r,x,0.5\nm,r,x,0.5\nm,q,z,1\n",
    "plan.csv": """step,start,end,appliance_id,action,asset_id,bytes,source_id
1,2012-12-28T02:00:00Z,2012-12-28T02:00:00Z,b,remove,x,600000000,
2,2012-12-28T02:00:00Z,2012-12-28T02:10:00Z,b,add,x,600000000,o
""",
    "costs.csv": "region_id,site_id,cost_per_gb\nr,origin,4\nq,o,3\nr,e,0\n",
    "prices.csv": "price\n0.5\n",
    "nodes.csv": "tree_asset_id,branch_site_id,price_vector\nx,e,\nx,,1\nx,,0\n",
}
KINDS = {
    "net.toml": "topology",
    "catalog.csv": "catalog",
    "log.csv": "request log",
    "demand.csv": "demand",
    "demand.hours.csv": "hours",
    "now.csv": "stored now",
    "placement.csv": "placement",
    "routing.csv": "routing",
    "plan.csv": "fill plan",
    "costs.csv": "serving costs",
    "prices.csv": "serve prices",
    "nodes.csv": "branching nodes",
}


def write_files(folder: Path, **altered: tuple[str, str]) -> list[Path]:
    """Writes all files; ``altered``: file name (dots as underscores) -> what to replace in it, and by what."""
    changes = {name: altered.get(name.replace(".", "_")) for name in FILES}
    assert len(altered) == sum(change is not None for change in changes.values()), "no such file"
    for name, text in FILES.items():
        old, new = changes[name] or ("", "")
        assert old in text, f"{name} does not hold {old!r}"
        (folder / name).write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return [folder / name for name in FILES]
