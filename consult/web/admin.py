"""Settings: the sites with their urgent routes, and what content is in use and approved."""

from __future__ import annotations

from collections import Counter
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import people, single_sign_on
from consult.accounts.people import ROLES
from consult.confirming import NotConfirmed, confirm_leaflet, reviews
from consult.documents.words import when
from consult.proforma.days import day_in
from consult.proving import BackupRefused
from consult.record import settings as kept
from consult.tending import last_went, newest_backup
from consult.web.context import inst, person
from consult.web.desk import refused
from consult.web.forms import typed
from consult.web.sign_on import back_here as door_back

BLANK_CHECKED: Final = "A blank can't have been checked: {}; fill in the number, or untick that each was checked."

bp = Blueprint("admin", __name__, url_prefix="/settings")


@bp.get("")
def settings() -> str:
    """Everything an administrator keeps in order, on one page."""
    return _page()


def _page(part: str = "", problem: str = "", wrong: str = "") -> str:
    """The settings; `problem` says why nothing was changed in a part, where what was typed then stands again.

    `wrong` is the field of that part which it is about; "" for the whole part.
    """
    conn = inst().db.read()
    return render_template(
        "admin/settings.html",
        part=part,
        problem=problem,
        wrong=f"{part}-{wrong}" if wrong else part,
        provider=inst().provider,
        sites=inst().sites.values(),
        closed_since=kept.closed_sites(conn),
        placed=Counter(one.site for one in people.people(conn) if one.active),
        route_labels=kept.ROUTE_LABELS,
        needed=kept.NEEDED_ROUTES,
        checked=kept.routes_checked(conn),
        unchecked=kept.unchecked_routes(conn, inst().today()),
        in_use=inst().in_use(),
        approvals=inst().approvals,
        problems=inst().problems,
        reviews=reviews(inst()),
        went=last_went(inst().folder),
        newest=_newest(),
        roles=ROLES,
        back_here=door_back(),
        keeping={name: (kept.keeping(conn, name), known.meaning) for name, known in kept.KEEPING.items()},
    )


def _saved(part: str) -> Response:
    """Back to a part of the settings, which says that it was saved."""
    return redirect(url_for("admin.settings", saved=part, _anchor=part))


def _newest() -> tuple[str, str]:
    """When the newest backup of all was made, and which it is, as `consult doctor` finds it."""
    try:
        newest = newest_backup(inst().folder, inst().db.read(), inst().clock())
    except BackupRefused as refused:
        return "Not known", str(refused)
    return (when(newest.at), f"{newest.file.name}, the newest of {newest.among}.") if newest else ("Never", "")


@bp.post("/sites")
def add_site() -> Response | tuple[str, int]:
    """Add a site; its urgent routes are filled in where it then stands."""
    code = typed("site")
    try:
        with inst().db.write() as conn:
            kept.add_site(conn, code, typed("name")[:120], person().id, inst().store.at())
    except kept.SettingRefused as refusal:
        return _page("add-site", str(refusal), "site"), 422
    return _saved(f"site-{code}")


@bp.post("/sites/<code>")
def site(code: str) -> Response | tuple[str, int]:
    """Change the name and the urgent routes of a site, and say that its numbers were checked today.

    Numbers that are changed count as not checked, unless that is said with them; a blank can't have been checked.
    """
    if code not in inst().sites:
        abort(404)
    if code not in inst().open_sites:
        return _page(f"site-{code}", f"Site {code} is closed; open it again before you change it."), 422
    routes = {route: typed(route)[:120] for route in kept.ROUTE_LABELS}
    changed = kept.Site(code, typed("name")[:120] or code, routes, typed("telephone")[:120])
    if typed("checked") and changed.blank_routes:
        return _page(f"site-{code}", BLANK_CHECKED.format(changed.blank_in_words), changed.blank_routes[0]), 422
    with inst().db.write() as conn:
        before = kept.sites(conn)[code]
        kept.put_site(conn, changed, person().id, inst().store.at())
        if typed("checked"):
            kept.check_routes(conn, code, inst().today(), person().id, inst().store.at())
        elif before.routes != changed.routes:
            kept.check_routes(conn, code, None, person().id, inst().store.at())
    return _saved(f"site-{code}")


@bp.post("/sites/<code>/standing")
def site_standing(code: str) -> Response | tuple[str, int]:
    """Close a site, where nothing new begins from then on, or open it again."""
    if code not in inst().sites:
        abort(404)
    try:
        with inst().db.write() as conn:
            if typed("open") == "yes":
                kept.open_site(conn, code, person().id, inst().store.at())
            else:
                kept.close_site(conn, code, inst().today(), person().id, inst().store.at())
    except kept.SettingRefused as refusal:
        return _page(f"site-{code}", str(refusal)), 422
    return _saved(f"site-{code}")


@bp.post("/leaflets/<leaflet_id>")
def leaflet(leaflet_id: str) -> Response:
    """Confirm a leaflet past its review date for a stated time."""
    if leaflet_id not in {known for known, _ in inst().leaflets}:
        abort(404)
    until, language = day_in(typed("until")), typed("language")
    try:
        if until is None:
            raise NotConfirmed("Give the day until which it may be printed.")
        confirm_leaflet(inst(), leaflet_id, language, until, typed("reason")[:300], person().id)
    except NotConfirmed as refusal:
        return refused(str(refusal), url_for("admin.settings", _anchor="leaflets"), "Nothing was confirmed")
    return redirect(url_for("admin.settings", _anchor="leaflets"))


@bp.post("/sign-on")
def sign_on() -> Response | tuple[str, int]:
    """Set single sign-on up, change it, or take it away where the issuer is left blank."""
    try:
        with inst().db.write() as conn:
            single_sign_on.set_provider(conn, _as_typed(), person().id, inst().store.at())
    except kept.SettingRefused as refusal:
        return _page("sign-on", str(refusal), refusal.field), 422
    return _saved("sign-on")


def _as_typed() -> single_sign_on.Provider | None:
    if not typed("issuer"):
        return None
    leeway = typed("leeway") or "60"
    if not (leeway.isdecimal() and len(leeway) <= 6):
        least, most = single_sign_on.LEAST_LEEWAY, single_sign_on.MOST_LEEWAY
        raise kept.SettingRefused(f"Clocks may differ by {least} to {most} seconds; give a number of those.", "leeway")
    names = ("issuer", "client_id", "label", "key_id", "acr_values")
    words = {name: typed(name) for name in names}
    more = {name: typed(name) for name in ("scope", "key_algorithm") if typed(name)}
    return single_sign_on.Provider(
        **words,
        **more,
        secret=_secret_for(words["issuer"]),
        require=single_sign_on.requirements(typed("require")),
        no_password_for=request.form.getlist("no_password_for"),
        leeway=int(leeway),
    )


def _secret_for(issuer: str) -> str:
    """Where the secret for this issuer lies, as it was said on the server; "" for an issuer that none was set for.

    A page takes no such place: it names a file or a variable of the server, and what stands there goes to the issuer.
    """
    there = single_sign_on.provider(inst().db.read())
    return there.secret if there is not None and there.issuer == issuer else ""


@bp.get("/content")
def content() -> str:
    """The proforma in use, question by question, with sources: what a clinician approves."""
    return render_template("admin/content.html", proforma=inst().library.current.proforma)
