"""The action plan as pages and as a text document: made, moved on, carried over, shown on the chart; and incidents."""

from __future__ import annotations

import io
import re
import uuid
from datetime import timedelta
from itertools import product

import pages
import pytest
from docx import Document
from visiting import EMPLOYEE, PEOPLE, Service, Visitor

from consult.audit import actions, rounds
from consult.audit.results import results
from consult.audit.sampling import sample
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.record.ledger import steps

MEASURE = "activity_impact_asked"
ELIGIBLE = {"clinician_role", "first_consultation", "episode_gap", "back_pain_reason"}
HOSTILE = "=cmd|' /C calc'!A0 </w:t><script>alert(\"x\")</script> {{ 7*7 }}"


@pytest.fixture
def lead(service: Service) -> Visitor:
    return service.visitor("audit_lead")


def hold_cases(service: Service, n: int, ago: int, given: int) -> None:
    """So many eligible cases from notes, of which `given` are as good as can be."""
    instance = service.instance
    dataset, measures = instance.library.current.dataset, instance.measures
    whole = measures.cases["everything_recorded"] | {"capture_mode": "retrospective", "provider": "DEMO", "site": "A"}
    says_who = {field.name for field in dataset.fields if field.required} | ELIGIBLE
    rows = []
    for number in range(n):
        day = instance.today() - timedelta(days=ago - number % 20)
        known = {"case_ref": f"made-{ago}-{number}", "consultation_date": day.isoformat()}
        bare = {name: text for name, text in whole.items() if name in says_who}
        rows.append(dict.fromkeys(dataset.by_name, "") | (whole if number < given else bare) | known)
    how = Import("DEMO", instance.today(), "cli:test", instance.store.at())
    report = import_cases(instance.db, dataset, "".join(export(rows, dataset)), how)
    assert not report.bad, report.bad[:2]


def make_round(service: Service, lead: Visitor, name: str, ago: int, until: int) -> str:
    day = service.instance.today()
    sent = {"name": name, "capture": "retrospective", "rule": "all", "n": "40"}
    dates = {"start": (day - timedelta(days=ago)).isoformat(), "end": (day - timedelta(days=until)).isoformat()}
    return lead.post("/rounds/new", sent | dates).headers["Location"].rpartition("/")[2]


def wanted(service: Service, round_id: str, **more: str) -> dict[str, str]:
    due = (service.instance.today() + timedelta(days=30)).isoformat()
    base = {"measure": MEASURE, "round": round_id, "site": "", "owner": "", "post": "Lead nurse", "due": due}
    texts = {"cause": "No leaflet in the room", "what": "A stock in each room", "evidence": "Two spot checks"}
    return {**base, **texts, "key": str(uuid.uuid4()), **more}


def make(service: Service, lead: Visitor, round_id: str, **more: str) -> str:
    response = lead.post("/actions/new", wanted(service, round_id, **more))
    assert response.status_code == 302, pages.text(pages.parse(response.text))
    return response.headers["Location"].rpartition("/")[2]


def move(lead: Visitor, id_: str, state: str, **more: str) -> int:
    sent = {"state": state, "text": "so", "key": str(uuid.uuid4()), **more}
    return lead.post(f"/actions/{id_}/move", sent).status_code


@pytest.fixture
def two_rounds(service: Service, lead: Visitor) -> tuple[str, str]:
    """An earlier round of 20 cases of which 4 are whole, and a later one of 20 with 16."""
    hold_cases(service, 20, 300, 4)
    hold_cases(service, 20, 100, 16)
    return make_round(service, lead, "Before", 330, 250), make_round(service, lead, "After", 130, 70)


def counted(service: Service, round_id: str) -> tuple[int, int]:
    instance = service.instance
    measures, dataset, conn = instance.measures, instance.library.current.dataset, instance.db.read()
    taken = sample(conn, measures, dataset, rounds.rounds(conn)[round_id]).selection
    result = results(conn, measures, dataset, taken).measures[MEASURE]
    return result.met, result.applicable


def test_an_action_goes_from_gap_to_re_audit_with_the_figures_of_the_rounds(
    service: Service, lead: Visitor, two_rounds: tuple[str, str]
) -> None:
    before, after = two_rounds
    id_ = make(service, lead, before, owner=service.who["nurse"].actor, post="")
    assert counted(service, before) == (4, 20)
    page = pages.text(lead.get(f"/actions/{id_}"))
    assert "20% (8% to 42%), 4 of 20" in page
    assert PEOPLE["nurse"] in page
    carried = pages.text(lead.get(f"/actions?round={after}"))
    assert "Carried over" in carried
    assert move(lead, id_, "closed", reaudit=after) == 422
    assert [move(lead, id_, "done"), move(lead, id_, "closed", reaudit=before)] == [302, 422]
    assert move(lead, id_, "closed", reaudit=after) == 302
    k, n = counted(service, after)
    page = pages.text(lead.get(f"/actions/{id_}"))
    assert f"After: 80% (58% to 92%), {k} of {n}; change +60 points (+29 to +77)" in page
    assert [s.actor for s in steps(service.instance.db.read(), kind="action_moved")] == [
        service.who["audit_lead"].actor
    ] * 2


def test_the_day_an_action_was_done_stands_on_the_chart_of_its_measure(
    service: Service, lead: Visitor, two_rounds: tuple[str, str]
) -> None:
    id_ = make(service, lead, two_rounds[0])
    address = f"/results/measures/{MEASURE}?capture=retrospective"
    assert "planned: A stock in each room" in pages.text(lead.get(address))
    move(lead, id_, "done")
    assert "done: A stock in each room" in pages.text(lead.get(address))
    assert "A stock in each room" not in pages.text(lead.get(f"{address}&copy=leaving"))
    move(lead, id_, "under_way")
    move(lead, id_, "given_up")
    assert "A stock in each room" not in pages.text(lead.get(address))


def document(visitor: Visitor, query: str = "") -> tuple[list[list[str]], str]:
    """The rows of the plan as a text document, and everything in it."""
    response = visitor.ask(f"/actions/plan.docx{query}")
    assert response.status_code == 200
    found = Document(io.BytesIO(response.data))
    rows = [[cell.text for cell in row.cells] for row in found.tables[0].rows]
    parts = [found.element.xml, *(s.footer.paragraphs[0].text for s in found.sections), found.core_properties.title]
    return rows, " ".join(parts)


def test_the_document_says_what_the_page_says_and_bears_the_head(
    service: Service, lead: Visitor, two_rounds: tuple[str, str]
) -> None:
    make(service, lead, two_rounds[0], owner=service.who["nurse"].actor, post="")
    make(service, lead, two_rounds[0], what=HOSTILE, site="A")
    rows, whole = document(lead)
    assert len(rows) == 3
    assert {row[0].rpartition(": ")[2] for row in rows[1:]} == {"20% (8% to 42%), 4 of 20"}
    assert {row[3] for row in rows[1:]} == {f"{PEOPLE['nurse']}, nurse", "Lead nurse"}
    assert HOSTILE in {row[2] for row in rows}
    assert "<script>" not in whole
    assert "w:fldChar" not in whole
    assert "w:hyperlink" not in whole
    assert re.search(r"Step \d+ of the record, [0-9a-f]{64}", whole)
    assert f"measures {service.instance.measures.version}" in whole
    assert "Internal" in whole
    assert "<script>" not in lead.ask("/actions").text.replace('<script src="', "")


def test_a_copy_that_leaves_names_nobody_and_no_result_of_one_site(
    service: Service, lead: Visitor, two_rounds: tuple[str, str]
) -> None:
    nurse = PEOPLE["nurse"]
    make(service, lead, two_rounds[0], owner=service.who["nurse"].actor, post="", cause=f"As {nurse.upper()} said")
    make(service, lead, two_rounds[0], site="A", post=PEOPLE["doctor"])
    rows, whole = document(lead, "?copy=leaving")
    assert not [name for name in PEOPLE.values() if name.casefold() in whole.casefold()]
    by_site = {row[0].partition(", ")[2] for row in rows[1:]}
    assert by_site == {"all sites: 20% (8% to 42%), 4 of 20", "one site: not given in this copy"}
    assert {row[3] for row in rows[1:]} == {"Nurse", "a post, named in the service's own copy"}
    assert "As [nurse] said" in {row[1] for row in rows}


def test_below_ten_nothing_is_said_in_a_copy_that_leaves(service: Service, lead: Visitor) -> None:
    hold_cases(service, 9, 300, 4)
    make(service, lead, make_round(service, lead, "Small", 330, 250))
    assert document(lead)[0][1][0].endswith("4 of 9")
    assert document(lead, "?copy=leaving")[0][1][0].endswith("not given in this copy")


@pytest.mark.parametrize("field", ["cause", "what", "evidence", "post", "reason"])
def test_the_name_of_an_employee_is_refused_in_every_text(service: Service, lead: Visitor, field: str) -> None:
    service.employee()
    round_id = make_round(service, lead, "One", 330, 250)
    for text in (f"Ask {EMPLOYEE[0].upper()}, please", f"See {EMPLOYEE[2]}"):
        response = lead.post("/actions/new", wanted(service, round_id, **{field: text}))
        assert response.status_code == 422
        assert "write it without" in pages.text(pages.parse(response.text))
    assert actions.actions(service.instance.db.read()) == {}


def test_what_the_form_offers_is_all_it_takes(service: Service, lead: Visitor) -> None:
    round_id = make_round(service, lead, "One", 330, 250)
    for wrong in (
        {"measure": "nothing"},
        {"round": "nothing"},
        {"site": "Z"},
        {"owner": "p-0", "post": ""},
        {"due": ""},
    ):
        assert lead.post("/actions/new", wanted(service, round_id, **wrong)).status_code == 422
    assert actions.actions(service.instance.db.read()) == {}
    page = lead.get(f"/actions/new?measure={MEASURE}&round={round_id}")
    assert (pages.value_of(page, "measure"), pages.value_of(page, "round")) == (MEASURE, round_id)


def test_others_read_the_plan_and_only_the_lead_writes_in_it(service: Service, lead: Visitor) -> None:
    id_ = make(service, lead, make_round(service, lead, "One", 330, 250))
    nurse = service.visitor("nurse")
    assert "A stock in each room" in pages.text(nurse.get("/actions"))
    assert nurse.post(f"/actions/{id_}/move", {"state": "done"}).status_code == 403
    assert nurse.ask("/actions/plan.docx").status_code == 403


def test_an_incident_is_noted_by_anybody_and_finished_by_the_lead(service: Service, lead: Visitor) -> None:
    nurse, today = service.visitor("nurse"), service.instance.today().isoformat()
    sent = {"happened_on": today, "what": "It was away", "effect": "Two on paper", "done": "", "key": str(uuid.uuid4())}
    assert nurse.post("/incidents", sent).status_code == 302
    assert nurse.post("/incidents", sent).status_code == 302  # sent twice is noted once
    (step,) = steps(service.instance.db.read(), kind="incident_noted")
    assert step.actor == service.who["nurse"].actor
    address = f"/incidents/{(step.content or {})['incident']}"
    assert nurse.ask(address).status_code == 403
    seen = pages.value_of(lead.get(address), "seen")
    changed = {**sent, "done": "A second cable", "key": str(uuid.uuid4()), "seen": seen}
    assert lead.post(address, changed).status_code == 422
    assert lead.post(address, {**changed, "reason": "done"}).status_code == 302
    assert "A second cable" in pages.text(nurse.get("/incidents"))
    service.employee()
    named = {**sent, "key": str(uuid.uuid4()), "what": f"The note of {EMPLOYEE[0]}"}
    assert nurse.post("/incidents", named).status_code == 422


BY_A = {"cause": "Cause by A", "what": "Action by A", "post": "Post of A", "evidence": "Evidence by A"}
BY_B = {name: text.replace("A", "B") for name, text in BY_A.items()}


def to_change(visitor: Visitor, id_: str) -> dict[str, str]:
    """What the form of an action would send as it stands."""
    page = visitor.get(f"/actions/{id_}/change")
    return {name: pages.value_of(page, name) or "" for name in (*BY_A, "due", "seen", "key")}


@pytest.mark.parametrize(("of_a", "of_b"), list(product(BY_A, repeat=2)))
def test_a_change_that_is_out_of_date_is_shown_beside_what_stands_now(
    service: Service, lead: Visitor, of_a: str, of_b: str
) -> None:
    id_ = make(service, lead, make_round(service, lead, "Before", 90, 30))
    stale = {**to_change(lead, id_), of_b: BY_B[of_b], "reason": "B knows more"}
    done = {**to_change(lead, id_), of_a: BY_A[of_a], "reason": "A was first"}
    for _ in range(2):  # sent again it is the same change
        assert lead.post(f"/actions/{id_}/change", done).status_code == 302
    reply = lead.post(f"/actions/{id_}/change", stale)
    assert reply.status_code == 409
    stands = actions.actions(service.instance.db.read())[id_]
    assert getattr(stands.wanted, of_a) == BY_A[of_a]
    assert len(stands.history) == 2
    page = pages.parse(reply.text)
    assert {name: pages.value_of(page, name) for name in (*BY_A, "reason")} == {n: stale[n] for n in (*BY_A, "reason")}
    (beside,) = [e for e in page.iter("dl") if e.get("id") == "as-it-stands"]
    assert BY_A[of_a] in pages.text(beside)
    seen = {name: pages.value_of(page, name) or "" for name in ("seen", "key")}
    assert lead.post(f"/actions/{id_}/change", stale | seen).status_code == 302
    assert getattr(actions.actions(service.instance.db.read())[id_].wanted, of_b) == BY_B[of_b]
