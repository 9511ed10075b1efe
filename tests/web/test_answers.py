"""Answers on their way into the record: what is taken, what is refused politely, and what comes back."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element

import pages
import pytest
from visiting import Service, Visitor

from consult.proforma.answer import Answer
from consult.web import dates
from consult.web.forms import MAX_TEXT

HOSTILE = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)> &amp; \"quoted\" 'single'",
    "template": "{{ 7*7 }} {% raw %} ${7*7} #{7}",
    "right to left": "\u202eabc\u202c שלום \u200f(1)",
    "emoji": "😀👩🏽‍⚕️ e\u0301 ﬁ",
    "lines": "one\n\ntwo\tthree",
    "SQL": "'; DROP TABLE step; --",
    "spreadsheet": "=HYPERLINK(1)",
}
EITHER = pytest.mark.parametrize("htmx", [True, False], ids=["with JavaScript", "without"])


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


def page_of(response: Any) -> Element:
    return pages.parse(response.text)


def test_nothing_is_chosen_beforehand(nurse: Visitor, consultation: str) -> None:
    page = nurse.get(f"/consultations/{consultation}")
    assert [e.get("name") for e in page.iter("input") if e.get("checked") is not None] == []
    assert [e.text for e in page.iter("option") if e.get("selected") is not None] == []
    assert {"".join(e.itertext()) for e in page.iter("textarea")} == {""}


def test_no_page_before_it_chooses_either(service: Service, nurse: Visitor, consultation: str) -> None:
    for path in (f"/employees/{service.employee('Another One', number='2')}", f"/consultations/{consultation}/abandon"):
        page = nurse.get(path)
        assert [e.get("name") for e in page.iter("input") if e.get("checked") is not None] == []


@EITHER
def test_an_answer_is_saved_with_its_time(service: Service, nurse: Visitor, consultation: str, htmx: bool) -> None:
    response = nurse.save(consultation, {"a.cord_signs": "absent"}, htmx=htmx)
    assert response.status_code == (200 if htmx else 302)
    assert service.answer(consultation, "cord_signs") == Answer("absent")
    shown = response.text if htmx else pages.text(nurse.get(f"/consultations/{consultation}"))
    assert re.search(r"Saved \d\d:\d\d", shown)


def test_a_section_saves_only_what_was_changed(service: Service, nurse: Visitor, consultation: str) -> None:
    nurse.save(consultation, {"a.cord_signs": "absent", "a.fever_or_very_ill": "", "a.cancer_ever": "present"})
    nurse.save(consultation, {"a.cord_signs": "absent", "a.fever_or_very_ill": "", "a.cancer_ever": "absent"})
    history = service.consultation(consultation).history
    assert {question: len(records) for question, records in history.items()} == {"cord_signs": 1, "cancer_ever": 2}


@EITHER
def test_the_same_key_twice_is_one_step(service: Service, nurse: Visitor, consultation: str, htmx: bool) -> None:
    sent = {"a.cord_signs": "absent", "seen.cord_signs": "0", "key": "0f" * 16}
    for _ in range(3):
        response = nurse.post(f"/consultations/{consultation}/answers", sent, htmx=htmx)
        assert response.status_code == (200 if htmx else 302)
    assert len(service.consultation(consultation).history["cord_signs"]) == 1


@EITHER
def test_a_stale_page_gets_both_answers_and_nothing_is_overwritten(
    service: Service, nurse: Visitor, consultation: str, htmx: bool
) -> None:
    nurse.save(consultation, {"a.work_status": "off_sick"})
    stale = {"a.work_status": "at_work_no_time_off", "seen.work_status": "0"}
    response = nurse.post(f"/consultations/{consultation}/answers", stale, htmx=htmx)
    assert response.status_code == 409
    assert "Off sick now with this pain" in response.text
    assert "At work; no time off with it" in response.text
    assert "Nothing was overwritten" in response.text
    assert service.answer(consultation, "work_status") == Answer("answered", "off_sick")


def test_a_stale_page_that_says_the_same_is_no_conflict(service: Service, nurse: Visitor, consultation: str) -> None:
    nurse.save(consultation, {"a.work_status": "off_sick"})
    stale = {"a.work_status": "off_sick", "seen.work_status": "0"}
    assert nurse.post(f"/consultations/{consultation}/answers", stale, htmx=True).status_code == 200
    assert len(service.consultation(consultation).history["work_status"]) == 1


@pytest.mark.parametrize("now", ["away_not_sick", None], ids=["answered otherwise", "removed"])
def test_a_control_that_is_back_at_what_a_stale_page_showed_is_not_called_saved(
    service: Service, nurse: Visitor, consultation: str, now: str | None
) -> None:
    """Yes and No again within a moment: only the last is sent, and it is what the page showed."""
    nurse.save(consultation, {"a.work_status": "off_sick"})
    known = str(service.consultation(consultation).seen("work_status"))
    nurse.save(consultation, {"a.work_status": now} if now else {"remove": "work_status", "seen.work_status": known})
    stands = service.answer(consultation, "work_status")
    stale = {"a.work_status": "off_sick", "seen.work_status": known}
    response = nurse.post(f"/consultations/{consultation}/answers", stale, htmx=True)
    assert response.status_code == 409
    assert "Off sick now with this pain" in response.text
    assert "Nothing was overwritten" in response.text
    assert service.answer(consultation, "work_status") == stands
    assert nurse.post(f"/consultations/{consultation}/answers", stale).status_code == 302, "a whole page was left alone"
    assert service.answer(consultation, "work_status") == stands


@EITHER
def test_what_names_no_question_is_refused_and_never_called_saved(
    service: Service, nurse: Visitor, consultation: str, htmx: bool
) -> None:
    for sent in ({}, {"a.cord_signs": "absent"}, {"a.no_such": "absent", "seen.no_such": "0"}):
        assert nurse.post(f"/consultations/{consultation}/answers", sent, htmx=htmx).status_code == 400
    assert service.consultation(consultation).answers == {}


def test_one_conflict_keeps_no_other_answer_from_being_saved(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.save(consultation, {"a.work_status": "off_sick"})
    sent = {"a.work_status": "away_not_sick", "seen.work_status": "0", "a.cord_signs": "absent"}
    assert nurse.save(consultation, sent).status_code == 409
    assert service.answer(consultation, "cord_signs") == Answer("absent")


class TestRefused:
    @pytest.mark.parametrize("days", [("2026-12-10", "2026-12-01", ""), ("2026-12-10", "", "2026-12-09")])
    def test_an_adjustment_that_ends_or_is_reviewed_before_it_starts(
        self, service: Service, nurse: Visitor, consultation: str, days: tuple[str, str, str]
    ) -> None:
        nurse.save(consultation, {"a.adjustment_types": ["phased_return"]})
        plan = dict(zip(("start", "end", "review"), days, strict=True)) | {"what": "Half days at first"}
        sent = {f"a.phased_return_plan.{part}": text for part, text in plan.items()}
        response = nurse.save(consultation, sent)
        assert response.status_code == 422
        page = page_of(response)
        assert "can't be before the start" in pages.text(page)
        assert {name: pages.value_of(page, name) or "" for name in sent} == sent
        assert service.answer(consultation, "phased_return_plan") is None

    def test_a_date_that_is_none(self, nurse: Visitor, consultation: str) -> None:
        nurse.save(consultation, {"a.adjustment_types": ["phased_return"]})
        sent = {"a.phased_return_plan.start": "31 February", "a.phased_return_plan.what": "Half days"}
        response = nurse.save(consultation, sent)
        assert response.status_code == 422
        assert "Enter the date as day, month and year" in response.text
        assert pages.value_of(page_of(response), "a.phased_return_plan.what") == "Half days"

    @pytest.mark.parametrize("number", ["-1", "11", "1000000", "5.5", "many", "٥٥"])
    @EITHER
    def test_a_number_out_of_its_limits(
        self, service: Service, nurse: Visitor, consultation: str, number: str, htmx: bool
    ) -> None:
        response = nurse.save(consultation, {"a.pain_now": number}, htmx=htmx)
        assert response.status_code == 422
        assert service.answer(consultation, "pain_now") is None

    @pytest.mark.parametrize("number", [0, 10])
    def test_the_ends_of_the_limits_are_inside(
        self, service: Service, nurse: Visitor, consultation: str, number: int
    ) -> None:
        assert nurse.save(consultation, {"a.pain_now": str(number)}).status_code == 302
        assert service.answer(consultation, "pain_now") == Answer("answered", number)
        assert pages.value_of(nurse.get(f"/consultations/{consultation}"), "a.pain_now") == str(number)

    @EITHER
    def test_a_megabyte_of_text(self, service: Service, nurse: Visitor, consultation: str, htmx: bool) -> None:
        response = nurse.save(consultation, {"a.employee_concern": "long " * 200_000}, htmx=htmx)
        assert response.status_code == 422
        assert f"shorten the text to {MAX_TEXT:,} characters" in response.text
        assert service.answer(consultation, "employee_concern") is None

    def test_text_that_is_a_little_too_long_comes_back_to_be_shortened(
        self, service: Service, nurse: Visitor, consultation: str
    ) -> None:
        text = "a" * (MAX_TEXT + 1)
        response = nurse.save(consultation, {"a.employee_concern": text, "a.cord_signs": "absent"})
        assert response.status_code == 422
        assert pages.value_of(page_of(response), "a.employee_concern") == text
        assert service.answer(consultation, "cord_signs") == Answer("absent")
        assert nurse.save(consultation, {"a.employee_concern": text[:-1]}).status_code == 302

    def test_more_than_a_form_holds(self, nurse: Visitor, consultation: str) -> None:
        response = nurse.save(consultation, {"a.employee_concern": "a" * 3_000_000})
        assert response.status_code == 413
        assert "send less" in response.text

    @pytest.mark.parametrize("role", ["nurse", ""])
    @pytest.mark.parametrize("name", ["a", "a-day", "seen.x", "held.x"])
    def test_more_fields_than_a_page_has(self, service: Service, consultation: str, role: str, name: str) -> None:
        """Of nobody too: the fields are read before it is known who asks."""
        visitor = service.visitor(role)
        path = f"/consultations/{consultation}/answers" if role else "/sign-in"
        for n, code in ((dates.MOST_FIELDS + 1, 413), (900, 400 if role else 422)):
            sent = {name.replace("a", f"a{i}").replace("x", f"x{i}"): "1" for i in range(n)}
            assert visitor.post(path, sent).status_code == code
        assert visitor.client.get("/leaflets", query_string={f"x{i}": "1" for i in range(20)}).status_code < 400

    @pytest.mark.parametrize("path", ["blank-reason", "abandon", "in-error", "addendum"], ids=lambda path: path)
    def test_a_megabyte_anywhere_else(self, nurse: Visitor, consultation: str, path: str) -> None:
        long = dict.fromkeys(("reason", "text", "why", "told"), "a" * 300_000)
        response = nurse.post(f"/consultations/{consultation}/{path}", long)
        assert response.status_code in (409, 422)
        assert "shorten" in response.text

    def test_what_stands_alone_with_something_else(self, service: Service, nurse: Visitor, consultation: str) -> None:
        response = nurse.save(consultation, {"a.leg_symptoms": ["neither", "pain"]})
        assert response.status_code == 422
        assert "stands alone" in response.text
        assert service.answer(consultation, "leg_symptoms") is None

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("a.cord_signs", "perhaps"),
            ("a.cord_signs", "answered"),
            ("a.back_pain_reason", "present"),
            ("a.leg_symptoms", "everything"),
            ("reason.cord_signs", "no_such_reason"),
        ],
    )
    def test_a_code_that_was_not_offered(
        self, service: Service, nurse: Visitor, consultation: str, name: str, value: str
    ) -> None:
        assert nurse.save(consultation, {name: value}).status_code == 422
        assert service.consultation(consultation).answers == {}

    @EITHER
    def test_an_answer_after_signing(self, service: Service, nurse: Visitor, htmx: bool) -> None:
        signed = service.signed()
        response = nurse.save(signed, {"a.cord_signs": "absent"}, htmx=htmx)
        assert response.status_code == 409
        assert "write an addendum instead" in response.text
        assert service.answer(signed, "cord_signs") is None


class TestHostileText:
    @pytest.mark.parametrize("kind", HOSTILE)
    def test_it_is_kept_as_typed_and_shown_as_text(
        self, service: Service, nurse: Visitor, consultation: str, kind: str
    ) -> None:
        text = HOSTILE[kind]
        nurse.save(consultation, {"a.story_of_episode": text})
        assert service.answer(consultation, "story_of_episode") == Answer("answered", text)
        page = nurse.get(f"/consultations/{consultation}")
        assert pages.value_of(page, "a.story_of_episode") == text
        for path in ("sign", "steps", "report", "letter"):
            shown = nurse.get(f"/consultations/{consultation}/{path}")
            assert all("alert" not in (e.text or "") for e in shown.iter("script"))
            assert not list(shown.iter("img"))
        assert " ".join(text.split()) in pages.text(nurse.get(f"/consultations/{consultation}/steps"))

    @pytest.mark.parametrize("kind", HOSTILE)
    def test_it_does_no_harm_as_a_name_or_in_a_search(self, nurse: Visitor, kind: str) -> None:
        name = " ".join(HOSTILE[kind].split())
        sent = {"name": name, "date_of_birth": "1970-01-02", "local_number": "<b>1</b>", "go": "yes"}
        response = nurse.post("/employees/new", sent)
        assert response.status_code == 302
        assert name in pages.text(nurse.get(response.headers["Location"]))
        assert nurse.post("/employees", {"words": name}).status_code == 200

    def test_characters_that_no_page_can_show_are_left_out(
        self, service: Service, nurse: Visitor, consultation: str
    ) -> None:
        nurse.save(consultation, {"a.story_of_episode": "a\0b\x07c\x0bd\ufffee\x85f"})
        assert service.answer(consultation, "story_of_episode") == Answer("answered", "abc\ndef")
        nurse.get(f"/consultations/{consultation}")

    def test_bytes_that_are_no_text_do_no_harm(self, nurse: Visitor, consultation: str) -> None:
        nurse.csrf()
        response = nurse.client.post(
            f"/consultations/{consultation}/answers",
            data=b"a.story_of_episode=%FF%FE%C0%80&seen.story_of_episode=0&seen.cord_signs=0&a.cord_signs=absent",
            headers={"X-CSRFToken": nurse.token, "Content-Type": "application/x-www-form-urlencoded"},
        )
        assert response.status_code == 302
        nurse.get(f"/consultations/{consultation}")


class TestNoToTheRest:
    def test_it_is_one_step_an_item_and_undone_at_once(
        self, service: Service, nurse: Visitor, consultation: str
    ) -> None:
        nurse.save(consultation, {"a.cancer_ever": "absent"})
        path = f"/consultations/{consultation}/blocks/rest_of_red_flags"
        for _ in range(2):
            assert nurse.rest(consultation, "rest_of_red_flags", "same-key-of-a-page").status_code == 302
        history = service.consultation(consultation).history
        group = [q for q, records in history.items() if records[-1].via == "group"]
        assert len(group) > 5
        assert all(len(history[q]) == 1 for q in group)
        assert nurse.post(f"{path}/undo", {"key": "another-key-of-a-page"}).status_code == 302
        assert set(service.consultation(consultation).answers) == {"cancer_ever"}

    def test_a_block_that_does_not_offer_it_is_left_alone(
        self, service: Service, nurse: Visitor, consultation: str
    ) -> None:
        nurse.post(f"/consultations/{consultation}/blocks/cauda_equina/rest")
        assert service.consultation(consultation).answers == {}


class TestTheGate:
    def test_an_urgent_answer_holds_signing_until_its_decision(
        self, service: Service, nurse: Visitor, consultation: str
    ) -> None:
        nurse.save(consultation, {"a.saddle_feeling_change": "unsure"})
        assert nurse.post(f"/consultations/{consultation}/sign").status_code == 409
        wrong = {"question": "saddle_feeling_change", "decision": "", "reason": "x", "from": "sign"}
        assert nurse.decide(consultation, wrong).status_code == 422
        right = {**wrong, "decision": "same_day_emergency", "told": "the department"}
        assert nurse.decide(consultation, right).status_code == 302
        assert nurse.post(f"/consultations/{consultation}/sign").status_code == 302
        assert service.consultation(consultation).state == "signed"

    def test_blank_emergency_questions_need_one_reason(self, nurse: Visitor, consultation: str) -> None:
        assert nurse.post(f"/consultations/{consultation}/sign").status_code == 409
        for wrong in ({"reason": ""}, {"reason": "other"}, {"reason": "no_such"}):
            assert nurse.post(f"/consultations/{consultation}/blank-reason", wrong).status_code == 422
        assert nurse.post(f"/consultations/{consultation}/blank-reason", {"reason": "remote"}).status_code == 302
        assert nurse.post(f"/consultations/{consultation}/sign").status_code == 302

    def test_a_red_flag_taken_back_is_listed_and_needs_a_tick(self, nurse: Visitor, consultation: str) -> None:
        nurse.save(consultation, {"a.night_pain": "present"})
        nurse.save(consultation, {"a.night_pain": "absent"})
        nurse.post(f"/consultations/{consultation}/blank-reason", {"reason": "remote"})
        assert nurse.post(f"/consultations/{consultation}/sign").status_code == 409
        listed = pages.text(nurse.get(f"/consultations/{consultation}/sign"))
        assert "keeps them awake at night: Yes at" in listed
        assert nurse.post(f"/consultations/{consultation}/sign", {"on_purpose": "night_pain"}).status_code == 302

    def test_signing_twice_is_one_signature(self, service: Service, nurse: Visitor) -> None:
        signed = service.signed()
        assert nurse.post(f"/consultations/{signed}/sign").status_code == 302
        query = "SELECT count(*) FROM step WHERE consultation = ? AND kind = 'consultation_signed'"
        assert service.instance.db.read().execute(query, (signed,)).fetchone()[0] == 1

    def test_the_same_key_with_another_decision_is_refused(
        self, service: Service, nurse: Visitor, consultation: str
    ) -> None:
        nurse.save(consultation, {"a.saddle_feeling_change": "present"})
        sent = {"question": "saddle_feeling_change", "decision": "gp_letter", "reason": "first"}
        sent["key"] = "same-key-of-a-page"
        assert nurse.decide(consultation, sent).status_code == 302
        again = nurse.decide(consultation, {**sent, "reason": "second"})
        assert again.status_code == 409
        assert service.consultation(consultation).decisions["saddle_feeling_change"].reason == "first"
