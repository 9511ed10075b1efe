"""The papers of a consultation: note, referral letter, leaflets, and what happened when."""

from __future__ import annotations

from typing import Any, Final

from flask import abort, redirect, render_template, request, url_for
from msgspec.structs import replace
from werkzeug.wrappers import Response

from consult.documents import letter as letters
from consult.documents.called import called
from consult.documents.given import kept_leaflet
from consult.documents.leaflet import FORMATS, Format, Leaflet
from consult.documents.needs import chosen_format
from consult.documents.note import after_lines, mark_of, not_signed, note_parts
from consult.documents.pdf import Sheet
from consult.documents.report import digest as digest_of
from consult.documents.sheets import Named, letter_sheet, note_sheet
from consult.documents.words import ATTENDANCE, uk_date
from consult.record.consultation import Consultation
from consult.record.database import NotWritten
from consult.record.ledger import head, steps
from consult.signed import head_at, signer
from consult.web.context import inst, person, who
from consult.web.desk import (
    bp,
    employee_of,
    ended_context,
    found,
    note_of,
    own_key,
    place,
    printed_format,
    refused,
    screen_context,
    shown_note,
    site_of,
    unrecorded_print,
)
from consult.web.forms import number
from consult.web.leaflets import AnyReply, leaflet_format, printed
from consult.web.printing import asked_format, made_now, sheet_reply, shown_format, wants_pdf

GIVEN: Final = ("leaflet_printed", "leaflet_given")


@bp.get("/<consultation_id>/note", endpoint="note")
def note_page(consultation_id: str) -> Response:
    """The note as plain text, or as PDF."""
    consultation = found(consultation_id)
    if wants_pdf():
        path, names = inst().store.path_of(consultation), called(inst().db.read(), consultation)
        parts, later = note_parts(consultation, path, names), after_lines(consultation, path, names)
        step, hash_ = head_at(consultation)
        made = made_now(asked_format())
        made = replace(made, step=step, hash=hash_) if step else made
        signed_by = signer(inst().db.read(), consultation)
        above = mark_of(consultation, path.proforma) or not_signed(consultation, path.proforma)
        sheet = note_sheet(parts, later, signed_by, _named(consultation), made, above)
        return sheet_reply(sheet, "note")
    return Response(shown_note(consultation), mimetype="text/plain")


@bp.post("/<consultation_id>/note-copied")
def note_copied(consultation_id: str) -> tuple[str, int]:
    """Record that the note was copied to the clipboard."""
    consultation = found(consultation_id)
    digest = digest_of(note_of(consultation))
    inst().store.note_after(consultation_id, "note_copied", {"digest": digest}, own_key(), who())
    return "", 204


@bp.route("/<consultation_id>/letter", methods=["GET", "POST"])
def letter(consultation_id: str) -> Response | str:
    """The urgent letter with the telephone numbers, before anything else is finished."""
    consultation = found(consultation_id)
    path = inst().store.path_of(consultation)
    made = letters.letter(consultation, path, site_of(consultation))
    if request.method == "POST":
        content = {"questions": [f.question for f in made.findings], "route": [r for r, _ in made.routes]}
        how = _how_printed(asked_format(request.form))
        target = url_for("consultations.letter", consultation_id=consultation_id, **how)
        return _printed(consultation_id, "letter_printed", content, target)
    if wants_pdf():
        return sheet_reply(_letter_sheet(consultation, made), "letter")
    made_at, context = head(inst().db.read()), screen_context(consultation)
    format_ = shown_format(chosen_format(context["need"], FORMATS))  # the employee carries it
    return render_template("consultations/letter.html", letter=made, made_at=made_at, format=format_, **context)


def _letter_sheet(consultation: Consultation, made: letters.Letter) -> Sheet:
    attendance = ATTENDANCE.get(consultation.started["attendance"], "Attendance not recorded").lower()
    by = f"{person().name}, {made.role.lower()}"
    return letter_sheet(made, _named(consultation), f"{made.held_on}, {attendance}", by, made_now(asked_format()))


def _named(consultation: Consultation) -> Named:
    employee = employee_of(consultation)
    if employee is None:
        return Named()
    return Named(employee.name, uk_date(employee.date_of_birth), employee.local_number or "")


def _how_printed(format_: Format) -> dict[str, Any]:
    """The end of the address of what is printed: as the form asks, a PDF or a page that prints itself."""
    return {"format": format_, **({"as": "pdf"} if request.form.get("as") == "pdf" else {"printing": "yes"})}


@bp.post("/<consultation_id>/leaflets/<leaflet_id>/<done>")
def leaflet_done(consultation_id: str, leaflet_id: str, done: str) -> Response | str:
    """Record that a leaflet was printed, given or discussed, three facts each on its own; or not given after all."""
    consultation = found(consultation_id)
    if done == "not-given":
        return _not_given(consultation_id)
    leaflet = inst().leaflets.get((leaflet_id, request.form.get("language", "en")))
    format_ = request.form.get("format", "a4" if done == "printed" else "")
    if leaflet is None or done not in ("printed", "given", "discussed"):
        abort(404)
    if format_ not in leaflet.formats and (format_ or done == "printed"):
        abort(404)
    if done == "printed":
        return _leaflet_printed(consultation_id, leaflet, leaflet_format(leaflet, format_))
    # where the page names no format, it was printed in another tab after the page was made
    content = _of_leaflet(leaflet, format_ or printed_format(consultation, leaflet))
    if done == "given":
        content["form"] = _given_as(leaflet)
    inst().store.note_after(consultation_id, f"leaflet_{done}", content, own_key(), who())
    line = f"done-{leaflet.id}-{leaflet.language}"  # the next key goes on from there
    return redirect(place(consultation_id, line))


def _leaflet_printed(consultation_id: str, leaflet: Leaflet, format_: Format) -> Response:
    if why_not := inst().why_not_print(leaflet):
        return refused(why_not, place(consultation_id, "finish"), "This leaflet is not printed")
    how = _how_printed(format_)
    target = url_for("leaflets.show", leaflet_id=leaflet.id, language=leaflet.language, **how)
    return _printed(consultation_id, "leaflet_printed", _of_leaflet(leaflet, format_), target)


def _of_leaflet(leaflet: Leaflet, format_: str) -> dict[str, str]:
    """What a step holds of the leaflet it is about."""
    return {
        "leaflet": leaflet.id,
        "version": leaflet.version,
        "language": leaflet.language,
        "format": format_,
        "digest": leaflet.digest,
    }


def _given_as(leaflet: Leaflet) -> str:
    """How a leaflet was given; one for the manager is no information that the employee was given."""
    way = "link" if request.form.get("form") == "link" else "printed"
    return way if leaflet.audience == "employee" else f"{leaflet.audience}_{way}"


def _not_given(consultation_id: str) -> Response:
    given = number(request.form.get("given", ""))
    inst().store.take_back_given(consultation_id, given, own_key(), who())
    leaflet = next(s.content for s in found(consultation_id).documents if s.seq == given)
    line = f"done-{leaflet['leaflet']}-{leaflet['language']}" if leaflet else "finish"
    return redirect(place(consultation_id, line))


@bp.get("/<consultation_id>/papers")
def papers_now(consultation_id: str) -> str:
    """What is recorded of leaflets and report by now: for a screen one comes back to from a print elsewhere."""
    return render_template("consultations/papers_now.html", **screen_context(found(consultation_id)))


@bp.route("/<consultation_id>/leaflets/again/<int:step>", methods=["GET", "POST"])
def leaflet_again(consultation_id: str, step: int) -> AnyReply:
    """Print the very text again that was printed or given at a step, marked so; also where it changed or expired."""
    consultation = found(consultation_id)
    given = next((s for s in consultation.documents if s.seq == step and s.kind in GIVEN and s.content), None)
    leaflet = kept_leaflet(inst().db.read(), given.content["digest"]) if given and given.content else None
    if leaflet is None or given is None or given.content is None:
        abort(404)
    format_ = leaflet_format(leaflet, request.values.get("format") or given.content["format"])
    if request.method == "POST":
        content = {name: given.content[name] for name in ("leaflet", "version", "language", "digest")}
        target = url_for(
            "consultations.leaflet_again", consultation_id=consultation_id, step=step, **_how_printed(format_)
        )
        return _printed(consultation_id, "leaflet_printed", {**content, "format": format_}, target)
    did = "printed" if given.kind == "leaflet_printed" else "given"
    return printed(leaflet, format_, reprint=f"Printed again: the very text that was {did} on {uk_date(given.at)}.")


def _printed(consultation_id: str, kind: str, content: dict[str, Any], address: str) -> Response:
    """Record that something is printed, and go on to its print; also where that can't be recorded now."""
    try:
        inst().store.note_after(consultation_id, kind, content, own_key(), who())
    except NotWritten as error:
        return unrecorded_print(error, address)
    return redirect(address)


@bp.get("/<consultation_id>/steps", endpoint="steps")
def history(consultation_id: str) -> str:
    """Everything that happened in a consultation, in order."""
    consultation = found(consultation_id)
    found_steps = list(steps(inst().db.read(), consultation=consultation_id))
    return render_template("consultations/steps.html", steps=found_steps, **ended_context(consultation))
