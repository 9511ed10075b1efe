"""Everything held about one employee, for the employee who asks; and pages once somebody was erased."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pages
import pytest
from visiting import EMPLOYEE, PEOPLE, Service, Visitor, opened

from consult import erasing
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
        "large",
        "Looked at",
    ):
        assert words in said, words
    assert OTHER[0] not in said
    assert "_" not in said.replace(shared.instance.library.current.digest, "").partition("Who did")[2]
    assert pages.title(page) == "Everything held about one employee"  # a title names nobody


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
