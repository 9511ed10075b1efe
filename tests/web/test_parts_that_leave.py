"""A copy that leaves the provider holds no measure of under ten cases, also not below one that is made of it."""

from xml.etree.ElementTree import Element

import pages
from visiting import CASE, Service

from consult.audit.figures import benchmark, of_parts
from consult.audit.results import Result

PARTS = "/results/measures/all_applicable_met?capture=retrospective"


def enter_some(service: Service) -> None:
    """Twelve cases from notes; in three of them the back pain was thought to come from work."""
    nurse = service.visitor("nurse")
    at = nurse.post("/entry", {"wanted": "40"}).headers["Location"]
    for n in range(12):
        cause = "caused" if n < 3 else "not_work"
        sent = {**CASE, "f.case_ref": f"R-{n}", "f.cause_view": cause, "act": "next"}
        at = nurse.post(at, sent).headers["Location"]


def rows_of(page: Element, heading: str) -> dict[str, list[str]]:
    found = next(t for t in page.iter("table") if heading in pages.text(t))
    cells = ([pages.text(cell) for cell in row] for row in found.iter("tr"))
    return {first: rest for first, *rest in cells}


def test_a_part_of_few_cases_is_withheld(service: Service) -> None:
    enter_some(service)
    lead, measures = service.visitor("audit_lead"), service.instance.measures
    few, many = measures.by_id["work_cause_action"].title, measures.by_id["red_flags_screened"].title
    here = rows_of(lead.get(PARTS), "Heading")
    assert here[few][0] == "0 of 3"
    assert here[many][0] == "0 of 12"
    leaving = rows_of(lead.get(f"{PARTS}&copy=leaving"), "Heading")
    assert leaving[few] == ["withheld", "", ""]
    assert leaving[many][0] == "0 of 12"


def test_what_stands_beside_a_measure_is_withheld_where_it_has_few_cases(service: Service) -> None:
    measures, published = service.instance.measures, service.instance.benchmarks
    one, other = measures.by_id["red_flags_screened"], measures.by_id["work_cause_action"]
    for few, many in ((9, 10), (0, 12)):
        shown = [(other, Result(few, 0, 0, 0)), (other, Result(many, 0, 0, 0))]
        rows = benchmark(one, Result(12, 0, 0, 0), shown, published, "retrospective", leaving=True).rows
        assert [row[1] for row in rows[:3]] == ["12 of 12", "withheld", f"{many} of {many}"]


def test_parts_of_other_numbers_are_as_often_recorded_by_their_share(service: Service) -> None:
    measures = service.instance.measures
    shown = [(measures.by_id[id_], Result(n, 0, 0, 0)) for id_, n in (("work_cause_action", 5), ("leaflet_given", 7))]
    assert of_parts(measures.by_id["all_applicable_met"], shown).finding == (
        "Each item is recorded as often as the others: 100%."
    )
