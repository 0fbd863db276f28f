"""What an import loads, and which module may import which: the arrows point one way."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import etcdsize

SOURCE = Path(etcdsize.__file__).parent

# From the ground up: a module imports from the layers below its own, and never from its own.
LAYERS = (
    ("errors", "quorum"),
    ("units", "providers", "_listing", "_output", "_urls", "_endpoints", "_sockets"),
    ("_model",),
    (
        "workload",
        "tiers",
        "tls",
        "versions",
        "scrapes",
        "_disk_rules",
        "_classify",
        "_cells",
        "_columns",
        "_layout",
        "_thrift",
    ),
    ("disks", "members", "_flag_values"),
    ("machines",),
    ("catalogs",),
    ("notices", "sequential", "_plan_settings", "_rates"),
    ("observed_notices",),
    ("observations",),
    ("storage",),
    ("fits",),
    ("_rejecting",),
    ("fitting",),
    ("_options", "_capacity"),
    ("sizing",),
    ("settings", "steps"),
    ("cluster",),
    ("_filling",),
    ("_operations",),
    ("runbooks",),
    ("fleet_sizing", "_load_arrays"),
    ("arrays", "_loads"),
    ("fleet_audit",),
    ("auditing",),
    ("_batch_audit",),
    ("_batch", "files", "readers"),
    ("frames", "_asking"),
    ("observing",),
    ("fleet_summary",),
    ("fleet",),
    ("observed_fleet",),
    ("renderers",),
    ("rendering",),
    ("terraform",),
    ("cli",),
    ("__main__",),
)
LAYER = {module: height for height, layer in enumerate(LAYERS) for module in layer}

# Which rooms may import a package at all; what is not named here may not.
GUESTS = {
    "numpy": {
        "_classify",
        "_cells",
        "fleet_sizing",
        "_load_arrays",
        "arrays",
        "fleet_audit",
        "auditing",
        "_loads",
        "_batch",
        "_batch_audit",
        "files",
        "frames",
    },
    "pydantic": {
        "_model",
        "workload",
        "tiers",
        "disks",
        "machines",
        "catalogs",
        "notices",
        "sizing",
        "settings",
        "cluster",
        "members",
        "tls",
        "fits",
        "fitting",
        "fleet_audit",
        "auditing",
        "_batch_audit",
        "sequential",
        "steps",
        "storage",
        "runbooks",
        "versions",
        "readers",
        "fleet_summary",
        "scrapes",
        "observations",
        "observing",
        "observed_fleet",
    },
    "httpx": {"_asking"},
    "prometheus_client": {"readers"},
    "pyarrow": {"_loads", "_batch", "_batch_audit", "files", "frames", "fleet", "observed_fleet"},
    "narwhals": {"frames"},
    "pyspark": {"frames"},
    "dask": {"frames"},
    "tqdm": {"cli"},
}
# What the hot loop may see of us: it never meets a model.
NARROW = {"_classify": {"errors"}, "quorum": set(), "errors": set(), "units": {"errors"}, "_model": {"errors", "units"}}


def modules() -> dict[str, Path]:
    """Return every module by its dotted name within the package: `tiers`, `files.csv`, `cli` for its __init__."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        if name != "__init__":
            found[name] = path
    return found


def imports(path: Path) -> set[str]:
    """Return every module that a file imports when it runs, in functions too; not what only a type checker sees."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                deeper = f"{node.module}.{alias.name}"
                is_module = deeper.removeprefix("etcdsize.") in MODULES
                found.add(deeper if is_module else str(node.module))
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


MODULES = modules()


@pytest.mark.parametrize("name", MODULES)
class TestArrows:
    """cli → renderers, fleet → files, _batch → arrays → sizing → the models → units, errors."""

    def test_has_its_layer(self, name):
        assert name.split(".")[0] in LAYER, f"{name} has no layer in the table above"

    def test_points_down(self, name):
        room = name.split(".")[0]
        for imported in imports(MODULES[name]):
            if not imported.startswith("etcdsize."):
                continue
            target = imported.removeprefix("etcdsize.")
            other = target.split(".")[0]
            if other == room:
                # Within a package: its __init__ alone, never a file beside it; the command line is one thing.
                assert room == "cli" or target == room or name == room, f"{name} imports its neighbour {target}"
            else:
                assert LAYER[other] < LAYER[room], f"{name} imports {target}, which is not below it"
                assert other in NARROW.get(room, {other}), f"{name} imports {target}, which it must never see"

    def test_guests(self, name):
        for imported in {module.split(".")[0] for module in imports(MODULES[name])}:
            if imported in sys.stdlib_module_names:
                continue
            if imported == "etcdsize":
                continue
            assert imported in GUESTS, f"{name} imports {imported}, which is not in the table above"
            assert name.split(".")[0] in GUESTS[imported], f"{name} imports {imported}"

    def test_the_package_itself_is_for_the_command_line(self, name):
        assert "etcdsize" not in imports(MODULES[name]) or name.split(".")[0] == "cli"


def test_a_package_imports_none_of_its_files_at_the_door():
    """Looking at one file format loads no other."""
    for room in ("files", "frames", "renderers", "readers"):
        if room in MODULES:
            assert not {target for target in imports(MODULES[room]) if target.startswith(f"etcdsize.{room}.")}


def loaded(code: str) -> set[str]:
    """Run code in a fresh process and return the packages it loaded."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(run.stdout.splitlines()[-1]))


HEAVY = {"numpy", "pydantic", "pyarrow", "pandas", "polars", "dask", "pyspark", "tqdm", "httpx", "prometheus_client"}


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import etcdsize; dir(etcdsize); etcdsize.__version__", set()),
        ("import etcdsize; etcdsize.parse_bytes('8GB'); etcdsize.quorum(3); etcdsize.EtcdSizeError()", set()),
        ("import etcdsize; etcdsize.load_tiers('guide'); etcdsize.load_catalog('guide')", {"pydantic"}),
        ("import etcdsize; etcdsize.size(clients=300, data_bytes='400MB').explain()", {"pydantic"}),
        ("import etcdsize; etcdsize.size(kubernetes_nodes=5).model_dump_json()", {"pydantic"}),
        ("import etcdsize; etcdsize.settings_for(etcdsize.size(kubernetes_nodes=5)).explain()", {"pydantic"}),
        ("import etcdsize; etcdsize.runbook(etcdsize.ClusterPlan.local(3)).model_dump_json()", {"pydantic"}),
        ("import etcdsize; etcdsize.classify([300], 800, None)", {"pydantic", "numpy"}),
        ("import etcdsize; etcdsize.size_fleet([300], 800, None, provider='aws').counts()", {"pydantic", "numpy"}),
        ("import etcdsize; etcdsize.load_catalog('current').disk_kind('aws', 'gp3').smallest(5)", {"pydantic"}),
        ("import etcdsize; etcdsize.observe; etcdsize.read_metrics; etcdsize.combine_scrapes", {"pydantic"}),
        ("import etcdsize; etcdsize.read_prices; etcdsize.read_aws_instance_types", {"pydantic"}),
        ("import etcdsize._output", set()),
        ("import etcdsize._classify", {"numpy"}),
    ],
)
def test_loads_no_more_than_it_needs(code, allowed):
    assert loaded(code) & HEAVY == allowed


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["size", "--help"],
        ["fleet", "--help"],
        ["fit", "--help"],
        ["runbook", "--help"],
        ["observe", "--help"],
        ["catalog", "import", "--help"],
    ],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments):
    code = f"from etcdsize.cli import main\ntry:\n    main({arguments})\nexcept SystemExit:\n    pass"
    assert not loaded(code) & HEAVY


# `quorum` is a module's name too, so the package takes the function at once, before the module could take its place.
AT_ONCE = ("failure_tolerance", "quorum")


class TestPublicNames:
    """`__all__`, the table of homes and what a type checker sees are one list."""

    def test_every_name_is_its_homes(self):
        homes = {name: module for module, names in etcdsize._HOMES.items() for name in names}
        homes |= dict.fromkeys(AT_ONCE, "quorum")
        assert sorted([*homes, "__version__"]) == sorted(etcdsize.__all__)
        for name, module in homes.items():
            home = import_module(f"etcdsize.{module}")
            assert getattr(etcdsize, name) is getattr(home, name)
            assert name in home.__all__

    def test_a_type_checker_sees_the_same(self):
        tree = ast.parse((SOURCE / "__init__.py").read_text())
        (block,) = [node for node in tree.body if isinstance(node, ast.If)]
        seen = {node.module: [alias.name for alias in node.names] for node in block.body if node.module != "typing"}
        assert {module.removeprefix("etcdsize."): sorted(names) for module, names in seen.items()} == {
            module: sorted(names) for module, names in etcdsize._HOMES.items()
        }

    def test_a_module_never_takes_the_place_of_a_function(self):
        for module in ("quorum", "sizing", "arrays"):
            import_module(f"etcdsize.{module}")
        assert etcdsize.quorum(3) == 2

    def test_dir_and_star(self):
        assert dir(etcdsize) == sorted(etcdsize.__all__)
        space: dict = {}
        exec("from etcdsize import *", space)
        assert set(etcdsize.__all__) <= set(space)

    def test_no_such_name(self):
        with pytest.raises(AttributeError, match=r"^module 'etcdsize' has no attribute 'sizes'$"):
            _ = etcdsize.sizes

    @pytest.mark.parametrize("name", [name for name in MODULES if name != "__main__" and "." not in name])
    def test_every_all_is_true(self, name):
        # A module of an extra that is not installed has nothing to check here.
        module = pytest.importorskip(f"etcdsize.{name}", exc_type=ImportError)
        for public in getattr(module, "__all__", []):
            assert hasattr(module, public)
