"""A form that meets a session that has ended: what it sent is held in the sign-in page itself, and nowhere else, until
somebody has signed in and says that it is to be sent. One that could not be recorded is held in the page that says so.

With JavaScript the open page keeps what was typed and asks for the sign-in; this is the same for a page without.
"""

from __future__ import annotations

from typing import Final

from flask import current_app, g, request
from msgspec import Struct
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from consult.web.context import own_address, parts_of, this_request

TO: Final = "held_to"
FIELD: Final = "held."
HERE: Final = "held_here"
"""What the sign-in page sends with what it holds, once somebody has signed in in another window."""
NOT_HELD: Final = frozenset({"csrf_token", "unlock_password", "unlock_credential", "unlock_then", HERE})
SECRETS: Final = frozenset({"password", "current", "new", "again", "code", "credential"})
"""The fields in which a password or a code is typed, which no page ever holds: whoever comes to the screen reads it."""


class Held(Struct, frozen=True):
    """What a form sent, and the address it was sent to; empty where nothing is held."""

    to: str = ""
    fields: tuple[tuple[str, str], ...] = ()


NOTHING: Final = Held()


def of_this_form(path: str) -> Held:
    """What this request sent, if it is a form of one of our own pages; nothing of one with a secret."""
    if request.method != "POST" or request.files or holds_a_secret() or not _from_our_page():
        return NOTHING
    return _sent(path)


def to_send_again(path: str) -> Held:
    """What this request sent, for the page that says that it was not recorded; nothing of a form with a secret."""
    ours = g.get("csrf_valid") or _from_our_page()
    return NOTHING if request.method != "POST" or request.files or holds_a_secret() or not ours else _sent(path)


def words() -> tuple[str, ...]:
    """The texts of a form of ours that was refused, for its sender to copy: what has one word only was chosen."""
    if request.method != "POST" or holds_a_secret() or not (g.get("csrf_valid") or _from_our_page()):
        return ()
    return tuple(text for name, text in _came().items(multi=True) if name not in NOT_HELD and " " in text.strip())


def holds_a_secret() -> bool:
    """Whether a password or a code was sent."""
    return any(request.form.get(name) for name in SECRETS)


def come_back(path: str) -> Held:
    """What the sign-in page held, and sends by itself after a sign-in in another window: shown, and not done yet.

    The token of that page is of before the sign-in, so that what the browser says of where it comes from has to do.
    """
    this = this_request()
    return _sent(path) if this.method == "POST" and HERE in this.form and _from_our_page() else NOTHING


def _sent(path: str) -> Held:
    return Held(path, fields())


def fields() -> tuple[tuple[str, str], ...]:
    """What a form sent that a page may hold."""
    return tuple((name, value) for name, value in _came().items(multi=True) if name not in NOT_HELD | SECRETS)


def _came() -> MultiDict[str, str]:
    """The form as it came, also where what a button of it needs was read out of it meanwhile (doing.py)."""
    came: MultiDict[str, str] = g.get("as_it_came", request.form)
    return came


def through_sign_in() -> Held:
    """What the sign-in page held, as it came back with the sign-in; nothing if its address takes no form."""
    to = own_address(request.form.get(TO, ""))
    if not request.form.get(TO) or to != request.form[TO] or not _takes_a_form(to):
        return NOTHING
    named = ((n.removeprefix(FIELD), v) for n, v in request.form.items(multi=True) if n.startswith(FIELD))
    return Held(to, tuple(named))


def _from_our_page() -> bool:
    """Whether the browser says that a page of ours sent this: another site must not put words into a record."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    source = request.headers.get("Origin") or request.headers.get("Referer") or ""
    return parts_of(source).netloc == request.host


def _takes_a_form(address: str) -> bool:
    known = current_app.create_url_adapter(request)
    try:
        return known is not None and bool(known.match(parts_of(address).path, method="POST"))
    except HTTPException:
        return False
