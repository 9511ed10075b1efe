"""What a national coordinator reads of two rounds gives away neither a few cases nor the day of one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pages
import pytest
from audited import LEAD, Audited, filled

from consult.audit import rounds, sampling
from consult.audit.rounds import Wanted
from consult.web.dates import in_words


@pytest.fixture(scope="module")
def known(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    found = filled(made, tmp_path_factory.mktemp("overlapping") / "instance")
    yield found
    found.service.instance.close()


def days(known: Audited, round_id: str) -> list[str]:
    """The days of the cases of a sample, in order."""
    instance, conn = known.service.instance, known.service.instance.db.read()
    one = rounds.rounds(conn)[round_id]
    return sorted(c.date for c in sampling.sample(conn, instance.measures, instance.library.current.dataset, one).taken)


def nearly(known: Audited) -> str:
    """A round that ends a day before the last case of the round “After”, so that it lacks a few of its cases."""
    instance, held = known.service.instance, days(known, known.rounds["After"])
    before = max(day for day in held if day < held[-1])
    with instance.db.write() as conn:
        wanted = Wanted("Nearly", "DEMO", "retrospective", "2026-01-01", before)
        return rounds.set_round(conn, wanted, LEAD, instance.store.at(), "key-of-nearly-1234567")


def test_a_round_that_differs_in_few_cases_is_not_shown_and_the_lead_is_told(known: Audited) -> None:
    few = nearly(known)
    assert 0 < len(days(known, known.rounds["After"])) - len(days(known, few)) < 10
    coordinator, lead = known.service.visitor("coordinator"), known.service.visitor("audit_lead")
    assert few not in {e.get("value") for e in coordinator.get("/results").iter("option")}
    for path in ("/results", "/results/measures/barriers_asked", "/results/files/results.csv"):
        assert coordinator.ask(f"{path}?round={few}").status_code == 404, path
        assert coordinator.ask(f"{path}?round={known.rounds['After']}").status_code == 200, path
    assert coordinator.ask(f"/evidence/rounds/{few}/indicators.csv").status_code == 404
    said = "A national coordinator is not shown this round"
    assert said in pages.text(lead.get(f"/rounds/{few}"))
    assert said not in pages.text(lead.get(f"/rounds/{known.rounds['After']}"))
    assert lead.ask(f"/results?round={few}").status_code == 200


@pytest.mark.parametrize("path", ["/results", "/results/measures/barriers_asked"])
def test_no_page_that_leaves_tells_the_day_of_a_case_and_its_print_names_the_round(known: Audited, path: str) -> None:
    round_id = known.rounds["After"]
    held = days(known, round_id)
    for role, copy in (("coordinator", ""), ("audit_lead", "&copy=leaving")):
        page = known.service.visitor(role).get(f"{path}?round={round_id}{copy}")
        for day in (held[0], held[-1]):
            assert in_words(day) not in pages.text(page), role
        (printed,) = [e for e in page.iter("p") if e.get("class") == "printonly"]
        assert pages.text(printed).startswith("Round “After”, provider DEMO. Measures version")
    inside = known.service.visitor("audit_lead").get(f"{path}?round={round_id}")
    assert in_words(held[0]) in pages.text(inside)


def ten_apart(known: Audited) -> str:
    """A round that lacks ten or more of the cases of “After”, so that it is shown beside it."""
    instance, held = known.service.instance, days(known, known.rounds["After"])
    end = max(day for day in held if sum(later > day for later in held) >= 10)
    with instance.db.write() as conn:
        wanted = Wanted("Ten apart", "DEMO", "retrospective", "2026-01-01", end)
        return rounds.set_round(conn, wanted, LEAD, instance.store.at(), "key-of-ten-apart-1234")


def told(known: Audited, path: str) -> dict[str, tuple[int, int]]:
    """Met and applicable of each measure in a file that a coordinator has."""
    text = known.service.visitor("coordinator").ask(path).text
    rows = list(csv.DictReader(io.StringIO(text)))
    if "indicator" in rows[0]:
        return {row["indicator"]: (int(row["numerator"]), int(row["denominator"])) for row in rows}
    counted = [(row["measure"], int(row["met"]), int(row["not_met"])) for row in rows]
    return {name: (met, met + not_met) for name, met, not_met in counted}


def test_no_measure_of_two_rounds_gives_away_the_few_that_it_applies_to_between_them(known: Audited) -> None:
    """Ten cases or more set the rounds apart, and a measure applies to fewer of these."""
    less, whole = ten_apart(known), known.rounds["After"]
    counted = [known.counted(id_).measures for id_ in (whole, less)]
    apart = {id_: counted[0][id_].applicable - counted[1][id_].applicable for id_ in counted[0]}
    few = {id_ for id_, n in apart.items() if 0 < n < 10 and min(one[id_].applicable for one in counted) >= 10}
    assert few
    for path in ("/results/files/results.csv?round={}", "/evidence/rounds/{}/indicators.csv"):
        first, second = (told(known, path.format(id_)) for id_ in (whole, less))
        assert few <= first.keys()
        assert not few & second.keys()
        assert {n for id_ in first.keys() & second.keys() if 0 < (n := first[id_][1] - second[id_][1]) < 10} == set()
    coordinator = known.service.visitor("coordinator")
    said = "here or in what sets this round apart from another"
    for id_ in few:
        assert said in pages.text(coordinator.get(f"/results/measures/{id_}?round={less}"))
        assert said in pages.text(coordinator.get(f"/results?round={less}"))
    lead = known.service.visitor("audit_lead").get(f"/results/measures/{min(few)}?round={less}")
    assert said not in pages.text(lead)


def test_groups_of_two_rounds_that_share_cases_are_not_shown_beside_each_other(known: Audited) -> None:
    """What one group has in one round, less what it has in the other, would be that of a few people."""
    ten_apart(known)
    coordinator = known.service.visitor("coordinator")
    for name, broken_down in (("After", False), ("Before", True)):
        page = coordinator.get(f"/results/measures/barriers_asked?round={known.rounds[name]}")
        titles = [pages.text(e) for e in page.iter("h3")]
        assert ("By staff group" in titles) == broken_down, titles
        assert any(title in ("By month", "By quarter") for title in titles) == broken_down, titles


def few_of_a_heading(known: Audited) -> str:
    """A round of 10 or more cases in which a national heading applies to fewer than 10."""
    instance, held = known.service.instance, sorted(set(days(known, known.rounds["Before"])))
    for at, end in enumerate(held):
        with instance.db.write() as conn:
            wanted = Wanted(f"Until {end}", "DEMO", "retrospective", "2025-05-01", end)
            one = rounds.set_round(conn, wanted, LEAD, instance.store.at(), f"key-of-until-{at:04}-12345")
        measures = known.counted(one).measures
        national = [measures[id_].applicable for id_ in instance.measures.national]
        if measures["all_applicable_met"].applicable >= 10 and 0 < min(national) < 10:
            return one
        with instance.db.write() as conn:
            rounds.withdraw(conn, one, "Not it", LEAD, instance.store.at(), f"key-of-not-it-{at:04}-12345")
    raise AssertionError("no such round")


def test_a_measure_of_few_cases_is_withheld_wherever_it_stands_beside_another(known: Audited) -> None:
    round_id = few_of_a_heading(known)
    instance, counted = known.service.instance, known.counted(round_id).measures
    few = {m.title for m in instance.measures.measures if counted[m.id].applicable < 10}
    assert few
    seen = 0
    for m in instance.measures.measures:
        page = known.service.visitor("audit_lead").get(f"/results/measures/{m.id}?round={round_id}&copy=leaving")
        for row in ([pages.text(cell) for cell in row] for row in page.iter("tr")):
            if row[0] in few:
                seen += 1
                assert row[1:] == ["withheld", "", ""], (m.id, row)
    assert seen
    inside = known.service.visitor("audit_lead").get(f"/results/measures/all_applicable_met?round={round_id}")
    assert "withheld" not in pages.text(inside)
