"""fio's JSON says what a disk sustains; what measures something else, failed, or is cut off is refused by name."""

from __future__ import annotations

import copy
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import program

from etcdsize import EtcdSizeError, MeasuredDisk, TableError, read_fio
from etcdsize.etcd.fsync import FIO, FIO_OF_A_SERVER

TEXT = (Path(__file__).parents[1] / "data" / "fio-3.33.json").read_text()
RUN = json.loads(TEXT)
ALL = MeasuredDisk(
    concurrent_iops=48830, disk_mb_per_second=2182.4, sequential_iops=334, fsync_p99_ms=9.11, fio="fio-3.33"
)


def changed(job: int, **fields):
    """Return the run with other fields of a job; a field of the options is written `option_NAME`."""
    run = copy.deepcopy(RUN)
    for name, value in fields.items():
        where = run["jobs"][job]
        if name.startswith("option_"):
            where, name = where["job options"], name.removeprefix("option_")
        if value is ...:
            del where[name]
        else:
            where[name] = value
    return run


def reason(source) -> str:
    with pytest.raises(TableError) as caught:
        read_fio(source)
    return str(caught.value)


class TestRead:
    def test_the_three_jobs(self):
        assert read_fio(TEXT) == read_fio(TEXT.encode()) == read_fio(RUN) == ALL

    @pytest.mark.parametrize(
        "before",
        [
            "fio: this platform does not support process shared mutexes, forcing use of threads.\n",
            "note: both iodepth >= 1 and synchronous I/O engine are selected, queue depth will be capped at 1\n\n",
            "\ufeff",
        ],
    )
    def test_lines_before_the_json(self, before):
        assert read_fio(before + TEXT) == ALL

    def test_utf_16_of_powershell(self):
        assert read_fio(TEXT.encode("utf-16")) == ALL

    @pytest.mark.parametrize("job", range(3))
    def test_one_job_alone(self, job):
        """What the others measure is unknown."""
        found = read_fio({**RUN, "jobs": [RUN["jobs"][job]]}).model_dump(exclude={"fio", "format_version"})
        names = [("sequential_iops", "fsync_p99_ms"), ("concurrent_iops",), ("disk_mb_per_second",)][job]
        assert found == {name: getattr(ALL, name) if name in names else None for name in found}

    def test_options_of_all_jobs(self):
        run = changed(1, option_direct=..., option_ioengine=...)
        run["global options"] |= {"direct": "1", "ioengine": "libaio"}
        assert read_fio(run) == ALL

    def test_several_threads_at_once(self):
        assert read_fio(changed(1, option_iodepth=..., option_numjobs="16")) == ALL

    def test_fsync_in_place_of_fdatasync(self):
        assert read_fio(changed(0, option_fdatasync=..., option_fsync="1")) == ALL

    def test_figures_are_rounded_to_the_worse_side(self):
        run = changed(0, write={"iops": 899.99, "total_ios": 5000})
        run["jobs"][0]["sync"]["lat_ns"]["percentile"]["99.000000"] = 1_234_567
        assert (read_fio(run).sequential_iops, read_fio(run).fsync_p99_ms) == (899, 1.235)


class TestRefused:
    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("", "got no JSON, expected what fio prints with --output-format=json; run fio with that option"),
            ("etcd: (g=0): rw=write, bs=(R) 2300B-2300B\nfio-3.33\n", "got no JSON, expected what fio prints"),
            (TEXT[:900], "not JSON: "),
            (TEXT + TEXT, "got 2 results, expected one; leave out --status-interval"),
            ("[1]", "got no JSON, expected what fio prints"),
            ("{}", "got JSON without jobs, expected what fio --output-format=json prints"),
            ('{"jobs": []}', "got JSON without jobs"),
            ('{"jobs": [7]}', 'job 1: got "7", expected an object'),
            (b"\xff\xfe\xff", "not text: "),
            (changed(0, error=28), 'job 1 ("log"): failed with the error 28 of fio, so its figures say nothing'),
            (changed(0, option_fdatasync="10"), 'job 1 ("log"): got an fsync after every 10 writes, expected one'),
            (changed(0, write={"iops": 500.0, "total_ios": 911}),
             'job 1 ("log"): got 911 writes, expected 1000 or more for a 99th percentile; raise --size, such as 22m'),
            (changed(0, sync={"lat_ns": {"percentile": {"50.000000": 7}}}),
             'job 1 ("log"): got no 99th percentile of its fsyncs (sync.lat_ns.percentile); leave out'),
            (changed(0, sync=...), 'job 1 ("log"): got no 99th percentile of its fsyncs'),
            (changed(0, sync={"lat_ns": 7}), 'job 1 ("log"): got no 99th percentile of its fsyncs'),
            (changed(0, option_fdatasync="0"), 'job 1 ("log"): got rw="write", bs=2300 and 1 at once, expected'),
            (changed(0, option_bs="two"), 'job 1 ("log"): got'),
            (changed(1, option_rw="randread"), 'job 2 ("random"): got rw="randread", bs=4096 and 32 at once'),
            (changed(1, option_iodepth="1"), 'job 2 ("random"): got rw="randwrite", bs=4096 and 1 at once'),
            (changed(1, option_bs="2 kg"), 'job 2 ("random"): bs: got "2 kg", expected a number such as 4k'),
            (changed(1, option_direct="0"),
             'job 2 ("random"): got no direct=1, so it measures the memory of the machine and not its disk; add'),
            (changed(2, write={}), 'job 3 ("stream"): write.bw_bytes: missing, expected a number above 0'),
            (changed(2, write={"bw_bytes": "many"}), 'job 3 ("stream"): write.bw_bytes: got "many", expected'),
            ({**RUN, "jobs": [RUN["jobs"][1]] * 2},
             'job 2 ("random"): measures concurrent_iops, which the job "random" does too; expected one job'),
        ],
    )  # fmt: skip
    def test_with_its_reason(self, source, message):
        if source == changed(0, option_bs="two"):
            # The block of a job with an fsync each does not matter.
            assert read_fio(source) == ALL
            return
        assert reason(source).startswith(message)

    @given(st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["jobs", "job options", "write", "sync", "lat_ns", "percentile", "99.000000", "error", "rw",
                             "bs", "fdatasync", "direct", "iodepth", "iops", "jobname", "global options"]),
            inner, max_size=4),
        max_leaves=12,
    ))  # fmt: skip
    def test_anything_else_is_ours(self, document):
        for source in (document, {"jobs": [document]}, {"jobs": [{**RUN["jobs"][0], "job options": document}]}):
            try:
                read_fio(source)
            except EtcdSizeError:
                continue


def test_a_fit_prints_the_first_job_of_the_command():
    """Its JSON alone says how quick the fsyncs are."""
    assert FIO.split()[3:] == FIO_OF_A_SERVER[2].split()[1:]


@pytest.mark.slow
class TestFio:
    """The real fio, with the command that we print, shortened."""

    def run(self, folder, words):
        program(words[0], "fio")
        subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=60)

    def test_the_command_for_a_server(self, tmp_path):
        words = " ".join(FIO_OF_A_SERVER).replace("DIR", str(tmp_path)).split()
        short = {"--runtime=20": "--runtime=1", "--size=1g": "--size=8m", "--size=22m": "--size=2400k"}
        self.run(tmp_path, [short.get(word, word) for word in words])
        found = read_fio((tmp_path / "fio.json").read_bytes())
        assert None not in found.model_dump().values()
        assert [path.name for path in tmp_path.iterdir()] == ["fio.json"]
