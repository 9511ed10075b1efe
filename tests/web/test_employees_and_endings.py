"""Finding and registering people, and every way a consultation ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pages
import pytest
from msgspec.structs import replace
from visiting import EMPLOYEE, Service, Visitor

from consult.audit import cases
from consult.proforma.answer import Answer
from consult.record import identity

NEW = {"name": "Someone New", "date_of_birth": "1975-05-17", "local_number": "77", "go": "yes"}


def employees(service: Service) -> int:
    return int(service.instance.db.read().execute("SELECT count(*) FROM employee").fetchone()[0])


class TestRegistering:
    def test_somebody_new_is_registered_at_once(self, service: Service, nurse: Visitor) -> None:
        response = nurse.post("/employees/new", NEW)
        assert response.status_code == 302
        assert "Someone New" in pages.text(nurse.get(response.headers["Location"]))
        assert employees(service) == 1

    @pytest.mark.parametrize(
        "alike",
        [
            {"name": "Quillfeather Zebedee", "date_of_birth": "1980-03-02"},
            {"name": "Zebedee Quilfether", "date_of_birth": "1980-03-02"},
            {"name": "ZEBEDEE QUILLFEATHER", "date_of_birth": "1980-02-03"},
            {"name": "Somebody Married", "date_of_birth": "1991-01-15", "local_number": "local-777"},
            {"name": "Zébédée Quillfeather", "date_of_birth": "1962-12-12", "local_number": ""},
        ],
    )
    def test_who_may_be_the_same_is_shown_before_a_second_is_made(
        self, service: Service, nurse: Visitor, alike: dict[str, str]
    ) -> None:
        known = service.employee()
        sent = NEW | alike
        page = pages.parse(nurse.post("/employees/new", sent).text)
        assert "May be the same person" in pages.text(page)
        assert f"/employees/{known}" in [a.get("href") for a in page.iter("a")]
        assert pages.value_of(page, "name") == sent["name"]
        assert employees(service) == 1
        assert nurse.post("/employees/new", {**sent, "go": "another"}).status_code == 302
        assert employees(service) == 2

    @pytest.mark.parametrize(
        ("wrong", "sentence"),
        [
            ({"name": " "}, "Enter the employee's full name."),
            ({"name": "a" * 121}, "Shorten the name to 120 characters."),
            ({"date_of_birth": ""}, "Enter the date of birth."),
            ({"date_of_birth": "31/2/1980"}, "There is no 31 February 1980; correct the date."),
            ({"date_of_birth": "2/3/80"}, "Write the year with four digits."),
            ({"date_of_birth": "2/14/1980"}, "Enter the date of birth as day, month and year."),
            ({"date_of_birth": "2999-01-01"}, "it must be in the past"),
            ({"date_of_birth": "1850-01-01"}, "within 120 years"),
            ({"local_number": "1" * 41}, "Shorten the local number to 40 characters."),
        ],
    )
    def test_what_is_wrong_is_said_and_what_was_entered_stays(
        self, service: Service, nurse: Visitor, wrong: dict[str, str], sentence: str
    ) -> None:
        response = nurse.post("/employees/new", NEW | wrong)
        assert response.status_code == 422
        page = pages.parse(response.text)
        assert sentence in pages.text(page)
        assert pages.value_of(page, "local_number") == (NEW | wrong)["local_number"]
        (name,) = wrong
        marked = {(e.get("name") or "").partition("-")[0] for e in page.iter("input") if e.get("aria-invalid")}
        assert marked == {name}, "the field is marked, and no other"
        assert sentence in pages.text(next(e for e in page.iter() if e.get("id") == f"wrong-{name}"))
        assert employees(service) == 0

    @pytest.mark.parametrize("words", ["quillfeather", "ZEB", "02/03/1980", "2 March 1980", "local-777"])
    def test_somebody_is_found_by_name_birth_or_number(self, service: Service, nurse: Visitor, words: str) -> None:
        service.employee()
        response = nurse.post("/employees", {"words": words})
        assert EMPLOYEE[0] in response.text

    @pytest.mark.parametrize(
        ("words", "known"),
        [
            ("Zebulon Quickly", {"name": "Zebulon Quickly"}),
            ("3.12.1981", {"date_of_birth-day": "3", "date_of_birth-month": "12", "date_of_birth-year": "1981"}),
            ("Local-778", {"local_number": "Local-778"}),
            ("3.12.81", {"date_of_birth-day": "3", "date_of_birth-year": "81", "local_number": ""}),
        ],
    )
    def test_what_was_searched_for_stands_in_its_own_field_of_the_form_that_registers(
        self, nurse: Visitor, words: str, known: dict[str, str]
    ) -> None:
        page = pages.parse(nurse.post("/employees", {"words": words}).text)
        (form,) = [f for f in page.iter("form") if (f.get("action") or "").endswith("/employees/new")]
        sent = {e.get("name"): e.get("value") for e in form.iter("input") if e.get("name") != "csrf_token"}
        page = pages.parse(nurse.post("/employees/new", sent).text)
        assert {name: pages.value_of(page, name) for name in known} == known
        assert pages.value_of(page, "name") == known.get("name", "")

    @pytest.mark.parametrize("words", ["1980", "March 1980", "Quillfeather 02/03/1980"])
    def test_a_date_that_is_not_whole_is_said_to_be_searched_for_whole(self, nurse: Visitor, words: str) -> None:
        page = pages.text(pages.parse(nurse.post("/employees", {"words": words}).text))
        assert "Search for one of them at a time, a date of birth whole: 02/03/1980." in page

    def test_a_list_that_is_cut_off_says_so(self, service: Service, nurse: Visitor) -> None:
        told = f"The first {identity.MOST_FOUND} are shown, and there may be more."
        for number in range(identity.MOST_FOUND + 1):
            service.instance.store.register("Zed Many", date(1980, 1, 2), f"Z{number}", service.who["nurse"])
            if number in (0, identity.MOST_FOUND):
                page = pages.text(pages.parse(nurse.post("/employees", {"words": "zed"}).text))
                assert (told in page) is (number > 0)

    @pytest.mark.parametrize("words", ["%", "_", "nobody", "' OR 1=1 --", ""])
    def test_nobody_is_found_by_anything_else(self, service: Service, nurse: Visitor, words: str) -> None:
        service.employee()
        assert EMPLOYEE[0] not in nurse.post("/employees", {"words": words}).text

    def test_earlier_consultations_are_listed_and_their_answers_never_copied(
        self, service: Service, nurse: Visitor
    ) -> None:
        signed = service.signed(cord_signs=Answer("absent"))
        employee = service.consultation(signed).started["employee"]
        listed = nurse.get(f"/employees/{employee}")
        assert f"/consultations/{signed}" in [a.get("href") for a in listed.iter("a")]
        response = nurse.post("/consultations/start", {"employee": employee, "attendance": "video"})
        page = nurse.get(response.headers["Location"])
        assert [e for e in page.iter("input") if e.get("checked") is not None] == []

    def test_the_same_start_sent_twice_begins_one_consultation(self, service: Service, nurse: Visitor) -> None:
        sent = {"employee": service.employee(), "attendance": "in_person", "key": "one"}
        begun = {nurse.post("/consultations/start", sent).headers["Location"] for _ in range(2)}
        assert len(begun) == 1

    def test_a_start_without_how_the_employee_is_seen_asks_for_it(self, service: Service, nurse: Visitor) -> None:
        response = nurse.post("/consultations/start", {"employee": service.employee(), "attendance": "by_owl"})
        assert response.status_code == 422
        assert "Choose how the employee is seen." in pages.text(pages.parse(response.text))


class TestEndings:
    @pytest.mark.parametrize(
        "wrong", [{}, {"reason": "no_such"}, {"reason": "other", "text": "  "}, {"text": "He had to go"}]
    )
    @pytest.mark.parametrize("path", ["abandon", "in-error"])
    def test_ending_needs_a_reason(self, service: Service, nurse: Visitor, path: str, wrong: dict[str, str]) -> None:
        consultation = service.begin()
        response = nurse.post(f"/consultations/{consultation}/{path}", wrong)
        assert "Choose a reason" in response.text
        assert pages.value_of(pages.parse(response.text), "text") == wrong.get("text", "")
        assert service.consultation(consultation).state == "open"

    def test_an_abandoned_consultation_is_kept_and_makes_no_case(self, service: Service, nurse: Visitor) -> None:
        consultation = service.begin()
        nurse.save(consultation, {"a.cord_signs": "absent"})
        assert nurse.post(f"/consultations/{consultation}/abandon", {"reason": "employee_left"}).status_code == 302
        assert service.consultation(consultation).state == "abandoned"
        assert service.answer(consultation, "cord_signs") == Answer("absent")
        shown = pages.text(nurse.get(f"/consultations/{consultation}"))
        assert "Ended without signing" in shown
        assert case_of(service, consultation) is None
        assert nurse.post(f"/consultations/{consultation}/sign").status_code == 302
        assert service.consultation(consultation).state == "abandoned"

    @pytest.mark.parametrize(("path", "reason"), [("abandon", "employee_left"), ("in-error", "wrong_person")])
    def test_what_was_recorded_can_be_read_where_it_was_never_signed(
        self, service: Service, nurse: Visitor, path: str, reason: str
    ) -> None:
        consultation = service.begin()
        nurse.save(consultation, {"a.saddle_feeling_change": "present", "a.employee_concern": "Lifting at work"})
        assert nurse.post(f"/consultations/{consultation}/{path}", {"reason": reason}).status_code == 302
        page = nurse.get(f"/consultations/{consultation}")
        assert "Lifting at work" in pages.text(page)
        for end in ("note", "note?as=pdf"):
            address = f"/consultations/{consultation}/{end}"
            assert [a for a in page.iter("a") if a.get("href") == address]
            assert nurse.ask(address).status_code == 200

    @pytest.mark.parametrize("state", ["open", "signed"])
    def test_entered_in_error_is_marked_kept_and_out_of_the_audit(
        self, service: Service, nurse: Visitor, state: str
    ) -> None:
        consultation = service.signed() if state == "signed" else service.begin()
        assert (case_of(service, consultation) is not None) == (state == "signed")
        sent = {"reason": "wrong_person", "text": "meant another"}
        assert nurse.post(f"/consultations/{consultation}/in-error", sent).status_code == 302
        assert "Entered in error" in pages.text(nurse.get(f"/consultations/{consultation}"))
        assert case_of(service, consultation) is None
        assert nurse.post(f"/consultations/{consultation}/addendum", {"text": "a", "why": "b"}).status_code == 422

    def test_an_addendum_stands_beside_what_was_signed(self, service: Service, nurse: Visitor) -> None:
        signed = service.signed(work_cause_opinion=Answer("answered", "not_work"))
        before = case_of(service, signed)
        sent = {"text": "Telephoned the next day: better.", "why": "follow-up"}
        assert nurse.post(f"/consultations/{signed}/addendum", sent).status_code == 302
        shown = pages.text(nurse.get(f"/consultations/{signed}"))
        assert "Telephoned the next day: better." in shown
        assert "Nora Nurse" in shown
        assert case_of(service, signed) == before

    def test_a_correction_shows_both_values_and_moves_the_case(self, service: Service, nurse: Visitor) -> None:
        signed = service.signed(work_cause_opinion=Answer("answered", "not_work"))
        asked = {"act": "question", "chosen": "work_cause_opinion", "text": "kept while choosing"}
        page = nurse.post(f"/consultations/{signed}/addendum", asked)
        assert "Signed as: Not work" in pages.text(pages.parse(page.text))
        assert "kept while choosing" in page.text
        sent = {
            "chosen": "work_cause_opinion",
            "question": "work_cause_opinion",
            "a.work_cause_opinion": "caused",
            "text": "Taken down wrongly.",
            "why": "misheard",
        }
        assert nurse.post(f"/consultations/{signed}/addendum", sent).status_code == 302
        shown = pages.text(nurse.get(f"/consultations/{signed}"))
        assert "signed as Not work, corrected to Caused by work" in shown
        corrected = case_of(service, signed)
        assert corrected is not None
        assert corrected["cause_view"] == "caused"
        assert service.answer(signed, "work_cause_opinion") == Answer("answered", "not_work")

    @pytest.mark.parametrize("wrong", [{}, {"text": "words"}, {"why": "words"}])
    def test_an_addendum_needs_words_and_a_reason(self, service: Service, nurse: Visitor, wrong: Any) -> None:
        signed = service.signed()
        response = nurse.post(f"/consultations/{signed}/addendum", wrong)
        assert response.status_code == 422
        assert pages.value_of(pages.parse(response.text), "text") == wrong.get("text", "")


class TestPapers:
    def test_printed_given_and_discussed_are_three_facts(self, service: Service, nurse: Visitor) -> None:
        consultation = service.begin()
        for done in ("printed", "given", "discussed"):
            assert nurse.post(f"/consultations/{consultation}/leaflets/back-pain-core/{done}").status_code == 302
        kinds = [step.kind for step in service.consultation(consultation).documents]
        assert kinds == ["leaflet_printed", "leaflet_given", "leaflet_discussed"]

    def test_a_leaflet_past_its_review_date_is_refused_on_screen_and_in_print(
        self, service: Service, nurse: Visitor
    ) -> None:
        consultation = service.begin()
        leaflet = service.instance.leaflets["back-pain-core", "en"]
        late = replace(leaflet, review_by=service.instance.today().replace(year=2020))
        service.instance.leaflets["back-pain-core", "en"] = late
        assert "passed its review date" in pages.text(nurse.get("/leaflets/back-pain-core", 409))
        response = nurse.post(f"/consultations/{consultation}/leaflets/back-pain-core/printed")
        assert response.status_code == 422
        assert "passed its review date" in response.text
        assert service.consultation(consultation).documents == []

    def test_the_report_needs_consent(self, service: Service, nurse: Visitor) -> None:
        consultation = service.begin()
        refused = nurse.post(f"/consultations/{consultation}/report")
        assert refused.status_code == 422
        nurse.save(consultation, {"a.report_consent": "withheld"})
        assert nurse.post(f"/consultations/{consultation}/report").status_code == 422
        nurse.save(consultation, {"a.report_consent": "given"})
        assert nurse.post(f"/consultations/{consultation}/report").status_code == 302
        assert service.consultation(consultation).report is not None

    def test_a_final_report_is_no_longer_final_once_the_adjustments_change(
        self, service: Service, nurse: Visitor
    ) -> None:
        consultation = service.begin()
        nurse.save(consultation, {"a.report_consent": "given", "a.adjustment_types": ["altered_hours"]})
        nurse.post(f"/consultations/{consultation}/report")
        assert "The text is final." in pages.text(nurse.get(f"/consultations/{consultation}/report"))
        nurse.save(consultation, {"a.altered_hours_plan.what": "Later start"})
        assert "no text is final" in pages.text(nurse.get(f"/consultations/{consultation}/report"))


def case_of(service: Service, consultation: str) -> dict[str, str] | None:
    row = cases.read(service.instance.db.read(), "DEMO", "live", consultation)
    return row.fields if row else None
