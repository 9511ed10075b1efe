"""The web application: one factory, the sign-in and policy in front of every route, and the headers behind it."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from functools import lru_cache
from typing import Any, Final

from flask import Flask, Response, g, request, url_for
from flask.templating import Environment
from jinja2 import StrictUndefined

from consult.accounts import policy
from consult.documents import letter
from consult.documents.words import (
    ATTENDANCE,
    ROLES,
    at_or_on,
    closed,
    contradiction_in_words,
    describe,
    held,
    lasted,
    told_at,
    uk_date,
    uk_month,
    when,
)
from consult.instance import Instance
from consult.proforma import days
from consult.proforma.answer import Answer
from consult.web import (
    account,
    actions,
    admin,
    answers,
    begun,
    braking,
    consultations,
    cookies,
    dates,
    doing,
    drawing,
    employees,
    endings,
    entered_twice,
    entry,
    errors,
    evidence,
    explain,
    followup,
    forms,
    guard,
    helping,
    home,
    identities,
    incidents,
    leaflets,
    look,
    looking,
    measure_page,
    noting,
    organisation,
    paper,
    papers,
    passkeys,
    people,
    published,
    reading,
    reflection,
    releasing,
    reliability,
    results,
    rounds,
    routing,
    security,
    sending,
    showing,
    sign_in,
    sign_on,
    static,
    taking_over,
    top,
    visit,
)
from consult.web.context import content_is_approved, inst, name_of, site_name
from consult.web.desk import given_title, place, printed_format
from consult.web.screen import banner_answers
from consult.web.step_words import document_label, step_in_words
from consult.web.token import Guard, new_key, token

MAX_BODY: Final = 2_000_000
CSP_OF_PIECES: Final = "default-src 'none'; frame-ancestors 'none'"
"""Of what scripts put into a page that has a policy of its own: by itself it may do nothing."""
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
STAY_WITH_TLS: Final = "max-age=63072000; includeSubDomains"
"""Two years; only said where a TLS proxy was declared, since plain HTTP on this machine has no certificate."""
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


CONSULTATIONS: Final = (consultations, answers, doing, endings, papers, releasing, taking_over, helping, showing)
"""The modules whose routes make up one blueprint."""
AUDIT: Final = (
    results,
    measure_page,
    explain,
    published,
    rounds,
    actions,
    evidence,
    reliability,
    entry,
    reflection,
    organisation,
)
"""The modules of the audit: its results, and what stands beside them."""


class Words(Environment):
    """Jinja as Flask has it; all templates share the same words, so that they need no map of their own laid over them.

    Through such a map each of some hundred words is looked up in Python, for every page and every file of macros.
    """

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The words of a template."""
        return super().make_globals(d) if d else self.globals


class App(Flask):
    """Flask, which asks of each function that it calls whether it is a coroutine: here none is."""

    jinja_environment = Words

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(instance: Instance) -> Flask:
    """The application over one opened instance."""
    app = App("consult", static_folder=None)
    app.request_class = dates.Asked
    app.url_rule_class = routing.Lazy
    app.session_interface = cookies.Sessions()
    put_over(app, instance)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals["date_parts"] = dates.boxes
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    _register(app)
    errors.register(app)
    app.before_request(visit.who_is_it)
    Guard(app)
    app.before_request(top.pressed)
    app.before_request(guard.check)
    app.before_request(braking.check)
    app.before_request(doing.save_first)
    app.after_request(guard.forget)
    app.after_request(visit.bring_token)
    app.after_request(sending.compressed)
    app.after_request(_headers)
    app.after_request(doing.with_the_rest)
    app.after_request(top.with_what_was_typed)
    app.context_processor(lambda: {"csrf_token": token})  # flask-wtf gives each template its own
    app.jinja_env.globals.update(_words())  # global, so that a file of macros is read once and not for each page
    return app


def put_over(app: Flask, instance: Instance) -> None:
    """All that an application holds of the instance that it is over."""
    app.extensions["consult"] = instance
    app.config.update(
        SECRET_KEY=instance.secret_key,
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_BODY,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Strict",
        SESSION_COOKIE_SECURE=instance.behind_tls,
        SESSION_COOKIE_NAME=cookies.name("consult_form", instance),
        TRUSTED_HOSTS=list(instance.hosts),
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    noting.keep(app)


def _register(app: Flask) -> None:
    of_employees = (employees, entered_twice, reading, followup, leaflets, paper)
    areas = (
        *CONSULTATIONS,
        *of_employees,
        *AUDIT,
        incidents,
        admin,
        people,
        account,
        passkeys,
        sign_on,
        looking,
        security,
        identities,
    )
    for blueprint in dict.fromkeys(area.bp for area in areas):
        app.register_blueprint(blueprint)
    static.register(app)
    app.add_url_rule("/", "home", home.home)
    app.add_url_rule("/sign-in", "sign_in", sign_in.sign_in, methods=["GET", "POST"])
    app.add_url_rule("/sign-in/code", "sign_in_code", sign_in.code, methods=["GET", "POST"])
    app.add_url_rule("/sign-out", "sign_out", sign_in.sign_out, methods=["POST"])
    app.add_url_rule("/session", "session_state", visit.session_state, methods=["GET", "POST"])
    app.add_url_rule("/unlock", "unlock", visit.unlock, methods=["POST"])
    app.add_url_rule("/lock", "lock", visit.lock, methods=["POST"])
    app.add_url_rule("/tour", "tour", home.tour)
    app.add_url_rule("/look", "choose_look", look.choose, methods=["POST"])
    app.add_url_rule("/health", "health", home.health)
    unnamed = {r.endpoint for r in app.url_map.iter_rules()} - set(policy.POLICY)
    if unnamed:
        raise RuntimeError(f"These endpoints have no entry in the policy: {', '.join(sorted(unnamed))}.")


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP_OF_PIECES if request.headers.get("HX-Request") else CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if inst().behind_tls:
        response.headers["Strict-Transport-Security"] = STAY_WITH_TLS
    if request.endpoint != "static" or response.status_code not in (200, 304):
        response.headers["Cache-Control"] = "no-store"
    return response


def _words() -> dict[str, Any]:
    """The functions and words every template may use."""
    return {
        "areas": _areas,
        "areas_of": lambda one: _areas_of(one.role, request.script_root),
        "url_for": routing.address,
        "csrf_token": token,
        "file_address": static.address,
        "style": lambda: static.style(look.look()),
        "own_path": visit.own_path,
        "top_of": top.of,
        "look": look.look,
        "seconds_of_warning": visit.seconds_of_warning,
        "may": lambda endpoint: policy.allowed(g.person.role if g.person else None, endpoint),
        "approved": content_is_approved,
        "passkeys_used_here": passkeys.used_here,
        "sign_on": sign_on.set_up,
        "demonstration": lambda: inst().demonstration,
        "role_label": lambda role: ROLES.get(role, role),
        "attendance_label": lambda mode: ATTENDANCE.get(mode, "Attendance not recorded"),
        "state_label": lambda state: STATE_LABELS[state],
        "level_label": lambda level: LEVEL_LABELS[level],
        "uk_date": uk_date,
        "uk_month": uk_month,
        "day_in_words": dates.in_words,
        "to_correct": days.to_correct,
        "when": when,
        "when_held": held,
        "lasted": lasted,
        "told_at": told_at,
        "at_or_on": at_or_on,
        "closed": closed,
        "describe": describe,
        "contradiction_in_words": contradiction_in_words,
        "instead": forms.instead,
        "said_instead": forms.said_instead,
        "route_numbers": letter.route_numbers,
        "new_key": new_key,
        "doing": doing.doing,
        "deciding": forms.deciding,
        "begun_told": begun.told,
        "begun_at": begun.is_at,
        "begun_decision": begun.of_decision,
        "begun_reading": begun.reading,
        "begun_unmet": begun.of_unmet,
        "drawn": drawing.control,
        "question_macros": drawing.macros,
        "rail_drawn": drawing.rail,
        "slots_drawn": drawing.slots,
        "panel_drawn": drawing.panel,
        "rest_drawn": drawing.rest,
        "once": drawing.once,
        "name_of": name_of,
        "site_name": site_name,
        "place": place,
        "document_label": document_label,
        "step_in_words": step_in_words,
        "printed_format": printed_format,
        "given_title": given_title,
        "banner_answers": banner_answers,
        "as_entered": lambda question: forms.as_entered(question, request.form),
        "as_answer": lambda a: Answer(a["state"], a["value"], a["reason"]),
    }


def _areas() -> list[tuple[str, str, tuple[str, ...]]]:
    return _areas_of(g.person.role if g.person else None, request.script_root)


@lru_cache(maxsize=50)
def _areas_of(role: str | None, _below: str) -> list[tuple[str, str, tuple[str, ...]]]:
    known = [
        ("Consultations", "employees.search", ("home", "consultations", "employees", "followup")),
        ("Leaflets", "leaflets.index", ("leaflets", "paper", "reading")),
        ("Results", "results.overview", ("results",)),
        ("Rounds", "rounds.index", ("rounds", "actions", "evidence", "reliability", "reflection", "organisation")),
        ("Case notes", "entry.baseline", ("entry",)),
        ("Settings", "admin.settings", ("admin", "people", "looking", "security", "identities")),
    ]
    allowed = [(name, endpoint, areas) for name, endpoint, areas in known if policy.allowed(role, endpoint)]
    return [(name, url_for("home" if "employees" in areas else endpoint), areas) for name, endpoint, areas in allowed]
