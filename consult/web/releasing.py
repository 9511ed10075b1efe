"""The page of the report to the manager: choose, preview, make final, show to the employee, release."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.documents import releasing
from consult.documents.blocks import blocks
from consult.documents.leaflet import FORMATS
from consult.documents.needs import chosen_format
from consult.documents.note import mark_of
from consult.documents.releasing import Names
from consult.documents.report import Chosen, digest, report, ruled_out, tickable, with_names
from consult.documents.sheets import report_sheet
from consult.proforma.days import day_in
from consult.proforma.load import Definition
from consult.proforma.model import Proforma
from consult.proforma.path import Disagreement, Path
from consult.proforma.reports import Reports
from consult.record.consultation import Consultation
from consult.record.ledger import KeyReused, Refused, head
from consult.record.reading import Need
from consult.record.release import EVENT_WORDS, IN_WORDS, LEFT, WISHES, Event, Release, holds_text
from consult.record.store import NotOpen, NotYours
from consult.web import forms
from consult.web.context import inst, person, who
from consult.web.desk import bp, employee_of, found, own_key, place, screen_context, site_of
from consult.web.printing import asked_format, made_now, sheet_reply, shown_format, wants_pdf
from consult.web.screen import Screen

LONGEST = 300
EVENTS_OF_FORMS = frozenset(
    {
        Event.CONSENT_GIVEN,
        Event.CONSENT_WITHDRAWN,
        Event.COPY_BEFORE,
        Event.COPY_SAME_TIME,
        Event.COPY_NONE,
        Event.COPY_GIVEN,
        Event.AGREED,
        Event.CORRECTION_ASKED,
        Event.CORRECTION_MADE,
        Event.CORRECTION_DECLINED,
        Event.RELEASED,
    }
)


@bp.route("/<consultation_id>/report", methods=["GET", "POST"], endpoint="report")
def report_page(consultation_id: str) -> Response | str | tuple[str, int]:
    """The report: what would leave, and making it final where the employee has consented."""
    consultation = found(consultation_id)
    if request.method != "POST" or request.form.get("act") == "preview":
        return _page(consultation)
    chosen = _chosen(consultation)
    back = url_for("consultations.report", consultation_id=consultation_id)
    shown = request.form.get("shown", "")
    try:
        releasing.make_final(inst().store, consultation_id, chosen, names_of(consultation), shown, own_key(), who())
    except (NotOpen, NotYours, KeyReused):
        raise  # what came too late is told by the page that every late one gets
    except Refused as refusal:
        return make_response(_page(consultation, str(refusal)), 422)
    if request.form.get("from") == "screen":
        return redirect(place(consultation_id, "report-state"))
    return redirect(back)


@bp.post("/<consultation_id>/report/<event>")
def report_event(consultation_id: str, event: str) -> Response:
    """Record what happened to the report: a copy given, agreed, a correction, a release, a change of consent."""
    consultation = found(consultation_id)
    if event not in EVENTS_OF_FORMS:
        abort(404)
    back = url_for("consultations.report", consultation_id=consultation_id)
    happened = Event(event)
    reports = inst().store.definition_of(consultation).reports
    try:
        content = _content(happened, inst().today(), reports)
        releasing.record(inst().store, consultation_id, happened, content, names_of(consultation), own_key(), who())
    except (NotOpen, NotYours, KeyReused):
        raise  # what came too late is told by the page that every late one gets
    except Refused as refusal:
        return make_response(_page(consultation, str(refusal), refusal.field, happened), 422)
    return redirect(back)


def _content(event: Event, today: date, reports: Reports) -> dict[str, Any]:
    """What the form sent for an event, as its step holds it; Refused where something is missing."""
    how, text = request.form.get("how", ""), forms.typed("text")
    if event in (Event.CORRECTION_ASKED, Event.CORRECTION_MADE, Event.CORRECTION_DECLINED):
        if not text:
            raise Refused("Write in a few words what is to be corrected, or why it stays.", "text")
        return {"text": text}
    if event == Event.AGREED:
        return {"digest": request.form.get("shown", "")}
    if how not in reports.ways:
        raise Refused("Choose how it was said, given or sent.", "how")
    if event == Event.COPY_GIVEN:
        until = day_in(request.form.get("window_ends", ""))
        if until is None or until < today:
            raise Refused("Give the day until which the employee may answer: today or later.", "window_ends")
        return {"digest": request.form.get("shown", ""), "how": how, "window_ends": until.isoformat()}
    if event == Event.RELEASED:
        to = request.form.get("to", "")
        if to not in reports.recipients:
            raise Refused("Choose to whom the report goes.", "to")
        return {"digest": request.form.get("shown", ""), "to": to, "how": how}
    return {"how": how}


def names_of(consultation: Consultation) -> Names:
    """Whom the report names."""
    employee = employee_of(consultation)
    return Names(employee.name if employee else "(identity removed)", person().name)


def _chosen(consultation: Consultation) -> Chosen:
    """What the form chose, or what the final text was made of, or the usual kind with nothing ticked."""
    definition = inst().store.definition_of(consultation)
    if not _choosing():
        again = releasing.chosen_again(releasing.now(consultation, definition, inst().today()), definition)
        if again is not None:
            return again
    kind = definition.reports.by_id(request.form.get("kind", ""))
    if kind is None:
        abort(404)
    written = {line.id: forms.typed(f"w.{line.id}")[:LONGEST] for line in kind.lines}
    return Chosen(kind, tuple(request.form.getlist("tick")), {name: text for name, text in written.items() if text})


def _choosing() -> bool:
    """Whether the form was sent that chooses what the report says."""
    return request.method == "POST" and request.endpoint == "consultations.report"


def _page(consultation: Consultation, problem: str = "", wrong: str = "", event: Event | None = None) -> str | Response:
    """The page with what was chosen and typed; `problem` says why that was not made final, or an event not recorded."""
    context, definition = screen_context(consultation), inst().store.definition_of(consultation)
    if not definition.reports.types:
        abort(404)
    release, chosen = releasing.now(consultation, definition, inst().today()), _chosen(consultation)
    text, is_final = _text(consultation, release, context["screen"].path, chosen)
    mark, with_copy = mark_of(consultation, definition.proforma), _with_copy(release)
    if wants_pdf():
        copy = with_copy and request.args.get("copy") == "yes"
        return _pdf(text, is_final, copy, mark, names_of(consultation).employee)
    refused = {"problem": problem, "wrong": wrong, "refused_event": event.value if event else ""}
    made = {"blocks": blocks(text), "digest": digest(text), "is_final": is_final, "made_at": head(inst().db.read())}
    return render_template(
        "consultations/report.html",
        mark=mark,
        **refused,
        **made,
        **_standing(release),
        **_choices(context["screen"], definition, chosen),
        **_formats(context["need"], with_copy),
        **context,
    )


def _text(consultation: Consultation, release: Release, path: Path, chosen: Chosen) -> tuple[str, bool]:
    """What the page shows, and whether it is the final text: that one stands, or has left, else what would be made."""
    names = names_of(consultation)
    final = releasing.final_text(release, names) if holds_text(release.stage) or release.stage in LEFT else None
    if final is not None and not _choosing():
        return final, True
    made = report(consultation, path, chosen, site_of(consultation).telephone, releasing.consents(release, path))
    draft = with_names(made, names.employee, names.clinician)
    return draft, draft == final


def _standing(release: Release) -> dict[str, Any]:
    """Where the report stands, in words."""
    return {
        "release": release,
        "says": IN_WORDS[release.stage],
        "event_words": EVENT_WORDS,
        "has_left": release.stage in LEFT,
    }


def _choices(screen: Screen, definition: Definition, chosen: Chosen) -> dict[str, Any]:
    """What may be chosen for the report, what was, and which question asks for consent."""
    proforma = definition.proforma
    return {
        "reports": definition.reports,
        "chosen": chosen,
        "tickable": tickable(screen.path),
        "ruled_out": ruled_out(screen.path),
        "disagreeing": [one for one in screen.contradictions if _in_report(one, proforma)],
        "asks": next((q.id for q in proforma.questions if any(o.release for o in q.options)), ""),
    }


def _formats(need: Need | None, with_copy: bool) -> dict[str, Any]:
    """The formats in which the report and a copy for the employee are printed, the one needed chosen for the copy."""
    wanted = chosen_format(need, FORMATS)
    return {
        "format": asked_format(),
        "preselect": wanted if with_copy else "",
        "copy_format": shown_format(wanted),
        "with_copy": with_copy,
    }


def _pdf(text: str, is_final: bool, copy: bool, mark: str, employee: str) -> Response:
    """The text as PDF: on top stands that it was entered in error, is not final, or is the employee's copy."""
    above = mark or (("Copy for the employee" if copy else "") if is_final else "Not final: do not send")
    sheet = report_sheet(text, made_now(asked_format()), above, to_sign=not copy, employee=employee)
    return sheet_reply(sheet, "report-copy" if copy else "report")


def _in_report(one: Disagreement, proforma: Proforma) -> bool:
    return any(proforma.by_id[id_].report != "never" for id_ in one.questions)


def _with_copy(release: Release) -> bool:
    """Whether a copy for the employee prints with the report: unless the employee wants none."""
    wishes = [h.event for h in release.log if h.event in WISHES]
    return bool(wishes) and wishes[-1] != Event.COPY_NONE
