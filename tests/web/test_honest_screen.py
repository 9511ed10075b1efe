"""The screen never turns one answer into another: kept options, other ways to answer, partial saves, stale pages."""

import re

import pages
import pytest
from visiting import Service, Visitor

from consult.proforma.answer import ANSWERED, Answer
from consult.web.screen import Screen


@pytest.fixture
def consultation(service: Service) -> str:
    return service.begin()


def test_options_that_do_not_apply_now_are_kept_when_the_list_is_saved(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.save(consultation, {"a.harm_belief": "present", "a.stopped_activities": "present"})
    both = {"a.flags_in_the_way_of_work": ["harm_belief", "stopped_activities"]}
    nurse.save(consultation, both)
    nurse.save(consultation, {"a.stopped_activities": "absent"})
    nurse.save(consultation, {"a.flags_in_the_way_of_work": ["harm_belief"]})
    nurse.save(consultation, {"a.stopped_activities": "present"})
    assert service.answer(consultation, "flags_in_the_way_of_work") == Answer(
        "answered", ["harm_belief", "stopped_activities"]
    )


@pytest.mark.parametrize(
    ("question", "state"),
    [
        ("leg_symptoms", "declined"),
        ("pain_sites", "unsure"),
        ("pain_now", "declined"),
        ("return_expectation", "unsure"),
    ],
)
def test_every_state_a_question_offers_can_be_given_on_the_screen(
    service: Service, nurse: Visitor, consultation: str, question: str, state: str
) -> None:
    page = nurse.get(f"/consultations/{consultation}")
    select = next(s for s in page.iter("select") if s.get("name") == f"reason.{question}")
    assert state in {option.get("value") for option in select.iter("option")}
    assert nurse.save(consultation, {f"reason.{question}": state}).status_code == 302
    assert service.answer(consultation, question) == Answer(state)
    nurse.save(consultation, {f"reason.{question}": state, "a.major_injury": "absent"})
    assert service.answer(consultation, question) == Answer(state)


def test_one_refused_answer_does_not_hold_up_the_others(service: Service, nurse: Visitor, consultation: str) -> None:
    known = "a-key-of-this-page-1"
    nurse.save(consultation, {"a.major_injury": "absent", "key": known})
    sent = {"a.back_pain_reason": "main", "a.major_injury": "present", "a.cancer_ever": "present", "key": known}
    response = nurse.save(consultation, sent)
    assert response.status_code == 422
    assert service.answer(consultation, "cancer_ever") == Answer("present")
    assert service.answer(consultation, "back_pain_reason") == Answer("answered", "main")
    assert service.answer(consultation, "major_injury") == Answer("absent")
    assert "Not everything was saved" in pages.text(pages.parse(response.text))


def test_no_to_the_rest_without_scripts_saves_what_was_ticked_first(
    service: Service, nurse: Visitor, consultation: str
) -> None:
    nurse.save(consultation, {"a.cancer_ever": "absent"})
    items = service.instance.store.library.current.proforma.in_block("rest_of_red_flags")
    seen = {f"seen.{q.id}": "0" for q in items}
    nurse.save(consultation, {**seen, "a.night_pain": "present", "rest": "rest_of_red_flags"})
    assert service.answer(consultation, "night_pain") == Answer("present")
    assert service.answer(consultation, "upper_back_pain") == Answer("absent")


def test_signing_saves_what_stands_on_the_page(service: Service, nurse: Visitor, consultation: str) -> None:
    sent = {"seen.cancer_ever": "0", "a.cancer_ever": "absent"}
    assert nurse.post(f"/consultations/{consultation}/sign", sent).status_code == 409
    assert service.answer(consultation, "cancer_ever") == Answer("absent")


def test_a_decision_made_about_another_level_is_refused(service: Service, nurse: Visitor, consultation: str) -> None:
    nurse.save(consultation, {"a.one_leg_weakness": "present", "a.one_leg_weakness_severe": "absent"})
    page = nurse.get(f"/consultations/{consultation}")
    name = "shown.one_leg_weakness"
    shown = next(i.get("value") for i in page.iter("input") if i.get("name") == f"decide-one_leg_weakness~{name}")
    nurse.save(consultation, {"a.one_leg_weakness_severe": "present"})
    sent = {"question": "one_leg_weakness", "decision": "gp_letter", "reason": "mild", name: shown}
    response = nurse.post(f"/consultations/{consultation}/decisions", sent)
    assert response.status_code == 422
    assert "changed since this page was made" in response.text
    assert service.consultation(consultation).decisions == {}


@pytest.mark.parametrize("path", ["decisions", "sign"])
def test_the_screen_that_comes_back_can_still_say_whether_it_is_saved(
    nurse: Visitor, consultation: str, path: str
) -> None:
    nurse.save(consultation, {"a.saddle_feeling_change": "present"})
    stale = {"seen.cancer_ever": "77", "a.cancer_ever": "absent"}
    if path == "decisions":
        response = nurse.decide(consultation, {"question": "saddle_feeling_change", "decision": "", "reason": ""})
    else:
        response = nurse.post(f"/consultations/{consultation}/sign", stale)
    assert response.status_code in (409, 422)
    assert 'id="save-state"' in response.text


def test_a_refused_decision_keeps_what_was_typed(nurse: Visitor, consultation: str) -> None:
    nurse.save(consultation, {"a.saddle_feeling_change": "present"})
    sent = {"question": "saddle_feeling_change", "decision": "", "reason": "Rang the department", "from": "sign"}
    response = nurse.decide(consultation, sent)
    assert response.status_code == 422
    assert "Choose your decision from the list." in response.text
    assert 'value="Rang the department"' in response.text


@pytest.mark.parametrize("seen", ["\u00b2", "9" * 5000, "-1", ""])
def test_a_sequence_number_that_is_none_is_a_stale_page(nurse: Visitor, consultation: str, seen: str) -> None:
    sent = {"seen.major_injury": seen, "a.major_injury": "absent"}
    assert nurse.post(f"/consultations/{consultation}/answers", sent).status_code == 409


def test_a_leaflet_is_recorded_only_in_a_format_it_has(nurse: Visitor, consultation: str) -> None:
    path = f"/consultations/{consultation}/leaflets/back-pain-core"
    for done in ("printed", "given"):
        assert nurse.post(f"{path}/{done}", {"format": "zzz<b>"}).status_code == 404


def test_a_leaflet_is_printed_in_the_language_and_format_that_were_recorded(nurse: Visitor, consultation: str) -> None:
    response = nurse.post(f"/consultations/{consultation}/leaflets/back-pain-core/printed", {"format": "large"})
    for part in ("language=en", "format=large"):
        assert part in response.headers["Location"]


class TestWhatAGestureFilledAndMustNowBeAsked:
    """ "No to the rest", then an answer by which some of what it filled must be asked one by one."""

    @pytest.fixture
    def filled(self, service: Service, nurse: Visitor) -> str:
        consultation = service.begin()
        nurse.save(consultation, {"a.cancer_ever": "absent"})
        items = service.instance.library.current.proforma.in_block("rest_of_red_flags")
        known = {f"seen.{q.id}": "0" for q in items}
        nurse.post(f"/consultations/{consultation}/blocks/rest_of_red_flags/rest", known, htmx=True)
        assert service.answer(consultation, "night_pain") == Answer("absent")
        return consultation

    @staticmethod
    def seq(service: Service, consultation: str, question: str = "night_pain") -> int:
        return service.consultation(consultation).seen(question)

    def now_asked(self, service: Service, nurse: Visitor, consultation: str) -> str:
        sent = {"a.cancer_ever": "present", "seen.cancer_ever": str(self.seq(service, consultation, "cancer_ever"))}
        return nurse.post(f"/consultations/{consultation}/answers", sent, htmx=True).text

    def test_it_is_drawn_anew_and_blank(self, service: Service, nurse: Visitor, filled: str) -> None:
        reply = self.now_asked(service, nurse, filled)
        for page in (reply, nurse.ask(f"/consultations/{filled}").text):
            item = page.partition('id="q-night_pain"')[2].partition("</fieldset>")[0]
            assert item, "the item is not drawn"
            assert " checked" not in item
            assert "as a group" not in item

    def test_a_page_that_still_shows_it_does_not_give_it_singly(
        self, service: Service, nurse: Visitor, filled: str
    ) -> None:
        known = str(self.seq(service, filled))
        self.now_asked(service, nurse, filled)
        sent = {"a.night_pain": "absent", "seen.night_pain": known}
        assert nurse.post(f"/consultations/{filled}/answers", sent).status_code == 302
        assert str(self.seq(service, filled)) == known

    def test_a_page_that_shows_it_blank_does(self, service: Service, nurse: Visitor, filled: str) -> None:
        known = self.seq(service, filled)
        self.now_asked(service, nurse, filled)
        page = nurse.ask(f"/consultations/{filled}").text
        shown = re.search(r'name="seen.night_pain" value="([^"]*)"', page)
        assert shown
        assert shown.group(1) == f"{known}:"
        sent = {"a.night_pain": "absent", "seen.night_pain": shown.group(1)}
        assert nurse.post(f"/consultations/{filled}/answers", sent).status_code == 302
        assert self.seq(service, filled) > known
        assert service.consultation(filled).history["night_pain"][-1].via == "single"


class TestAListOfWhichAnOptionDoesNotApply:
    LIST = "flags_in_the_way_of_work"
    BOTH = Answer(ANSWERED, ["harm_belief", "stopped_activities"])

    @pytest.fixture
    def ticked(self, nurse: Visitor, consultation: str) -> str:
        nurse.save(consultation, {"a.harm_belief": "present", "a.stopped_activities": "present"})
        nurse.save(consultation, {f"a.{self.LIST}": self.BOTH.value})
        return consultation

    def send(self, service: Service, nurse: Visitor, consultation: str, known: str, *ticked: str) -> Answer | None:
        sent = {f"a.{self.LIST}": list(ticked), f"seen.{self.LIST}": known}
        assert nurse.post(f"/consultations/{consultation}/answers", sent).status_code == 302
        return service.answer(consultation, self.LIST)

    def known(self, service: Service, consultation: str) -> str:
        screen = Screen.of(service.instance.store, service.consultation(consultation))
        return screen.known(screen.proforma.by_id[self.LIST])

    def test_untouched_on_a_page_that_showed_both_it_stays(self, service: Service, nurse: Visitor, ticked: str) -> None:
        known = self.known(service, ticked)
        nurse.save(ticked, {"a.stopped_activities": "absent"})
        assert self.send(service, nurse, ticked, known, *self.BOTH.value) == self.BOTH
        assert self.known(service, ticked) == f"{known}:harm_belief"

    def test_untouched_on_a_page_that_showed_one_it_stays(self, service: Service, nurse: Visitor, ticked: str) -> None:
        nurse.save(ticked, {"a.stopped_activities": "absent"})
        known = self.known(service, ticked)
        nurse.save(ticked, {"a.stopped_activities": "present"})
        assert self.send(service, nurse, ticked, known, "harm_belief") == self.BOTH
        assert known == f"{self.known(service, ticked)}:harm_belief"

    def test_what_a_page_did_not_show_is_kept_when_it_unticks_what_it_showed(
        self, service: Service, nurse: Visitor, ticked: str
    ) -> None:
        nurse.save(ticked, {"a.stopped_activities": "absent"})
        known = self.known(service, ticked)
        nurse.save(ticked, {"a.stopped_activities": "present"})
        assert self.send(service, nurse, ticked, known) == Answer(ANSWERED, ["stopped_activities"])

    def test_what_a_page_showed_and_unticked_is_gone_though_it_does_not_apply_by_now(
        self, service: Service, nurse: Visitor, ticked: str
    ) -> None:
        known = self.known(service, ticked)
        nurse.save(ticked, {"a.stopped_activities": "absent"})
        assert self.send(service, nurse, ticked, known, "harm_belief") == Answer(ANSWERED, ["harm_belief"])
