"""Everything held about one employee, for the employee who asks; and pages once somebody was erased."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree.ElementTree import Element

import pages
import pytest
from visiting import EMPLOYEE, PEOPLE, Service, Visitor, opened

from consult import erasing
from consult.documents.note import WIDTH
from consult.proforma.answer import Answer
from consult.record import about, identity, ledger, reading
from consult.record import erasing as record
from consult.record.ledger import steps

SAID = "Zebedee fell from the ladder"
OTHER = ("Wanda Wombat", date(1971, 1, 2), "LOCAL-778")


@pytest.fixture(scope="module")
def shared(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A signed consultation with words, papers and a need; an ended one; and one of somebody else."""
    service = opened(Path(shutil.copytree(made, tmp_path_factory.mktemp("everything") / "instance")))
    store, nurse = service.instance.store, service.who["nurse"]
    given = {"back_pain_reason": Answer("answered", "main"), "story_of_episode": Answer("answered", SAID)}
    signed = service.signed(**given)
    core = service.instance.leaflets["back-pain-core", "en"]
    content = {"leaflet": core.id, "version": core.version, "language": "en", "format": "a4", "digest": core.digest}
    store.note_after(signed, "leaflet_given", {**content, "form": "printed"}, "key-of-a-leaflet-1", nurse)
    employee = service.consultation(signed).started["employee"]
    with service.instance.db.write() as conn:
        told = reading.Need("some", size="large")
        reading.tell(conn, employee, told, (nurse.actor, nurse.role), store.at(), "key-of-a-need-12345")
        other = identity.add_employee(conn, *OTHER, store.at())
        ledger.append(conn, ledger.Draft("employee_registered", {"employee": other.id}, nurse.actor, store.at()))
    service.visitor("nurse").get(f"/consultations/{signed}/steps")
    yield service
    service.instance.close()


@pytest.fixture(scope="module")
def employee(shared: Service) -> str:
    return identity.find(shared.instance.db.read(), EMPLOYEE[0])[0].id


def asked(visitor: Visitor, employee: str, form: str = "html", reason: str = "Asked by letter of 3 March") -> str:
    reply = visitor.client.post(
        f"/employees/{employee}/everything",
        data={"form": form, "reason": reason},
        headers={"X-CSRFToken": visitor.csrf()},
    )
    assert reply.status_code == 200
    assert reply.headers["Cache-Control"] == "no-store"
    return reply.text


def _pairs(page: Element) -> list[list[Element]]:
    """Each term of the copy with its words."""
    return [list(one) for one in page.iter("div") if [e.tag for e in one] == ["dt", "dd"]]


def about_in_the_record(service: Service, employee: str) -> set[int]:
    """The steps about an employee, looked for in another way than the product does: in the text of every step."""
    conn = service.instance.db.read()
    mine = {r["id"] for r in conn.execute("SELECT id FROM consultation WHERE employee = ?", (employee,))}
    return {s.seq for s in steps(conn) if s.consultation in mine or employee in json.dumps([s.question, s.content])}


def test_no_step_about_the_employee_is_missing_and_none_of_another_is_there(shared: Service, employee: str) -> None:
    data = json.loads(asked(shared.visitor("nurse"), employee, "json"))
    assert {step["seq"] for step in data["steps"]} == about_in_the_record(shared, employee)
    assert len(data["steps"]) > 8
    assert data["employee"]["name"] == EMPLOYEE[0]
    other = identity.find(shared.instance.db.read(), OTHER[0])[0].id
    assert other not in json.dumps(data)
    kinds = {step["kind"] for step in data["steps"]}
    assert {"leaflet_given", "reading_need_told", "consultation_viewed", "consultation_signed"} <= kinds


def test_the_page_says_each_step_in_plain_words(shared: Service, employee: str) -> None:
    text = asked(shared.visitor("nurse"), employee)
    page = pages.parse(text)
    assert list(pages.faults(page)) == []
    said = pages.text(page)
    for seq in about_in_the_record(shared, employee):
        assert f"step {seq}" in said
    for words in (
        EMPLOYEE[0],
        "2 March 1980",
        EMPLOYEE[2],
        SAID,
        PEOPLE["nurse"],
        "Leaflet given",
        "Large print (16 point)",
        "Looked at",
    ):
        assert words in said, words
    assert OTHER[0] not in said
    assert "_" not in said.replace(shared.instance.library.current.digest, "").partition("Who did")[2]
    assert pages.title(page) == "Everything held about one employee"  # a title names nobody


def test_how_somebody_needs_to_read_and_a_leaflet_are_said_in_words_and_not_by_their_codes(
    service: Service, nurse: Visitor
) -> None:
    """It read "size:large", "pl" and "back-pain-core", which whoever asks for the copy can't know."""
    talk = service.begin()
    employee = service.consultation(talk).started["employee"]
    need = {"answer": "some", "size": "giant", "language": "pl", "others": "braille", "easy_read": "yes"}
    assert nurse.post(f"/employees/{employee}/reading-need", need).status_code == 302
    core = service.instance.leaflets["back-pain-core", "en"]
    given = {"language": "en", "form": "link", "format": "a4"}
    assert nurse.post(f"/consultations/{talk}/leaflets/{core.id}/given", given).status_code == 302
    unmet = {"leaflet": core.id, "needs": ["language:pl", "other:braille"], "reason": "no_version"}
    assert nurse.post(f"/consultations/{talk}/needs-not-met", unmet).status_code == 302
    page = pages.parse(asked(nurse, employee))
    said = {(pages.text(term).strip(), pages.text(words).strip()) for term, words in _pairs(page)}
    assert said >= {
        ("Size", "Very large print (24 point)"),
        ("Answer", "Needs another form"),
        ("Language", "Polish"),
        ("Language", "English"),
        ("Others", "Braille"),
        ("Leaflet", core.title),
        ("Form", "as a link"),
        ("Format", "A4"),
        ("Needs", "Polish; Braille"),
        ("Site", "Site A (invented)"),
        ("Form", "as a page"),
        ("Reason", "There is no such version of this leaflet"),
    }
    assert not {words for _, words in said} & {core.id, "en", "pl", "giant", "some", "a4", "language:pl"}


def test_the_note_of_the_copy_is_broken_by_the_page_and_not_in_the_middle_of_it(shared: Service, employee: str) -> None:
    """Its lines were broken for the electronic record, and again where a sheet or a narrow screen ends."""
    page = pages.parse(asked(shared.visitor("nurse"), employee))
    note = next(e for e in page.iter("div") if e.get("class") == "note")
    lines = [pages.text(e).strip() for e in note]
    as_recorded = json.loads(asked(shared.visitor("nurse"), employee, "json"))["consultations"][0]["note"]
    assert " ".join(lines).lower().split() == as_recorded.lower().split()
    assert max(map(len, lines)) > WIDTH >= max(map(len, as_recorded.splitlines()))
    assert "After signing" in lines


def test_what_is_counted_of_a_consultation_is_said_in_the_words_of_the_data_set(shared: Service, employee: str) -> None:
    """It read "rf cauda equina: not_recorded"."""
    page = pages.parse(asked(shared.visitor("nurse"), employee))
    said = [(pages.text(a).strip(), pages.text(b).strip()) for a, b in _pairs(page)]
    dataset = shared.instance.library.current.dataset
    case = json.loads(asked(shared.visitor("nurse"), employee, "json"))["consultations"][0]["case"]
    held = {name.replace(" ", "_"): text for name, text in case.items()}
    fields = [dataset.by_name[name] for name in held if name not in ("site", "consultation_date")]
    assert len(fields) > 5
    for field in fields:
        assert (field.title, field.said(held[field.name])) in said
    assert ("Site", "Site A (invented)") in said


def test_why_a_consultation_ended_is_said_in_the_words_that_were_chosen(service: Service, nurse: Visitor) -> None:
    reasons = service.instance.library.current.proforma.reasons
    for end, chosen in (("abandon", reasons.without_signing), ("in-error", reasons.in_error)):
        code, words = next(iter(chosen.items()))
        talk = service.begin()
        nurse.post(f"/consultations/{talk}/{end}", {"reason": code})
        said = pages.parse(asked(nurse, service.consultation(talk).started["employee"]))
        ended = [pages.text(e) for e in said.iter("dd")]
        assert words in ended
        assert code.replace("_", " ") not in ended


def test_that_it_was_put_together_is_a_step_with_its_reason(shared: Service, employee: str) -> None:
    visitor, conn = shared.visitor("doctor"), shared.instance.db.read()
    asked(visitor, employee, "json", "Asked in person on 4 March")
    step = list(steps(conn, kind="record_handed_out"))[-1]
    assert step.content == {"employee": employee, "form": "json", "reason": "Asked in person on 4 March"}
    assert step.actor == shared.who["doctor"].actor
    visitor.ask(f"/employees/{employee}/everything")  # shows who it is, which is a look once a visit
    before = ledger.head(conn)
    for reason in ("", "  ", "x"):
        reply = visitor.post(f"/employees/{employee}/everything", {"form": "html", "reason": reason})
        assert reply.status_code == 422
        assert "Say who asked for it" in reply.text
    assert ledger.head(conn) == before


def test_once_erased_the_consultation_names_nobody_and_its_pages_work(made: Path, tmp_path: Path) -> None:
    service = opened(Path(shutil.copytree(made, tmp_path / "instance")))
    try:
        told = {"back_pain_reason": Answer("answered", "main"), "story_of_episode": Answer("answered", SAID)}
        signed = service.signed(**told)
        instance, nurse = service.instance, service.visitor("nurse")
        who = service.consultation(signed).started["employee"]
        with instance.db.write() as conn:
            known = record.check_may_go(conn, who, instance.today())
            going = erasing.chosen(erasing.typed_about(conn, instance.library, known), "naming")
            assert [s.question for s in going] == ["story_of_episode"]
            dataset = instance.library.current.dataset
            erasing.take_out(conn, dataset, who, "The employee asked", going, "cli:test", instance.store.at())
        for path in ("", "/steps", "/note", "/report", "/letter", "/addendum"):
            reply = nurse.ask(f"/consultations/{signed}{path}")
            assert reply.status_code == 200, path
            assert not [word for word in ("Zebedee", "Quillfeather", "2 March 1980", EMPLOYEE[2]) if word in reply.text]
        assert "Identity removed" in nurse.ask(f"/consultations/{signed}").text
        assert "Redacted" in nurse.ask(f"/consultations/{signed}/steps").text
        assert nurse.ask(f"/employees/{who}").status_code == 404
        assert nurse.ask(f"/employees/{who}/everything").status_code == 404
        for path in ("/", "/results", "/follow-up"):
            assert nurse.ask(path).status_code == 200
        assert about.consultations_of(instance.db.read(), who) == [signed]
    finally:
        service.instance.close()
