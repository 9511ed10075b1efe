"""What every area of the web needs: the instance, and who is signed in."""

from __future__ import annotations

from typing import cast
from urllib.parse import SplitResult, urlsplit

from flask import Request, current_app, g, request, url_for

from consult.accounts import people
from consult.accounts.people import Person
from consult.instance import Instance
from consult.record.store import Who


def inst() -> Instance:
    """The instance this application serves; asked without the proxy of Flask, which takes six times as long."""
    app = current_app._get_current_object()  # type: ignore[attr-defined] # of Werkzeug's proxy; Flask types what it stands for
    return cast(Instance, app.extensions["consult"])


def this_request() -> Request:
    """This very request: whoever asks it several things does so without its proxy, which is slow."""
    return cast(Request, request._get_current_object())  # type: ignore[attr-defined] # as above


def person() -> Person:
    """Who is signed in; only asked for on pages that need a sign-in."""
    return cast(Person, g._get_current_object().person)


def who() -> Who:
    """Who acts, as the steps name it."""
    acting = person()
    return Who(acting.id, acting.role)


def name_of(actor: str) -> str:
    """The name of somebody by the opaque id that steps hold; what else acts is named as it is."""
    acting = g.get("person")
    if acting is not None and acting.id == actor:
        return str(acting.name)
    if "names" not in g:
        g.names = people.names(inst().db.read())
    return str(g.names.get(actor, actor))


def site_name(code: str, provider: str = "") -> str:
    """What people call a site of this service; one of another provider, or not known, by its code."""
    if "site_names" not in g:
        g.site_names = {one: site.name for one, site in inst().sites.items()}
        g.own_provider = inst().provider
    elsewhere = provider not in ("", g.own_provider)
    return f"site {code} of {provider}" if elsewhere else str(g.site_names.get(code) or f"site {code}")


def content_is_approved() -> bool:
    """Whether a named clinician's approval of the proforma and of every leaflet in use is recorded here."""
    if "approved" not in g:
        g.approved = not inst().unapproved()
    return bool(g.approved)


def own_address(target: str) -> str:
    """The address to go on to, if it is one of this application's own; else the start."""
    parts = parts_of(target)
    plain = "\\" not in target and min(target, default="") >= " "
    own = plain and target.startswith("/") and not target.startswith("//") and not parts.netloc
    return target if own and parts.path else url_for("home")


def parts_of(address: str) -> SplitResult:
    """The parts of an address that a browser sent; all of them empty where it is none, such as http://[."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")
