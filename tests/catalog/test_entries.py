"""Lists of machines in every form that they have: pages, lines, an API's answers, renamed fields, other programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from strategies import result

from etcdsize import EtcdSizeError, Imported, OptionError, TableError, read_listing
from etcdsize.catalog.entries import GET_THE_LIST
from etcdsize.catalog.registry import listing_readers

DATA = Path(__file__).parents[1] / "data"
SAMPLES = {
    "aliyun": "aliyun-describe-instance-types.json",
    "aws": "aws-describe-instance-types.json",
    "az": "az-vm-list-skus.json",
    "doctl": "doctl-compute-size-list.json",
    "gcloud": "gcloud-machine-types.json",
    "hetzner": "hcloud-server-type-list.json",
    "huawei": "hcloud-ecs-list-flavors.json",
    "openstack": "openstack-flavor-list.json",
    "tencent": "tccli-describe-instance-type-configs.json",
}
# Oracle's sample has an Ampere shape alone, which is dropped.
OCI = {"shape": "VM.Standard2.4", "ocpus": 4.0, "memory-in-gbs": 60.0, "processor-description": "2.0 GHz Intel® Xeon®"}


def text_of(origin: str) -> str:
    return json.dumps({"data": [OCI]}) if origin == "oci" else (DATA / SAMPLES[origin]).read_text()


def entries_of(origin: str) -> list[dict]:
    document = json.loads(text_of(origin))
    return document if isinstance(document, list) else listing_readers()[origin].SHAPE.listed(document)


ORIGINS = [*SAMPLES, "oci"]


def test_there_is_a_sample_of_every_reader():
    assert sorted(ORIGINS) == sorted(listing_readers())


@pytest.mark.parametrize("origin", ORIGINS)
class TestForms:
    """The same entries in every form give the same machines."""

    def test_text_bytes_and_parsed_json(self, origin):
        whole = read_listing(origin, text_of(origin))
        for source in (text_of(origin).encode(), text_of(origin).encode("utf-16"), json.loads(text_of(origin))):
            assert read_listing(origin, source) == whole

    def test_a_list_lines_and_lists_one_after_the_other(self, origin):
        entries = entries_of(origin)
        whole = read_listing(origin, text_of(origin))
        lines = "\n".join(map(json.dumps, entries))
        for source in (
            json.dumps(entries),
            lines,
            json.dumps([entries]),
            json.dumps(entries[:1]) + json.dumps(entries),
        ):
            imported = read_listing(origin, source)
            assert imported.catalog == whole.catalog
            assert not imported.truncated
        assert read_listing(origin, lines).pages == 1

    def test_an_answer_that_an_api_wraps(self, origin):
        document = json.loads(text_of(origin))
        if isinstance(document, dict):
            assert read_listing(origin, {"Response": document}) == read_listing(origin, document)
        shape = listing_readers()[origin].SHAPE
        for path in shape.lists:
            answer = entries_of(origin)
            for step in reversed(path.split(".")):
                answer = {"here" if step == "*" else step: answer}
            assert read_listing(origin, answer).catalog == read_listing(origin, document).catalog

    def test_a_page_that_announces_another_one(self, origin):
        shape = listing_readers()[origin].SHAPE
        for path in shape.announces:
            page: object = "more"
            for step in reversed(path.split(".")):
                page = {step: page}
            last: object = entries_of(origin)
            for step in reversed(shape.lists[0].split(".")):
                last = {step: last}
            assert read_listing(origin, page | last).truncated
            assert not read_listing(origin, json.dumps(page | last) + json.dumps(last)).truncated


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("named", ORIGINS)
def test_the_list_of_another_program_is_recognized(origin, named):
    """Among them the two programs that are called hcloud."""
    if origin == named:
        return
    if (named, origin) == ("openstack", "huawei"):
        # Huawei's API is OpenStack's, with more fields.
        assert read_listing(named, text_of(origin)).imported == 1
        return
    with pytest.raises(TableError) as caught:
        read_listing(named, text_of(origin))
    assert str(caught.value).endswith(
        f"it looks like the list of {listing_readers()[origin].SHAPE.command} (--from {origin})"
    )


class TestRenamed:
    """A --query, or jq, gives fields other names: read where the name says what it is, else refused."""

    @pytest.mark.parametrize(
        ("origin", "entry", "machine"),
        [
            ("aws", {"Type": "x9z.large", "vCPUs": 2, "MemoryMiB": 8192}, ("x9z.large", 2, 8)),
            ("aws", {"InstanceType": "x9z.large", "VCPU": 2, "memory_gib": 8}, ("x9z.large", 2, 8)),
            ("aws", {"Name": "x9z.large", "DefaultVCpus": 2, "SizeInMiB": 8192}, ("x9z.large", 2, 8)),
            ("gcloud", {"name": "n9-standard-2", "vcpus": 2, "memory_mb": 8192}, ("n9-standard-2", 2, 8)),
            ("az", {"Name": "Standard_D2s_v9", "vCPUs": "2", "MemoryGB": "8"}, ("Standard_D2s_v9", 2, 8)),
            ("aliyun", {"machine_type": "ecs.x9.large", "cpuCoreCount": 2, "memorySize": 8}, ("ecs.x9.large", 2, 8)),
            ("tencent", {"InstanceType": "X9.MEDIUM8", "cpu": 2, "memory": 8}, ("X9.MEDIUM8", 2, 8)),
            ("huawei", {"flavor_id": "x9.large.4", "vcpus": "2", "ram": 8192}, ("x9.large.4", 2, 8)),
            ("openstack", {"name": "our-2", "vcpus": 2, "ram": 8192}, ("our-2", 2, 8)),
            ("hetzner", {"name": "ccx99", "vcpus": 2, "memory": 8.0}, ("ccx99", 2, 8)),
        ],
    )
    def test_a_name_that_says_what_it_is(self, origin, entry, machine):
        (found,) = read_listing(origin, [entry]).catalog.machines
        assert (found.machine_type, found.vcpus, found.memory_gib) == machine

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            ({"Type": "m5.large", "vCPUs": 2, "Memory": 8192},
             "row 1 (m5.large), Memory: does not say whether it is in MiB or GiB; expected MemoryInfo.SizeInMiB as aws "
             "ec2 describe-instance-types prints it, or a name such as MemoryMiB"),
            ({"Type": "m5.large", "vCPUs": 2, "MemoryGB": 8},
             "row 1 (m5.large), MemoryGB: does not say whether it is in MiB or GiB; expected MemoryInfo.SizeInMiB as "
             "aws ec2 describe-instance-types prints it, or a name such as MemoryMiB"),
            ({"Type": "m5.large", "CPUs": 2, "MemoryMiB": 8192},
             "row 1 (m5.large), CPUs: may count cores or vCPUs; expected VCpuInfo.DefaultVCpus as aws ec2 "
             "describe-instance-types prints it, or a name such as vCPUs"),
            ({"Type": "m5.large", "vCPUs": 2, "VCPU": 4, "MemoryMiB": 8192},
             'row 1 (m5.large), VCpuInfo.DefaultVCpus: got "vCPUs" and "VCPU", expected one field of that meaning'),
            ({"Type": "m5.large", "vCPUs": [2], "MemoryMiB": 8192},
             "row 1 (m5.large), vCPUs: got [2], expected a whole number above 0"),
            ({"Kind": "m5.large", "vCPUs": 2},
             "not a listing: got a list whose first entry has no InstanceType, expected an object with InstanceTypes, "
             f"as aws ec2 describe-instance-types prints; {GET_THE_LIST}"),
            (["m5.large", 2, 8192],
             "not a listing: got a list whose first entry is a list, expected an object with InstanceTypes, as aws ec2 "
             f"describe-instance-types prints; {GET_THE_LIST}"),
            ("m5.large",
             "not a listing: got a list whose first entry is text, expected an object with InstanceTypes, as aws ec2 "
             f"describe-instance-types prints; {GET_THE_LIST}"),
        ],
    )  # fmt: skip
    def test_a_name_that_leaves_it_open_is_refused_with_the_field_and_the_command(self, entry, message):
        with pytest.raises(TableError) as caught:
            read_listing("aws", [entry])
        assert str(caught.value) == message


class TestProvider:
    def test_an_openstack_of_a_provider_gets_its_name(self):
        imported = read_listing("openstack", text_of("openstack"), provider="ovh")
        assert {machine.provider for machine in imported.catalog.machines} == {"ovh"}
        assert imported.catalog.name == "ovh-imported"

    def test_a_list_of_one_provider_s_own_takes_no_other_name(self):
        with pytest.raises(OptionError) as caught:
            read_listing("aws", text_of("aws"), provider="gce")
        assert (
            str(caught.value) == "provider: got gce, expected aws, whose machines aws ec2 describe-instance-types lists"
        )


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from([10**400, 1e308, -1, 0, [], {}, [[]], [{}], "2", "2.5", "9" * 400, "x\x1b[31m", "\ud800", "True"]),
)


@given(st.sampled_from(ORIGINS), st.recursive(VALUES, lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_any_json_is_refused(origin, document):
    with pytest.raises(EtcdSizeError) as caught:
        read_listing(origin, [document])
    assert len(str(caught.value).splitlines()) == 1


@given(st.sampled_from(ORIGINS), st.binary(max_size=60) | st.text(max_size=60))
def test_any_text_is_refused(origin, text):
    with pytest.raises(EtcdSizeError) as caught:
        read_listing(origin, text)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("origin", ORIGINS)
class TestAnything:
    """Every input ends in a catalog or in one of our errors, on one line."""

    @examples(25)
    @given(data=st.data())
    def test_a_mutated_sample(self, origin, data):
        entries = entries_of(origin)
        fields = st.sampled_from([*sorted({name for entry in entries for name in entry}), "vcpus", "Memory", "arch"])
        changes = data.draw(st.lists(st.dictionaries(fields, VALUES, max_size=3), max_size=3))
        listed = [*(entries[index % len(entries)] | change for index, change in enumerate(changes)), *entries]
        imported = result(read_listing, origin, listed)
        if isinstance(imported, EtcdSizeError):
            assert len(str(imported).splitlines()) == 1
        else:
            counted = imported.imported + len(imported.dropped) + len(imported.not_offered) + imported.repeats
            assert counted == imported.found == len(listed)
            assert Imported.model_validate_json(imported.model_dump_json()) == imported

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("[" * 200_000, "not JSON: it is nested too deeply"),
            ('[{"name": 1, "name": 2}]', 'not JSON: an object has the field "name" more than once'),
            ("9" * 5_000, "not JSON: it has a number of more than 4300 digits"),
            ("name  vcpus", "not JSON: Expecting value, line 1, column 1; expected a"),
            ("[]", "no usable machine: got 0 entries, expected what "),
        ],
    )
    def test_a_damaged_file_gives_one_clear_line(self, origin, source, message):
        with pytest.raises(TableError) as caught:
            read_listing(origin, source)
        assert str(caught.value).startswith(message)
