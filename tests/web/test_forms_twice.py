"""Every form of every page, sent with each field twice: the first value counts, and nothing falls over.

Only a case from case notes that is not finished keeps both, side by side, to be shown and refused: it is no case yet.

Forms are gathered from the pages themselves, as each role sees them. What looks at a page changes nothing either.
"""

from __future__ import annotations

import pytest
from addresses import address, methods, rules, values_of
from every_form import forms_of
from visiting import PASSWORD, PEOPLE, Service
from werkzeug.datastructures import MultiDict

from consult.accounts.policy import allowed

SECOND = "qqsecondqq"
LEFT_OUT = ("/sign-out", "/lock", "/look", "/account/password", "/account/sessions")
LAID_OVER = {
    (to, frozenset(fields)): [(name, PASSWORD if name == "password" else "") for name in fields]
    for to, fields in {"/unlock": ("password",), "/sign-in": ("username", "password")}.items()
}
"""The forms of the lock that a script lays over each page, `static/sheets.js`."""
LOOKS = {"employee_viewed", "employee_listed", "consultation_viewed", "paper_viewed"}
"""What opening a page may write: that somebody looked."""


@pytest.fixture(scope="module")
def values(shared: Service) -> dict[str, str]:
    """Something that is there for each part of an address that a page is opened by."""
    return values_of(shared)


def last_step(service: Service) -> int:
    return int(service.instance.db.read().execute("SELECT max(seq) FROM step").fetchone()[0])


def kinds_since(service: Service, seq: int) -> set[str]:
    return {row[0] for row in service.instance.db.read().execute("SELECT kind FROM step WHERE seq > ?", (seq,))}


@pytest.mark.parametrize("role", [*PEOPLE, None])
def test_opening_a_page_writes_nothing_but_that_somebody_looked(
    shared: Service, values: dict[str, str], role: str | None
) -> None:
    """By GET, and by HEAD, of every route; a page of another site could bring a browser to send no more."""
    visitor, before = shared.visitor(role or ""), last_step(shared)
    tables = [r[0] for r in shared.instance.db.read().execute("SELECT name FROM setting ORDER BY name")]
    for rule in rules(shared):
        if "GET" in methods(rule):
            path = address(shared, rule, values)
            visitor.client.get(path, buffered=True)
            visitor.client.head(path)
    assert kinds_since(shared, before) <= LOOKS
    assert tables == [r[0] for r in shared.instance.db.read().execute("SELECT name FROM setting ORDER BY name")]


@pytest.mark.parametrize("role", PEOPLE)
def test_a_field_that_is_sent_twice_counts_as_it_was_sent_first(
    shared: Service, values: dict[str, str], role: str
) -> None:
    visitor = shared.visitor(role)
    open_ = [r for r in rules(shared) if "GET" in methods(r) and allowed(role, r.endpoint) and r.endpoint != "static"]
    forms = forms_of(visitor, [address(shared, rule, values) for rule in open_]) | LAID_OVER
    sent = 0
    for (to, _), fields in forms.items():
        if to.startswith(LEFT_OUT):
            continue
        twice = MultiDict(fields)
        for name, _ in fields:
            twice.add(name, f"{SECOND} {name}"[:60])
        response = visitor.post(to, twice)
        assert response.status_code < 500, (to, response.status_code)
        sent += 1
    assert sent >= {"administrator": 8, "audit_lead": 5, "coordinator": 4}.get(role, 10)
    held = everywhere(shared, SECOND)
    assert [row for row in held if not row.startswith("step_content") or '"draft":' not in row] == []
    assert shared.instance.db.read().execute("SELECT count(*) FROM case_row").fetchone()[0] == 1, "no draft is a case"


def everywhere(service: Service, text: str) -> list[str]:
    """The rows, of any table, that hold a text."""
    conn = service.instance.db.read()
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
    names = [row[0] for row in conn.execute(query)]
    rows = [(name, str(tuple(row))) for name in names for row in conn.execute(f'SELECT * FROM "{name}"')]
    return [f"{name}: {row[:600]}" for name, row in rows if text in row]


@pytest.mark.parametrize(
    "said",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
    ],
)
def test_every_unsafe_route_refuses_what_the_browser_says_another_site_sent(
    shared: Service, values: dict[str, str], said: dict[str, str]
) -> None:
    """With the right token, too."""
    before = last_step(shared)
    for role in PEOPLE:
        visitor = shared.visitor(role)
        headers = {"X-CSRFToken": visitor.csrf(), **said}
        for rule in rules(shared):
            if "POST" in methods(rule) and allowed(role, rule.endpoint):
                response = visitor.client.post(address(shared, rule, values), data={}, headers=headers)
                assert response.status_code == 403, (role, rule.endpoint)
                assert "from another site" in response.text
    assert last_step(shared) == before


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost"},
        {"Origin": "http://localhost:8443"},
    ],
)
def test_a_form_of_our_own_page_is_taken(shared: Service, said: dict[str, str]) -> None:
    nurse = shared.visitor("nurse")
    response = nurse.client.post("/session", data={}, headers={"X-CSRFToken": nurse.csrf(), **said})
    assert response.status_code < 400
