"""Whether a form comes from a page of ours: by what the browser says of it, and by the token of the page.

The token is written otherwise in each reply, so that no two compressed pages hold the same one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from itertools import count
from typing import Any, Final

from flask import current_app, g, session
from flask_wtf.csrf import CSRFProtect, generate_csrf
from werkzeug.exceptions import Forbidden

from consult.web.context import parts_of, this_request

OF_SESSION: Final = "csrf_token"
"""What flask-wtf calls the token in the cookie: 20 bytes of chance, in hexadecimal."""
START: Final = 16
"""Bytes of chance that a mask grows from."""
OURS: Final = ("same-origin", "none")
"""What a browser says of a form that was sent by a page of this very origin, or by the person without a page."""


class OtherSite(Forbidden):
    """The browser says that another site sent this."""


class Guard(CSRFProtect):  # type: ignore[misc] # flask-wtf has no types
    """Refuses what another site sent, and what was sent without the token of the session, as flask-wtf does.

    flask-wtf signs the token it puts into a page. Here it needs none: it is compared with the one in the cookie, which
    is signed, and what is shorter makes each page shorter.
    """

    def protect(self, **how: Any) -> None:
        """Raise OtherSite or CSRFError, unless the form is of a page of ours."""
        this = this_request()
        changes = this.method in current_app.config["WTF_CSRF_METHODS"]
        if changes and this.endpoint and is_from_another_site():
            raise OtherSite
        if changes and self.is_of_this_session():
            g.csrf_valid = True
            return
        super().protect(**how)

    def is_of_this_session(self) -> bool:
        """Whether the form is of a page of whoever the browser is, or was last, signed in as."""
        ours = session.get(OF_SESSION, "")
        return bool(ours) and hmac.compare_digest(ours, _unmasked(self._get_csrf_token() or ""))


def is_from_another_site() -> bool:
    """Whether the browser says so. One that says nothing is believed: the token of the page is asked for as well.

    Ports are not compared where only Origin is said, as a proxy may leave the port out of the name of the host.
    """
    this = this_request()
    site = this.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in OURS
    origin = this.headers.get("Origin")
    return origin is not None and parts_of(origin).hostname != parts_of(f"//{this.host}").hostname


def token() -> str:
    """The token for a page: the session's, under a mask of chance that stands before it."""
    masked: str | None = g.get("masked_token")
    if masked is None:
        if OF_SESSION not in session:
            g.pop(OF_SESSION, None)  # of a session that was left in this very request
            generate_csrf()
        g.masked_token = masked = _masked(session[OF_SESSION])
    return masked


def begin_for(person_id: str) -> None:
    """Forget what the browser holds of another person's visit, and give it the token of this person's.

    It goes with this very reply: two tabs that ask next at the same moment would each be given another one, and the
    pages of one of them could send nothing.
    """
    if session.get("person") != person_id:
        session.clear()
        g.pop("masked_token", None)
        session["person"] = person_id
    token()


def _masked(token: str) -> str:
    start = secrets.token_bytes(START)
    return urlsafe_b64encode(start + _mixed(start, bytes.fromhex(token))).decode()


def _unmasked(text: str) -> str:
    """The token under the mask; "" for what is none."""
    try:
        both = urlsafe_b64decode(text)
    except (Error, ValueError):
        return ""
    return _mixed(both[:START], both[START:]).hex()


def _mixed(start: bytes, text: bytes) -> bytes:
    """The text with the mask that grows from its start, put on or taken off."""
    mask = hashlib.shake_128(start).digest(len(text))
    return (int.from_bytes(mask) ^ int.from_bytes(text)).to_bytes(len(text))


def new_key() -> str:
    """A key for one more form of this page; no two begin alike, as what a key wrote is found by how it begins."""
    if "keys" not in g:
        first = uuid.uuid4()
        g.keys = (f"{first}-{number:04}" for number in count())
    return str(next(g.keys))
