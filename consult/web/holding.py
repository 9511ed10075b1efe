"""A form that meets a session that has ended: what it sent is held in the sign-in page itself, and nowhere else, until
somebody has signed in and says that it is to be sent. One that could not be recorded is held in the page that says so.

In the page of a sign-in or a lock it is sealed, as anybody may sit there: only for who typed it is it opened again.
Where the browser was signed out meanwhile nobody knows who that was; whoever signs in sends it under their own name.

With JavaScript the open page keeps what was typed and asks for the sign-in; this is the same for a page without.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from flask import current_app, g, request, session
from msgspec import Struct
from werkzeug.datastructures import MultiDict

from consult.web import envelope
from consult.web.context import own_address, parts_of, this_request
from consult.web.dates import WithDates
from consult.web.envelope import ANYBODY, Fields

TO: Final = "held_to"
FIELD: Final = "held."
SEALED: Final = "held_sealed"
"""The one field in which all fields wait that were sealed."""
HERE: Final = "held_here"
"""What the sign-in page sends with what it holds, once somebody has signed in in another window."""
PRESSED: Final = "pressed"
"""The field of a button at the top of a page that belongs to its form: what was pressed (top.py)."""
NOT_HELD: Final = frozenset({"csrf_token", "unlock_password", "unlock_credential", "unlock_then", HERE})
SECRETS: Final = frozenset({"password", "current", "new", "again", "code", "credential"})
"""The fields in which a password or a code is typed, which no page ever holds: whoever comes to the screen reads it."""


class Held(Struct, frozen=True):
    """What a form sent, and the address it was sent to; empty where nothing is held."""

    to: str = ""
    fields: Fields = ()


NOTHING: Final = Held()


def of_this_form(path: str) -> Held:
    """What this request sent, sealed, if it is a form of one of our own pages; nothing of one with a secret."""
    if request.method != "POST" or request.files or holds_a_secret() or not _from_our_page():
        return NOTHING
    return Held(path, sealed(_typed_by(), path))


def _typed_by() -> str:
    """Whose page a form comes from, where the browser still knows."""
    return str(session.get("person", ANYBODY)) if _of_this_session() else ANYBODY


def _of_this_session() -> bool:
    return bool(current_app.extensions["csrf"].is_of_this_session())


def sealed(person_id: str, path: str, without: Collection[str] = ()) -> Fields:
    """What this request sent, to be sent to a path by one person; what was sealed before stays as it is."""
    kept = tuple((name, value) for name, value in fields() if name not in without)
    return ((SEALED, request.form.get(SEALED) or envelope.seal(person_id, path, kept)),)


def behind_lock(path: str) -> Fields:
    """What this request sent, for the page of a lock, and nothing of another site's, sealed or not: anybody has a text
    sealed for anybody, by sending a form without a sign-in.

    Of a page made before another person signed in it is asked after the password whether it is to be sent.
    """
    if request.method != "POST":
        return ()
    who = _typed_by()
    if not (who or _from_our_page()):
        return ()
    to_be_asked = not who or HERE in request.form
    return (*sealed(who, path), (HERE, "yes")) if to_be_asked else sealed(who, path)


def opened(person_id: str, held: Held) -> Fields | None:
    """What is held, if this person can send it; None where somebody else typed it, or nobody can open it any more."""
    waiting = dict(held.fields).get(SEALED)
    return held.fields if waiting is None else envelope.unseal(person_id, held.to, waiting)


def is_lost(held: Held) -> bool:
    """Whether nobody can open what is held any more, as it was sealed under another key of the installation."""
    waiting = dict(held.fields).get(SEALED)
    return waiting is not None and not envelope.of_this_key(waiting)


def texts_of(held: Fields) -> tuple[str, ...]:
    """The texts among fields: what has one word only was chosen."""
    return tuple(text for name, text in held if name not in NOT_HELD | {PRESSED} and " " in text.strip())


def open_here(person_id: str, path: str) -> bool:
    """Go on with this request as if it had sent the fields that were sealed in it; False if they can't be opened."""
    this = this_request()
    if SEALED not in this.form:
        return True
    if (found := envelope.unseal(person_id, path, this.form[SEALED])) is None:
        return False
    g.waited = True
    beside = [(name, this.form[name]) for name in ("csrf_token",) if name in this.form]
    this.form = WithDates([*found, *beside])
    return True


def to_send_again(path: str) -> Held:
    """What this request sent, for the page that says that it was not recorded; nothing of a form with a secret."""
    ours = g.get("csrf_valid") or _from_our_page()
    return NOTHING if request.method != "POST" or request.files or holds_a_secret() or not ours else _sent(path)


def words() -> tuple[str, ...]:
    """The texts of a form of ours that was refused, for its sender to copy: what has one word only was chosen."""
    if request.method != "POST" or holds_a_secret() or not (g.get("csrf_valid") or _from_our_page()):
        return ()
    return texts_of(tuple(came().items(multi=True)))


def holds_a_secret() -> bool:
    """Whether a password or a code was sent."""
    return any(request.form.get(name) for name in SECRETS)


def come_back(path: str) -> Held:
    """What waited in a page for a sign-in in another window, or behind the lock of another person: not done yet.

    The token of the sign-in page is of before the sign-in, so what the browser says of where it comes from has to do.
    """
    waited = request.method == "POST" and HERE in request.form
    return _sent(path) if waited and (_of_this_session() or _from_our_page()) else NOTHING


def _sent(path: str) -> Held:
    return Held(path, fields())


def fields() -> Fields:
    """What a form sent that a page may hold."""
    return tuple((name, value) for name, value in came().items(multi=True) if name not in NOT_HELD | SECRETS)


def came() -> MultiDict[str, str]:
    """The form as it came, also where what a button of it needs was read out of it meanwhile (doing.py)."""
    form: MultiDict[str, str] = g.get("as_it_came", request.form)
    return form


def through_sign_in() -> Held:
    """What the sign-in page held, as it came back with the sign-in; nothing if its address takes no form."""
    to = own_address(request.form.get(TO, ""))
    is_sealed = f"{FIELD}{SEALED}" in request.form
    if not request.form.get(TO) or to != request.form[TO] or not _takes_a_form(to, is_sealed):
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


def _takes_a_form(address: str, is_sealed: bool) -> bool:
    """Whether what is held can be sent there; what was typed before a lock goes to the page that it was typed on."""
    known = current_app.create_url_adapter(request)
    methods = ("POST", "GET") if is_sealed else ("POST",)
    return known is not None and any(known.test(parts_of(address).path, method) for method in methods)
