"""Regions: which one a user's text means, and what is suggested for a wrong one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from etcdsize import OptionError
from etcdsize.catalog.regions import known_regions, near_region, region_named, regions_of

USUAL = ("aws", "azure", "gce")
EVERY = [region for regions in known_regions().values() for region in regions.values()]


class TestData:
    def test_every_region_has_a_place_and_a_continent(self):
        assert len(EVERY) > 180
        for region in EVERY:
            assert all(place.strip() == place and place for place in region.places)
            assert region.continent in {
                *("africa", "asia", "europe", "middle-east"),
                *("north-america", "oceania", "south-america"),
            }

    @pytest.mark.parametrize(
        ("provider", "name", "places", "continent"),
        [
            ("aws", "eu-central-1", ("Frankfurt",), "europe"),
            ("aws", "ap-southeast-2", ("Sydney",), "oceania"),
            ("aws", "me-south-1", ("Bahrain",), "middle-east"),
            ("gce", "europe-west4", ("Netherlands",), "europe"),
            ("gce", "northamerica-south1", ("Queretaro",), "north-america"),
            ("azure", "westeurope", ("Netherlands",), "europe"),
            ("azure", "southafricanorth", ("Johannesburg",), "africa"),
            ("alibaba", "cn-shanghai", ("Shanghai", "上海"), "asia"),
            ("tencent", "ap-shanghai", ("Shanghai", "上海"), "asia"),
            ("huawei", "cn-north-4", ("Beijing", "北京"), "asia"),
        ],
    )
    def test_regions(self, provider, name, places, continent):
        region = known_regions()[provider][name]
        assert (region.places, region.continent, str(region)) == (places, continent, f"{provider}={name}")


class TestWhichOne:
    @pytest.mark.parametrize(
        ("asked", "found"),
        [
            ("eu-west-1", {"aws": "eu-west-1"}),
            ("EU-West-1", {"aws": "eu-west-1"}),
            ("europe-west4", {"gce": "europe-west4"}),
            ("westeurope", {"azure": "westeurope"}),
            ("West Europe", {"azure": "westeurope"}),
            ("google=europe-west4", {"gce": "europe-west4"}),
            (["aws=eu-west-1", "azure=westeurope"], {"aws": "eu-west-1", "azure": "westeurope"}),
            (["eu-west-1", "aws=eu-west-1"], {"aws": "eu-west-1"}),
            ("cn-shanghai", {"alibaba": "cn-shanghai"}),
            ("ap-guangzhou", {"tencent": "ap-guangzhou"}),
        ],
    )
    def test_a_region_implies_its_provider(self, asked, found):
        assert regions_of(asked, None, USUAL) == found

    def test_the_providers_that_are_named_come_first(self):
        """Alibaba has regions of the same names as AWS."""
        assert regions_of("eu-central-1", None, USUAL) == {"aws": "eu-central-1"}
        assert regions_of("eu-central-1", ("alibaba",), USUAL) == {"alibaba": "eu-central-1"}
        assert regions_of("alibaba=eu-central-1", None, USUAL) == {"alibaba": "eu-central-1"}

    def test_a_region_of_a_users_own_prices(self):
        assert regions_of("Hall 2", None, ("our-dc",), {"our-dc": ["hall 2"]}) == {"our-dc": "hall 2"}

    @pytest.mark.parametrize(
        ("asked", "named", "message"),
        [
            (
                "eu-central-1",
                ("alibaba", "aws"),
                'got "eu-central-1", which alibaba and aws both have; write alibaba=eu-central-1 or aws=eu-central-1',
            ),
            ("aws=eu-west-1", ("gce",), 'got "aws=eu-west-1", expected a region of gce, as the provider is named'),
            (
                ["eu-west-1", "eu-west-2"],
                None,
                'got "eu-west-1" and "eu-west-2" of aws, expected one region of a provider',
            ),
            ([], None, "got no name, expected one or more"),
            ("=", None, 'got "=", expected a region such as eu-west-1, or aws=eu-west-1 with its provider'),
            (
                "Frankfurt",
                None,
                'got "Frankfurt" (did you mean aws=eu-central-1, gce=europe-west3, azure=germanywestcentral, '
                "alibaba=eu-central-1 or tencent=eu-frankfurt?), expected a region of aws (af-south-1, ap-east-1, "
                "ap-east-2, ap-northeast-1, ...); azure (australiacentral, australiacentral2, australiaeast, "
                "australiasoutheast, ...); gce (africa-south1, asia-east1, asia-east2, asia-northeast1, ...)",
            ),
            (
                "aws=europe-west4",
                None,
                'got "aws=europe-west4" (did you mean gce=europe-west4?), expected a region of aws (af-south-1, '
                "ap-east-1, ap-east-2, ap-northeast-1, ap-northeast-2, ap-northeast-3, ap-south-1, ap-south-2, "
                "ap-southeast-1, ap-southeast-2, ap-southeast-3, ap-southeast-4, ...)",
            ),
            ("ovh=gra", None, 'got "ovh=gra", expected a region of ovh, which has no known regions'),
        ],
    )
    def test_it_is_refused(self, asked, named, message):
        with pytest.raises(OptionError) as refused:
            regions_of(asked, named, USUAL)
        assert str(refused.value) == f"region: {message}"
        assert refused.value.option == "region"

    @given(st.sampled_from(EVERY), st.data())
    def test_every_region_is_found_in_any_case(self, region, data):
        written = "".join(data.draw(st.sampled_from((letter, letter.upper()))) for letter in region.name)
        assert region_named(written, region.provider) == region.name
        assert regions_of(f"{region.provider}={written}", None, USUAL) == {region.provider: region.name}


class TestSuggestions:
    @pytest.mark.parametrize(
        ("text", "suggested"),
        [
            ("Shanghai", "azure=chinaeast or azure=chinaeast2"),
            ("tokyo", "aws=ap-northeast-1, azure=japaneast or gce=asia-northeast1"),
            ("us-east-1a", "aws=us-east-1"),
            ("europe-west10-b", "gce=europe-west10"),
            ("eu-wset-1", "aws=eu-west-1"),
            ("westeurop", "azure=westeurope"),
            # Not uksouth, which is nearer, but in Europe.
            ("southus", "azure=southcentralus"),
        ],
    )
    def test_places_zones_and_misspellings(self, text, suggested):
        assert near_region(text, USUAL) == f"; did you mean {suggested}?"

    def test_a_place_in_chinese(self):
        every = ("alibaba", "tencent", "huawei")
        assert near_region("上海", every) == (
            "; did you mean alibaba=cn-shanghai, tencent=ap-shanghai, huawei=cn-east-2 or huawei=cn-east-3?"
        )

    def test_none(self):
        assert near_region("mars", USUAL) == near_region("", USUAL) == ""

    @given(st.sampled_from([one for one in EVERY if "-" in one.name]), st.data())
    def test_a_misspelt_region_never_leads_to_another_continent(self, region, data):
        """Its names begin alike, and what a name begins with lies on one continent, but for ap and Oceania."""
        place = data.draw(st.integers(region.name.index("-") + 1, len(region.name) - 1))
        misspelt = region.name[:place] + data.draw(st.sampled_from("xyz90")) + region.name[place + 1 :]
        near = near_region(misspelt, (region.provider,))
        for other in known_regions()[region.provider].values():
            if f"{other} " in f"{near} ".replace("?", " ").replace(",", " "):
                assert other.name.partition("-")[0] == region.name.partition("-")[0]
