"""Signing in, with a code where one is asked for, and out."""

from __future__ import annotations

from typing import Final

from flask import g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import sessions, signing_in, tries
from consult.accounts.people import Person
from consult.web import browsers, cookies, holding, noting
from consult.web.context import inst, own_address
from consult.web.token import begin_for
from consult.web.visit import ASKED_COOKIE, TOKEN_COOKIE, held_page, keep_token, token

HALF_COOKIE: Final = "consult_half"


def sign_in() -> Response | str | tuple[str, int]:
    """Ask for name and password; the reply to a wrong one never says which was wrong."""
    target = own_address(request.values.get("next", ""))
    if request.method != "POST":
        return redirect(target) if g.person else ask(target)
    held = holding.through_sign_in()
    try:
        name, password = request.form.get("username", ""), request.form.get("password", "")
        new_token, who = signing_in.sign_in(inst().db, name, password, inst().store.clock(), browsers.kind())
    except signing_in.CodeNeeded as needed:
        noting.note("code_asked", noting.named(name))
        return ask_code(target, held, needed.token)
    except tries.SignInRefused as refusal:
        _note(refusal, noting.named(name))
        return ask(target, held, str(refusal)), 422
    return entered(new_token, who, target, held)


def _note(refusal: tries.SignInRefused, person_id: str = "") -> None:
    noting.note("sign_in_braked" if str(refusal) == tries.TOO_MANY else "sign_in_failed", person_id)


def code() -> Response:
    """Ask for the code of the second factor; the reply to a wrong one says nothing of name and password either."""
    target = own_address(request.form.get("next", ""))
    if request.method != "POST":
        return make_response(redirect(target) if g.person else ask(target))
    held, half = holding.through_sign_in(), cookies.read(HALF_COOKIE)
    try:
        typed = request.form.get("code", "")
        new_token, who = signing_in.complete(inst().db, half, typed, inst().store.clock(), browsers.kind())
    except tries.SignInRefused as refusal:
        _note(refusal)
        if str(refusal) == signing_in.WRONG_CODE:
            return ask_code(target, held, half, str(refusal))
        return make_response(ask(target, held, str(refusal)), 422)
    return entered(new_token, who, target, held)


def entered(new_token: str, who: Person, target: str, held: holding.Held) -> Response:
    """Give the browser its new session, and lead it on: to the page it asked for, or to what was held."""
    with inst().db.write() as conn:
        sessions.end(conn, token())  # of whoever was signed in here before
    noting.note("signed_in", who.id)
    begin_for(who.id)
    session.pop("looked", None)
    page = held_page(who, held) if held.to else redirect(target)
    response = keep_token(make_response(page), new_token)
    for cookie in (HALF_COOKIE, ASKED_COOKIE):
        if cookies.read(cookie):
            cookies.drop(response, cookie)
    return response


def ask(target: str, held: holding.Held = holding.NOTHING, problem: str = "") -> str:
    """The page that asks for name and password."""
    return render_template("sign_in.html", problem=problem, target=target, held=held)


def ask_code(target: str, held: holding.Held, half: str, problem: str = "") -> Response:
    """The page that asks for the code of the second factor."""
    page = render_template("sign_in_code.html", problem=problem, target=target, held=held)
    response = make_response(page, 422 if problem else 200)
    cookies.keep(response, HALF_COOKIE, half)
    return response


def sign_out() -> Response:
    """End the session here and in the browser; one that began at the provider may go on there, and that is said."""
    from consult.web import sign_on  # which builds on this module

    label, there = sign_on.leaving()
    noting.note("signed_out")
    with inst().db.write() as conn:
        sessions.end(conn, g.new_token or token())  # a new one where the password was given in this very request
    session.clear()
    g.person, g.visit, g.new_token = None, None, ""
    page = render_template("signed_out.html", label=label, there=there) if label else redirect(url_for("sign_in"))
    response = make_response(page)
    cookies.drop(response, TOKEN_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
