"""Names of machines that no catalog has: figures in a name, and what is said of one that nobody knows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import load_catalog
from etcdsize.fleet.machine_names import stated_figures, unknown_machine

GUIDE = load_catalog("guide")


class TestStatedFigures:
    """The Chinese habit `8C16G`: cores and GB, which of a machine's memory are GiB."""

    @pytest.mark.parametrize(
        ("name", "figures"),
        [
            *((name, (8, 16)) for name in ("8C16G", "8c16g", "8核16G", "8 核 16 GB", "8C/16G", "8C-16GB", "8c_16gib")),
            *(
                (name, (8, 32))
                for name in ("8 vCPU / 32 GB", "8vCPU,32GiB", "8 cores 32 GB", "8CPU 32G RAM", "8VCPUS+32G")
            ),
            ("16核64G内存", (16, 64)),
            ("2C7.5G", (2, 7.5)),
            (" 4C8G ", (4, 8)),
            ("4-core 8G", (4, 8)),
        ],
    )
    def test_cores_and_memory(self, name, figures):
        assert stated_figures(name) == figures

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "8C",
                "16G",
                "8-16",
                "C8G16",
                "0C16G",
                "8C0G",
                "8C16M",
                "8C16T",
                "8C16Gbit",
                "8.5C16G",
                "-8C16G",
                "8C16GX",
            ),
            *("c7.large", "m5.large", "bx2-2x8", "s-4vcpu-8gb", "c7.large.2", "x1.4u.8g", "POP2-2C-8G", "b3-8", ""),
            *("１Ｃ２Ｇ", "99999C16G", "8C9999999G", "8C16G\n9C", "8C\x0016G"),
        ],
    )
    def test_any_other_name_states_none(self, name):
        assert stated_figures(name) is None

    @given(st.integers(1, 9999), st.integers(1, 999_999), st.sampled_from(["{}C{}G", "{} vCPU / {} GB", "{}核{}g"]))
    def test_every_such_name_is_read_back(self, cores, memory, form):
        assert stated_figures(form.format(cores, memory)) == (cores, memory)

    @given(st.text(max_size=20) | st.from_regex(r"\A[0-9]{0,5}[cC核][0-9.]{0,8}[gG]?\Z"))
    def test_figures_are_above_zero(self, name):
        figures = stated_figures(name)
        assert figures is None or min(figures) > 0


class TestUnknownMachine:
    def test_of_a_provider_without_machines(self):
        assert unknown_machine("r640", GUIDE, (), "our-racks") == (
            'got "r640", expected a machine of the catalog "guide", which has no machine of our-racks; add columns '
            "with its vCPUs and its memory"
        )

    def test_of_one_with_machines(self):
        assert unknown_machine("m4.lage", GUIDE, GUIDE.machines, "aws") == (
            'got "m4.lage", expected a machine of the catalog "guide"; did you mean "m4.large"?'
        )
