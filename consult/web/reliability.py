"""Second readings: a random few of a sample read again blind, the agreement, and the settling of disputes."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts.people import CLINICIANS
from consult.audit import cases as case_table
from consult.audit import reliability
from consult.audit.cases import CaseRow, Key
from consult.audit.reliability import Reliability, Reread
from consult.audit.rounds import Round
from consult.exchange import entry, intake
from consult.exchange.entryform import EntryForm
from consult.record.database import Connection
from consult.record.ledger import Refused, sent_before
from consult.web.context import inst, person, who
from consult.web.desk import own_key, refused
from consult.web.entry import form_context, rules, sent
from consult.web.forms import typed
from consult.web.rounds import by, found, leads, sample_of, shared

bp = Blueprint("reliability", __name__, url_prefix="/rounds/<round_id>/readings")


def draw_of(one: Round, conn: Connection | None = None) -> Reliability | None:
    """The draw of a round, if it was made."""
    return reliability.draws(conn or inst().db.read()).get(one.id)


@bp.get("")
def show(round_id: str) -> str:
    """The cases drawn, how far the readers agree, and what they dispute."""
    one, draws = found(round_id), reliability.draws(inst().db.read())
    sample, draw = sample_of(one), draws.get(one.id)
    return render_template(
        "reliability/show.html",
        draw=draw,
        wanted=reliability.wanted(len(sample.taken)),
        labels=inst().entry.by_name,
        me=person().id,
        reads_notes=person().role in CLINICIANS,
        doubts=_doubts(draw.done) if draw and leads() else {},
        **_compared(draw, draws.values()),
        **shared(one, sample),
    )


def _compared(draw: Reliability | None, draws: Iterable[Reliability]) -> dict[str, object]:
    """How far the readers of a round agree, each item beside its agreement over all rounds, and what they dispute."""
    dataset, done = inst().library.current.dataset, draw.done if draw else []
    rounds_pooled = [other.done for other in draws if other.done]
    pooled = [again for others in rounds_pooled for again in others]
    everywhere = {a.name: a for a in reliability.by_item(pooled, dataset)}
    each = [(a, everywhere[a.name]) for a in sorted(reliability.by_item(done, dataset), key=lambda a: a.agreed)]
    return {
        "differing": [(a, everywhere) for a, everywhere in each if a.agreed < a.n],
        "agreed": [(a, everywhere) for a, everywhere in each if a.agreed == a.n],
        "by_kind": reliability.by_kind(done, dataset),
        "disputes": reliability.disputes(draw, dataset) if draw else [],
        "kappa_from": reliability.KAPPA_FROM,
        "rounds_pooled": len(rounds_pooled),
    }


def _doubts(done: list[Reread]) -> dict[Key, list[str]]:
    """For the audit lead: the cases whose second reading was not blind, or can't be shown to have been, and why."""
    wrote = entry.written(inst().db.read(), [one.case for one in done])
    found = {one.case: reliability.doubts(one, wrote[one.case]) for one in done}
    return {case: why for case, why in found.items() if why}


@bp.post("/draw")
def draw(round_id: str) -> Response:
    """Draw the cases, once."""
    one = found(round_id)
    back = url_for("reliability.show", round_id=one.id)
    if one.capture == "live":
        return refused("Live cases were not read from notes, so there is nothing to read a second time.", back)
    keys = [case.key for case in sample_of(one).taken]
    try:
        with inst().db.write() as conn:
            reliability.draw(conn, one.id, keys, secrets.token_hex(8), by(), inst().store.at(), own_key())
    except Refused as refusal:
        return refused(str(refusal), back)
    return redirect(back)


@bp.route("/<provider>/<mode>/<case_ref>", methods=["GET", "POST"])
def read(round_id: str, provider: str, mode: str, case_ref: str) -> Response | str | tuple[str, int]:
    """The second reading of one case: the quick form, blank, without what the first reader wrote."""
    one, key = found(round_id), (provider, mode, case_ref)
    case, back = _drawn(one, key), url_for("reliability.show", round_id=one.id)
    if sent_before(inst().db.read(), "case_reentered", own_key()):
        return redirect(back)
    held = case_table.read(inst().db.read(), *key)
    if held is None:
        return refused(reliability.GONE, back)
    if why := _why_not(case):
        return refused(why, back)
    if request.method != "POST":
        return _reading_page(one, held, {}, [])
    values = sent(_form())
    if wrong := _wrong_with(held, values):
        return _reading_page(one, held, values, wrong), 422
    return _record(one, key, values, back)


def _drawn(one: Round, key: Key) -> Reread:
    """The case of an address, as it was drawn; 404 if it was not."""
    draw = draw_of(one)
    return next((case for case in (draw.cases if draw else ()) if case.case == key), None) or abort(404)


def _why_not(case: Reread) -> str:
    """Why the one who is signed in does not read a case a second time, in a sentence; "" if they may."""
    if person().id in entry.entered_by(inst().db.read(), case.case):
        return reliability.OWN_ENTRY
    return reliability.READ_ALREADY if case.second is not None else ""


def _form() -> EntryForm:
    """The quick form, of what two readers are compared on."""
    return inst().entry.only({item.name for item in reliability.items(inst().library.current.dataset)})


def _wrong_with(held: CaseRow, values: Mapping[str, str]) -> list[tuple[str, str]]:
    """What is wrong with a second reading; where and when the case was stays as it is held."""
    dataset = inst().library.current.dataset
    known = {name: held.fields[name] for name in ("site", "consultation_date", *case_table.KEY)}
    return intake.wrong_with(intake.prepared({**values, **known}, dataset, rules()), dataset, rules())


def _reading_page(one: Round, held: CaseRow, values: Mapping[str, str], wrong: list[tuple[str, str]]) -> str:
    return render_template(
        "reliability/read.html",
        round=one,
        held_site=held.fields["site"],
        held_date=held.fields["consultation_date"],
        held_ref=held.fields["case_ref"],
        **form_context(_form(), values, wrong),
    )


def _record(one: Round, key: Key, values: dict[str, str], back: str) -> Response:
    try:
        with inst().db.write() as conn:
            drawn = draw_of(one, conn)
            if drawn is None:
                abort(404)
            wrote = entry.entered_by(conn, key)
            reliability.reenter(conn, drawn, key, values, by(), inst().store.at(), own_key(), wrote)
    except Refused as refusal:
        return refused(str(refusal), back)
    return redirect(back)


@bp.post("/<provider>/<mode>/<case_ref>/<field>")
def say(round_id: str, provider: str, mode: str, case_ref: str, field: str) -> Response:
    """Say which of two values stands; once both readers say the same, it supersedes what was entered."""
    one, key = found(round_id), (provider, mode, case_ref)
    back = url_for("reliability.show", round_id=one.id, _anchor="disputes")
    dataset = inst().library.current.dataset
    try:
        with inst().db.write() as conn:
            drawn = draw_of(one, conn)
            found_ = reliability.disputes(drawn, dataset) if drawn else []
            dispute = next((d for d in found_ if d.reread.case == key and d.field.name == field), None)
            held = case_table.read(conn, *key)
            if drawn is None or dispute is None:
                abort(404)
            at, request_key, text = inst().store.at(), own_key(), typed("text")
            agreed = reliability.say(conn, drawn, dispute, request.form.get("value", ""), text, by(), at, request_key)
            value = "" if agreed == reliability.NOTHING else agreed
            if agreed and held is not None and reliability.value(dispute.field, held.fields) != agreed:
                reason = f"Both readers of the notes agree on {field}. {text}".strip()
                intake.supersede(conn, {**held.fields, field: value}, reason, who(), at, request_key)
    except Refused as refusal:
        return refused(str(refusal), back)
    return redirect(back)
