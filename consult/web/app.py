"""The web application: one factory, the sign-in and policy in front of every route, and the headers behind it."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Flask, Response, g, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.exceptions import Forbidden, HTTPException, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from consult.accounts import people, policy, sessions
from consult.documents import letter
from consult.documents.words import ATTENDANCE, ROLES, clock_time, describe, uk_date, when
from consult.instance import Instance
from consult.proforma.answer import Answer
from consult.record.consultation import Consultation
from consult.record.ledger import Step
from consult.record.store import NotOpen, NotYours, Refused
from consult.web import (
    admin,
    answers,
    consultations,
    employees,
    endings,
    forms,
    home,
    leaflets,
    papers,
    releasing,
    results,
    sign_in,
)
from consult.web.context import content_is_approved, inst
from consult.web.screen import banner_answers
from consult.web.step_words import document_label, step_in_words

TOKEN_COOKIE: Final = "consult_session"  # noqa: S105 - the name of a cookie
MAX_BODY: Final = 2_000_000
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LEVEL_LABELS: Final = {
    "U0": "Text kept for this answer: emergency now",
    "U1": "Text kept for this answer: same day",
    "U2": "Text kept for this answer: within days",
    "U3": "Text kept for this answer: routine",
    "none": "Text kept for this answer",
}
STATE_LABELS: Final = {
    "open": "Open",
    "signed": "Signed and locked",
    "abandoned": "Ended without signing",
    "entered_in_error": "Entered in error",
}


CONSULTATIONS: Final = (consultations, answers, endings, papers, releasing)
"""The modules whose routes make up one blueprint."""


def create_app(instance: Instance) -> Flask:
    """The application over one opened instance."""
    app = Flask("consult")
    app.extensions["consult"] = instance
    app.config.update(
        SECRET_KEY=instance.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=instance.behind_tls,
        SESSION_COOKIE_NAME="consult_form",
        TRUSTED_HOSTS=list(instance.hosts),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    _register(app)
    _errors(app)
    app.before_request(_who_is_it)
    CSRFProtect(app)
    app.after_request(_headers)
    app.context_processor(_words)
    return app


def _register(app: Flask) -> None:
    for blueprint in dict.fromkeys(area.bp for area in (*CONSULTATIONS, employees, leaflets, results, admin)):
        app.register_blueprint(blueprint)
    app.add_url_rule("/", "home", home.home)
    app.add_url_rule("/sign-in", "sign_in", sign_in.sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "sign_out", sign_in.sign_out, methods=["POST"])
    app.add_url_rule("/health", "health", home.health)
    unnamed = {r.endpoint for r in app.url_map.iter_rules()} - set(policy.POLICY)
    if unnamed:
        raise RuntimeError(f"These endpoints have no entry in the policy: {', '.join(sorted(unnamed))}.")


def _who_is_it() -> AnyResponse | None:
    g.person = None
    if request.endpoint is None or request.endpoint == "static":
        return None
    now = inst().store.clock()
    token = request.cookies.get(TOKEN_COOKIE, "")
    signed_in = sessions.lookup(inst().db.read(), token, now) if token else None
    if signed_in is not None:
        g.person = signed_in.person
        if signed_in.stale:
            with inst().db.write() as conn:
                sessions.touch(conn, signed_in, now)
    if policy.allowed(g.person.role if g.person else None, request.endpoint):
        return None
    if g.person is None:
        return _ask_to_sign_in()
    raise Forbidden


def _ask_to_sign_in() -> AnyResponse:
    if request.headers.get("HX-Request"):
        return Response("Sign in again in another tab; what you entered is still here.", 401)
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in", next=target))


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint == "static" and response.status_code in (200, 304):
        response.headers["Cache-Control"] = "private, max-age=3600"
    else:
        response.headers["Cache-Control"] = "no-store"
    return response


def _errors(app: Flask) -> None:
    def page(title: str, sentence: str, code: int) -> tuple[str, int]:
        if request.headers.get("HX-Request"):
            return sentence, code
        return render_template("refused.html", title=title, sentence=sentence), code

    def refused(error: Refused) -> tuple[str, int]:
        return page("Nothing was changed", str(error), 403 if isinstance(error, NotYours) else 409)

    def csrf(_: CSRFError) -> tuple[str, int]:
        return page("Not sent", "The page was open for too long or came from elsewhere; reload it and try again.", 400)

    def wrong_host(_: SecurityError) -> Response:
        return Response("This service is not asked for under that name; use the address you were given.", 400)

    def http(error: HTTPException) -> tuple[str, int]:
        words = {
            403: ("Not for your role", "Your role does not open this page; go back, or ask your administrator."),
            404: ("Not found", "There is nothing here for you; check the address or go back to the start."),
            405: ("Not possible", "This page can't be used that way; go back to the start."),
            413: ("Too large", "What was sent is too large; send less."),
        }
        title, sentence = words.get(error.code or 500, ("Something went wrong", "Go back and try again."))
        return page(title, sentence, error.code or 500)

    app.register_error_handler(NotOpen, refused)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(CSRFError, csrf)
    app.register_error_handler(SecurityError, wrong_host)
    app.register_error_handler(HTTPException, http)


def _words() -> dict[str, Any]:
    """The functions and words every template may use."""
    return {
        "areas": _areas,
        "may": lambda endpoint: policy.allowed(g.person.role if g.person else None, endpoint),
        "approved": content_is_approved,
        "demonstration": lambda: inst().demonstration,
        "role_label": lambda role: ROLES.get(role, role),
        "attendance_label": lambda mode: ATTENDANCE.get(mode, "Attendance not recorded"),
        "state_label": lambda state: STATE_LABELS[state],
        "level_label": lambda level: LEVEL_LABELS[level],
        "uk_date": uk_date,
        "when": when,
        "clock_time": clock_time,
        "describe": describe,
        "instead": forms.instead,
        "said_instead": forms.said_instead,
        "route_numbers": letter.route_numbers,
        "new_key": lambda: str(uuid.uuid4()),
        "name_of": _name_of,
        "document_label": document_label,
        "step_in_words": step_in_words,
        "printed_format": _printed_format,
        "banner_answers": banner_answers,
        "as_answer": lambda a: Answer(a["state"], a["value"], a["reason"]),
    }


def _areas() -> list[tuple[str, str, tuple[str, ...]]]:
    role = g.person.role if g.person else None
    known = [
        ("Consultations", "employees.search", ("consultations", "employees")),
        ("Leaflets", "leaflets.index", ("leaflets",)),
        ("Results", "results.overview", ("results",)),
        ("Settings", "admin.settings", ("admin",)),
    ]
    allowed = [(name, endpoint, areas) for name, endpoint, areas in known if policy.allowed(role, endpoint)]
    return [(name, url_for("home" if "employees" in areas else endpoint), areas) for name, endpoint, areas in allowed]


def _name_of(actor: str) -> str:
    if "names" not in g:
        g.names = people.names(inst().db.read())
    return str(g.names.get(actor, actor))


def _printed_format(consultation: Consultation, leaflet_id: str) -> str:
    printed: list[Step] = [s for s in consultation.documents if s.kind == "leaflet_printed"]
    for step in reversed(printed):
        if step.content and step.content["leaflet"] == leaflet_id:
            return str(step.content["format"])
    return ""


def forget() -> None:
    """Forget what the browser holds of a visit."""
    session.clear()
