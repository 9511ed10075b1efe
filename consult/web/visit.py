"""Who is signed in: asked before every request. An idle session is locked, not ended: what was sent waits for the
password, and is then taken as if nothing had been."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from math import ceil
from typing import Any, Final

from flask import Response, current_app, g, jsonify, make_response, redirect, render_template, request, session, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from consult.accounts import passkeys, policy, sessions, signing_in
from consult.accounts.people import Person
from consult.accounts.sessions import SignIn
from consult.accounts.tries import SignInRefused
from consult.web import cookies, holding, noting, routing
from consult.web.context import inst, own_address, this_request
from consult.web.envelope import Fields
from consult.web.token import begin_for
from consult.web.token import token as csrf_token

TOKEN_COOKIE: Final = "consult_session"  # noqa: S105 - the name of a cookie
WORKS_LOCKED: Final = frozenset({"session_state", "unlock", "lock", "sign_out"})
ASKED_COOKIE: Final = "consult_asked"
"""What binds the reply of an authenticator to the browser that was asked."""
PASSWORD: Final = "unlock_password"  # noqa: S105 - the name of a field
CREDENTIAL: Final = "unlock_credential"
THEN: Final = "unlock_then"
PAGE, SEND, BACK = "page", "send", "back"
"""What comes after the password: the page that was looked at, what a form sent, or what could not be saved."""
LOCKED: Final = 423


def who_is_it() -> AnyResponse | None:
    """Let a request go on to its page, or reply instead: with the sign-in, the lock, or a refusal."""
    g.person, g.left, g.visit, g.new_token = None, 0, None, ""
    _find_the_page()
    with_password, endpoint = _unlocking(), this_request().endpoint  # any page is unlocked at its own address
    g.with_password = with_password
    if endpoint == "static" or (endpoint is None and not with_password):
        return None
    here, brought = inst(), token()
    now = here.store.clock()
    g.visit = signed_in = sessions.lookup(here.db.read(), brought, now) if brought else None
    if signed_in is not None and signed_in.locked and endpoint not in WORKS_LOCKED:
        return _locked(signed_in, now)
    if signed_in is not None:
        if with_password and _from_a_locked_page():
            return redirect(own_path(), 303)  # unlocked in another window meanwhile
        _is(signed_in, now)
    return _may()


def _find_the_page() -> None:
    """Of an address that only shows a page, where what was pressed at the top of it is sent to it, sealed or not."""
    this = this_request()
    if this.routing_exception is None or this.method != "POST":
        return
    waits = holding.PRESSED in this.form or holding.SEALED in this.form
    if waits and (page := routing.page_at(own_path())):
        routing.is_for(page)  # it takes no form all the same, unless it is only to be drawn again


def _unlocking() -> bool:
    """Whether this request brings what goes on with a locked session: a password, or what an authenticator signed."""
    this = this_request()
    return this.method == "POST" and (PASSWORD in this.form or CREDENTIAL in this.form)


def token() -> str:
    """The token of the session, as the browser holds it."""
    return cookies.read(TOKEN_COOKIE)


def keep_token(response: AnyResponse, new_token: str) -> AnyResponse:
    """Have the browser hold the token of a session, out of the reach of scripts and of other sites."""
    g.new_token = ""
    cookies.keep(response, TOKEN_COOKIE, new_token)
    return response


def renewed(new_token: str, now: datetime) -> None:
    """Go on under a new token, once the password was given anew: the reply to this request brings it."""
    g.new_token, g.visit = new_token, sessions.lookup(inst().db.read(), new_token, now)


def bring_token(response: Response) -> Response:
    """Send the new token of the session with this reply, if there is one."""
    return keep_token(response, g.new_token) if g.get("new_token") else response  # type: ignore[return-value] # Flask's own class


def _is(signed_in: SignIn, now: datetime) -> None:
    """Take the request as that of this person; what the browser holds of another person's visit is forgotten."""
    g.person, g.left = signed_in.person, ceil(signed_in.left.total_seconds())
    if session.get("person") != signed_in.person.id:
        begin_for(signed_in.person.id)
    only_looks = request.endpoint == "session_state" and request.method == "GET"
    if signed_in.stale and not signed_in.locked and not only_looks:
        sessions.note_use(inst().db, signed_in, now)
        g.left = int(sessions.IDLE.total_seconds())


def _may() -> AnyResponse | None:
    this, person = this_request(), g.person
    endpoint, made_for = this.endpoint or "", this.headers.get("X-Made-For", "")
    if made_for and person and made_for != person.id:
        return Response("This page was made for somebody else, so nothing is recorded from it; reload it.", 401)
    if person and (held := holding.come_back(own_path())).to:
        return make_response(held_page(person, held))
    if person and g.visit.owes and endpoint not in policy.PUBLIC | policy.SETTLING:
        return redirect(url_for("account.show"), 303)
    if policy.allowed(person.role if person else None, endpoint):
        return _opened(person) if person else None
    if person is None:
        return _ask_to_sign_in()
    raise Forbidden


def _opened(person: Person) -> AnyResponse | None:
    """Open what waited in a page; where another person typed it, it stays there until they sign in."""
    path = own_path()
    if holding.open_here(person.id, path):
        return None
    noting.note("refused_form")
    return make_response(held_page(person, holding.Held(path, holding.sealed(person.id, path))), 403)


def held_page(person: Person, held: holding.Held) -> str:
    """The page after a sign-in that shows that something waits to be sent, by this person or by who typed it."""
    typed, place = holding.opened(person.id, held), routing.nearest_page(held.to)
    to_see = typed is not None and place is not None and policy.allowed(person.role, place.endpoint)
    return render_template(
        "held.html",
        who=person,
        held=held,
        theirs=typed is None,
        lost=holding.is_lost(held),
        texts=holding.texts_of(typed or ()) if to_see else (),
        stands_on=place if to_see else None,
        comes_back=holding.PRESSED in dict(typed or ()),
    )


def _ask_to_sign_in() -> AnyResponse:
    if request.headers.get("HX-Request"):
        return Response("Sign in again in another tab; what you entered is still here.", 401)
    if not _from_a_locked_page() and (held := holding.of_this_form(own_path())).to:
        return make_response(render_template("sign_in.html", problem="", target="", held=held), 401)
    only_looked = request.method == "GET" or _from_a_locked_page()
    return redirect(url_for("sign_in", next=own_path() if only_looked else None))


def _from_a_locked_page() -> bool:
    """Whether this came from the lock of a page that was only looked at: there is nothing to be sent."""
    return request.form.get(THEN) == PAGE


def own_path() -> str:
    """The address of this request, to come back to."""
    return this_request().full_path.rstrip("?")


def _locked(signed_in: SignIn, now: datetime) -> AnyResponse | None:
    if not signed_in.locked_at:
        with inst().db.write() as conn:
            sessions.lock(conn, signed_in, now)
        noting.note("locked", signed_in.person.id)
    if request.endpoint in policy.PUBLIC:
        return None
    if request.headers.get("HX-Request"):
        return Response("The screen is locked; give your password to go on.", LOCKED)
    problem = ""
    if g.with_password:
        current_app.extensions["csrf"].protect()
        try:
            renewed(_proved_anew(request.form.get(PASSWORD, ""), now), now)
        except SignInRefused as refusal:
            problem = str(refusal)
            noting.note("unlock_failed", signed_in.person.id)
        else:
            noting.note("unlocked", signed_in.person.id)
            return _go_on(g.visit, now)
    return _lock_page(signed_in, problem)


def _proved_anew(password: str, now: datetime) -> str:
    """Go on with the locked session, by what an authenticator signed or else by the password; its new token."""
    if not (sent := request.form.get(CREDENTIAL, "")):
        return signing_in.unlock(inst().db, token(), password, now)
    place = passkeys.place_of(request.host, inst().behind_tls)
    if isinstance(place, str):
        raise SignInRefused(place)
    return signing_in.unlock_by_passkey(inst().db, token(), place, cookies.read(ASKED_COOKIE), sent, now)


def _go_on(signed_in: SignIn, now: datetime) -> AnyResponse | None:
    """After the password: back to the page, or, for a form that met the lock, on with what it sent."""
    if _from_a_locked_page():
        return redirect(own_path(), 303)
    _is(signed_in, now)
    return _may()


def _lock_page(signed_in: SignIn, problem: str) -> AnyResponse:
    kept = () if _from_a_locked_page() else holding.behind_lock(own_path())
    comes_back = request.form.get(THEN) == BACK or holding.PRESSED in request.form
    then = (BACK if comes_back else SEND) if kept else PAGE
    return _locked_page(signed_in.person, kept, then, own_path(), problem)


def locked_over(to: str, without: Collection[str]) -> AnyResponse:
    """Lock the screen over what was typed and could not be saved, to be sent once one goes on."""
    _lock_now()
    g.person, owner = None, g.visit.person
    kept = holding.sealed(owner.id, to, without)
    return _locked_page(owner, kept, BACK, to)


def _locked_page(owner: Person, kept: Fields, then: str, to: str, problem: str = "") -> AnyResponse:
    over = to if then == BACK else ""
    page = render_template("lock.html", owner=owner, problem=problem, kept=kept, sent=bool(kept), to=over, then=then)
    return make_response(page, LOCKED)


def session_state() -> Response:
    """How the session stands: asked by open pages; a POST says that somebody is at the screen."""
    return jsonify(_state(g.visit))


def unlock() -> Response | tuple[Response, int]:
    """Go on with a locked session without leaving the page."""
    now = inst().store.clock()
    try:
        renewed(_proved_anew(request.form.get("password", ""), now), now)
    except SignInRefused as refusal:
        noting.note("unlock_failed")
        return jsonify({**_state(g.visit), "problem": str(refusal)}), 422 if g.visit else 401
    noting.note("unlocked")
    g.left = int(sessions.IDLE.total_seconds())
    return jsonify(_state(g.visit))


def lock() -> AnyResponse:
    """Lock the screen now, and stay where one is."""
    _lock_now()
    if request.headers.get("HX-Request"):
        return jsonify(_state(sessions.lookup(inst().db.read(), token(), inst().store.clock())))
    return redirect(own_address(request.form.get("next", "")), 303)


def _lock_now() -> None:
    if not g.visit.locked:
        noting.note("locked")
    with inst().db.write() as conn:
        sessions.lock(conn, g.visit, inst().store.clock())


def _state(signed_in: SignIn | None) -> dict[str, Any]:
    if signed_in is None:
        return {"state": "ended", "person": "", "name": "", "left": 0}
    state: dict[str, Any] = {"person": signed_in.person.id, "name": signed_in.person.name, "csrf": csrf_token()}
    if signed_in.locked:
        return {**state, "state": "locked", "left": 0}
    return {**state, "state": "open", "left": g.left}


def seconds_of_warning() -> int:
    """How long before the lock an open page says so."""
    return int(sessions.WARNING.total_seconds())
