"""An employee entered twice, put right by an administrator: who they are is shown, and nothing that was recorded."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from consult.record import identity, merging
from consult.record.identity import Employee
from consult.record.ledger import Refused
from consult.web import guard
from consult.web.context import inst, who
from consult.web.desk import listed_employees, viewed_employee
from consult.web.forms import typed

bp = Blueprint("identities", __name__, url_prefix="/settings/entered-twice")
TWO = "Choose two entries, then one of them to keep."
Reply = str | tuple[str, int]


@bp.get("")
def index() -> str:
    """Ask for whom to look; nobody is listed by themselves."""
    return _page()


def _page(problem: str = "", done: str = "", **shown: list[Employee]) -> str:
    groups = {"found": [], "pair": [], **shown}
    return render_template("people/entered_twice.html", problem=problem, done=done, words=typed("words"), **groups)


@bp.post("/find")
def find() -> str:
    """The entries that a name, a date of birth or a number fits; what was searched for stays out of the address."""
    return _page(found=_found())


def _found() -> list[Employee]:
    found = _others(identity.find(inst().db.read(), typed("words"))) if typed("words") else []
    listed_employees((entry.id for entry in found), "search")
    return found


def _others(entries: list[Employee]) -> list[Employee]:
    return [entry for entry in entries if not guard.is_own(entry.id)]


@bp.post("/compare")
def compare() -> Reply:
    """Two entries side by side, by who they are alone; that they were looked at is recorded."""
    pair = _chosen()
    if len(pair) != 2:
        return _page(TWO, found=_found()), 422
    for entry in pair:
        viewed_employee(entry.id)
    return _page(pair=pair)


@bp.post("/merge")
def merge() -> Reply:
    """Keep one of two entries, with a step that says so."""
    pair = _chosen()
    keep = next((entry.id for entry in pair if entry.id == request.form.get("keep")), "")
    if len(pair) != 2 or not keep:
        return _page(TWO, pair=pair if len(pair) == 2 else []), 422
    goes = next(entry.id for entry in pair if entry.id != keep)
    try:
        with inst().db.write() as conn:
            merging.merge(conn, keep, goes, who().actor, who().role, inst().store.at())
    except Refused as refusal:
        return _page(str(refusal)), 409
    return _page(done="One entry is kept, and what was recorded under both is found there. A clinician can undo it.")


def _chosen() -> list[Employee]:
    """The entries that were ticked and stand for themselves; none that is the person who asks."""
    conn, found = inst().db.read(), []
    for id_ in dict.fromkeys(request.form.getlist("entry")):
        entry = identity.entered(conn, id_)
        if entry is not None and merging.kept(conn, id_) == id_:
            found.append(entry)
    return _others(found)
