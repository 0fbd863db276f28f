"""`etcdsize catalog add-machine` and `from-fio`: a server of one's own, from fio to an answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from etcdsize import load_catalog

FIO = Path(__file__).parents[1] / "data" / "fio-3.33.json"
R640 = {"--type": "r640", "--vcpus": "32", "--memory": "128GiB", "--arch": "x86_64"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FIO, "fio.json")
    return tmp_path


def add(run, *options):
    """Add the machine to own.json; a name and a value among the options replace its own."""
    own = [word for name, value in R640.items() if name not in options for word in (name, value)]
    return run("catalog", "add-machine", "own.json", *own, *options)


class TestFromFio:
    def test_the_report(self, run, here):
        assert run("catalog", "from-fio", "fio.json") == (
            0,
            """\
concurrent IOPS    48830
disk (MB/s)        2182.4
sequential IOPS    334       etcd needs 50, and 500 with 8 vCPUs and more
p99 of fsync (ms)  9.11      etcd needs 10 or less, and a load may need less
measured with      fio-3.33
""",
            "",
        )

    def test_json(self, run, here):
        code, out, err = run("catalog", "from-fio", "fio.json", "--json")
        assert (code, err) == (0, "")
        assert json.loads(out)["fsync_p99_ms"] == 9.11

    def test_what_was_not_measured(self, run, here):
        document = json.loads(FIO.read_text())
        Path("log.json").write_text(json.dumps({"jobs": document["jobs"][:1]}))
        _, out, _ = run("catalog", "from-fio", "log.json")
        assert "concurrent IOPS    not measured\n" in out
        assert "measured with" not in out

    def test_other_output_of_fio(self, run, here):
        Path("plain.txt").write_text("etcd: (groupid=0, jobs=1): err= 0: pid=7\n")
        code, out, err = run("catalog", "from-fio", "plain.txt")
        assert (code, out) == (2, "")
        assert err.startswith("etcdsize: plain.txt: got no JSON, expected what fio prints with --output-format=json; ")


class TestAddMachine:
    def test_a_new_catalog(self, run, here):
        assert add(run, "--fio", "fio.json") == (0, "", "own.json: added own r640; the catalog has 1 machine\n")
        (machine,) = load_catalog("own.json").machines
        assert (machine.own, machine.vcpus, machine.memory_gib, machine.arch) == (True, 32, 128, "x86_64")
        assert (machine.concurrent_iops, machine.disk_mb_per_second) == (48830, 2182.4)
        assert (machine.sequential_iops, machine.fsync_p99_ms) == (334, 9.11)
        assert machine.source == "measured with fio-3.33"
        code, out, _ = run("fit", "--tier", "small", "--catalog", "own.json")
        assert code == 0
        assert "r640 + its own disk" in out

    def test_where_it_stands(self, run, here):
        assert add(run, "--provider", "Our Racks")[0] == 0
        assert add(run, "--provider", "阿里云")[0] == 0
        assert load_catalog("own.json").providers == ("alibaba", "our-racks")
        code, _, err = add(run, "--provider", "a/b")
        assert code == 2
        assert err.startswith('etcdsize: Machine: provider: got "a/b", expected a name of at most 64 letters, ')

    def test_an_audit_of_ones_own_servers(self, run, here):
        add(run, "--fio", "fio.json")
        Path("fleet.csv").write_text(
            "cluster,clients,rps,data,cloud,instance_type\na,90,50,50MB,own,r640\nb,900,50,50MB,own,r640\n"
        )
        columns = ("--columns", "cluster,verdict,decided_by")
        code, out, _ = run("fleet", "fleet.csv", "--catalog", "own.json", "-o", "-", *columns)
        # No server of the catalog is enough for b.
        assert (code, out) == (1, "cluster,verdict,decided_by\na,right,clients\nb,under,clients\n")

    def test_figures_by_hand(self, run, here):
        assert add(run, "--concurrent-iops", "20000", "--disk-mb-per-second", "400.5")[0] == 0
        (machine,) = load_catalog("own.json").machines
        assert (machine.concurrent_iops, machine.disk_mb_per_second, machine.fsync_p99_ms) == (20000, 400.5, None)
        assert machine.source == "given by the user"

    def test_a_second_machine_and_the_rows_of_others_stay(self, run, here):
        add(run)
        before = load_catalog("own.json").machines
        code, _, err = add(run, "--type", "r740", "--fio", "fio.json")
        assert (code, err) == (0, "own.json: added own r740; the catalog has 2 machines\n")
        after = load_catalog("own.json").machines
        assert after[:1] == before
        assert [machine.machine_type for machine in after] == ["r640", "r740"]

    def test_a_disk_that_was_not_measured_is_reported(self, run, here):
        """Otherwise the user learns of it from `fit`, which rejects the server."""
        code, _, err = add(run)
        assert (code, err) == (
            0,
            "own.json: added own r640; the catalog has 1 machine\n"
            "own.json: fit rejects r640, because it needs concurrent IOPS and bandwidth: measure its disk as etcdsize "
            "catalog from-fio --help says, and add it again with --fio and --force\n",
        )

    def test_a_machine_of_this_name_is_replaced_only_if_asked_for(self, run, here):
        add(run)
        before = Path("own.json").read_bytes()
        assert add(run, "--fsync-p99-ms", "3") == (
            2,
            "",
            'etcdsize: --type: got "r640", which own.json has already for own; give it another name, or use --force to '
            "replace it\n",
        )
        assert Path("own.json").read_bytes() == before
        assert add(run, "--fsync-p99-ms", "3", "--force")[0] == 0
        assert [machine.fsync_p99_ms for machine in load_catalog("own.json").machines] == [3]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--memory", "128"), "--memory: got 128 B, expected at least 64 MiB; a size has a unit, e.g. 128GiB"),
            (("--vcpus", "0"), "Machine: vcpus: got 0, expected greater than 0"),
            (("--arch", "x64"), '--arch: got "x64", expected x86_64 or arm64'),
            (("--fsync-p99-ms", "0"), "Machine: fsync_p99_ms: got 0, expected a finite number above 0"),
            (("--fio", "fio.json", "--fsync-p99-ms", "1"),
             "--fsync-p99-ms: cannot be used with --fio, which has this figure; choose one of the two"),
            (("--fio", "none.json"), "none.json: cannot be read: No such file or directory"),
            (("--fio", "own.json"), "own.json: cannot be read: No such file or directory"),
        ],
    )  # fmt: skip
    def test_wrong_usage_writes_nothing(self, run, here, options, message):
        code, out, err = add(run, *options)
        assert (code, out) == (2, "")
        assert err.startswith(f"etcdsize: {message}")
        assert sorted(path.name for path in here.iterdir()) == ["fio.json"]

    def test_a_file_that_is_no_catalog_stays(self, run, here):
        Path("own.json").write_text("{}")
        code, _, err = add(run)
        assert code == 2
        assert err.startswith("etcdsize: own.json: ")
        assert Path("own.json").read_text() == "{}"

    def test_the_catalog_is_not_the_measurement(self, run, here):
        shutil.copy("fio.json", "own.json")
        code, _, err = add(run, "--fio", "own.json")
        assert (code, err) == (2, "etcdsize: own.json: is also the input; give the output another name\n")

    @pytest.mark.parametrize("name", ["-", "/dev/stdout"])
    def test_a_stream_is_no_catalog(self, run, here, name):
        code, out, err = run("catalog", "add-machine", name, *(word for pair in R640.items() for word in pair))
        assert (code, out) == (2, "")
        assert "expected the name of a file" in err

    def test_the_file_keeps_its_mode_and_a_link_its_target(self, run, here):
        add(run)
        Path("own.json").chmod(0o600)
        Path("own.json").rename("target.json")
        Path("own.json").symlink_to("target.json")
        assert add(run, "--type", "r740")[0] == 0
        assert Path("own.json").is_symlink()
        assert Path("target.json").stat().st_mode & 0o777 == 0o600
        assert len(load_catalog("target.json").machines) == 2
