"""Signing in and out."""

from __future__ import annotations

from flask import g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import sessions
from consult.web import holding
from consult.web.context import inst, own_address
from consult.web.visit import TOKEN_COOKIE, token


def sign_in() -> Response | str | tuple[str, int]:
    """Ask for name and password; the reply to a wrong one never says which was wrong."""
    target = own_address(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(target) if g.person else _ask(target)
    held = holding.through_sign_in()
    try:
        name, password = request.form.get("username", ""), request.form.get("password", "")
        new_token, who = sessions.sign_in(inst().db, name, password, inst().store.clock())
    except sessions.SignInRefused as refusal:
        return _ask(target, held, str(refusal)), 422
    with inst().db.write() as conn:
        sessions.end(conn, token())  # of whoever was signed in here before
    if session.get("person") != who.id:
        session.clear()
    session["person"] = who.id
    page = render_template("held.html", who=who, held=held) if held.to else redirect(target)
    response = make_response(page)
    response.set_cookie(TOKEN_COOKIE, new_token, httponly=True, samesite="Strict", secure=inst().behind_tls)
    return response


def _ask(target: str, held: holding.Held = holding.NOTHING, problem: str = "") -> str:
    return render_template("sign_in.html", problem=problem, target=target, held=held)


def sign_out() -> Response:
    """End the session here and in the browser."""
    with inst().db.write() as conn:
        sessions.end(conn, token())
    session.clear()
    response = make_response(redirect(url_for("sign_in")))
    response.delete_cookie(TOKEN_COOKIE)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
