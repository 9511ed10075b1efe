"""The way of a report to the manager: one pure function of stages and events, and its fold over a consultation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from consult.proforma.model import Proforma, Question
from consult.record.consultation import Consultation
from consult.record.ledger import Refused, Step


class Stage(StrEnum):
    """Where a report stands; each has one name, so that every pair of stage and event can be tried."""

    NOT_EXPLAINED = "not_explained"
    EXPLAINED = "explained"
    WITHHELD = "withheld"
    WITHDRAWN = "withdrawn"
    NO_RECIPIENT = "no_recipient"
    CONSENTED = "consented"
    WANTS_BEFORE = "wants_before"
    WANTS_SAME_TIME = "wants_same_time"
    WANTS_NO_COPY = "wants_no_copy"
    FINAL = "final"
    TO_SHOW = "to_show"
    WITH_EMPLOYEE = "with_employee"
    QUERIED = "queried"
    READY_BEFORE = "ready_before"
    READY_SAME_TIME = "ready_same_time"
    READY_NO_COPY = "ready_no_copy"
    RELEASED = "released"
    QUERIED_AFTER = "queried_after"
    WITHDRAWN_AFTER = "withdrawn_after"


class Event(StrEnum):
    """What can happen to a report. Those of consent and copy come from answers, after signing from steps."""

    EXPLAINED = "explained"
    CONSENT_GIVEN = "consent_given"
    CONSENT_WITHHELD = "consent_withheld"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    NO_RECIPIENT = "no_recipient"
    CONSENT_REMOVED = "consent_removed"
    COPY_BEFORE = "copy_before"
    COPY_SAME_TIME = "copy_same_time"
    COPY_NONE = "copy_none"
    COPY_REMOVED = "copy_removed"
    TEXT_FINAL = "text_final"
    TEXT_CHANGED = "text_changed"
    COPY_GIVEN = "copy_given"
    AGREED = "agreed"
    WINDOW_ENDED = "window_ended"
    CORRECTION_ASKED = "correction_asked"
    CORRECTION_MADE = "correction_made"
    CORRECTION_DECLINED = "correction_declined"
    RELEASED = "released"


S, E = Stage, Event
WISHES: Final = frozenset({E.COPY_BEFORE, E.COPY_SAME_TIME, E.COPY_NONE})
CONSENTS: Final = frozenset({E.CONSENT_GIVEN, E.CONSENT_WITHHELD, E.CONSENT_WITHDRAWN, E.NO_RECIPIENT})

_CONSENT_SAID: Final[dict[Event, Stage]] = {
    E.EXPLAINED: S.EXPLAINED,
    E.CONSENT_GIVEN: S.CONSENTED,
    E.CONSENT_WITHHELD: S.WITHHELD,
    E.CONSENT_WITHDRAWN: S.WITHDRAWN,
    E.NO_RECIPIENT: S.NO_RECIPIENT,
    E.CONSENT_REMOVED: S.NOT_EXPLAINED,
}
_CONSENT_ENDS: Final[dict[Event, Stage]] = {
    event: stage for event, stage in _CONSENT_SAID.items() if event != E.CONSENT_GIVEN
}
_NO_TEXT: Final[dict[Event, Stage]] = {
    **_CONSENT_ENDS,
    E.COPY_BEFORE: S.WANTS_BEFORE,
    E.COPY_SAME_TIME: S.WANTS_SAME_TIME,
    E.COPY_NONE: S.WANTS_NO_COPY,
    E.COPY_REMOVED: S.CONSENTED,
}
_TEXT: Final[dict[Event, Stage]] = {
    **_CONSENT_ENDS,
    E.COPY_BEFORE: S.TO_SHOW,
    E.COPY_SAME_TIME: S.READY_SAME_TIME,
    E.COPY_NONE: S.READY_NO_COPY,
    E.COPY_REMOVED: S.FINAL,
}
_BEFORE: Final[dict[Event, Stage]] = {**_TEXT, E.TEXT_FINAL: S.TO_SHOW, E.TEXT_CHANGED: S.WANTS_BEFORE}


def _at(stage: Stage, ways: Mapping[Event, Stage], **more: Stage) -> dict[Event, Stage]:
    """The ways on from a stage; to have the report explained once more changes nothing."""
    return {**ways, E.EXPLAINED: stage, **{Event(name): to for name, to in more.items()}}


TABLE: Final[dict[Stage, dict[Event, Stage]]] = {
    S.NOT_EXPLAINED: {E.EXPLAINED: S.EXPLAINED},
    S.EXPLAINED: _at(S.EXPLAINED, _CONSENT_SAID),
    S.WITHHELD: _at(S.WITHHELD, _CONSENT_SAID),
    S.WITHDRAWN: _at(S.WITHDRAWN, _CONSENT_SAID),
    S.NO_RECIPIENT: _at(S.NO_RECIPIENT, _CONSENT_SAID),
    S.CONSENTED: _at(S.CONSENTED, _NO_TEXT, text_final=S.FINAL),
    S.WANTS_BEFORE: _at(S.WANTS_BEFORE, _NO_TEXT, text_final=S.TO_SHOW),
    S.WANTS_SAME_TIME: _at(S.WANTS_SAME_TIME, _NO_TEXT, text_final=S.READY_SAME_TIME),
    S.WANTS_NO_COPY: _at(S.WANTS_NO_COPY, _NO_TEXT, text_final=S.READY_NO_COPY),
    S.FINAL: _at(S.FINAL, _TEXT, text_final=S.FINAL, text_changed=S.CONSENTED),
    S.TO_SHOW: _at(S.TO_SHOW, _BEFORE, copy_given=S.WITH_EMPLOYEE),
    S.WITH_EMPLOYEE: _at(
        S.WITH_EMPLOYEE,
        _BEFORE,
        copy_given=S.WITH_EMPLOYEE,
        agreed=S.READY_BEFORE,
        window_ended=S.READY_BEFORE,
        correction_asked=S.QUERIED,
    ),
    S.QUERIED: _at(S.QUERIED, _BEFORE, correction_made=S.CONSENTED, correction_declined=S.WITH_EMPLOYEE),
    S.READY_BEFORE: _at(S.READY_BEFORE, _BEFORE, correction_asked=S.QUERIED, released=S.RELEASED),
    S.READY_SAME_TIME: _at(
        S.READY_SAME_TIME,
        _TEXT,
        text_final=S.READY_SAME_TIME,
        text_changed=S.WANTS_SAME_TIME,
        released=S.RELEASED,
    ),
    S.READY_NO_COPY: _at(
        S.READY_NO_COPY, _TEXT, text_final=S.READY_NO_COPY, text_changed=S.WANTS_NO_COPY, released=S.RELEASED
    ),
    S.RELEASED: _at(S.RELEASED, {}, consent_withdrawn=S.WITHDRAWN_AFTER, correction_asked=S.QUERIED_AFTER),
    S.QUERIED_AFTER: _at(
        S.QUERIED_AFTER,
        {},
        consent_withdrawn=S.WITHDRAWN_AFTER,
        correction_made=S.CONSENTED,
        correction_declined=S.RELEASED,
    ),
    S.WITHDRAWN_AFTER: _at(S.WITHDRAWN_AFTER, {}, consent_given=S.CONSENTED),
}
"""Every way there is; what is not here can't happen. Sources: GMC, Disclosing information for employment purposes;
FOM, Good Occupational Medical Practice parts 6 and 7; FOM Ethics Guidance, 9th edition, page 53."""

IN_WORDS: Final = {
    S.NOT_EXPLAINED: "The referral and the report are not recorded as explained, and no consent is recorded.",
    S.EXPLAINED: "Explained; the employee's consent is not recorded yet.",
    S.WITHHELD: "The employee withheld consent. No report leaves.",
    S.WITHDRAWN: "The employee withdrew consent. No report leaves.",
    S.NO_RECIPIENT: "There is no manager to report to.",
    S.CONSENTED: "The employee consents. Whether they want a copy, and when, is not recorded; no text is final.",
    S.WANTS_BEFORE: "The employee consents and wants a copy before it is sent. No text is final.",
    S.WANTS_SAME_TIME: "The employee consents and wants a copy at the same time. No text is final.",
    S.WANTS_NO_COPY: "The employee consents and wants no copy. No text is final.",
    S.FINAL: "The text is final. Whether the employee wants a copy, and when, is not recorded.",
    S.TO_SHOW: "The text is final. The employee is to have a copy before it is sent.",
    S.WITH_EMPLOYEE: "The employee has the copy and the time agreed to answer.",
    S.QUERIED: "The employee asked for a correction; answer it first.",
    S.READY_BEFORE: "The employee has seen it. It may be released.",
    S.READY_SAME_TIME: "The text is final. It may be released, with a copy to the employee at the same time.",
    S.READY_NO_COPY: "The text is final. It may be released; the employee wants no copy.",
    S.RELEASED: "Released.",
    S.QUERIED_AFTER: "Released; the employee has since asked for a correction.",
    S.WITHDRAWN_AFTER: "Released; the employee has since withdrawn consent. Nothing more leaves.",
}


LEFT: Final = frozenset({S.RELEASED, S.QUERIED_AFTER, S.WITHDRAWN_AFTER})
"""The stages at which the text that was released is the last there is: none was begun in its place."""
WITHOUT_CONSENT: Final = frozenset(
    {S.NOT_EXPLAINED, S.EXPLAINED, S.WITHHELD, S.WITHDRAWN, S.NO_RECIPIENT, S.WITHDRAWN_AFTER}
)

EVENT_WORDS: Final[Mapping[str, str]] = {
    E.EXPLAINED: "Explained to the employee",
    E.CONSENT_GIVEN: "Consent given",
    E.CONSENT_WITHHELD: "Consent withheld",
    E.CONSENT_WITHDRAWN: "Consent withdrawn",
    E.NO_RECIPIENT: "There is no manager to report to",
    E.CONSENT_REMOVED: "What was recorded about consent was taken away",
    E.COPY_BEFORE: "The employee wants a copy before it is sent",
    E.COPY_SAME_TIME: "The employee wants a copy at the same time",
    E.COPY_NONE: "The employee wants no copy",
    E.COPY_REMOVED: "What was recorded about a copy was taken away",
    E.TEXT_FINAL: "Text made final",
    E.TEXT_CHANGED: "The text no longer stands, as an answer changed",
    E.COPY_GIVEN: "Copy given to the employee",
    E.AGREED: "The employee has read it and agrees",
    E.WINDOW_ENDED: "The time to answer has passed",
    E.CORRECTION_ASKED: "The employee asked for a correction",
    E.CORRECTION_MADE: "Fact corrected",
    E.CORRECTION_DECLINED: "The opinion stays",
    E.RELEASED: "Released",
}


class NotPossible(Refused):
    """The event can't happen at this stage; the message says where the report stands."""


def after(stage: Stage, event: Event) -> Stage:
    """The stage after an event; NotPossible on any way that is not in the table."""
    try:
        return TABLE[stage][event]
    except KeyError:
        raise NotPossible(f"That can't be done with the report now. {IN_WORDS[stage]}") from None


def holds_text(stage: Stage) -> bool:
    """Whether a final text stands at this stage, and has not left yet."""
    return E.TEXT_CHANGED in TABLE[stage]


class Happened(Struct, frozen=True):
    """One event of a report, with when it was and who recorded it."""

    event: Event
    seq: int
    at: str
    actor: str
    step: Step | None = None


class Release(Struct, frozen=True):
    """Where the report of a consultation stands, and how it came there."""

    stage: Stage = S.NOT_EXPLAINED
    made: Step | None = None
    released: Step | None = None
    window_ends: str = ""
    log: tuple[Happened, ...] = ()

    def may(self, event: Event) -> bool:
        """Whether an event can happen now."""
        return event in TABLE[self.stage]


STEPS: Final = {
    "report_made": E.TEXT_FINAL,
    "report_copy_given": E.COPY_GIVEN,
    "report_agreed": E.AGREED,
    "report_window_ended": E.WINDOW_ENDED,
    "report_correction_asked": E.CORRECTION_ASKED,
    "report_released": E.RELEASED,
}


def event_of(step: Step) -> Event | None:
    """The event that a step of a report tells of; None where its content was redacted and would be needed."""
    content = step.content
    if step.kind == "report_consent_recorded":
        return Event(content["event"]) if content else None
    if step.kind == "report_correction_answered":
        return (E.CORRECTION_MADE if content["made"] else E.CORRECTION_DECLINED) if content else None
    return STEPS.get(step.kind)


def release_of(consultation: Consultation, proforma: Proforma) -> Release:
    """Where the report stands by its steps and answers alone: neither a day that passed nor a text that changed."""
    now = Release()
    wish: Event | None = None
    for happened in sorted(_happened(consultation, proforma), key=lambda h: h.seq):
        if happened.event in WISHES | {E.COPY_REMOVED}:
            wish = happened.event if happened.event in WISHES else None
        now = _step(now, happened)
        if happened.event in (E.CONSENT_GIVEN, E.CORRECTION_MADE) and wish and now.may(wish):
            now = replace(now, stage=after(now.stage, wish))
    return now


def as_of(release: Release, today: date, stands: bool) -> Release:
    """The same with what no step tells: the window has ended, or (`stands` is false) the final text says other things.

    The window ends when its last day is over.
    """
    if not stands and release.may(E.TEXT_CHANGED):
        return replace(release, stage=after(release.stage, E.TEXT_CHANGED))
    if release.stage == S.WITH_EMPLOYEE and release.window_ends and today > date.fromisoformat(release.window_ends):
        return replace(release, stage=after(release.stage, E.WINDOW_ENDED))
    return release


def _step(now: Release, happened: Happened) -> Release:
    """One event more; what was not possible changes nothing, whoever wrote the step."""
    step = happened.step
    if happened.event not in TABLE[now.stage]:
        return now
    now = replace(now, stage=after(now.stage, happened.event), log=(*now.log, happened))
    if happened.event == E.TEXT_FINAL:
        return replace(now, made=step, window_ends="")
    if happened.event == E.COPY_GIVEN:
        return replace(now, window_ends=str((step.content or {}).get("window_ends", "")) if step else "")
    return replace(now, released=step) if happened.event == E.RELEASED else now


def _happened(consultation: Consultation, proforma: Proforma) -> Iterator[Happened]:
    for question in proforma.questions:
        if events := _events_by_code(question):
            for record in consultation.history.get(question.id, []):
                chosen = events.get(str(record.answer.value)) if record.answer else None
                for event in chosen if chosen is not None else (_removed(events),):
                    yield Happened(event, record.seq, record.at, record.actor)
    for step in consultation.documents:
        told = event_of(step) if step.kind.startswith("report_") else None
        if told is not None:
            yield Happened(told, step.seq, step.at, step.actor, step)


def _events_by_code(question: Question) -> dict[str, tuple[Event, ...]]:
    return {o.code: tuple(Event(e) for e in o.release) for o in question.options if o.release}


def _removed(events: Mapping[str, tuple[Event, ...]]) -> Event:
    about_copy = any(event in WISHES for chosen in events.values() for event in chosen)
    return E.COPY_REMOVED if about_copy else E.CONSENT_REMOVED


def corrections(consultation: Consultation) -> list[str]:
    """The corrections of fact that were made after the employee read the report, in order."""
    steps = [s for s in consultation.documents if s.kind == "report_correction_answered"]
    return [str(content["text"]) for s in steps if (content := s.content) and content["made"]]


def step_of(event: Event, content: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The kind and content of the step that records an event of a report."""
    if event in CONSENTS | WISHES:
        return "report_consent_recorded", {"event": event.value, **content}
    if event in (E.CORRECTION_MADE, E.CORRECTION_DECLINED):
        return "report_correction_answered", {"made": event == E.CORRECTION_MADE, **content}
    return next(kind for kind, known in STEPS.items() if known == event), content
