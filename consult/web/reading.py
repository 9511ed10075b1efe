"""How employees need to read: asked once for each, shown where papers are handed over, and counted for the service."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audit.suppression import count_of_people
from consult.documents.needs import Needs
from consult.record import identity, reading
from consult.record.ledger import Refused
from consult.record.reading import Answer, Need
from consult.web import begun
from consult.web.context import inst, who
from consult.web.desk import bp as consultations
from consult.web.desk import found, own_key, place, refused, screen_context
from consult.web.doing import DOING
from consult.web.needing import need_of, words

AnyReply = Response | tuple[str, int]

bp = Blueprint("reading", __name__)


@bp.post("/employees/<employee_id>/reading-need")
def tell(employee_id: str) -> AnyReply:
    """Record what an employee needs, and go back to where it was asked."""
    if identity.employee(inst().db.read(), employee_id) is None:
        abort(404)
    at = request.form.get("consultation", "")
    back = place(at, "reading") if at else url_for("employees.show", employee_id=employee_id, _anchor="reading")
    try:
        told = _told(words())
        with inst().db.write() as conn:
            reading.tell(conn, employee_id, told, (who().actor, who().role), inst().store.at(), own_key())
    except Refused as refusal:
        return _refused(at, begun.READING, str(refusal), back)
    return redirect(back)


def _refused(consultation_id: str, form: str, sentence: str, back: str) -> AnyReply:
    """The page of the talk with what was typed and why it is not recorded; of any other page only the sentence."""
    if DOING not in request.form:
        return refused(sentence, back)
    problems = begun.of_reading(consultation := found(consultation_id)) | {form: sentence}
    problem = begun.NOT_DECIDED if begun.decisions() else ""
    context = screen_context(consultation, decision_problem=problem, reading_problems=problems)
    return render_template("consultations/show.html", **context), 422


def _told(known: Needs) -> Need:
    """What the form says; what can't be chosen is refused."""
    size, language = request.form.get("size", ""), request.form.get("language", "")
    others = tuple(code for code in known.others if code in request.form.getlist("others"))
    sizes = {one.code for one in known.sizes}
    if size not in {"", *sizes} or language not in {"", *known.languages}:
        raise Refused("Choose the size and the language from the lists.")
    answer = cast(Answer, request.form.get("answer", ""))
    return Need(answer, size, language, bool(request.form.get("easy_read")), others)


@consultations.post("/<consultation_id>/needs-not-met", endpoint="need_unmet")
def unmet(consultation_id: str) -> AnyReply:
    """Record that a need was not met in this consultation, and why."""
    consultation = found(consultation_id)
    back = place(consultation_id, "reading")
    need, known = need_of(consultation), words()
    chosen = [code for code in (need.codes if need else ()) if code in request.form.getlist("needs")]
    leaflet, reason = request.form.get("leaflet", ""), request.form.get("reason", "")
    if leaflet and leaflet not in {name for name, _ in inst().leaflets}:
        abort(404)
    if not chosen or reason not in known.reasons:
        return _refused(consultation_id, begun.UNMET, "Choose which need was not met, and why.", back)
    content = {"leaflet": leaflet, "needs": chosen, "reason": reason}
    inst().store.note_after(consultation_id, reading.UNMET, content, own_key(), who())
    return redirect(back)


@bp.get("/reading-needs")
def index() -> str:
    """How many employees need what, and how often which need was not met and why; nobody is named."""
    counted, known = reading.counted(inst().db.read()), words()
    return render_template(
        "reading_needs.html",
        answers=[(label, count_of_people(counted.answers[code])) for code, label in reading.ANSWERS.items()],
        needs=[(known.word(code), count_of_people(n)) for code, n in sorted(counted.needs.items())],
        unmet=[
            (known.word(code), known.reasons.get(reason, reason), count_of_people(n))
            for (code, reason), n in sorted(counted.unmet.items())
        ],
    )
