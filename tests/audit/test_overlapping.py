"""Of rounds whose samples nearly are the same one is shown outside the provider: few cases can't be had from two."""

from __future__ import annotations

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from consult.audit.overlapping import MOST_TOGETHER, kept_back, not_told, sharing

FEWEST = 10


def of(*numbers: int) -> list[tuple[str, str, str]]:
    return [("P", "live", str(number)) for number in numbers]


def lines(*spans: tuple[int, int]) -> dict[str, list[tuple[str, str, str]]]:
    return {str(at): of(*range(*span)) for at, span in enumerate(spans)}


def test_a_sample_that_holds_two_cases_more_waits_for_the_first() -> None:
    assert kept_back(lines((0, 38), (0, 40))) == {"1": "0"}
    assert kept_back(lines((0, 40), (0, 38))) == {"1": "0"}


def test_samples_that_share_none_all_or_differ_in_ten_are_shown() -> None:
    assert not kept_back(lines((0, 40), (40, 80)))
    assert not kept_back(lines((0, 40), (0, 40)))
    assert not kept_back(lines((0, 40), (0, 50)))
    assert kept_back(lines((0, 40), (0, 49))) == {"1": "0"}


def test_a_sample_that_shows_no_number_gives_nothing_away() -> None:
    assert not kept_back(lines((0, 40), (0, 9)))
    assert kept_back(lines((0, 15), (0, 9), (0, 16))) == {"2": "0"}


def test_two_quarters_and_a_half_year_with_one_case_more_are_found() -> None:
    assert kept_back(lines((0, 40), (40, 80), (0, 81))).keys() == {"2"}
    assert not kept_back(lines((0, 40), (40, 80), (0, 80)))


def test_a_measure_is_not_told_of_the_later_round_where_it_applies_to_few_of_what_sets_them_apart() -> None:
    applies = {"few": lines((0, 40), (0, 38)), "ten": lines((0, 40), (0, 30)), "none": lines((0, 40), (0, 9))}
    assert not_told(applies) == {"1": {"few"}}


def test_only_samples_that_show_a_number_share_cases() -> None:
    assert sharing(lines((0, 40), (30, 80), (80, 120))) == {"0", "1"}
    assert not sharing(lines((0, 40), (0, 9)))


def test_of_more_rounds_than_can_be_tried_a_further_one_waits() -> None:
    chain = [(0, 10 * (at + 1)) for at in range(MOST_TOGETHER + 2)]
    assert kept_back(lines(*chain)).keys() == {str(at) for at in range(MOST_TOGETHER, MOST_TOGETHER + 2)}


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 45)), max_size=5))
def test_no_adding_and_subtracting_of_what_is_shown_leaves_one_to_nine_cases(spans: list[tuple[int, int]]) -> None:
    samples = lines(*((start, start + n) for start, n in spans))
    gone = kept_back(samples)
    shown = [frozenset(cases) for id_, cases in samples.items() if id_ not in gone and len(cases) >= FEWEST]
    for many in (2, 3):
        for some in combinations(shown, many):
            for signs in product((-1, 1), repeat=many):
                left = {
                    case
                    for case in frozenset().union(*some)
                    if sum(sign for sign, sample in zip(signs, some, strict=True) if case in sample)
                }
                assert not 0 < len(left) < FEWEST, (some, signs)
    assert all(id_ not in gone.values() for id_ in gone)
