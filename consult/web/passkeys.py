"""Passkeys: added and removed on one's own account, and signed in with, in the place of a password or after it."""

from __future__ import annotations

import secrets
from typing import Final

from flask import Blueprint, current_app, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import factors, passkeys, sessions, signing_in
from consult.accounts.passkeys import Place
from consult.accounts.people import PersonRefused
from consult.accounts.tries import SignInRefused
from consult.web import account, browsers, cookies, holding, noting
from consult.web import sign_in as door
from consult.web.context import inst, own_address, person
from consult.web.visit import ASKED_COOKIE, keep_token

bp = Blueprint("passkeys", __name__)
AFTER_PASSWORD: Final = "password"  # noqa: S105 - says what came before
Reply = Response | str | tuple[str, int]


def here() -> Place | str:
    """Where this page's passkeys belong, or why there are none."""
    return passkeys.place_of(request.host, inst().behind_tls)


def used_here() -> bool:
    """Whether somebody has a passkey for the name that this page was asked for under."""
    if "passkeys_used" not in g:
        place = here()
        g.passkeys_used = isinstance(place, Place) and passkeys.used_at(inst().db.read(), place.host)
    return bool(g.passkeys_used)


def _place() -> Place:
    place = here()
    if isinstance(place, str):
        raise PersonRefused(place)
    return place


@bp.post("/account/passkeys/ask")
def ask_to_add() -> Response | tuple[str, int]:
    """What the browser is to make a passkey of, for whoever gives their password or a code."""
    try:
        place = _place()
        if g.visit.owes == "password":
            raise PersonRefused("Choose a password of your own first.")
        account.own(request.form.get("password", ""), or_code=True)
        with inst().db.write() as conn:
            asked = passkeys.ask_to_add(conn, person(), place, g.visit.token_hash, inst().store.clock())
    except (PersonRefused, SignInRefused) as refusal:
        return str(refusal), 422
    return _json(asked)


def _json(text: str) -> Response:
    return current_app.response_class(text, mimetype="application/json")


@bp.post("/account/passkeys")
def add() -> Reply:
    """Keep the passkey that the browser made: other sessions end, this one has a new token."""
    now, form = inst().store.clock(), request.form
    try:
        made = passkeys.made(inst().db, person(), _place(), g.visit.token_hash, form.get("credential", ""), now)
        with inst().db.write() as conn:
            codes = passkeys.add(conn, person(), made, form.get("name", ""), now)
            new_token = account.step_up(conn, now)
    except PersonRefused as refusal:
        return account.page(str(refusal), "passkeys"), 422
    g.visit = sessions.lookup(inst().db.read(), new_token, now)
    if codes:
        return keep_token(make_response(render_template("account/codes.html", codes=codes)), new_token)
    return keep_token(redirect(url_for("account.show", done="passkey_added", _anchor="passkeys")), new_token)


@bp.post("/account/passkeys/remove")
def remove() -> Reply:
    """Take one of one's passkeys away."""
    try:
        account.own(request.form.get("password", ""), or_code=True)
        with inst().db.write() as conn:
            factors.check_may_go(conn, person(), "passkey")
            passkeys.remove(conn, person().id, request.form.get("passkey", ""), person().id, inst().store.at())
    except PersonRefused as refusal:
        return account.page(str(refusal), "passkeys"), 422
    except SignInRefused as refusal:
        return account.page(str(refusal), "passkeys", "passkey-gone-password"), 422
    return redirect(url_for("account.show", done="passkey_removed", _anchor="passkeys"))


@bp.post("/sign-in/passkey/ask")
def ask() -> Response | tuple[str, int]:
    """What the browser is to sign: the same for everybody, as nobody has said yet who they are."""
    place, token = here(), secrets.token_urlsafe(32)
    if isinstance(place, str):
        return place, 422
    with inst().db.write() as conn:
        asked = passkeys.ask_to_prove(conn, place, token, inst().store.clock())
    response = _json(asked)
    cookies.keep(response, ASKED_COOKIE, token)
    return response


@bp.post("/sign-in/passkey")
def sign_in() -> Response:
    """Sign in with what the browser signed: alone, or after name and password in the place of a code."""
    target, held = own_address(request.form.get("next", "")), holding.through_sign_in()
    now, sent, half = inst().store.clock(), request.form.get("credential", ""), cookies.read(door.HALF_COOKIE)
    after = request.form.get("after") == AFTER_PASSWORD
    try:
        db, proof = inst().db, (_place(), cookies.read(ASKED_COOKIE), sent, now, browsers.kind())
        done = signing_in.complete_by_passkey(db, half, *proof) if after else signing_in.by_passkey(db, *proof)
    except (PersonRefused, SignInRefused) as refusal:
        noting.note("sign_in_failed")
        if str(refusal) == passkeys.COPIED:
            current_app.logger.warning("A passkey whose counter went back was refused, and signs in no more")
        if after and str(refusal) != signing_in.TOO_LATE:
            return door.ask_code(target, held, half, str(refusal))
        return make_response(door.ask(target, held, str(refusal)), 422)
    return door.entered(*done, target, held)
