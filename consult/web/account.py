"""One's own account: password, second factor, and the sessions that are open."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import factors, passkeys, people, sessions, signing_in, single_sign_on
from consult.accounts.people import PersonRefused
from consult.accounts.tries import SignInRefused
from consult.documents.qr import drawn
from consult.record.database import Connection
from consult.web import browsers, noting
from consult.web.context import inst, person
from consult.web.visit import keep_token, renewed

bp = Blueprint("account", __name__, url_prefix="/account")
SET_UP_WITHIN = timedelta(minutes=10)
"""How long after the password a telephone may be confirmed: until then the page shows its key."""
ASKED_AT = "factor_begun"
TOO_LATE = "Setting up a second factor was begun too long ago or in another browser; begin again with your password."
NOT_YOUR_PASSWORD = "That is not your password now; try again."  # noqa: S105 - a sentence
NOT_YOURS = "That is neither your password now nor a code that stands; try again."


@bp.get("")
def show() -> str:
    """Password, second factor and sessions of whoever is signed in."""
    return page()


def page(problem: str = "", at: str = "", wrong: str = "") -> str:
    """The page of the account, with what was refused, in which part of it, and of which field."""
    conn, place = inst().db.read(), passkeys.place_of(request.host, inst().behind_tls)
    return render_template(
        "account/show.html",
        problem=problem,
        at=at,
        wrong=wrong or at,
        owes=g.visit.owes,
        has_factor=factors.has(conn, person().id),
        has_telephone=factors.has_telephone(conn, person().id),
        passkeys=passkeys.of_person(conn, person().id),
        by_provider=single_sign_on.links(conn).get(person().id),
        fresh=fresh(),
        no_passkeys=place if isinstance(place, str) else "",
        codes_left=factors.codes_left(conn, person().id),
        needed=person().role in factors.required(conn),
        sessions=sessions.of_person(conn, person().id, inst().store.clock()),
        here=g.visit.id,
    )


def fresh() -> bool:
    """Whether whoever is signed in has proved through the provider, minutes ago, who they are."""
    return bool(timedelta() <= inst().store.clock() - g.visit.proved_at < sessions.PROVED)


def own(typed: str, or_code: bool = False) -> None:
    """Refuse what is not done by whoever is signed in, as their password says, or a code where that will do.

    With it the session has a new token.
    """
    now = inst().store.clock()
    if fresh():
        return
    right = signing_in.is_own_password(inst().db, person(), typed, now)
    if not right and or_code:
        with inst().db.write() as conn:
            right = factors.take(conn, person().id, typed, now)
    if not right:
        noting.note("password_wrong")
        raise SignInRefused(NOT_YOURS if or_code else NOT_YOUR_PASSWORD)
    with inst().db.write() as conn:
        new_token = sessions.renew(conn, g.visit, now)
    if not new_token:
        raise SignInRefused(signing_in.ENDED)
    renewed(new_token, now)


@bp.post("/password")
def password() -> Response | tuple[str, int]:
    """Change one's password: every other session ends, and this one gets a new token."""
    now = inst().store.clock()
    try:
        own(request.form.get("current", ""))
        if request.form.get("new", "") != request.form.get("again", ""):
            raise PersonRefused("The new password was not typed the same twice; type it again.", "again")
        if request.form.get("new", "") == request.form.get("current", ""):
            raise PersonRefused("The new password is the one you have; choose another.", "new")
        with inst().db.write() as conn:
            people.change_password(conn, person().id, request.form.get("new", ""), person().id, inst().store.at())
            new_token = sessions.create(conn, person().id, now, browsers.kind())
    except PersonRefused as refusal:
        return page(str(refusal), "password", refusal.field or "new"), 422
    except SignInRefused as refusal:
        return page(str(refusal), "password", "current"), 422
    session.pop("looked", None)
    return keep_token(redirect(url_for("account.show", done="password")), new_token)


@bp.post("/second-factor")
def factor() -> Response | str | tuple[str, int]:
    """Set a second factor up, in two steps, or take it away where one's role needs none."""
    act = request.form.get("act", "")
    try:
        if act == "confirm":
            return _confirmed()
        own(request.form.get("password", ""))
        if act == "remove":
            return _removed()
        with inst().db.write() as conn:
            secret = factors.begin(conn, person().id)
        session[ASKED_AT] = sessions.seconds(inst().store.clock())
    except (PersonRefused, SignInRefused) as refusal:
        return page(str(refusal), "factor", "factor-password"), 422
    return _enrolling(secret)


def _enrolling(secret: str, problem: str = "") -> str:
    address = factors.address(secret, person().username)
    return render_template("account/factor.html", secret=secret, picture=drawn(address), problem=problem)


def _confirmed() -> Response | str | tuple[str, int]:
    """The code was typed: the factor is in use, this session has a new token, and the recovery codes are shown."""
    now = inst().store.clock()
    _check_just_begun(now)
    try:
        with inst().db.write() as conn:
            secret = factors.pending(conn, person().id)
            typed, at = request.form.get("code", ""), inst().store.at()
            codes = factors.confirm(conn, person().id, typed, now, person().id, at)
            new_token = step_up(conn, now)
    except PersonRefused as refusal:
        if not secret:
            raise
        return _enrolling(secret, str(refusal)), 422
    session.pop(ASKED_AT)
    g.visit = sessions.lookup(inst().db.read(), new_token, now)
    return keep_token(make_response(render_template("account/codes.html", codes=codes)), new_token)


def _check_just_begun(now: datetime) -> None:
    """Refuse to go on with a key that the password was not given for here and now: the page shows it to anybody."""
    begun = sessions.moment(session.get(ASKED_AT, 0))
    if not timedelta() <= now - begun < SET_UP_WITHIN:
        raise PersonRefused(TOO_LATE)


def step_up(conn: Connection, now: datetime) -> str:
    """A new token for this session, once a factor was added; every other session of its person ends."""
    sessions.settle(conn, g.visit)
    people.end_all(conn, person().id, but=g.visit.token_hash)
    return sessions.renew(conn, g.visit, now)


def _removed() -> Response:
    with inst().db.write() as conn:
        factors.check_may_go(conn, person(), "telephone")
        factors.remove_telephone(conn, person().id, person().id, inst().store.at())
    current_app.logger.info("A second factor was removed by %s", person().id)
    return redirect(url_for("account.show", done="removed"))


@bp.post("/recovery-codes")
def codes() -> str | tuple[str, int]:
    """Make new recovery codes in the place of those there are, and show them once."""
    try:
        own(request.form.get("password", ""))
        with inst().db.write() as conn:
            made = factors.renew_codes(conn, person().id, person().id, inst().store.at())
    except (PersonRefused, SignInRefused) as refusal:
        return page(str(refusal), "factor", "factor-password"), 422
    return render_template("account/codes.html", codes=made)


@bp.post("/sessions", endpoint="sessions")
def end_sessions() -> Response | tuple[str, int]:
    """End one of one's sessions, or all but this one, given the password: whoever finds a screen open ends nothing."""
    one = request.form.get("session", "")
    try:
        own(request.form.get("password", ""), or_code=True)
    except SignInRefused as refusal:
        return page(str(refusal), "sessions", "sessions-password"), 422
    with inst().db.write() as conn:
        if request.form.get("others"):
            people.end_all(conn, person().id, but=g.visit.token_hash)
        elif one:
            sessions.end_one(conn, person().id, one)
    return redirect(url_for("account.show", done="sessions", _anchor="sessions"))
