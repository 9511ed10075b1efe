"""A fact that was given is never asked for again: a field of a later page is filled, or asks something new.

Each free-text field of a consultation is given a planted word of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pages
from visiting import Service, Visitor

from consult.proforma.answer import ANSWERED, Answer
from consult.proforma.path import blank_emergencies

OPENING = {
    "cancer_ever": "present",
    "something_else_worries": "present",
    "neuro_examination": "not_done_other",
    "risk_tool": "start_back",
    "report_consent": "given",
    "report_copy_choice": "before",
    "saddle_feeling_change": "present",
    "stay_or_return_advice": "not_appropriate",
    "harm_belief": "present",
    "yellow_flag_action": ["none_because"],
}
"""Answers that bring up the questions with free text."""
ASKS_SOMETHING_NEW = {
    "reason": "why this is done, asked where it is done",
    "text": "in words, where none of the reasons offered is the one",
    "told": "who was told of a decision",
    "username": "who somebody else at this computer is",
    "chosen": "the answer that an addendum corrects",
    "why": "why an addendum is made",
    "paper": "the reference of another consultation, held on paper",
    "date": "the day of another consultation, held on paper",
    "time": "the time of another consultation, held on paper",
}
"""The fields of later pages by name, and what they ask: nothing of it can have been given before."""
FACTS = ("name", "born", "date of birth", "local number", "review", "follow-up")
"""Words of what was given; a field that asks for one of them again would bear them."""
OF_THE_DAY = re.compile(r"-(day|month|year)$")


def test_no_field_of_a_later_page_asks_for_what_was_given(service: Service, nurse: Visitor) -> None:
    talk, planted = given(service)
    looked_at = check(nurse, before_signing(service, talk), planted)
    page = nurse.get(f"/consultations/{talk}")
    names = [e.get("name") or "" for e in page.iter("input")]
    urgent = {name.split("~shown.")[1] for name in names if "~shown." in name}

    assert "saddle_feeling_change" in urgent
    for question in sorted(urgent):
        decided = {"decision": "same_day_emergency", "reason": "PLANTED", "told": "X", "from": "sign"}
        assert nurse.decide(talk, {"question": question, **decided}).status_code == 302
    for address in (f"/consultations/{talk}", f"/consultations/{talk}/sign"):
        asked = [name for name, _, _ in fields(nurse.get(address)) if not name.startswith("a.")]
        assert set(asked) <= {"text", "username"}, "a decision that was recorded is not asked for again"
    explain_blanks(service, talk)
    assert nurse.post(f"/consultations/{talk}/sign").status_code == 302
    looked_at += check(nurse, after_signing(service, talk), planted)
    assert looked_at > 40


def test_each_word_that_was_typed_stands_in_the_note_by_itself(service: Service, nurse: Visitor) -> None:
    talk, planted = given(service)
    proforma = service.instance.library.current.proforma
    typed = {q.id for q in proforma.questions if q.kind in ("text", "arrangement") and not q.retired}
    assert set(planted) == typed, "every field of free text has its word"
    note = nurse.ask(f"/consultations/{talk}/note").text
    assert [word for word in planted.values() if word not in note] == []
    report = pages.text(nurse.get(f"/consultations/{talk}/report"))
    in_report = {
        q.id for q in proforma.questions if q.id in planted and (q.kind == "arrangement" or q.report == "always")
    }
    assert [planted[question] for question in in_report if planted[question] not in report] == []


def check(visitor: Visitor, addresses: list[str], planted: dict[str, str]) -> int:
    """Each field on these pages holds what was given, or asks something new; says how many fields there were."""
    seen = 0
    for address in addresses:
        for name, words, value in fields(visitor.get(address)):
            seen += 1
            if name.startswith("a."):
                question = name.split(".")[1]
                filled = question not in planted or name.endswith(".no_end_reason") or value
                assert filled, f"{address}: {question} was given, and its field is blank"
                continue
            assert OF_THE_DAY.sub("", name.split("~")[-1]) in ASKS_SOMETHING_NEW, f"{address}: what does {name} ask?"
            assert not [fact for fact in FACTS if fact in words.lower().replace("sign-in name", "")], (address, words)
    return seen


def given(service: Service) -> tuple[str, dict[str, str]]:
    """An open consultation with every free-text field filled: its id, and the planted word of each field."""
    talk, store, who = service.begin(), service.instance.store, service.who["nurse"]
    proforma = store.library.current.proforma
    planted: dict[str, str] = {}

    def save(question_id: str, answer: Answer) -> None:
        store.save(talk, proforma.by_id[question_id], answer, 0, f"{talk}:{question_id}", "single", who)

    by_id = proforma.by_id
    save("adjustment_types", Answer(ANSWERED, [o.code for o in by_id["adjustment_types"].options if not o.alone]))
    for question_id, said in OPENING.items():
        save(question_id, Answer(said) if by_id[question_id].kind == "finding" else Answer(ANSWERED, said))
    for question in store.path_of(service.consultation(talk)).questions():
        word = f"planted{question.id.replace('_', '')}"
        dates = {"start": "2026-12-01", "end": "2026-12-20", "review": "2026-12-10"}
        if question.kind in ("text", "arrangement"):
            planted[question.id] = word
            save(question.id, Answer(ANSWERED, word if question.kind == "text" else {"what": word, **dates}))
        elif question.kind == "date":
            save(question.id, Answer(ANSWERED, "2026-10-05"))
    return talk, planted


def explain_blanks(service: Service, talk: str) -> None:
    store, who = service.instance.store, service.who["nurse"]
    blank = [q.id for q in blank_emergencies(store.path_of(service.consultation(talk)))]
    reason = {"reason": "out_of_time", "text": "", "questions": blank}
    store.note(talk, "blank_emergencies_explained", reason, f"{talk}:blank", who)


def before_signing(service: Service, talk: str) -> list[str]:
    """The pages that come after the questions."""
    of_it = ("", "/sign", "/letter", "/report", "/abandon", "/in-error", "/leaflets/back-pain-core/shown")
    return [f"/consultations/{talk}{part}" for part in of_it]


def after_signing(service: Service, talk: str) -> list[str]:
    employee = service.consultation(talk).started["employee"]
    of_it = [f"/consultations/{talk}{part}" for part in ("", "/addendum", "/letter", "/report", "/steps")]
    return [*of_it, f"/employees/{employee}", f"/employees/{employee}/everything", f"/employees/{employee}/looks"]


def fields(page: Element) -> Iterator[tuple[str, str, str]]:
    """Each field to type in: its name, the words before it, and what stands in it."""
    labels = {e.get("for"): pages.text(e) for e in page.iter("label") if e.get("for")}
    around = {id(inner): pages.text(e) for e in page.iter("label") for inner in e.iter()}
    for group in page.iter("span"):
        if group.get("role") == "group":
            around |= {id(inner): group.get("aria-label") or "" for inner in group.iter("input")}
    for element in page.iter():
        typed = element.tag == "input" and element.get("type") in (None, "text", "search")
        if element.get("name") and (typed or element.tag == "textarea"):
            said = element.get("aria-label") or labels.get(element.get("id")) or around.get(id(element), "")
            yield element.get("name") or "", said, element.get("value") or "".join(element.itertext())
