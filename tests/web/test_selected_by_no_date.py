"""Results of a period that is none are not shown: whatever was typed in place of a date, nothing is counted by it."""

import pages
import pytest
from visiting import CASE, Service, Visitor

NO_DATE = {
    "to-day=31&to-month=2&to-year=2026": "31/2/2026",
    "to=soon": "soon",
    "from-day=1&from-month=13&from-year=2026": "1/13/2026",
    "from=2026-3-1": "2026-3-1",
    "from-day=3": "3",
    "from-day=&from-month=3&from-year=2026": "/3/2026",
}
ADDRESSES = (
    "/results?{}",
    "/results/measures/barriers_asked?{}",
    "/results/measures/barriers_asked/cases?outcome=met&{}",
    "/results/results.json?capture=retrospective&{}",
    "/results/files/results.csv?capture=retrospective&{}",
    "/results/files/cases.csv?capture=retrospective&{}",
    "/results/published?{}",
)


@pytest.fixture
def lead(service: Service) -> Visitor:
    nurse = service.visitor("nurse")
    begun = nurse.post("/entry", {"wanted": "40"}).headers["Location"]
    assert nurse.post(begun, {**CASE, "f.case_ref": "R-1", "act": "next"}).status_code == 302
    return service.visitor("audit_lead")


@pytest.mark.parametrize("typed", NO_DATE)
def test_nothing_is_counted_by_what_is_no_date(lead: Visitor, typed: str) -> None:
    for address in ADDRESSES:
        found = lead.ask(address.format(typed))
        assert (found.status_code, address) == (409, address)
        assert f"“{NO_DATE[typed]}” is no date" in pages.text(pages.parse(found.text))


def test_a_period_that_ends_before_it_begins_holds_nothing(lead: Visitor) -> None:
    found = lead.ask("/results?from=2026-03-02&to=2026-03-01")
    assert found.status_code == 409
    assert "ends before it begins" in pages.text(pages.parse(found.text))


@pytest.mark.parametrize("period", ["from=2026-03-01&to=2026-03-01", "from=&to=", "to-day=1&to-month=3&to-year=2026"])
def test_a_period_is_counted_by(lead: Visitor, period: str) -> None:
    assert "1 eligible case" in pages.text(lead.get(f"/results?{period}"))
