"""mypy and pyright accept what the documentation shows, without Pydantic's plugin, as most users have them."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from needs import leave_out
from paths import DOCS, ROOT
from program import ENVIRONMENT

import etcdsize
from etcdsize import ClusterPlan, Member, Profile, Workload
from etcdsize.base.model import Model

PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("cli/*.md"))]

WIDER = '''\
"""What is accepted is more than what is read: text for URLs and sizes, settings for flags, lists for tuples."""

from collections.abc import Mapping

from etcdsize import Amount, ClusterPlan, Member, ObjectKind, Profile, Workload, settings_for, size

one = Member(name="a", peer_urls="http://10.0.0.1:2380", client_urls=["http://10.0.0.1:2379"])
two = Member(name="b", peer_urls=("http://10.0.0.2:2380",), client_urls="http://10.0.0.2:2379", zone="z")
urls: tuple[str, ...] = one.peer_urls + two.listen_client_urls
load = Workload(clients=300, requests_per_second="2k", data_bytes="400MB")
number: int | float | None = load.data_bytes
settings = settings_for(size(load))
plan = ClusterPlan(members=[one, two], settings=settings, etcd_version="3.5")
plan = ClusterPlan(members=(one,), settings={"log-level": "warn", "heartbeat-interval": 100}, token="t")
flags: Mapping[str, bool | int | str] = plan.settings
minor: str = plan.etcd_version.name
profile = Profile(clients=3, keys="200..900", value_bytes=("1kB", 3000), key_bytes={"low": 1, "likely": 2, "high": 3})
pods = ObjectKind(name="pods", count=Amount.of([1, 2]), value_bytes=5)
keys: Amount | None = Profile(objects=[pods, {"name": "nodes", "count": 5, "value_bytes": "1kB"}], tls=True).keys
'''
WRONG = """\
from etcdsize import ClusterPlan, Member, Profile, Workload

Member(name="a", peer_urls=1, client_urls="http://a:1")
Member(name="a", client_urls="http://a:1")
Workload(clients="many")
ClusterPlan(members="a")
Profile(keys=object())
"""
SIGNATURES = """\
import inspect, json, etcdsize
from etcdsize.base.model import Model
things = {name: getattr(etcdsize, name) for name in etcdsize.__all__}
models = {name: thing for name, thing in things.items() if inspect.isclass(thing) and issubclass(thing, Model)}
print(json.dumps({name: list(inspect.signature(model).parameters) for name, model in models.items()}))
"""


def examples(page: Path) -> str:
    """Return the Python examples of a page as one module."""
    parts = []
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(encoding="utf-8"), re.M | re.S):
        found = doctest.DocTestParser().get_examples(block)
        parts += [example.source for example in found] if found else [block]
    return "\n".join(parts)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a module for each page that has examples, and the scripts of the documentation."""
    folder = tmp_path_factory.mktemp("types")
    for page in PAGES:
        text = examples(page)
        if text:
            (folder / f"page_{re.sub('[^a-z]', '_', page.stem.lower())}.py").write_text(text, encoding="utf-8")
    for script in (DOCS / "examples").glob("*.py"):
        shutil.copy(script, folder)
    (folder / "wider.py").write_text(WIDER, encoding="utf-8")
    (folder / "wrong.pyi").write_text(WRONG, encoding="utf-8")
    (folder / "pyrightconfig.json").write_text(
        json.dumps(
            {
                "extraPaths": [str(ROOT)],
                "reportMissingTypeStubs": False,
                "reportMissingModuleSource": False,
                "reportUnusedExpression": False,
            }
        )
    )
    (folder / "mypy.ini").write_text(
        # As of an installed package, only what the package declares is looked at.
        f"[mypy]\nmypy_path = {ROOT}\ncache_dir = {os.devnull}\n"
        "[mypy-etcdsize.*]\nfollow_imports = silent\n"
        "[mypy-dask.*,jsonschema.*,pandas.*,polars.*,pyarrow.*,pyspark.*]\nignore_missing_imports = True\n"
    )
    return folder


def check(checker: str, folder: Path, *files: str) -> tuple[int, str]:
    """Run a type checker on files, and return its exit code and what it printed."""
    if importlib.util.find_spec(checker) is None:
        leave_out(f"{checker} is not installed; pip install -e '.[lint]'")
    options = ["--config-file", "mypy.ini"] if checker == "mypy" else ["--pythonpath", sys.executable]
    done = subprocess.run(
        [sys.executable, "-m", checker, *options, *files],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module", params=["mypy", "pyright"])
def errors(request: pytest.FixtureRequest, folder: Path) -> set[tuple[str, int]]:
    """The file and the line of each error that a type checker finds in one run on all files."""
    files = sorted(path.name for path in folder.glob("*.py*"))
    assert len(files) > 10
    code, printed = check(request.param, folder, *files)
    found = {(name, int(line)) for name, line in re.findall(r"(\w+\.pyi?):(\d+):.*error", printed)}
    assert code == 1, printed
    # One of each line, so that none has another form; both end with the number of all.
    assert re.search(rf"\b{len(found)} errors\b", printed), printed
    return found


@pytest.mark.slow(seconds=5)
class TestCheckers:
    def test_the_examples_of_every_page_and_wider_input(self, errors: set[tuple[str, int]]) -> None:
        assert {name for name, _ in errors} <= {"wrong.pyi"}, errors

    def test_wrong_input_is_found(self, errors: set[tuple[str, int]]) -> None:
        """Each call is wrong, so the annotations are not merely loose."""
        assert {line for name, line in errors if name == "wrong.pyi"} == {3, 4, 5, 6, 7}


class TestHelp:
    """`help` says what a model takes."""

    def test_the_signature_of_a_model_lists_its_fields(self) -> None:
        """Also before a model is used for the first time: Pydantic builds it only then."""
        done = subprocess.run(
            [sys.executable, "-c", SIGNATURES], env=ENVIRONMENT, capture_output=True, text=True, check=True, timeout=60
        )
        found = json.loads(done.stdout)
        models = {name: getattr(etcdsize, name) for name in found}
        assert {"Member", "Sizing", "Workload"} <= models.keys()
        assert found == {name: list(model.model_fields) for name, model in models.items()}

    @pytest.mark.parametrize("model", [Member, Workload, Profile, ClusterPlan])
    def test_what_is_accepted_is_in_the_docstring(self, model: type[Model]) -> None:
        text = (inspect.getdoc(model) or "").partition("Parameters\n")[2].partition("Raises\n")[0]
        named = {name for line in re.findall(r"^([a-z_, ]+) : ", text, re.M) for name in line.split(", ")}
        assert named == set(model.model_fields)
