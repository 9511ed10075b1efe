"""Signing in and out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import g, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from consult.accounts import sessions
from consult.web.context import inst


def sign_in() -> Response | str | tuple[str, int]:
    """Ask for name and password; the reply to a wrong one never says which was wrong."""
    target = _own_address(request.values.get("next", ""))
    if request.method == "GET":
        return redirect(target) if g.person else render_template("sign_in.html", problem="", target=target)
    try:
        name, password = request.form.get("username", ""), request.form.get("password", "")
        token, who = sessions.sign_in(inst().db, name, password, inst().store.clock())
    except sessions.SignInRefused as refusal:
        return render_template("sign_in.html", problem=str(refusal), target=target), 422
    if session.get("person") != who.id:
        session.clear()
    session["person"] = who.id
    response = make_response(redirect(target))
    response.set_cookie("consult_session", token, httponly=True, samesite="Strict", secure=inst().behind_tls)
    return response


def sign_out() -> Response:
    """End the session here and in the browser."""
    with inst().db.write() as conn:
        sessions.end(conn, request.cookies.get("consult_session", ""))
    session.clear()
    response = make_response(redirect(url_for("sign_in")))
    response.delete_cookie("consult_session")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _own_address(target: str) -> str:
    """The address to go on to, if it is one of this application's own; else the start."""
    parts = urlsplit(target)
    own = target.startswith("/") and not target.startswith("//") and not parts.netloc and "\\" not in target
    return target if own else url_for("home")
