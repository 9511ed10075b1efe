"""What the pages of a consultation share: who may see it, what the templates need, and how a request is named."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, abort, current_app, g, make_response, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import policy
from consult.audit.measures import MeasureSet, Outcome, headings_met
from consult.documents import signing
from consult.documents.called import called
from consult.documents.given import readable_leaflet
from consult.documents.leaflet import Leaflet
from consult.documents.note import after_signing, how_it_ended, mark_of, not_signed, note, with_head
from consult.documents.words import describe
from consult.record import identity, looks, own
from consult.record.consultation import Consultation, report_allowed, report_stands
from consult.record.database import NotWritten
from consult.record.ledger import Refused, Step, seen_of, steps
from consult.record.settings import Site, sites
from consult.record.store import NotYours
from consult.signed import head_at, signer
from consult.web import begun, braking, holding, needing, noting
from consult.web.context import content_is_approved, inst, person, this_request, who
from consult.web.screen import Screen

BESIDE: Final = "What stands now is shown beside what you typed: write what is to stand, then change it."
STANDS: Final = "as-it-stands"
"""Where on a page it stands what somebody else made of it meanwhile."""
SHORTEST_KEY, LONGEST_KEY = 16, 100

PAPERS = {f"consultations.{paper}": paper for paper in ("note", "letter", "report", "steps")}
"""The pages of a consultation whose opening is a look of its own."""

bp = Blueprint("consultations", __name__, url_prefix="/consultations")


def found(consultation_id: str, sure: bool = True) -> Consultation:
    """The consultation, for the clinician who holds it; 404 for anyone else's. A look is recorded once a visit.

    Whoever held it and had it taken over is told so instead (NotYours). It is `sure` to be as it is now, but for
    saving, which looks again by itself.
    """
    store, own_id = inst().store, person().id
    consultation = store.remembered(consultation_id, sure)
    if not sure and (consultation is None or consultation.owner != own_id):
        consultation = store.remembered(consultation_id)
    if consultation is None or (consultation.owner != own_id and not held_before(consultation)):
        abort(404)
    if consultation.owner != own_id:
        raise NotYours("Another clinician holds this consultation; only that clinician can write in it.")
    if request.method == "GET":
        viewed(consultation)
    return consultation


def held_before(consultation: Consultation) -> bool:
    """Whether the person signed in held this consultation until a colleague took it over."""
    return person().id in {(step.content or {}).get("from") for step in consultation.taken_over}


def printed_format(consultation: Consultation, leaflet: Leaflet) -> str:
    """The format in which a leaflet was last printed, in its language, in this consultation; "" if it was not."""
    wanted = (leaflet.id, leaflet.language)
    for step in reversed(consultation.documents):
        said = step.content if step.kind == "leaflet_printed" else None
        if said and (said["leaflet"], said["language"]) == wanted:
            return str(said["format"])
    return ""


def given_title(content: Mapping[str, Any]) -> str:
    """The title of the very leaflet that a step is about, in use or not; its code where none is kept."""
    kept = readable_leaflet(inst().db.read(), content["digest"])
    return kept.title if kept else str(content["leaflet"])


def way_back_to(consultation_id: str, leaflet: Leaflet) -> str:
    """The address of a leaflet among the papers of a consultation."""
    return place(consultation_id, f"leaflet-{leaflet.id}-{leaflet.language}")


def place(consultation_id: str, anchor: str | None) -> str:
    """The address of a place on the screen of a consultation, which then comes whole: the place is there at once."""
    return url_for("consultations.show", consultation_id=consultation_id, whole="yes", _anchor=anchor)


def unrecorded_print(error: NotWritten, address: str) -> Response:
    """Printing goes on where that it was printed can't be recorded: a page that says so, and leads to the print."""
    sentence = f"{error} You can print all the same; press Print again later, so that the record says so."
    page = render_template(
        "refused.html", title="That it was printed is not recorded", sentence=sentence, onward=address
    )
    return make_response(page, 503, {"Retry-After": "5"})


def employee_of(consultation: Consultation) -> identity.Employee | None:
    """Who the consultation is with."""
    return identity.employee(inst().db.read(), consultation.started["employee"])


def site_of(consultation: Consultation) -> Site:
    """The site of the consultation, with its routes."""
    code = consultation.started["site"]
    return sites(inst().db.read()).get(code, Site(code, code))


def viewed(consultation: Consultation) -> None:
    """Record who looked: one step for each consultation, and each of its papers, in a visit."""
    _look(consultation, "consultation_viewed", {}, consultation.id)
    if paper := PAPERS.get(request.endpoint or ""):
        _look(consultation, "paper_viewed", {"paper": paper}, f"{consultation.id}:{paper}")


def _look(consultation: Consultation, kind: str, content: dict[str, str], mark: str) -> None:
    with _once(mark) as first:
        if first:
            inst().store.note_after(consultation.id, kind, content, str(uuid.uuid4()), who())


def viewed_employee(employee: str) -> None:
    """Record who looked at an employee's page: one step in a visit."""
    with _once(f"e:{employee}") as first:
        if first:
            with inst().db.write() as conn:
                looks.note(conn, employee, who().actor, who().role, inst().store.at())


def listed_employees(employees: Iterable[str], shown_in: str) -> None:
    """Record whom a list showed: one step for each employee since the sign-in. Reading goes on where it can't be."""
    since = g.visit.created_at if g.visit else datetime.fromtimestamp(0, UTC)
    conn = inst().db.read()
    mine = own.of_person(conn, person().id)
    new = looks.not_listed(conn, (one for one in employees if one != mine), person().id, since)
    if not new:
        return
    try:
        with inst().db.write() as conn:
            looks.note_listed(conn, new, shown_in, who().actor, who().role, inst().store.at(), since)
    except NotWritten as error:  # the next search of this visit tries again
        current_app.logger.warning("Whom a list showed %s is not recorded: %s", who().actor, error)


@contextmanager
def _once(mark: str) -> Iterator[bool]:
    """Whether this is the first look in a visit; the block writes it. Reading goes on where it can't be written."""
    looked = session.get("looked", [])
    try:
        yield mark not in looked
    except NotWritten as error:  # the next page of this visit tries again
        current_app.logger.warning("A look of %s at %s is not recorded: %s", who().actor, mark, error)
        return
    if mark not in looked:
        session["looked"] = [*looked[-30:], mark]


def screen_context(consultation: Consultation, **more: Any) -> dict[str, Any]:
    """What the screen's templates need, with its papers."""
    return questions_context(consultation, **papers_context(consultation), **more)


def papers_context(consultation: Consultation) -> dict[str, Any]:
    """What the papers at the end of the screen need."""
    path = Screen.of(inst().store, consultation).path
    return {
        "leaflets": inst().leaflets,
        "headings": headings(consultation),
        "report_stands": report_stands(consultation, path),
        "report_allowed": report_allowed(path),
        **needing.context(consultation),
    }


def questions_context(consultation: Consultation, **more: Any) -> dict[str, Any]:
    """What the questions of the screen need, and what stands around them."""
    screen = Screen.of(inst().store, consultation)
    return {
        "screen": screen,
        "consultation": consultation,
        "employee": employee_of(consultation),
        "site": site_of(consultation),
        "clinician": person(),
        "key": str(uuid.uuid4()),
        "conflicts": {},
        "errors": {},
        "decision_problem": "",
        "reading_problems": begun.of_reading(consultation),
        "not_done": "",
        "note_text": None,
        "later": (),
        "folded_later": (),
        **more,
    }


def headings(consultation: Consultation) -> list[tuple[str, str, str]]:
    """Each national heading with what the audit would see now: recorded, still open, or does not apply."""
    measures = inst().measures

    def work() -> list[tuple[str, str, str]]:
        words, now = {"met": "recorded", "not_applicable": "does not apply so far"}, _met(consultation, measures)
        return [(m, measures.by_id[m].title, words.get(now[m], "still open")) for m in measures.national]

    return consultation.worked_out(f"headings {measures.version}", work)


def _met(consultation: Consultation, measures: MeasureSet) -> Mapping[str, Outcome]:
    """The outcomes of the national measures so far, worked out once for a state and what is like the one before it."""
    name, dataset = f"met {measures.version}", inst().store.library.current.dataset

    def work() -> Mapping[str, Outcome]:
        case = signing.case_so_far(inst().store, consultation)
        known = earlier.derived if (earlier := consultation.earlier) is not None else {}
        before = (known[signing.CASE], known[name]) if name in known and signing.CASE in known else None
        return headings_met(measures, dataset, case, before)

    return consultation.worked_out(name, work)


def own_key() -> str:
    """The key the page made for this request, or a new one where it has none that could be its own."""
    key = this_request().form.get("key", "")
    return key if SHORTEST_KEY <= len(key) <= LONGEST_KEY else str(uuid.uuid4())


def seen_here(history: Sequence[Step], beside: bool) -> int | str:
    """The last step that whoever has this page before them saw: what the form said, unless all is shown `beside`."""
    return request.form.get("seen", "") if request.method == "POST" and not beside else seen_of(history)


def without_a_name(**texts: str) -> None:
    """Refuse texts, each by the name of its field, that hold the name or number of an employee registered here.

    That tells whoever may not look for employees that there is one of that name: so it is noted who was told it, and
    nobody is told it often in a minute.
    """
    if braking.too_often("texts", policy.TEXTS):
        raise Refused("You sent this form many times in a minute; wait a moment, then send it again.")
    if naming := [field for field, text in texts.items() if identity.named_in(inst().db.read(), text)]:
        noting.note("refused_name")
        sentence = "A text holds the name or number of an employee; write it without, as these texts are handed on."
        raise Refused(sentence, naming[0])


def refused(sentence: str, back: str, title: str = "Nothing was recorded") -> Response:
    """A page that says in one sentence what happened and what to do, and leads back."""
    told = {"title": title, "sentence": sentence, "back": back, "words": holding.words(), "refusal": True}
    page = render_template("refused.html", **told)
    return make_response(page, 422)


def ended_context(consultation: Consultation) -> dict[str, Any]:
    """What the pages of an ended consultation need."""
    context = screen_context(consultation)
    conn = inst().db.read()
    return {
        **context,
        "note_text": shown_note(consultation),
        "describe": describe,
        "how_it_ended": how_it_ended,
        "step_count": sum(1 for _ in steps(conn, consultation=consultation.id)),
    }


def note_of(consultation: Consultation) -> str:
    """The note of a consultation as it is signed: without its head."""
    return signing.note_so_far(inst().store, inst().db.read(), consultation)


def shown_note(consultation: Consultation) -> str:
    """The note of a consultation with its head, as it is shown, copied and printed."""
    path, names = inst().store.path_of(consultation), called(inst().db.read(), consultation)
    return with_head(
        note(consultation, path, names),
        signer(inst().db.read(), consultation),
        head_at(consultation),
        not content_is_approved(),
        after_signing(consultation, path, names),
        mark_of(consultation, path.proforma),
        not_signed(consultation, path.proforma),
    )
