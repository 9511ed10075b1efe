"""A correction by addendum is one thing: an answer, a reason why it was not asked, or that it was not recorded."""

from __future__ import annotations

from itertools import product
from xml.etree.ElementTree import Element

import pages
import pytest
from msgspec.structs import asdict
from visiting import Service, Visitor

from consult.proforma.answer import Answer
from consult.proforma.model import Question
from consult.proforma.path import Path
from consult.web import forms

WHY = {"text": "Taken down wrongly.", "why": "misheard", "act": "add"}
GIVEN: dict[str, tuple[str, dict[str, str], Answer]] = {
    "finding": ("saddle_feeling_change", {"": "present"}, Answer("present")),
    "choice": ("work_status", {"": "off_sick"}, Answer("answered", "off_sick")),
    "choices": ("adjustment_types", {"": "altered_hours"}, Answer("answered", ["altered_hours"])),
    "scale": ("return_expectation", {"": "0"}, Answer("answered", 0)),
    "date": ("pain_began_on", {"": "2026-03-27"}, Answer("answered", "2026-03-27")),
    "text": ("employee_concern", {"": "The lifting"}, Answer("answered", "The lifting")),
    "arrangement": ("altered_hours_plan", {".what": "Later start"}, Answer("answered", {"what": "Later start"})),
}
"""A question of each kind, what a page sends for an answer to it, and that answer."""


def chosen(page: Element, name: str) -> str:
    """What a page shows as entered under a name, in whatever control; "" for nothing."""
    return pages.value_of(page, name) or ""


def what_can_be_sent(service: Service, kind: str) -> tuple[Question, dict[str, str], list[str]]:
    """A question of a kind, the fields of an answer to it, and the reasons for which it may not have been asked."""
    question, fields, _ = GIVEN[kind]
    proforma = service.instance.library.current.proforma
    values = {f"a.{question}{part}": value for part, value in fields.items()}
    return proforma.by_id[question], values, list(forms.instead(proforma.by_id[question], proforma))


@pytest.fixture
def signed(service: Service) -> str:
    return service.signed()


@pytest.mark.parametrize("kind", GIVEN)
def test_one_of_them_is_recorded_and_of_several_none_with_all_of_them_kept(
    service: Service, nurse: Visitor, signed: str, kind: str
) -> None:
    question, _, answer = GIVEN[kind]
    asked, values, reasons = what_can_be_sent(service, kind)
    for value, reason, blank in product((False, True), ("", *reasons), (False, True)):
        sent = {"chosen": question, "question": question, f"seen.{question}": "0", **WHY}
        sent |= values if value else {}
        sent |= {f"reason.{question}": reason} if reasons else {}
        sent |= {"blank": "yes"} if blank else {}
        before = service.consultation(signed)
        reply = nurse.post(f"/consultations/{signed}/addendum", sent)
        after = service.consultation(signed)
        if value + bool(reason) + blank == 1:
            assert reply.status_code == 302, sent
            said = Answer(reason) if reason in asked.offered_states() else Answer("not_asked", None, reason)
            recorded = answer if value else said if reason else None
            assert after.addenda[-1].content is not None
            assert after.addenda[-1].content["answers"] == {question: asdict(recorded) if recorded else None}, sent
            continue
        assert reply.status_code == 422, sent
        assert after.addenda == before.addenda, sent
        assert after.last_seq == before.last_seq, sent
        page = pages.parse(reply.text)
        assert ("can't all be true" in pages.text(page)) == bool(value or reason or blank), sent
        for name in (*values, f"reason.{question}", "blank", "text", "why"):
            assert chosen(page, name) == sent.get(name, ""), (name, sent)


@pytest.mark.parametrize("kind", GIVEN)
def test_a_correction_refused_for_want_of_words_is_still_on_the_page(
    service: Service, nurse: Visitor, signed: str, kind: str
) -> None:
    question = GIVEN[kind][0]
    _, values, every = what_can_be_sent(service, kind)
    reasons = {f"reason.{question}": r for r in every}
    for given in (values, reasons, {"blank": "yes"}):
        sent = {"act": "add", "chosen": question, "question": question, **given}
        reply = nurse.post(f"/consultations/{signed}/addendum", sent)
        assert reply.status_code == 422
        page = pages.parse(reply.text)
        assert {name: chosen(page, name) for name in given} == given


def test_show_this_question_again_clears_what_was_entered_for_it(nurse: Visitor, signed: str) -> None:
    question = "saddle_feeling_change"
    sent = {"act": "question", "chosen": question, "question": question, "blank": "yes", "text": "kept", "why": "kept"}
    sent |= {f"a.{question}": "present", f"reason.{question}": "remote"}
    page = pages.parse(nurse.post(f"/consultations/{signed}/addendum", sent).text)
    shown = {name: chosen(page, name) for name in sent if name not in ("act", "chosen", "question")}
    assert {name for name, values in shown.items() if values} == {"text", "why"}


def test_a_button_says_the_same_each_time_and_what_is_none_is_refused_each_time(service: Service) -> None:
    proforma = service.instance.library.current.proforma
    path, question = Path(proforma, {}), next(q for q in proforma.questions if q.kind == "finding")
    for _ in range(2):
        sent = {
            code: forms.read(question, path, {f"a.{question.id}": code}, None) for code in ("absent", "  ", "no such")
        }
        assert sent["absent"].answer == Answer("absent")
        assert sent["  "].answer is None or sent["  "].answer.value is None
        assert sent["no such"].error


def test_the_questions_to_correct_stand_under_their_sections_each_once(
    service: Service, nurse: Visitor, signed: str
) -> None:
    page = nurse.get(f"/consultations/{signed}/addendum")
    proforma = service.instance.library.current.proforma
    groups = {g.get("label"): [o.get("value") for o in g.iter("option")] for g in page.iter("optgroup")}
    assert groups == {s.title: [q.id for q in proforma.in_section(s.id)] for s in proforma.sections}
    listed = [id_ for ids in groups.values() for id_ in ids]
    assert sorted(listed) == sorted(q.id for q in proforma.questions if not q.retired)


def test_what_an_earlier_addendum_corrected_is_shown_beside_what_was_signed(service: Service, nurse: Visitor) -> None:
    """The page showed what was signed alone, as if nobody had corrected it yet."""
    talk = service.signed(work_status=Answer("answered", "off_sick"))
    path, question = f"/consultations/{talk}/addendum", service.instance.library.current.proforma.by_id["work_status"]
    labels = {option.code: option.label for option in question.options}
    corrections = ({"a.work_status": "at_work_after_time_off"}, {"blank": "yes"})
    for sent, then in zip(corrections, (labels["at_work_after_time_off"], "Not recorded"), strict=True):
        both = {"question": question.id, "chosen": question.id}
        assert nurse.post(path, {**WHY, **both, f"seen.{question.id}": "0", **sent}).status_code == 302
        page = pages.parse(nurse.post(path, {"act": "question", "chosen": question.id}).text)
        said = " ".join(pages.text(next(e for e in page.iter("fieldset") if e.get("id") == "correction")).split())
        assert f"Signed as: {labels['off_sick']}. Corrected on" in said
        assert f"to: {then}. Corrected now to:" in said
