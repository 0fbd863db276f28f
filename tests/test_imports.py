"""Which packages an import loads, and which room may import which."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import grimp
import pytest

import etcdsize

SOURCE = Path(etcdsize.__file__).parent
ROOT = Path(__file__).parents[1]


def modules() -> list[str]:
    """Return every module by its dotted name within the package: `tiers`, `files.csv`, `cli` for its __init__."""
    names = (".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in sorted(SOURCE.rglob("*.py")))
    return [name.removesuffix(".__init__") for name in names if name != "__init__"]


MODULES = modules()


class TestRooms:
    """The contracts in pyproject.toml hold: rooms are layers, and no two modules import each other."""

    def test_contracts(self):
        command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
        run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert run.returncode == 0, run.stdout + run.stderr

    def test_the_drawing_shows_the_real_arrows(self):
        """docs/architecture.md draws every import between rooms except those that a longer path implies."""
        imports: dict[str, set[str]] = {}
        graph = grimp.build_graph("etcdsize", cache_dir=None)
        for module in sorted(graph.modules - {"etcdsize"}):
            room = imports.setdefault(module.split(".")[1], set())
            room.update(
                other.split(".")[1] for other in graph.find_modules_directly_imported_by(module) if "." in other
            )

        def reached(room):
            return set().union(*({other} | reached(other) for other in imports[room] - {room}))

        real = {
            f"{room} --> {other}"
            for room, others in imports.items()
            for other in others - {room}
            if not any(other in reached(between) for between in others - {room, other})
        }
        page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
        assert set(re.findall(r"^    (\w+ --> \w+)$", page, re.M)) == real
        rooms = {name.split(".")[0] for name in MODULES}
        assert set(re.findall(r"^\| `(\w+)/?` \|", page, re.M)) == rooms - {"__main__"} | {"data"}

    def test_few_modules_are_outside_the_rooms(self):
        files = {path.name for path in SOURCE.glob("*.py")}
        assert files == {
            "__init__.py",
            "__main__.py",
            "errors.py",
            "printable.py",
            "tiers.py",
            "units.py",
            "workload.py",
        }

    def test_the_init_of_a_room_imports_nothing(self):
        for init in SOURCE.rglob("*/__init__.py"):
            if init.parent.name != "cli":
                assert not any(
                    isinstance(node, (ast.Import, ast.ImportFrom)) for node in ast.parse(init.read_text()).body
                )


def loaded(code: str) -> set[str]:
    """Run code in a fresh process and return the packages that it loads."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(json.loads(run.stdout.splitlines()[-1]))


HEAVY = {
    "numpy",
    "pydantic",
    "pyarrow",
    "pandas",
    "polars",
    "dask",
    "pyspark",
    "tqdm",
    "grpc",
    "httpx",
    "prometheus_client",
    "yaml",
}


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
        ("import etcdsize; etcdsize.read_prices; etcdsize.read_listing", {"pydantic"}),
        ("import etcdsize.base.output_file", set()),
        ("import etcdsize.fleet.kernel", {"numpy"}),
    ],
)
def test_each_feature_loads_only_what_it_needs(code, allowed):
    assert loaded(code) & HEAVY == allowed


def test_a_sizing_builds_no_schema_of_what_the_load_takes():
    # Building it, and validating our own tables, would take a fifth of the time of a command.
    code = (
        "import etcdsize; etcdsize.size(clients=300, data_bytes='400MB').needs\n"
        "from etcdsize.resources.coefficients import CoefficientTable\n"
        "from etcdsize.resources.resources import Resources\n"
        "print(Resources.__pydantic_complete__, CoefficientTable.__pydantic_complete__)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.split() == ["False", "False"]


def test_a_fleet_loads_neither_audits_nor_the_measured_model():
    """Most files are only sized; the rest would take a seventh of the time of a command."""
    code = (
        "import etcdsize.files.fleet_file, sys; print(*(name for name in sys.modules if name.startswith('etcdsize')))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"etcdsize.batches.sizer", "etcdsize.fleet.sizing"} <= set(run.stdout.split())
    not_needed = {"fleet.audit", "fleet.auditor", "fleet.load_fit", "fitting.fit", "resources.resources"}
    assert set(run.stdout.split()).isdisjoint(f"etcdsize.{name}" for name in not_needed)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["size", "--help"],
        ["fleet", "--help"],
        ["fit", "--help"],
        ["resources", "--help"],
        ["runbook", "--help"],
        ["observe", "--help"],
        ["calibrate", "--help"],
        ["catalog", "import", "--help"],
    ],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments):
    code = f"from etcdsize.cli import main\ntry:\n    main({arguments})\nexcept SystemExit:\n    pass"
    assert not loaded(code) & HEAVY


class TestPublicNames:
    """`__all__`, the table of modules and the imports for type checkers list the same names."""

    def test_every_name_is_imported_from_its_module(self):
        modules = {name: module for module, names in etcdsize._PUBLIC_NAMES.items() for name in names}
        assert sorted([*modules, "__version__"]) == sorted(etcdsize.__all__)
        for name, module in modules.items():
            source = import_module(f"etcdsize.{module}")
            assert getattr(etcdsize, name) is getattr(source, name)
            assert name in source.__all__

    def test_type_checkers_see_the_same_names(self):
        tree = ast.parse((SOURCE / "__init__.py").read_text())
        (block,) = [node for node in tree.body if isinstance(node, ast.If)]
        seen = {node.module: [alias.name for alias in node.names] for node in block.body if node.module != "typing"}
        assert {module.removeprefix("etcdsize."): sorted(names) for module, names in seen.items()} == {
            module: sorted(names) for module, names in etcdsize._PUBLIC_NAMES.items()
        }

    def test_no_room_has_the_name_of_a_function(self):
        rooms = {path.name for path in SOURCE.iterdir() if path.is_dir()} | {path.stem for path in SOURCE.glob("*.py")}
        assert not rooms & set(etcdsize.__all__)

    def test_dir_and_star_import_list_every_name(self):
        assert dir(etcdsize) == sorted(etcdsize.__all__)
        space: dict = {}
        exec("from etcdsize import *", space)
        assert set(etcdsize.__all__) <= set(space)

    def test_an_unknown_name_is_an_attribute_error(self):
        with pytest.raises(AttributeError, match=r"^module 'etcdsize' has no attribute 'sizes'$"):
            _ = etcdsize.sizes

    @pytest.mark.parametrize("name", [name for name in MODULES if name != "__main__"])
    def test_every_name_in_all_exists(self, name):
        # A module of an extra that is not installed has nothing to check here.
        module = pytest.importorskip(f"etcdsize.{name}", exc_type=ImportError)
        for public in getattr(module, "__all__", []):
            assert hasattr(module, public)
