"""Files in, files out: formats, options, the summary, and the errors."""

import csv
import io
import json
import shlex
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import today

import etcdsize.files.csv_reader
from etcdsize import FleetFileError, MissingDependencyError, OptionError
from etcdsize.batches import columns
from etcdsize.files.fleet_file import open_fleet
from etcdsize.files.registry import find_format, formats
from etcdsize.files.summary import FleetSummary
from etcdsize.reports.fleet import render_fleet

FORMATS = tuple(formats())
WRITTEN = tuple(name for name, known in formats().items() if known.writes)
ADDED = list(columns.ANSWERS)
NAMES = ["name", "clients", "rps", "data", "cloud", "note"]
CLUSTERS = [
    ("a", "90", "150", "80MB", "aws", "007"),
    ("b", "300", "800", "400MB", "GCP", 'say "hi", twice'),
    ("c", "1200", "9999", "1GB", "google", "żółw\n集群"),
    ("d", "2000", "1e4", "2GiB", "aws", "1.10"),
    ("e", "", "x", "-1", "asw", "NA"),
    ("f", "100", "199.5", "100000000", "gce", ""),
]
ANSWERS = [
    ("small", "m4.large", "", "clients"),
    ("medium", "n1-standard-4", "clients;requests_per_second;data_bytes", "requests_per_second"),
    ("large", "n1-standard-8", "clients;requests_per_second;data_bytes", "data_bytes"),
    ("xlarge", "m4.4xlarge", "clients;requests_per_second;data_bytes", "data_bytes"),
    None,
    ("small", "n1-standard-2", "", "clients"),
]
PROBLEM = (
    'rps: got "x", expected requests per second such as "800", "2.5k" or "800/s"; data: got "-1", expected bytes or '
    'a size such as "8GB" or "8GiB"; clients: missing; cloud: got "asw", expected the name of a provider; did you mean '
    '"aws"?'
)


def encoded(kind, names=NAMES, rows=CLUSTERS):
    """Return a file of any format."""
    if kind == "parquet":
        written = io.BytesIO()
        columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(names))]
        pq.write_table(pa.table(columns, names=list(names)), written)
        return written.getvalue()
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in (names, *rows):
            book.active.append(row)
        written = io.BytesIO()
        book.save(written)
        return written.getvalue()
    if kind in ("jsonl", "json"):
        objects = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
        return (f"[{','.join(objects)}]" if kind == "json" else "\n".join(objects)).encode()
    text = io.StringIO(newline="")
    csv.writer(text, delimiter={"csv": ",", "tsv": "\t"}[kind]).writerows([names, *rows])
    return text.getvalue().encode()


def decoded(kind, written):
    """Return names and rows of any format, empty text for null."""
    if kind == "parquet":
        table = pq.read_table(io.BytesIO(written))
        rows = [[row[name] or "" for name in table.column_names] for row in table.to_pylist()]
        return [table.column_names, *rows]
    if kind in ("jsonl", "json"):
        text = written.decode()
        objects = json.loads(text) if kind == "json" else [json.loads(line) for line in text.splitlines()]
        return [list(objects[0]), *([value or "" for value in one.values()] for one in objects)]
    return list(csv.reader(io.StringIO(written.decode(), newline=""), delimiter={"csv": ",", "tsv": "\t"}[kind]))


def run(text, kind="csv", *, to=None, **options):
    written = io.BytesIO()
    text = text.encode() if isinstance(text, str) else text
    with open_fleet(Path("fleet.csv"), io.BytesIO(text), format=kind, **options) as fleet:
        return fleet.run(stream=written, format=to), written.getvalue()


def error_of(*arguments, **options):
    with pytest.raises(FleetFileError) as caught:
        run(*arguments, **options)
    return str(caught.value)


@pytest.mark.parametrize("to", WRITTEN)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_to_every_format(kind, to):
    summary, written = run(encoded(kind), kind, to=to)
    names, *rows = decoded(to, written)
    assert names == [*NAMES, *ADDED]
    for row, cluster, answer in zip(rows, CLUSTERS, ANSWERS, strict=True):
        assert tuple(row[:6]) == cluster
        got = dict(zip(ADDED, row[6:], strict=True))
        wanted = [*answer, ""] if answer else ["", "", "", "", PROBLEM]
        assert [got[name] for name in ("tier", "machine_type", "forced_by", "tightest", "problem")] == wanted
        assert got["notices"] == ("guide-machine;open-tier" if got["tier"] == "xlarge" else "")
    assert (summary.clusters, summary.not_sized) == (6, 1)
    assert run(encoded(kind), kind, to=to)[1] == written, "the same bytes twice"


@pytest.mark.parametrize("kind", WRITTEN)
def test_units_in_names_and_nodes(kind):
    """The name of a column means the same in every format, and so do nodes beside a load."""
    names = ["cluster", "QPS/min", "DB Size (GiB)", "Clients", "nodes"]
    rows = [("a", "59999.5", "0.09", "90", ""), ("b", "60000", "0.5", "90", "50"), ("c", "6", "0.01", "9", "251")]
    summary, written = run(encoded(kind, names, rows), kind, provider="aws")
    found = [dict(zip(decoded(kind, written)[0], row, strict=True)) for row in decoded(kind, written)[1:]]
    assert [row["tier"] for row in found] == ["medium", "large", "large"]
    assert [row["forced_by"] for row in found] == [
        "requests_per_second", "requests_per_second;data_bytes", "kubernetes_nodes"
    ]  # fmt: skip
    assert {notice.code: notice.clusters for notice in summary.notices}["kubernetes-estimate"] == 2


@pytest.mark.parametrize("kind", WRITTEN)
def test_the_size_of_the_file_is_an_upper_bound_of_the_data(kind):
    """The rows and the summary say so, but not where the data is missing, or is the data in use."""
    rows = [("9", "80MB"), ("9", ""), ("x", "1GB")]
    options = {"provider": "aws", "unknown": ["requests_per_second"], "on_missing": "unknown"}
    summary, written = run(encoded(kind, ["clients", "DB SIZE"], rows), kind, **options)
    names, *found = decoded(kind, written)
    codes = ["data-at-most;unknown-dimension", "unknown-dimension", ""]
    assert [row[names.index("notices")] for row in found] == codes
    (notice,) = [one for one in summary.notices if one.code == "data-at-most"]
    assert (notice.clusters, notice.first_rows) == (1, (1,))
    summary, _ = run(encoded(kind, ["clients", "DB SIZE IN USE"], rows), kind, **options)
    assert "data-at-most" not in [one.code for one in summary.notices]


@pytest.mark.parametrize(
    ("names", "unused"),
    [
        (["node_type", "Server Type", "machine", "vm_sku"], ("node_type", "Server Type", "machine", "vm_sku")),
        (["instance", "team", "kubernetes_version", "type", "node"], ()),
        (["node_type", "current_machine", "vm_size"], ("node_type", "vm_size")),
        (["instance_type", "flavour_2"], ()),
    ],
)
def test_a_column_that_looks_like_machines_is_mentioned(names, unused):
    header = ["clients", "rps", "data", "cloud", *names]
    summary, _ = run(encoded("csv", header, [("1", "1", "1MB", "aws", *(["m5.large"] * len(names)))]))
    assert summary.unused_machine_columns == unused
    report = render_fleet(summary)
    for name in names:
        option = f"--column {shlex.quote(f'current_machine={name}')}"
        assert (f'The column "{name}" looks like the machines in use' in report) is (name in unused)
        assert (option in report) is (name in unused)


def test_the_machine_of_an_earlier_answer_is_not_mentioned():
    """A file that `observe` wrote has answers, which are replaced."""
    header = ["clients", "rps", "data", "cloud", "machine_type", "observed_problem"]
    summary, _ = run(encoded("csv", header, [("1", "1", "1MB", "aws", "m4.large", "")]))
    assert summary.unused_machine_columns == ()


@pytest.mark.parametrize("kind", WRITTEN)
def test_nodes_alone(kind):
    summary, written = run(encoded(kind, ["cluster", "Nodes"], [("a", "50"), ("b", "1001")]), kind, provider="aws")
    assert [row[2] for row in decoded(kind, written)[1:]] == ["small", "xlarge"]
    assert summary.unknown == ("clients", "requests_per_second", "data_bytes")


@pytest.mark.parametrize("kind", FORMATS)
def test_summary(kind):
    with open_fleet(Path("fleet"), io.BytesIO(encoded(kind)), format=kind) as fleet:
        summary = fleet.run()
    disks = dict.fromkeys(("disk", "disk_today", "region", "date"), True)
    left_out = {"cost_per_month": True, "machines": {"__all__": disks}}
    assert summary.model_dump(exclude_defaults=True, exclude=left_out) == {
        "clusters": 6,
        "not_sized": 1,
        "tiers": {"small": 2, "medium": 1, "large": 1, "xlarge": 1},
        "machines": tuple(
            {
                "provider": provider,
                "tier": tier,
                "machine_type": machine,
                "clusters": 1,
                "machine_today": today.machine_today(provider, tier),
                "cost_per_month": pytest.approx(today.cost_per_month(provider, tier), abs=0.01),
                "currency": "USD",
            }
            for provider, tier, machine in [
                ("aws", "small", "m4.large"), ("aws", "xlarge", "m4.4xlarge"), ("gce", "small", "n1-standard-2"),
                ("gce", "medium", "n1-standard-4"), ("gce", "large", "n1-standard-8"),
            ]
        ),
        "first_problems": ({"row": 5, "cluster": "e", "problem": PROBLEM},),
        "beyond_guide": 1,
        "notices": (
            {
                "code": "open-tier",
                "severity": "beyond-guide",
                "clusters": 1,
                "first_rows": (4,),
                "text": "a load above the last bound of the tiers: test the machine before you rely on it",
            },
            {
                "code": "guide-machine",
                "severity": "warning",
                "clusters": 1,
                "first_rows": (4,),
                "text": "the guide's machine, although more is known about the load, or it is past the last bound: "
                "etcdsize size names a machine for the load",
            },
        ),
    }  # fmt: skip
    assert summary.cost_per_month == {"USD": pytest.approx(sum(one.cost_per_month for one in summary.machines))}
    assert FleetSummary.model_validate_json(summary.model_dump_json()) == summary


class TestFormatOf:
    @pytest.mark.parametrize(
        ("name", "kind"),
        [
            ("a.csv", "csv"),
            ("a.b.TSV", "tsv"),
            ("a.tab", "tsv"),
            ("a.ndjson", "jsonl"),
            ("a.JSONL", "jsonl"),
            ("a.json", "json"),
            ("a.parquet", "parquet"),
            ("a.csv.gz", "csv"),
            ("a.tsv.ZST", "tsv"),
            ("a.jsonl.bz2", "jsonl"),
        ],
    )
    def test_by_name(self, name, kind):
        assert find_format(Path("some") / name, None).name == kind
        assert find_format(Path(name), "tsv").name == "tsv"

    @pytest.mark.parametrize("name", ["a", "a.txt", "a.gz", ".csv", "-", "a.csv.xz"])
    def test_a_name_without_a_known_ending_is_rejected(self, name):
        with pytest.raises(FleetFileError) as caught:
            find_format(Path(name), None)
        told = "standard input or output" if name == "-" else name
        assert str(caught.value) == (
            f"{told}: the name does not say the format; give the format, one of csv, tsv, jsonl, json, parquet"
        )

    def test_an_unknown_format(self):
        with pytest.raises(OptionError) as caught:
            find_format(Path("a.csv"), "cvs")
        assert str(caught.value) == (
            'format: got "cvs", expected csv, tsv, jsonl, json, parquet or xlsx; did you mean "csv"?'
        )


class TestOptions:
    def test_one_provider_for_all(self):
        """It decides whatever the column says, and leaves the column unread."""
        summary, written = run("clients,rps,data,cloud\n1,1,1,mars\n2,2,2,gcp\n", provider="google")
        assert [row[5] for row in decoded("csv", written)[1:]] == ["n1-standard-2"] * 2
        assert summary.not_sized == 0

    def test_a_missing_provider_is_rejected(self):
        assert error_of("clients,rps,data\n1,1,1\n") == (
            "fleet.csv: has no column for provider (expected provider, cloud); add --provider aws, or another of aws, "
            'gce, for all rows; it has "clients", "rps", "data"'
        )

    def test_an_unknown_dimension_is_not_needed(self):
        summary, written = run("rps,cloud\n20,aws\n900,aws\n", unknown=["clients", "data_bytes", "clients"])
        assert summary.unknown == ("clients", "data_bytes")
        assert [row[2] for row in decoded("csv", written)[1:]] == ["small", "medium"]

    def test_unknown_leaves_a_column_unread(self):
        summary, _ = run("clients,rps,data\nx,1,1\n", unknown=["clients"], provider="aws")
        assert summary.not_sized == 0

    def test_missing_is_unknown(self):
        text = "clients,rps,data\n,900,\nn/a,,\nx,,\n"
        summary, written = run(text, provider="aws", on_missing="unknown")
        assert [row[3] for row in decoded("csv", written)[1:]] == ["medium", "", ""]
        assert [problem.problem for problem in summary.first_problems] == [
            "nothing known: every dimension is missing",
            'clients: got "x", expected a count such as "300"',
        ]
        with pytest.raises(OptionError, match='missing: got "zero", expected problem or unknown'):
            run(text, provider="aws", on_missing="zero")

    def test_headroom_tiers_and_catalog(self):
        text = "clients,rps,data\n100,1,1\n71,1,1\n70,1,1\n"
        _, written = run(text, provider="aws", tiers="etcd.io")
        assert [row[3] for row in decoded("csv", written)[1:]] == ["medium", "small", "small"]
        summary, written = run(text, provider="gce", headroom=0.3, catalog="guide-as-printed")
        assert [row[3:5] for row in decoded("csv", written)[1:]] == [
            ["medium", "n1-standard-4+150GB PD SSD"], ["medium", "n1-standard-4+150GB PD SSD"],
            ["small", "n1-standard-1+50GB PD SSD"],
        ]  # fmt: skip
        assert summary.headroom_asked == 0.3

    def test_the_first_ten_problems_by_number(self, monkeypatch):
        monkeypatch.setattr(etcdsize.files.csv_reader, "_CHUNK", 16)
        rows = "".join(f"{'x' if row % 2 else row},1,1\n" for row in range(1, 41))
        summary, _ = run("clients,rps,data\n\n" + rows, provider="aws")
        assert [problem.row for problem in summary.first_problems] == list(range(1, 20, 2))
        assert (summary.clusters, summary.not_sized) == (40, 20)

    def test_progress_counts_the_work(self, tmp_path, monkeypatch):
        monkeypatch.setattr(etcdsize.files.csv_reader, "_CHUNK", 100)
        path = tmp_path / "fleet.csv"
        path.write_bytes(encoded("csv") * 1)
        header = len(encoded("csv").split(b"\r\n")[0]) + 2
        done = []
        with open_fleet(path) as fleet:
            assert fleet.work == (path.stat().st_size, "B")
            fleet.run(progress=done.append)
        assert len(done) > 1
        assert sum(done) == path.stat().st_size - header


class TestColumns:
    @pytest.mark.parametrize("kind", FORMATS)
    def test_a_column_named_like_an_answer_is_rejected(self, kind):
        names, rows = [*NAMES[:5], "tier"], [(*row[:5], "x") for row in CLUSTERS]
        message = error_of(encoded(kind, names, rows), kind)
        assert '"tier", which the answer adds; rename it or leave it out' in message
        assert message.startswith("fleet.csv: ")

    @pytest.mark.parametrize("kind", ["csv", "tsv", "parquet"])
    def test_a_repeated_column_is_rejected(self, kind):
        names = ["clients", "clients", "rps", "data", "cloud", "x"]
        assert error_of(encoded(kind, names), kind) == (
            'fleet.csv: clients: has the column "clients" 2 times, expected it once'
        )

    @pytest.mark.parametrize("kind", FORMATS)
    def test_a_missing_input_names_the_nearest(self, kind):
        names = ["name", "clinets", "rps", "data", "cloud", "x"]
        assert error_of(encoded(kind, names), kind) == (
            'fleet.csv: has no column for clients (expected clients, connections); is it "clinets"? Then add --column '
            "clients=clinets; add --unknown clients for what is not known; "
            'it has "name", "clinets", "rps", "data", "cloud", "x"'
        )

    def test_the_nearest_is_for_the_missing_one(self):
        """A word that is nearer to another dimension is still said, but a wide file is not listed in full."""
        names = ",".join(["clients", "qsp", "data", "cloud", *(f"x{place}" for place in range(30))])
        message = error_of(names + "\n")
        assert 'is it "qsp"?' in message
        assert message.endswith('"x15", …')


class TestPaths:
    def test_a_missing_file(self, tmp_path):
        with pytest.raises(FleetFileError) as caught, open_fleet(tmp_path / "no.csv"):
            pass
        assert str(caught.value) == f"{tmp_path / 'no.csv'}: cannot be read: No such file or directory"

    def test_a_directory(self, tmp_path):
        (tmp_path / "d.csv").mkdir()
        with pytest.raises(FleetFileError) as caught, open_fleet(tmp_path / "d.csv"):
            pass
        assert str(caught.value) == (
            f"{tmp_path / 'd.csv'}: a folder without files, expected Parquet files in it, such as part-0.parquet"
        )

    def test_an_input_that_breaks_off(self):
        """An error of the disk while reading is reported, and nothing is written as if it were complete."""

        class Breaking(io.BytesIO):
            def read1(self, size=-1):
                if self.tell() > 200:
                    raise OSError(5, "Input/output error")
                return super().read1(100)

        stream = Breaking(b"clients,rps,data\n" + b"1,1,1\n" * 1000)
        with (
            pytest.raises(FleetFileError) as caught,
            open_fleet(Path("disk.csv"), stream, provider="aws") as fleet,
        ):
            fleet.run()
        assert str(caught.value) == "disk.csv: cannot be read: Input/output error"

    @pytest.mark.parametrize("to", WRITTEN)
    def test_an_error_midway_leaves_the_old_file(self, tmp_path, to, monkeypatch):
        monkeypatch.setattr(etcdsize.files.csv_reader, "_CHUNK", 64)
        source, out = tmp_path / "in.csv", tmp_path / f"out.{to}"
        source.write_text("clients,rps,data\n" + "1,1,1\n" * 1000 + "1,1\n")
        out.write_text("old")
        with pytest.raises(FleetFileError, match="line 1002: got 2 cells"), open_fleet(source, provider="aws") as fleet:
            fleet.run(out, force=True)
        assert out.read_text() == "old"
        assert sorted(tmp_path.iterdir()) == [source, out]

    @pytest.mark.parametrize("to", WRITTEN)
    def test_a_full_disk(self, tmp_path, to):
        source = tmp_path / "in.csv"
        source.write_text("clients,rps,data\n1,1,1\n")
        with pytest.raises(FleetFileError) as caught, open_fleet(source, provider="aws") as fleet:
            fleet.run(Path("/dev/full"), format=to)
        assert str(caught.value) == "/dev/full: cannot be written: No space left on device"

    def test_a_name_too_long(self, tmp_path):
        source = tmp_path / "in.csv"
        source.write_text("clients,rps,data\n1,1,1\n")
        with (
            open_fleet(source, provider="aws") as fleet,
            pytest.raises(FleetFileError, match=r"cannot be written: File name too long$"),
        ):
            fleet.run(tmp_path / ("n" * 300 + ".csv"))


def test_missing_dependency_error():
    error = MissingDependencyError(package="pyarrow", extra="fleet")
    assert str(error) == "pyarrow is not installed; run: pip install 'etcdsize[fleet]'"


@pytest.mark.parametrize("format", ["csv", "tsv", "jsonl", "parquet"])
@pytest.mark.parametrize("columns", [["cluster"], ["tier"], ["cluster", "tier"], ["tier", "*"], ["data", "cluster"]])
def test_only_the_columns_asked_for(tmp_path, columns, format):  # noqa: A002 - the option's name
    """Those of the file come in the order asked, those of the answer after them; either may be none at all."""
    source, target = tmp_path / "in.csv", tmp_path / f"out.{format}"
    source.write_text("cluster,clients,rps,data\na,007,2,3\nb,500,2,3\n")
    with open_fleet(source, provider="aws") as fleet:
        assert fleet.run(target, columns=columns).clusters == 2
    everything = {"cluster": ["a", "b"], "clients": ["007", "500"], "rps": ["2", "2"], "data": ["3", "3"]}
    kept = [name for asked in columns for name in (everything if asked == "*" else [asked]) if name in everything]
    expected = {name: everything[name] for name in kept}
    if "tier" in columns:
        expected["tier"] = ["small", "medium"]
    if format == "parquet":
        got = pq.read_table(target).to_pydict()
    elif format == "jsonl":
        rows = [json.loads(line) for line in target.read_text().splitlines()]
        got = {name: [row[name] for row in rows] for name in rows[0]}
    else:
        rows = list(csv.reader(io.StringIO(target.read_text()), delimiter="," if format == "csv" else "\t"))
        got = {name: list(cells) for name, cells in zip(rows[0], zip(*rows[1:], strict=True), strict=True)}
    assert list(got.items()) == list(expected.items())


def test_a_format_that_is_none_for_a_stream(tmp_path):
    """Where the output is a stream, no name tells the format."""
    source = tmp_path / "in.csv"
    source.write_text("clients,rps,data\n1,2,3\n")
    with open_fleet(source, provider="aws") as fleet, pytest.raises(OptionError, match=r'^format: got "xml", expected'):
        fleet.run(None, io.BytesIO(), format="xml")
