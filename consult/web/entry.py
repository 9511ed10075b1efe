"""Cases from case notes: the baseline, sittings with their drafts, the quick form, and edits with a reason."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.audit import cases as case_table
from consult.audit.cases import CaseRow
from consult.audit.results import Selection
from consult.audit.sampling import counted_by_site
from consult.exchange import entry, in_error
from consult.exchange.entry import NotTaken, Sitting
from consult.exchange.entryform import EntryForm
from consult.exchange.intake import Import
from consult.importing import why_not_taken
from consult.record import settings
from consult.record.ledger import Refused
from consult.web import blind
from consult.web.context import inst, person, who
from consult.web.desk import own_key, refused
from consult.web.forms import clean, number, typed

bp = Blueprint("entry", __name__, url_prefix="/entry")
REASONS = ("reason", "error-reason")
ANOTHER = "Go back to the sitting, and begin another case there."
ANOTHER_CASE = "It stands below as another case: save it, keep it as a draft, or leave it."
GO_ON = "To go on with it as another case, press “Keep as a draft”."


def rules() -> Import:
    """What every case is held to, as the importer holds it."""
    own = partial(why_not_taken, inst().demonstration)
    return Import(inst().provider, inst().today(), person().id, inst().store.at(), why_not=own)


def sent(form: EntryForm) -> dict[str, str]:
    """What the form sent: each field as a case holds it, a list joined by semicolons, and the two dates."""
    found = {}
    for item in form.fields:
        values = [clean(text)[:4000] for text in request.form.getlist(f"f.{item.name}")]
        text = ";".join(value for value in values if value)
        if text:
            found[item.name] = text
    found |= {name: text for name in entry.DATES if (text := request.form.get(f"f.{name}", "").strip()[:40])}
    return found


def form_context(
    form: EntryForm, values: Mapping[str, str], wrong: list[tuple[str, str]], over: str = ""
) -> dict[str, object]:
    """What the quick form needs; `over` says why what was typed stands there as another case."""
    errors = errors_of(form, wrong)
    problems = [(place_of(form, name), sentence) for name, sentences in errors.items() for sentence in sentences]
    return {
        "form": form,
        "values": values,
        "errors": errors,
        "problems": ([("entry", f"{over} {ANOTHER_CASE}")] if over else []) + problems,
        "dates": entry.DATES,
        "sites": settings.open_sites(inst().db.read()),
        "provider": inst().provider,
        "today": inst().today().isoformat(),
    }


def errors_of(form: EntryForm, wrong: list[tuple[str, str]]) -> dict[str, list[str]]:
    """What is wrong by field, in the order of the form; a field is called what the form calls it, not by its code."""
    errors: dict[str, list[str]] = {}
    places = {name: at for at, name in enumerate(form.by_name)}
    for name, sentence in sorted(wrong, key=lambda one: places.get(one[0], len(places))):
        item = form.by_name.get(name)
        said = f"“{item.label}”{sentence.removeprefix(name)}" if item and sentence.startswith(f"{name} ") else sentence
        errors.setdefault(name, []).append(said)
    return errors


def place_of(form: EntryForm, name: str) -> str:
    """The id of the control of a field, of a choice the first there is; of what is no field here the whole form."""
    item = form.by_name.get(name)
    if item is None:
        return f"f.{name}" if name in entry.DATES else name if name in REASONS else "entry"
    return f"f.{name}" + (f".{item.options[0].code or 'nothing'}" if item.options else "")


def found(sitting_id: str) -> Sitting:
    """A sitting of the one who is signed in; 404 for anybody else's."""
    one = entry.sitting(inst().db.read(), sitting_id, person().id)
    if one is None:
        abort(404)
    return one


@bp.route("", methods=["GET", "POST"])
def baseline() -> Response | str:
    """Why past cases come first, how many there are, and one's own sittings."""
    conn = inst().db.read()
    if request.method == "POST":
        wanted = number(request.form.get("wanted", "").strip())
        try:
            with inst().db.write() as writing:
                id_ = entry.begin(writing, wanted, who(), inst().store.at(), own_key())
        except Refused as refusal:
            return refused(str(refusal), url_for("entry.baseline"))
        return redirect(url_for("entry.case", sitting_id=id_, draft_id=uuid.uuid4()))
    chosen = Selection(provider=inst().provider, capture=entry.MODE)
    return render_template(
        "entry/baseline.html",
        counted=counted_by_site(conn, chosen),
        live=sum(counted_by_site(conn, Selection(provider=inst().provider, capture="live")).values()),
        sites=settings.sites(conn),
        own=list(reversed(entry.sittings(conn, person().id).values())),
        wanted=entry.USUAL,
        leads=person().role == "audit_lead",
    )


@bp.get("/<sitting_id>")
def sitting(sitting_id: str) -> str:
    """One sitting: the cases entered, those unfinished, and how many of the number wanted there are."""
    one, conn = found(sitting_id), inst().db.read()
    rows = [row for key in one.entered if (row := case_table.read(conn, *key)) is not None]
    return render_template("entry/sitting.html", sitting=one, rows=rows, draft_id=uuid.uuid4())


@bp.route("/<sitting_id>/cases/<draft_id>", methods=["GET", "POST"])
def case(sitting_id: str, draft_id: str) -> Response | str | tuple[str, int]:
    """The quick form of one case: enter it and go to the next, or keep it as a draft."""
    one, form = found(sitting_id), inst().entry
    if not _is_id(draft_id):
        abort(404)
    if request.method == "POST":
        return _case_sent(one, draft_id, sent(form))
    if draft_id in one.done:
        return redirect(url_for("entry.sitting", sitting_id=one.id))
    if why := entry.why_over(inst().db.read(), one.id, draft_id):
        back = url_for("entry.sitting", sitting_id=one.id)
        return render_template("refused.html", title="Given up", sentence=f"{why} {ANOTHER}", back=back), 409
    values: Mapping[str, str] = one.drafts[draft_id].fields if draft_id in one.drafts else {}
    carried = _carried(one, form) if request.args.get("carry") and not values else {}
    return _case_page(one, draft_id, values or carried, carried=carried)


def _case_sent(one: Sitting, draft_id: str, values: Mapping[str, str]) -> Response | tuple[str, int]:
    """Enter or keep what was sent; what is refused stays on the page, and what is over stands there as another case."""
    problem: NotTaken | None = None
    try:
        if request.form.get("act") == "draft":
            return _kept(one, draft_id, values)
        try:
            return _entered(one, draft_id, values)
        except NotTaken as refused_for:
            problem = refused_for
            _keep(one, draft_id, values)
    except entry.Over as over:
        if request.form.get("quiet"):
            return Response(f"{over} {GO_ON}", 409, mimetype="text/plain")
        return _case_page(one, str(uuid.uuid4()), values, problem, over=str(over)), 409
    return _case_page(one, draft_id, values, problem), 422


def _case_page(
    one: Sitting,
    draft_id: str,
    values: Mapping[str, str],
    problem: NotTaken | None = None,
    carried: Mapping[str, str] | None = None,
    over: str = "",
) -> str:
    """The quick form with what was typed; `over` says why it stands there as another case."""
    return render_template(
        "entry/case.html",
        sitting=one,
        draft_id=draft_id,
        held=problem.held if problem else None,
        carried=carried or {},
        carry=bool(request.values.get("carry")),
        dataset=inst().library.current.dataset,
        over=over,
        **form_context(inst().entry, values, problem.wrong if problem else [], over),
    )


def _is_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _entered(one: Sitting, draft_id: str, values: Mapping[str, str]) -> Response:
    known = set(settings.open_sites(inst().db.read()))
    with inst().db.write() as conn:
        dataset = inst().library.current.dataset
        entry.enter(conn, dataset, values, (one, draft_id), rules(), known, who(), own_key())
    if request.form.get("act") == "last":
        return redirect(url_for("entry.sitting", sitting_id=one.id))
    carry = "yes" if request.form.get("carry") else None
    return redirect(url_for("entry.case", sitting_id=one.id, draft_id=uuid.uuid4(), carry=carry))


def _keep(one: Sitting, draft_id: str, values: Mapping[str, str]) -> None:
    with inst().db.write() as conn:
        entry.keep_draft(conn, one, draft_id, values, who(), inst().store.at())


def _kept(one: Sitting, draft_id: str, values: Mapping[str, str]) -> Response:
    _keep(one, draft_id, values)
    if request.form.get("quiet"):
        return Response("Kept as a draft", mimetype="text/plain")
    return redirect(url_for("entry.sitting", sitting_id=one.id))


def _carried(one: Sitting, form: EntryForm) -> dict[str, str]:
    """The fields that may be kept, from the case entered last in this sitting."""
    last = case_table.read(inst().db.read(), *one.entered[-1]) if one.entered else None
    if last is None:
        return {}
    return {item.name: last.fields[item.name] for item in form.fields if item.carries and last.fields[item.name]}


@bp.post("/<sitting_id>/cases/<draft_id>/drop")
def drop(sitting_id: str, draft_id: str) -> Response:
    """Give up an unfinished case, with the reason."""
    one = found(sitting_id)
    try:
        with inst().db.write() as conn:
            entry.drop_draft(conn, one, draft_id, typed("reason"), who(), inst().store.at(), own_key())
    except Refused as refusal:
        return refused(str(refusal), url_for("entry.sitting", sitting_id=one.id))
    return redirect(url_for("entry.sitting", sitting_id=one.id))


@bp.route("/edit/<provider>/<mode>/<case_ref>", methods=["GET", "POST"])
def edit(provider: str, mode: str, case_ref: str) -> Response | str | tuple[str, int]:
    """Change a case that was entered or imported: what was stays in the log, with the reason."""
    held = case_table.read(inst().db.read(), provider, mode, case_ref)
    if held is None:
        abort(404)
    if blind.hidden(held.key):
        return refused(blind.WAITS, url_for("entry.baseline"))
    shown = url_for("results.case", provider=provider, mode=mode, case_ref=case_ref)
    if held.consultation:
        return refused(
            "This case comes from a consultation signed here; its clinician corrects it by an addendum.", shown
        )
    form = edited_form()
    if request.method != "POST":
        return _edit_page(held, form, held.fields, [])
    values = sent(form)
    try:
        _edited(held, values)
    except NotTaken as problem:
        return _edit_page(held, form, values, problem.wrong), 422
    except Refused as problem:
        return _edit_page(held, form, values, [("reason", str(problem))]), 422
    return redirect(shown)


def _edited(held: CaseRow, values: Mapping[str, str]) -> None:
    """Let what was sent supersede the case as it stands once nobody else writes."""
    with inst().db.write() as conn:
        now = case_table.read(conn, *held.key) or held
        seen, dataset = number(request.form.get("seen", "")), inst().library.current.dataset
        known, reason = set(settings.open_sites(conn)), typed("reason")
        entry.edit(conn, dataset, now, values, reason, rules(), known, who(), own_key(), seen)


def _edit_page(held: CaseRow, form: EntryForm, values: Mapping[str, str], wrong: list[tuple[str, str]]) -> str:
    """The form of a case; sent again, it is as old as when it was first shown, so that nobody's change is lost."""
    conn = inst().db.read()
    return render_template(
        "entry/edit.html",
        held=held,
        stays=in_error.why_stays(held),
        key=case_table.named(held.key),
        seen=request.form.get("seen", held.step),
        told=entry.edits(conn, held.key),
        **form_context(form, values, wrong),
    )


@bp.post("/in-error/<provider>/<mode>/<case_ref>")
def take_out(provider: str, mode: str, case_ref: str) -> Response | tuple[str, int]:
    """Take a case out that was entered in error, with the reason: a duplicate, or what should never have come in."""
    there = url_for("results.case", provider=provider, mode=mode, case_ref=case_ref)
    held = case_table.read(inst().db.read(), provider, mode, case_ref)
    if held is None:
        return redirect(there)
    if blind.hidden(held.key):
        return refused(blind.WAITS, url_for("entry.baseline"))
    try:
        with inst().db.write() as conn:
            now, seen = case_table.read(conn, *held.key) or held, number(request.form.get("seen", ""))
            in_error.take_out(conn, now, typed("reason"), who(), inst().store.at(), own_key(), seen)
    except Refused as refusal:
        if refusal.field:
            form = edited_form()
            return _edit_page(held, form, held.fields, [(refusal.field, str(refusal))]), 422
        return refused(str(refusal), there)
    return redirect(there)


def edited_form() -> EntryForm:
    """The quick form as a case that is held is changed by it: its reference stays."""
    return inst().entry.only({item.name for item in inst().entry.fields} - {"case_ref"})
