"""Single sign-on: to the provider and back, and the link code of whoever comes from there for the first time."""

from __future__ import annotations

import re
import secrets
from typing import Final

from flask import Blueprint, abort, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import provider as outside
from consult.accounts import sessions, signing_in, single_sign_on, tries
from consult.accounts.people import Person
from consult.accounts.provider import NotProved, NotReached, Proof
from consult.accounts.single_sign_on import Provider, UnderWay
from consult.accounts.tries import SignInRefused
from consult.web import browsers, cookies, holding, noting
from consult.web import sign_in as door
from consult.web.context import inst, own_address

bp = Blueprint("sign_on", __name__, url_prefix="/sign-in/provider")
WAY_COOKIE: Final = "consult_way"
"""What binds the way to the provider and back to this browser; it must come along from another site."""
TOO_LATE: Final = "That took too long, or was begun in another browser; begin again."
WRONG_CODE: Final = "That is no link code that stands; look at it again, or ask your administrator for a new one."
FROM_HERE: Final = ("same-origin", "none")


def set_up() -> Provider | None:
    """The provider that is set up, if one is."""
    if "provider" not in g:
        g.provider = single_sign_on.provider(inst().db.read())
    found: Provider | None = g.provider
    return found


def _provider() -> Provider:
    return set_up() or abort(404)


def back_here() -> str:
    """The address that the provider sends people back to."""
    scheme = "https" if inst().behind_tls else "http"
    return url_for("sign_on.back", _external=True, _scheme=scheme)


@bp.get("")
def start() -> Response:
    """Send somebody to the provider; whoever is signed in proves there once more who they are."""
    there, target = _provider(), own_address(request.args.get("next", ""))
    if request.headers.get("Sec-Fetch-Site", "none") not in FROM_HERE:
        return redirect(url_for("sign_in", next=target))  # another site begins no sign-in here
    now, browser = inst().store.clock(), secrets.token_urlsafe(32)
    again = g.person if g.person and request.args.get("again") else None
    way = UnderWay(
        there.issuer,
        secrets.token_urlsafe(32),
        secrets.token_urlsafe(48),
        target,
        again.id if again else "",
        g.visit.token_hash if g.visit else "",
        int(now.timestamp()),
    )
    try:
        outside.discovered(there, now)
        with inst().db.write() as conn:
            state = single_sign_on.begin(conn, browser, way)
        address = outside.address(there, state, way, back_here(), now)
    except NotReached as error:
        return _not_reached(there, error, target)
    response = redirect(address)
    cookies.keep(response, WAY_COOKIE, browser, from_elsewhere=True)
    return response


def _not_reached(there: Provider, error: NotReached, target: str) -> Response:
    current_app.logger.warning("Single sign-on: %s", error)
    sentence = f"{there.label} can't be reached just now; use name and password, or try again later."
    return make_response(door.ask(target, problem=sentence), 503)


def _refused(why: str, sentence: str, target: str = "") -> Response:
    current_app.logger.warning("Single sign-on was refused: %s", why)
    noting.note("sign_in_failed")
    return make_response(door.ask(target or url_for("home"), problem=sentence), 422)


@bp.get("/back")
def back() -> Response:
    """Take back whoever comes from the provider: signed in, asked for a link code, or refused."""
    there, now, args = _provider(), inst().store.clock(), request.args
    browser = cookies.read(WAY_COOKIE)
    with inst().db.write() as conn:
        way = single_sign_on.spend(conn, args.get("state", ""), browser, now)
    if way is None:
        return _refused("no sign-in was under way in this browser", TOO_LATE)
    sentence = f"The sign-in with {there.label} did not work; try again, or use name and password."
    try:
        proof = _proof(there, way)
    except NotReached as error:
        return _not_reached(there, error, way.target)
    except NotProved as error:
        return _refused(str(error), sentence, way.target)
    one = single_sign_on.linked(inst().db.read(), proof.subject)
    if way.person and (one is None or one.id != way.person):
        return _refused("another account came back than that of whoever is signed in", sentence, way.target)
    if one is None or not one.active:
        return _stranger(there, proof, browser, way.target)
    return _let_in(one, proof, way)


def _proof(there: Provider, way: UnderWay) -> Proof:
    """What the reply proves; one that names another issuer, or an error, proves nothing."""
    args = request.args
    if args.get("error") or not args.get("code"):
        raise NotProved(f"the provider says {re.sub('[^a-z_]', '', args.get('error', 'nothing'))[:40]}")
    if args.get("iss", there.issuer) != there.issuer:
        raise NotProved("the reply is of another provider")
    now = inst().store.clock()
    if outside.discovered(there, now).get("authorization_response_iss_parameter_supported") and "iss" not in args:
        raise NotProved("the reply does not say which provider it is of")
    return outside.prove(there, way, args["code"], back_here(), now)


def _let_in(one: Person, proof: Proof, way: UnderWay) -> Response:
    try:
        token = signing_in.by_provider(
            inst().db, one, proof.assured, inst().store.clock(), browsers.kind(), proved=proof.fresh
        )
    except signing_in.CodeNeeded as needed:
        return door.ask_code(way.target, holding.NOTHING, needed.token)
    if way.session:
        with inst().db.write() as conn:
            sessions.end_by_hash(
                conn, way.session
            )  # the one that went to the provider, as its cookie did not come back
    return _signed_in(one, token, way.target)


def _signed_in(one: Person, token: str, target: str) -> Response:
    """A page that leads on by itself: after a redirect from another site the new cookie would not be sent."""
    response = door.entered(token, one, target, holding.NOTHING)
    response.status_code = 200
    response.headers.pop("Location", None)
    response.set_data(render_template("signed_in.html", one=one, target=target))
    return response


def _stranger(there: Provider, proof: Proof, browser: str, target: str) -> Response:
    """Nobody is named, whether nobody is linked or whoever is may not sign in."""
    current_app.logger.warning("Single sign-on was refused: nobody may sign in with account %s", proof.subject[:12])
    noting.note("sign_in_failed")
    with inst().db.write() as conn:
        single_sign_on.keep_stranger(conn, browser, proof.subject, proof.assured, inst().store.clock())
    return _ask_code(there, target, proof.subject)


def _ask_code(there: Provider, target: str, subject: str, problem: str = "") -> Response:
    page = render_template("link_code.html", there=there, target=target, reference=subject[:12], problem=problem)
    return make_response(page, 422 if problem else 403)


@bp.post("/code")
def code() -> Response:
    """Link the account that this browser has signed in with to the person whose code is typed, and sign them in."""
    there, now, browser = _provider(), inst().store.clock(), cookies.read(WAY_COOKIE)
    target = own_address(request.form.get("next", ""))
    came = single_sign_on.stranger(inst().db.read(), browser, now)
    if came is None:
        return _refused("a link code came too late", TOO_LATE, target)
    subject, assured = came
    try:
        tries.count_try(inst().db, f"link {subject}", now)
    except SignInRefused:
        return _ask_code(there, target, subject, "There were too many tries; wait five minutes, then try again.")
    with inst().db.write() as conn:
        one = single_sign_on.link_by_code(conn, request.form.get("code", ""), subject, now, inst().store.at())
        if one is not None:
            single_sign_on.forget_stranger(conn, browser)
    if one is None:
        return _ask_code(there, target, subject, WRONG_CODE)
    way = UnderWay(there.issuer, "", "", target, "", "", 0)
    return _let_in(one, Proof(subject, assured, False), way)


def leaving() -> tuple[str, str]:
    """The name of the provider whose session goes on after signing out here, and where it is ended; "" where none."""
    there = set_up()
    if there is None or g.visit is None or g.visit.way != signing_in.BY_PROVIDER:
        return "", ""
    scheme = "https" if inst().behind_tls else "http"
    here = url_for("sign_in", _external=True, _scheme=scheme)
    return there.label, outside.leaving(there, inst().store.clock(), here)
