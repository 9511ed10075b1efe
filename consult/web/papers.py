"""The papers of a consultation: note, referral letter, leaflets, and what happened when."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.documents import letter as letters
from consult.documents.note import note
from consult.documents.report import digest as digest_of
from consult.record.database import NotWritten
from consult.record.ledger import head, steps
from consult.web.context import inst, who
from consult.web.desk import (
    bp,
    ended_context,
    found,
    own_key,
    refused,
    screen_context,
    shown_note,
    site_of,
    unrecorded_print,
)


@bp.get("/<consultation_id>/note", endpoint="note")
def note_page(consultation_id: str) -> Response:
    """The note as plain text."""
    consultation = found(consultation_id)
    return Response(shown_note(consultation), mimetype="text/plain")


@bp.post("/<consultation_id>/note-copied")
def note_copied(consultation_id: str) -> tuple[str, int]:
    """Record that the note was copied to the clipboard."""
    consultation = found(consultation_id)
    digest = digest_of(note(consultation, inst().store.path_of(consultation)))
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
        target = url_for("consultations.letter", consultation_id=consultation_id, printing="yes")
        return _printed(consultation_id, "letter_printed", content, target)
    made_at = head(inst().db.read())
    return render_template("consultations/letter.html", letter=made, made_at=made_at, **screen_context(consultation))


@bp.post("/<consultation_id>/leaflets/<leaflet_id>/<done>")
def leaflet_done(consultation_id: str, leaflet_id: str, done: str) -> Response | str:
    """Record that a leaflet was printed, given or discussed: three facts, each on its own."""
    found(consultation_id)
    leaflet = inst().leaflets.get((leaflet_id, request.form.get("language", "en")))
    format_ = request.form.get("format", "a4" if done == "printed" else "")
    if leaflet is None or done not in ("printed", "given", "discussed"):
        abort(404)
    if format_ not in leaflet.formats and (format_ or done == "printed"):
        abort(404)
    today = inst().store.clock().astimezone().date()
    form = request.form.get("form", "printed")
    if done == "printed" and (why_not := leaflet.may_print(today) or leaflet.moved_on(inst().leaflets)):
        back = url_for("consultations.show", consultation_id=consultation_id, _anchor="finish")
        return refused(why_not, back, "This leaflet is not printed")
    content = {
        "leaflet": leaflet.id,
        "version": leaflet.version,
        "language": leaflet.language,
        "format": format_,
        "digest": leaflet.digest,
    }
    if done == "given":
        content["form"] = "link" if form == "link" else "printed"
    if done == "printed":
        language = leaflet.language
        target = url_for("leaflets.show", leaflet_id=leaflet.id, language=language, format=format_, printing="yes")
        return _printed(consultation_id, "leaflet_printed", content, target)
    inst().store.note_after(consultation_id, f"leaflet_{done}", content, own_key(), who())
    return redirect(url_for("consultations.show", consultation_id=consultation_id, _anchor="finish"))


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
