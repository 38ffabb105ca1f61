"""``cdn topology``: making topology files."""

import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cdn.cli.options import PATH, FiniteRange, json_option, out_option, print_result, quiet_option, stderr_console
from cdn.files.catalogs import read_catalog
from cdn.files.topologies import write_topology
from cdn.importing.apportionment import APPORTIONMENTS
from cdn.importing.assembly import ImportedTopology, import_topology
from cdn.importing.policy import ImportPolicy
from cdn.importing.region_weights import REGION_WEIGHTS
from cdn.importing.site_choice import SITE_CHOICES
from cdn.model.topology import EDGE, MID, Topology
from cdn.units import BYTES_PER_GB, format_bytes

_DEFAULTS = {field.name: field.default for field in fields(ImportPolicy)}
_AMOUNT = FiniteRange(min=0)
_COUNT = click.IntRange(min=0)


@click.group()
def topology() -> None:
    """Make topology files."""


def _policy_option(name: str, type_: Any, text: str):
    """An option that fills the policy's field of the same name."""
    field = name.removeprefix("--").replace("-", "_")
    default = _DEFAULTS[field]
    return click.option(name, type=type_, default=default, show_default=default is not None, help=text)


@topology.command("import")
@click.argument("source")
@out_option
@click.option("--storage-gb-edge", type=_AMOUNT, help="Mean storage of an edge site.")
@click.option("--storage-gb-mid", type=_AMOUNT, help="Mean storage of a mid site.  [default: as an edge site]")
@click.option("--storage-share", type=_AMOUNT, help="Mean storage of a site as a share of the footprint of --catalog.")
@click.option("--catalog", "catalog_path", type=PATH, help="Catalog that --storage-share is a share of.")
@_policy_option("--apportion", click.Choice(list(APPORTIONMENTS)),
                "Share storage out equally, or by the weight a site serves.")
@_policy_option("--regions", click.IntRange(min=1), "Only so many of the heaviest nodes are regions.  [default: all]")
@click.option("--weights", "weights_path", type=PATH, help="Node weights: CSV or Parquet with node_id, weight.")
@click.option("--weight-by", type=click.Choice(list(REGION_WEIGHTS)),
              help="Node weights from the graph.  [default: the first it has]")
@_policy_option("--edges", _COUNT, "Edge sites.  [default: 10, or all nodes]")
@_policy_option("--mids", _COUNT, "Mid sites.  [default: 2]")
@_policy_option("--edge-choice", click.Choice(list(SITE_CHOICES)), "Where edge sites go.")
@_policy_option("--mid-choice", click.Choice(list(SITE_CHOICES)), "Where mid sites go.")
@_policy_option("--origin", str, "Node the origin hangs on.  [default: the most central]")
@_policy_option("--appliances-per-site", click.IntRange(min=1), "Appliances a site's storage is divided among.")
@_policy_option("--egress-gbps", _AMOUNT, "Serving rate of an appliance.  [default: no limit]")
@_policy_option("--fill-gbps", _AMOUNT, "Fill rate of an appliance.  [default: no limit]")
@_policy_option("--fill-window", str, "Local time in which appliances may be filled.")
@_policy_option("--time-zone", str, "IANA zone of all sites and regions.  [default: by longitude]")
@_policy_option("--link-cost-per-gb", _AMOUNT, "Cost of a GB over any link.")
@_policy_option("--cost-per-gb-per-1000km", _AMOUNT, "Cost of a GB over 1000 km, on top of it.")
@_policy_option("--origin-cost-per-gb", _AMOUNT, "Cost of a GB out of the origin, on top of the path.")
@_policy_option("--default-link-km", _AMOUNT, "Length of a link where neither the graph nor coordinates tell.")
@json_option
@quiet_option
def import_(source: str, out_path: Path, catalog_path: Path | None, weights_path: Path | None, weight_by: str | None,
            storage_share: float | None, as_json: bool, quiet: bool, **chosen: Any) -> None:
    """Make a topology from a published graph: a .graphml or .gml file, or a topohub name such as topozoo/Geant2012.

    The options say what the graph lacks; storage is always among it.
    """
    chosen |= _storage(chosen, storage_share, catalog_path)
    try:
        policy = ImportPolicy(**chosen)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    imported = import_topology(source, policy, weights_path, weight_by)
    made_by = f"made by: {_command(click.get_current_context())}"
    write_topology(imported.topology, out_path, "\n".join([made_by, *(f"- {line}" for line in imported.assumed)]))
    stderr_console(quiet).print(Text(f"wrote {out_path}"))
    print_result(as_json, _payload(imported, out_path), lambda console: _show(console, imported))


def _storage(chosen: dict[str, Any], share: float | None, catalog_path: Path | None) -> dict[str, float]:
    """GB per edge and per mid site, from sizes or from a share of a catalog."""
    edge, mid = chosen["storage_gb_edge"], chosen["storage_gb_mid"]
    if (share is None) != (catalog_path is None):
        raise click.UsageError("--storage-share and --catalog go together")
    if share is not None and catalog_path is not None and (edge is None or mid is None):
        of_footprint = share * read_catalog(catalog_path).footprint_bytes / BYTES_PER_GB
        edge, mid = (of_footprint if size is None else size for size in (edge, mid))
    if edge is None:
        raise click.UsageError("no graph says what its sites store: give --storage-gb-edge, "
                               "or --storage-share and --catalog")
    return {"storage_gb_edge": edge, "storage_gb_mid": edge if mid is None else mid}


def _command(context: click.Context) -> str:
    """The command as it was meant: the source and every option that was given, --out excepted."""
    parts = ["cdn", "topology", "import", context.params["source"]]
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
        if isinstance(parameter, click.Option) and given and not parameter.is_flag and name != "out_path":
            value = context.params[name]
            parts += [parameter.opts[0], f"{value:g}" if isinstance(value, float) else str(value)]
    return shlex.join(parts)


def _counts(topology: Topology) -> dict[str, int]:
    nodes = {end for link in topology.links for end in (link.a, link.b)} - {site.id for site in topology.sites}
    kinds = [site.kind for site in topology.sites]
    return {"nodes": len(nodes), "links": len(topology.links), "regions": len(topology.regions),
            "edge_sites": kinds.count(EDGE), "mid_sites": kinds.count(MID), "appliances": len(topology.appliances),
            "storage_bytes": sum(appliance.storage_bytes for appliance in topology.appliances)}


def _payload(imported: ImportedTopology, out_path: Path) -> dict[str, Any]:
    return _counts(imported.topology) | {"out": str(out_path), "origin": _origin_node(imported.topology),
                                         "assumed": list(imported.assumed)}


def _origin_node(topology: Topology) -> str:
    return next(link.b for link in topology.links if link.a == topology.origin.id)


def _show(console: Console, imported: ImportedTopology) -> None:
    table = Table("made", "count", box=None)
    table.columns[1].justify = "right"
    for name, count in _counts(imported.topology).items():
        shown = format_bytes(count) if name == "storage_bytes" else str(count)
        table.add_row(name.removesuffix("_bytes").replace("_", " "), shown)
    table.add_row("origin at", Text(_origin_node(imported.topology)))
    console.print(table)
    console.print("\nfilled in, for the graph does not say:")
    for line in imported.assumed:
        console.print(Text(f"- {line}"))
