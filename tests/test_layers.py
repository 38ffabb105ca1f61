"""The shape of the package: imports point down, no cycles, files small, names that say something."""

import ast
from pathlib import Path

import networkx as nx
import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cdn"
FILE_LINES_MAX = 400
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "core_utils"}

# Lowest first. A module imports from lower levels and, within its own package, from its neighbours.
# A package or module that is new to the project needs a place here.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("errors", "units", "separation", "array_records", "__init__"),
    ("compilation",),
    ("model",),
    ("files",),
    ("evaluation", "placement", "caching", "logs"),
    ("forecasting", "traces", "cold_start"),
    ("checking", "filling", "generator", "importing", "planning", "simulation"),
    ("backtesting", "verification"),
    ("scenarios",),
    ("reports",),
    ("nightly",),
    ("cli",),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LEVELS) for name in names}
# The judge and the solvers check each other, so neither may know the other.
STRANGERS = (("placement", "evaluation"), ("verification", "placement"))

FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)


MODULES = {module_of(path): path for path in FILES}


def imports_of(path: Path) -> set[str]:
    """Modules of the package that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    named = {name for name in found if name.split(".")[0] == "cdn"}
    return {"cdn.__init__" if name.count(".") < 1 or top_of(name) not in TOPS else nearest(name) for name in named}


def nearest(name: str) -> str:
    """The module that a dotted name is, or is defined in."""
    while name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def top_of(module: str) -> str:
    """The package or module right under the root that a module belongs to."""
    return module.split(".")[1]


TOPS = {top_of(module) for module in MODULES}
IMPORTS = {module: imports_of(path) for module, path in MODULES.items()}


def test_every_package_has_a_level():
    assert LEVEL.keys() >= TOPS, "place it in LEVELS"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module):
    top = top_of(module)
    wrong = [
        imported for imported in IMPORTS[module] if top_of(imported) != top and LEVEL[top_of(imported)] >= LEVEL[top]
    ]
    assert not wrong, f"{module} (level {LEVEL[top]}) imports {wrong}"


def test_there_are_no_cycles():
    graph = nx.DiGraph((module, imported) for module, found in IMPORTS.items() for imported in found)
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    cycles = [group for group in nx.strongly_connected_components(graph) if len(group) > 1]
    assert not cycles


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_strangers_stay_strangers(one, other):
    assert not [
        module for module in MODULES if top_of(module) == one for name in IMPORTS[module] if top_of(name) == other
    ]


def test_nobody_imports_the_command_line():
    allowed = {"cli", "__main__"}
    assert not [
        m for m, found in IMPORTS.items() if top_of(m) not in allowed for name in found if top_of(name) == "cli"
    ]


def test_files_are_small():
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in MODULES.items()}
    assert not {module: count for module, count in lines.items() if count > FILE_LINES_MAX}


def test_modules_have_names_of_their_own():
    assert not [module for module in MODULES if NAMELESS & set(module.split("."))]


def test_libraries_do_not_print():
    """Results are printed by the command line; everything else returns them."""
    printing = [
        module
        for module, path in MODULES.items()
        if top_of(module) not in ("cli", "__main__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not printing
