"""What leaves the provider: every address asked by every role, with canaries in names, numbers and free text."""

from __future__ import annotations

import csv
import html
import io
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import constructed
import pages
import pypdfium2
import pytest
from addresses import address, audit_values, methods, rules
from visiting import EMPLOYEE, PEOPLE, Service, Visitor, opened
from werkzeug.test import TestResponse

from consult.accounts.policy import allowed
from consult.audit import leaving
from consult.exchange.casefile import export, import_cases
from consult.exchange.intake import Import
from consult.proforma.answer import Answer
from consult.proforma.path import blank_emergencies

EMPLOYEE_SAID = "canary-of-the-employee"
NOTES_SAID = "canary-of-the-notes"
CLINICIAN = "canary-clinician"
IDENTITY = (EMPLOYEE[0].lower(), EMPLOYEE[2].lower(), "2 march 1980", "1980-03-02")
FREE_TEXT = (EMPLOYEE_SAID, NOTES_SAID, CLINICIAN)
FEW = {"staff_group": "medical_dental", "off_sick_today": "yes", "barriers_asked": "yes"}
"""Three cases of one small group: what must not be told apart."""

INTERNAL_FILES = {
    "results.download": "results as JSON, raw",
    "results.file": "results as CSV or workbook, raw",
    "results.case_file": "cases as CSV or workbook, raw",
    "actions.plan": "the action plan with its owners",
    "evidence.report": "the audit report, as PDF",
}
"""Addresses that give a file of the audit that stays inside: its name or its text says so."""

ABOUT_NOBODY = {
    "health": "whether the server is up",
    "session_state": "whether the session is still open",
    "leaflets.show": "a leaflet, as PDF",
    "leaflets.read": "the very text of a printed leaflet",
    "paper.show": "the printed proforma, blank",
}
OF_ONE_EMPLOYEE = {
    "consultations.note": "the note, for the clinician who holds the consultation",
    "consultations.report": "the report, for the clinician who holds the consultation",
    "consultations.letter": "the urgent letter, for the clinician who holds the consultation",
    "consultations.leaflet_again": "what was given, printed again, for the clinician who holds the consultation",
}
NOT_OPENED = {
    "static",
    "consultations.coming",
    "consultations.sign",
    "consultations.take_over",
    "consultations.leaflet_again",
    "entry.edit",
    "reliability.read",
    "sign_on.start",
    "sign_on.back",
}
"""Addresses that give no page here: files of the program, what a signed consultation or a live case has not, and the
two that lead to a provider of single sign-on and back, where none is set up."""

NAMED = {"home", "followup.index", "consultations.show", "consultations.start", "consultations.abandon"}
"""Pages that may name an employee beside those of `employees.` and `consultations.`, for clinicians only."""


@dataclass(frozen=True)
class Reply:
    """What one role got at one address."""

    role: str | None
    endpoint: str
    path: str
    kind: str
    name: str
    text: str

    @property
    def is_file(self) -> bool:
        """Whether it is a file or data, and no page."""
        return self.kind != "text/html" or bool(self.name)

    @property
    def leaves(self) -> bool:
        """Whether it says of itself that it may leave."""
        said = self.text.lower()
        marked = "copy that may leave the provider: the whole service" in said or ". may leave the provider." in said
        return self.name.startswith("leaving-") or marked or f"\n{leaving.LEAVES};" in said


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Constructed cases, three cases of a group of their own, and a signed consultation full of free text."""
    running = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("leaving") / "instance")))
    instance = running.instance
    constructed.fill(instance, {"retrospective": 0.5})
    dataset = instance.library.current.dataset
    made_up = constructed.constructed(dataset, "DEMO", "paper", 0.2)
    words = {"stay_reason": NOTES_SAID, "clinician_ref": CLINICIAN}
    rows = [row | words for row in made_up if row["staff_group"] != FEW["staff_group"]]
    rows[:3] = [row | FEW for row in rows[:3]]
    how = Import("DEMO", constructed.LAST, "cli:test", instance.store.at())
    assert import_cases(instance.db, dataset, "".join(export(rows, dataset)), how).bad == []
    yield running
    instance.close()


@pytest.fixture(scope="module")
def values(shared: Service) -> dict[str, str]:
    """Something that is there for each part of an address; free text wherever it can be typed."""
    signed = sign_with_words(shared)
    found = audit_values(shared)
    lead = shared.visitor("audit_lead")
    wanted = {"name": "On paper", "capture": "paper", "start": "2025-01-01", "end": "2026-12-31", "rule": "all"}
    round_id = lead.post("/rounds/new", {**wanted, "n": "40"}).headers["Location"].rpartition("/")[2]
    words = {"what": f"{PEOPLE['nurse']} could not sign in", "effect": "None", "happened_on": "2026-01-02"}
    lead.post("/incidents", words)
    return found | {
        "round_id": round_id,
        "consultation_id": signed,
        "employee_id": shared.consultation(signed).started["employee"],
        "block_id": "rest_of_red_flags",
        "section_id": "red_flags",
        "leaflet_id": "back-pain-core",
        "short": shared.instance.leaflets["back-pain-core", "en"].digest[:20],
        "step": "1",
        "question_id": next(q.id for q in shared.instance.library.current.proforma.questions if q.emergency),
        "measure_id": "barriers_asked",
        "provider": "DEMO",
        "mode": "live",
        "case_ref": signed,
        "code": "A",
        "file_name": "results.csv",
        "cases_name": "cases.csv",
        "digest": shared.instance.library.current.digest,
        "person_id": shared.who["nurse"].actor,
    }


def sign_with_words(service: Service) -> str:
    """A signed consultation in which every question that takes text holds the canary."""
    consultation_id = service.begin()
    store, who = service.instance.store, service.who["nurse"]
    words = {"back_pain_reason": "main", "visit_and_episode": "first_ever_episode"}
    given = {question: Answer("answered", value) for question, value in words.items()}
    texts = [q.id for q in store.library.current.proforma.questions if q.kind == "text"]
    for question in [*given, *texts]:
        known = service.consultation(consultation_id)
        if question in store.path_of(known):
            asked = store.library.current.proforma.by_id[question]
            answer = given.get(question, Answer("answered", EMPLOYEE_SAID))
            store.save(consultation_id, asked, answer, known.seen(question), f"k:{question}", "single", who)
    blank = blank_emergencies(store.path_of(service.consultation(consultation_id)))
    reason = {"reason": "other", "text": EMPLOYEE_SAID, "questions": [q.id for q in blank]}
    store.note(consultation_id, "blank_emergencies_explained", reason, "k:blank", who)
    assert service.visitor("nurse").post(f"/consultations/{consultation_id}/sign").status_code == 302
    said = [a.value for a in service.consultation(consultation_id).answers.values()]
    assert said.count(EMPLOYEE_SAID) > 2
    return consultation_id


QUERIES = {
    "results": ("", "copy=leaving", "capture=paper", "copy=leaving&capture=paper&site=N"),
    "actions": ("", "copy=leaving"),
    "rounds": ("", "copy=leaving"),
    "evidence": ("", "format=pdf"),
}
"""What is asked for, by area: plain, as a copy that leaves, of one site; elsewhere plain and as PDF."""

ROLES = ("audit_lead", "nurse", "doctor", "administrator", None)
"""One of each kind: nurse, doctor and physiotherapist may open the same addresses, the doctor holds no consultation."""


@pytest.fixture(scope="module")
def replies(shared: Service, values: dict[str, str]) -> list[Reply]:
    """What every role gets at every address, plain, as a copy that leaves, of one site, and as PDF."""
    found = []
    for role in ROLES:
        visitor = shared.visitor(role or "")
        for rule in rules(shared):
            if rule.endpoint == "static" or "GET" not in methods(rule) or not allowed(role, rule.endpoint):
                continue
            plain = address(shared, rule, values)
            queries = QUERIES.get(rule.endpoint.split(".")[0], ("", "format=pdf"))
            for query in queries if role == "audit_lead" or rule.endpoint == "evidence.own" else queries[:1]:
                for path in other_files(plain):
                    found += asked(visitor, role, rule.endpoint, f"{path}?{query}" if query else path)
    missed = {rule.endpoint for rule in rules(shared) if "GET" in methods(rule)} - {reply.endpoint for reply in found}
    assert missed <= NOT_OPENED, missed
    return found


def other_files(path: str) -> list[str]:
    """An address, and those of the other forms of the same file."""
    forms = {
        "results.csv": ("results.csv", "results.xlsx", "indicators.csv"),
        "cases.csv": ("cases.csv", "cases.xlsx"),
        "seqohs": ("seqohs", "mohawk"),
    }
    for name, others in forms.items():
        if name in path:
            return [path.replace(name, other) for other in others]
    return [path]


def asked(visitor: Visitor, role: str | None, endpoint: str, path: str) -> Iterator[Reply]:
    response = visitor.ask(path)
    if response.status_code == 200:
        name = re.search(r'filename="([^"]+)"', response.headers.get("Content-Disposition", ""))
        yield Reply(role, endpoint, path, response.mimetype, name[1] if name else "", words(response))


def words(response: TestResponse) -> str:
    """What a reply says, whatever kind of file it is."""
    if response.data.startswith(b"PK"):
        book = zipfile.ZipFile(io.BytesIO(response.data))
        parts = [book.read(name).decode("utf-8", "replace") for name in book.namelist() if name.endswith(".xml")]
        return html.unescape(re.sub(r"<[^>]+>", "\n", "\n".join(parts)))
    if response.data.startswith(b"%PDF"):
        with closing(pypdfium2.PdfDocument(response.data)) as document:
            return "\n".join(page.get_textpage().get_text_range() for page in document)
    return html.unescape(response.text)


def test_only_what_is_listed_says_that_it_may_leave(replies: list[Reply]) -> None:
    may = {reply.endpoint for reply in replies if reply.leaves}
    assert may | {"evidence.own"} == set(leaving.OUTPUTS), may ^ set(leaving.OUTPUTS)
    others = [r for r in replies if "copy=leaving" in r.path and not r.leaves and r.endpoint in leaving.OUTPUTS]
    assert {reply.endpoint for reply in others} <= {"evidence.own", "evidence.indicators"}


def test_every_file_is_listed_as_leaving_internal_or_about_nobody(replies: list[Reply]) -> None:
    """A new address that gives a file or data fails here until it is said which of them it is."""
    known = {**INTERNAL_FILES, **ABOUT_NOBODY, **OF_ONE_EMPLOYEE}
    for reply in replies:
        if reply.is_file and not reply.leaves:
            assert reply.endpoint in known or reply.endpoint == "evidence.own", (reply.endpoint, reply.path)
            if reply.endpoint in INTERNAL_FILES and reply.kind != "application/json":
                assert reply.name.startswith("internal-"), reply.path


def test_no_canary_leaves(replies: list[Reply]) -> None:
    colleagues = list(PEOPLE.values())
    sites = list(constructed.SITES.values())
    outputs = [reply for reply in replies if reply.leaves]
    assert len({reply.endpoint for reply in outputs}) > 5
    for reply in outputs:
        said = reply.text.lower()
        said = said.partition("<main")[2].partition("</main>")[0] or said  # the head names who is signed in, on screen
        found = [one for one in (*IDENTITY, *FREE_TEXT, *colleagues, *sites) if one.lower() in said]
        assert found == [], (reply.path, found)


def test_the_canaries_are_there_to_be_found(replies: list[Reply]) -> None:
    """The control: what stays inside does hold them, so that their absence elsewhere says something."""
    inside = {
        one: {r.endpoint for r in replies if not r.leaves and one.lower() in r.text.lower()}
        for one in (*IDENTITY[:2], *FREE_TEXT, PEOPLE["nurse"], constructed.SITES["N"])
    }
    assert all(inside.values()), inside
    assert "results.case_file" in inside[NOTES_SAID] & inside[CLINICIAN]


def test_who_the_employee_is_stands_on_pages_of_clinicians_only(replies: list[Reply]) -> None:
    for reply in replies:
        if any(one in reply.text.lower() for one in IDENTITY):
            assert reply.role in ("nurse", "doctor", "physiotherapist"), (reply.role, reply.path)
            assert reply.endpoint in NAMED or reply.endpoint.split(".")[0] in ("employees", "consultations"), reply.path


def test_the_words_of_the_employee_stay_with_the_consultation(replies: list[Reply]) -> None:
    """Free text of a consultation is on its own pages and nowhere in the audit, inside the provider too."""
    for reply in replies:
        if EMPLOYEE_SAID in reply.text:
            assert reply.endpoint.split(".")[0] == "consultations", (reply.role, reply.path)


# ---------------------------------------------------------------- suppression


def of_paper(replies: list[Reply], endpoint: str, kind: str) -> Reply:
    path = "copy=leaving&capture=paper"
    return next(r for r in replies if r.endpoint == endpoint and path in r.path and r.kind == kind)


def test_a_small_group_and_one_further_group_are_withheld(replies: list[Reply]) -> None:
    page = pages.parse(of_paper(replies, "results.measure", "text/html").text.replace("&", "&amp;"))
    (section,) = (s for s in page.iter("div") if s.get("aria-labelledby") == "paper-by-staff-group")
    rows = [[pages.text(cell) for cell in row] for row in section.iter("tr")][1:]
    withheld = [row[0] for row in rows if row[1] == "withheld"]
    assert "Medical and dental" in withheld
    assert len(withheld) >= 2
    for row in rows:
        if row[0] not in withheld:
            met, n = map(int, row[1].split(" of "))
            assert not {met, n - met} & {1, 2, 3, 4}


def test_how_many_cases_were_left_out_can_not_be_had_by_subtraction(shared: Service) -> None:
    found = {}
    for copy in ("", "&copy=leaving"):
        page = shared.visitor("audit_lead").get(f"/results/measures/barriers_asked?capture=paper{copy}")
        (section,) = (s for s in page.iter("div") if s.get("aria-labelledby") == "explain-paper")
        found[copy] = [int(pages.text(list(row)[1])) for row in section.findall(".//tbody/tr")]
        assert sum(found[copy][:-1]) == found[copy][-1]
    inside, outside = found.values()
    assert inside[:4] == outside[:4]
    assert inside[-1] > outside[-1]


@pytest.mark.parametrize("path", ["/results", "/results/measures/barriers_asked", "/results/files/results.csv"])
def test_fewer_than_ten_cases_do_not_leave_however_they_are_chosen(shared: Service, path: str) -> None:
    """A period with a few cases, whatever site is asked for with it."""
    lead = shared.visitor("audit_lead")
    query = "SELECT consultation_date FROM case_row WHERE capture_mode = 'retrospective' ORDER BY 1"
    days = [row[0] for row in shared.instance.db.read().execute(query)]
    for site in ("", "&site=N"):
        text = lead.ask(f"{path}?copy=leaving&capture=retrospective&from={days[0]}&to={days[6]}{site}").text
        if path.endswith(".csv"):
            assert list(csv.DictReader(io.StringIO(text, newline=""))) == []
        else:
            assert not re.search(r"\b\d+ of \d+\b", text)
            assert "ithheld" in text or "No case is selected" in text


def test_cases_that_leave_have_a_month_and_no_words(replies: list[Reply]) -> None:
    rows = list(csv.DictReader(io.StringIO(of_paper(replies, "results.case_file", "text/csv").text, newline="")))
    assert len(rows) > 20
    assert not {"clinician_ref", "stay_reason"} & set(rows[0])
    assert {len(row["consultation_date"]) for row in rows} == {7}
