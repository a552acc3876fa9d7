"""Chance follows from a text, and is even."""

from math import log
from statistics import mean, stdev
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.mockserver.model.chance import Chance
from safelight.mockserver.model.engines import ENGINES

DRAWS: Final = 5_000


@given(st.text(), st.lists(st.integers(0, 512)))
def test_the_same_text_gives_the_same_numbers(text: str, counts: list[int]) -> None:
    one, other = Chance(text), Chance(text)
    drawn = [one.bits(count) for count in counts]
    assert drawn == [other.bits(count) for count in counts]
    assert all(0 <= number < 1 << count for number, count in zip(drawn, counts, strict=True))


def test_the_numbers_are_those_of_every_version() -> None:
    chance = Chance("0 sk-key 1")
    assert [chance.bits(32), chance.share(), chance.uniform(2, 4), chance.lognormal(5, 0.5)] == pytest.approx(NUMBERS)


NUMBERS: Final = [4185674851, 0.2571977797967552, 2.1558967623044554, 2.8886722676233068]


def test_shares_are_even() -> None:
    chance = Chance("even")
    shares = [chance.share() for _ in range(DRAWS)]
    assert all(0 <= share < 1 for share in shares)
    tenths = [sum(tenth <= 10 * share < tenth + 1 for share in shares) for tenth in range(10)]
    assert min(tenths) > 0.8 * DRAWS / 10, tenths


def test_each_text_has_numbers_of_its_own() -> None:
    drawn = [Chance(f"0 key {number}").bits(64) for number in range(DRAWS)]
    assert len(set(drawn)) == DRAWS
    ones = [sum(number >> bit & 1 for number in drawn) / DRAWS for bit in range(64)]
    assert 0.45 < min(ones) <= max(ones) < 0.55


def test_the_logarithm_of_a_long_tailed_number_is_normal() -> None:
    chance = Chance("tail")
    logarithms = [log(chance.lognormal(5, 0.5)) for _ in range(DRAWS)]
    assert mean(logarithms) == pytest.approx(log(5), abs=0.03)
    assert stdev(logarithms) == pytest.approx(0.5, abs=0.03)


@given(st.text())
def test_an_id_of_comfyui_is_a_uuid_of_version_4(text: str) -> None:
    made = UUID(ENGINES["comfyui"].new_id(Chance(text), 1))
    assert made.version == 4
    assert made == UUID(int=Chance(text).bits(128), version=4)
