"""How an employee needs to read: asked once, chosen on every later page, and what is not met is recorded with why."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pages
import pytest
from test_report_page import leaves
from visiting import EMPLOYEE, Service, Visitor

from consult.content import content_folders
from consult.documents import needs
from consult.documents.leaflet import FORMATS
from consult.documents.report import digest
from consult.proforma.answer import Answer
from consult.proforma.load import ContentError
from consult.record import ledger, reading
from consult.record.reading import Need

LARGE = {"answer": "some", "size": "large"}


def held(service: Service, consultation_id: str) -> str:
    return str(service.consultation(consultation_id).started["employee"])


def tell(visitor: Visitor, employee: str, status: int = 302, **said: object) -> None:
    assert visitor.post(f"/employees/{employee}/reading-need", said).status_code == status


def shown(visitor: Visitor, talk: str) -> str:
    return pages.text(visitor.get(f"/consultations/{talk}"))


def test_it_is_asked_once_and_stands_in_every_later_consultation_and_on_the_employees_page(
    service: Service, nurse: Visitor
) -> None:
    talk = service.begin()
    employee = held(service, talk)
    assert "Not asked yet" in shown(nurse, talk)
    tell(nurse, employee, **LARGE, language="pl", others=["braille"], consultation=talk)
    for page in (shown(nurse, talk), pages.text(nurse.get(f"/employees/{employee}"))):
        assert "Large print (16 point); Polish; Braille" in page
    assert "No leaflet in use is in this language" in shown(nurse, talk)
    other = service.visitor("doctor")
    assert "Large print (16 point); Polish; Braille" in pages.text(other.get(f"/employees/{employee}"))
    tell(other, employee, answer="none")
    assert "No need beyond ordinary print" in shown(nurse, talk)
    tell(nurse, employee, answer="declined")
    assert "would rather not say" in shown(nurse, talk)
    assert [s.content["answer"] for s in ledger.steps(service.instance.db.read(), kind=reading.TOLD) if s.content] == [
        "some",
        "none",
        "declined",
    ]


def test_nothing_is_assumed_and_what_does_not_fit_is_refused(service: Service, nurse: Visitor) -> None:
    employee = service.employee()
    for said in (
        {},
        {"answer": "some"},
        {"answer": "none", "size": "large"},
        {"answer": "declined", "easy_read": "yes"},
        {"answer": "some", "size": "enormous"},
        {"answer": "some", "language": "<x>"},
        {"answer": "perhaps"},
    ):
        tell(nurse, employee, 422, **said)
    assert reading.need(service.instance.db.read(), employee) is None
    page = nurse.get(f"/employees/{employee}")
    assert not [e for e in page.iter("input") if e.get("name") == "answer" and e.get("checked") is not None]
    assert nurse.post("/employees/nobody/reading-need", LARGE).status_code == 404


def test_the_step_holds_codes_only_and_no_name(service: Service, nurse: Visitor) -> None:
    employee = service.employee()
    tell(nurse, employee, **LARGE, others=["other", EMPLOYEE[0]])
    step = next(ledger.steps(service.instance.db.read(), kind=reading.TOLD))
    assert step.content == {
        "employee": employee,
        "answer": "some",
        "size": "large",
        "language": "",
        "easy_read": False,
        "others": ["other"],
    }


@pytest.mark.parametrize("size", ["large", "giant"])
def test_the_needed_format_stands_chosen_and_can_be_changed(service: Service, nurse: Visitor, size: str) -> None:
    talk = service.begin()
    tell(nurse, held(service, talk), answer="some", size=size)
    page = nurse.get(f"/consultations/{talk}")
    for group in (e for e in page.iter("div") if (e.get("aria-label") or "").startswith("Leaflet: ")):
        title = (group.get("aria-label") or "").removeprefix("Leaflet: ")
        leaflet = next(one for one in service.instance.leaflets.values() if one.title == title)
        wanted = needs.wanted_format(Need("some", size), leaflet)
        assert bool(wanted) == (leaflet.audience == "employee" and bool({size, "giant"} & set(leaflet.formats)))
        options = list(group.iter("option"))
        assert [e.get("value") for e in options if e.get("selected") is not None] == ([wanted] if wanted else [])
        main = [pages.text(e) for e in group.iter("button") if "nhsuk-button--secondary" not in (e.get("class") or "")]
        assert len(main) == bool(wanted), title
        assert all("(needed)" in text for text in main)
        assert {e.get("value") for e in options} == set(leaflet.formats)


@pytest.mark.parametrize("size", ["", "large", "giant"])
def test_the_urgent_letter_and_the_employees_copy_of_the_report_follow_the_need(
    service: Service, nurse: Visitor, size: str
) -> None:
    given = {"report_consent": "given", "report_copy_choice": "before", "can_do_at_work": "Desk work"}
    talk = service.signed(**{question: Answer("answered", value) for question, value in given.items()})
    if size:
        tell(nurse, held(service, talk), answer="some", size=size)
    report = f"/consultations/{talk}/report"
    shown_digest = digest(leaves(nurse.get(report)))
    assert nurse.post(report, {"kind": "manager", "act": "final", "shown": shown_digest}).status_code == 302
    assert papers(nurse, report) == ["a4", size or "a4"]
    assert papers(nurse, f"{report}?format=a5") == ["a5", "a5"]
    letter = f"/consultations/{talk}/letter"
    assert papers(nurse, letter) == [size or "a4"]
    assert papers(nurse, f"{letter}?format=a5") == ["a5"]
    (chosen,) = [o.get("value") for o in nurse.get(letter).iter("option") if o.get("selected") is not None]
    assert chosen == (size or "a4")


def papers(visitor: Visitor, address: str) -> list[str]:
    """The format of each paper that a page would print."""
    classes = [(e.get("class") or "").split() for e in visitor.get(address).iter("article")]
    return [name.removeprefix("letter--") for names in classes for name in names if name[8:] in FORMATS]


def test_easy_read_comes_out_of_the_fold(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    tell(nurse, held(service, talk), answer="some", easy_read="yes")
    page = nurse.get(f"/consultations/{talk}")
    folded = " ".join(pages.text(e) for e in page.iter("details") if e.get("id") == "other-leaflets")
    easy = [one for one in service.instance.leaflets.values() if one.easy_read]
    assert easy
    assert not [one.title for one in easy if f"Leaflet: {one.title}" in folded]


def test_a_leaflet_given_in_another_form_asks_why_and_the_reason_is_counted(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    tell(nurse, held(service, talk), **LARGE, easy_read="yes")
    gave = {"language": "en", "form": "printed", "format": "a4"}
    assert nurse.post(f"/consultations/{talk}/leaflets/back-pain-core/given", gave).status_code == 302
    assert "was given without: Large print (16 point); Easy read" in shown(nurse, talk)
    path = f"/consultations/{talk}/needs-not-met"
    assert nurse.post(path, {"reason": "printer"}).status_code == 422
    assert nurse.post(path, {"needs": ["size:large"], "reason": "because"}).status_code == 422
    assert nurse.post(path, {"needs": ["size:giant"], "reason": "printer"}).status_code == 422
    said = {"needs": ["size:large", "easy_read"], "leaflet": "back-pain-core", "reason": "printer"}
    assert nurse.post(path, said).status_code == 302
    page = shown(nurse, talk)
    assert "was given without" not in page
    unmet = "Large print (16 point); Easy read. It could not be printed here."
    assert f"Not met in “Back pain and your work”: {unmet}" in page
    steps = shown(nurse, f"{talk}/steps")
    assert "A need of the employee was not met" in steps
    for role in ("administrator", "audit_lead"):
        counts = pages.text(service.visitor(role).get("/reading-needs"))
        assert re.search(r"Large print \(16 point\)\s*It could not be printed here\s*1 to 4", counts)
        assert EMPLOYEE[0] not in counts
    assert service.visitor("nurse").ask("/reading-needs").status_code == 403


def test_a_leaflet_that_was_not_given_after_all_asks_for_no_reason(service: Service, nurse: Visitor) -> None:
    talk = service.begin()
    tell(nurse, held(service, talk), **LARGE)
    address = f"/consultations/{talk}/leaflets/back-pain-core"
    nurse.post(f"{address}/given", {"language": "en", "form": "printed", "format": "a4"})
    assert "was given without" in shown(nurse, talk)
    given = service.consultation(talk).documents[-1].seq
    assert nurse.post(f"{address}/not-given", {"given": str(given)}).status_code == 302
    assert "was given without" not in shown(nurse, talk)


@pytest.mark.parametrize(
    ("acts", "counts"),
    [
        (("given", "unmet", "back"), 0),
        (("given", "back", "unmet"), 1),
        (("given", "unmet", "back", "given", "unmet"), 1),
        (("given", "given", "unmet", "back"), 1),
        (("unmet", "given", "back"), 1),
        (("unmet",), 1),
        (("given", "unmet of all", "back"), 1),
    ],
)
def test_a_reason_about_a_leaflet_falls_with_the_giving_that_is_taken_back(
    service: Service, nurse: Visitor, acts: tuple[str, ...], counts: int
) -> None:
    talk = service.begin()
    tell(nurse, held(service, talk), **LARGE)
    address = f"/consultations/{talk}/leaflets/back-pain-core"
    for act in acts:
        if act == "given":
            nurse.post(f"{address}/given", {"language": "en", "form": "printed", "format": "a4"})
        elif act == "back":
            documents = service.consultation(talk).documents
            nurse.post(
                f"{address}/not-given", {"given": str([s for s in documents if s.kind == "leaflet_given"][-1].seq)}
            )
        else:
            leaflet = "" if act == "unmet of all" else "back-pain-core"
            said = {"needs": ["size:large"], "leaflet": leaflet, "reason": "printer"}
            nurse.post(f"/consultations/{talk}/needs-not-met", said)
    assert sum(reading.counted(service.instance.db.read()).unmet.values()) == counts
    assert shown(nurse, talk).count("Not met") == counts


def test_counts_are_of_employees_as_last_told(service: Service, nurse: Visitor) -> None:
    for n in range(6):
        employee = service.employee(f"Person {'ABCDEF'[n]}", number=f"N-{n}")
        tell(nurse, employee, answer="some", size="giant")
        tell(nurse, employee, **LARGE)
    counts = pages.text(service.visitor("administrator").get("/reading-needs"))
    assert re.search(r"Large print \(16 point\)\s*6", counts)
    assert "24 point" not in counts


def test_every_need_against_every_form_given(service: Service) -> None:
    """The whole table: a size is met by that size or a larger one, and of a link it is left to the reader."""
    leaflets = service.instance.leaflets
    for size, given, form, easy, language in product(
        ("", "large", "giant"), ("", *FORMATS), ("printed", "link"), (True, False), ("", "pl", "en")
    ):
        if not (size or easy or language):
            continue
        need = Need("some", size, language, easy, ("electronic", "bsl"))
        for leaflet in ("back-pain-core", "back-pain-core-easy-read"):
            content = {"leaflet": leaflet, "language": "en", "format": given, "form": form}
            left = set(needs.not_met(need, content, leaflets))
            enough = form == "link" or not size or given == "giant" or (given == "large" and size == "large")
            assert (f"size:{size}" in left) is (bool(size) and not enough)
            assert (f"language:{language}" in left) is (language == "pl")
            assert ("easy_read" in left) is (easy and leaflet == "back-pain-core")
            assert ("other:electronic" in left) is (form == "printed")
            assert "other:bsl" in left


def test_the_words_are_a_file_that_an_installation_may_change_and_a_wrong_one_is_refused(service: Service) -> None:
    shipped = (content_folders("leaflets")[0] / needs.FILE).read_text("utf-8")
    own = service.instance.folder / "leaflets"
    own.mkdir()
    (own / needs.FILE).write_text(shipped.replace('pl = "Polish"', 'pl = "Polski"'), "utf-8")
    assert "Polski" in pages.text(service.visitor("nurse").get(f"/employees/{service.employee()}"))
    for wrong in (re.sub(r'code = "giant"', 'code = "huge"', shipped), shipped.replace("[reasons]", "[reason]")):
        with pytest.raises(ContentError):
            needs.parse_needs(wrong)
    assert Path(own / needs.FILE).exists()
