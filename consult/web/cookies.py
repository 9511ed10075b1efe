"""The cookies of this tool: for this host alone, out of reach of scripts and of other sites."""

from __future__ import annotations

from typing import Any, Final

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from werkzeug.wrappers import Response

from consult.instance import Instance
from consult.web.context import inst

OF_THIS_HOST: Final = "__Host-"
"""A browser takes a cookie so called only over TLS and from this very host, and lets no other host set it."""


def name(base: str, instance: Instance | None = None) -> str:
    """What a cookie is called here: plain HTTP, as on this machine alone, can't have the prefix."""
    return f"{OF_THIS_HOST}{base}" if (instance or inst()).behind_tls else base


def read(base: str) -> str:
    """The value of a cookie; "" where there is none."""
    return request.cookies.get(name(base), "")


def keep(response: Response, base: str, value: str, max_age: int | None = None, from_elsewhere: bool = False) -> None:
    """Give the browser a cookie: until it is closed, or for so many seconds.

    One that is to come along when another site leads back here (`from_elsewhere`) opens nothing by itself.
    """
    how = _how() | ({"samesite": "Lax"} if from_elsewhere else {})
    response.set_cookie(name(base), value, max_age=max_age, **how)


def drop(response: Response, base: str) -> None:
    """Take a cookie away."""
    response.delete_cookie(name(base), **_how())


def _how() -> dict[str, Any]:
    return {"path": "/", "httponly": True, "samesite": "Strict", "secure": inst().behind_tls}


MOST_READ: Final = 200
"""Cookies that are remembered. Each consultation that is opened makes another text, of up to 5 KB as it is read: a
thousand of them were most of what let the server grow in an hour of load."""


class Sessions(SecureCookieSessionInterface):
    """The cookie of Flask, whose signer is made once for a key, and of which each text is proved and read once."""

    def __init__(self) -> None:
        self._signers: dict[object, URLSafeTimedSerializer | None] = {}
        self._read: dict[tuple[object, str], dict[str, Any]] = {}

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the cookie says: a text that was proved under the key in use says the same again."""
        text = (app.secret_key, request.cookies.get(self.get_cookie_name(app), ""))
        if (known := self._read.get(text)) is not None:
            return self.session_class(known)
        opened = super().open_session(app, request)
        if opened:
            if len(self._read) >= MOST_READ:
                self._read.clear()
            self._read[text] = dict(opened)
        return opened

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of the key in use."""
        if app.secret_key not in self._signers:
            self._signers = {app.secret_key: super().get_signing_serializer(app)}
        return self._signers[app.secret_key]
