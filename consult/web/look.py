"""How the screen looks to a person: by the setting of the computer until they choose, then as they chose, here."""

from __future__ import annotations

from typing import Final

from flask import abort, g, redirect, request
from werkzeug.wrappers import Response

from consult.web import cookies
from consult.web.context import own_address

LOOKS: Final = ("low-light", "light")
A_YEAR: Final = 365 * 86400


def look() -> str:
    """The look this person chose in this browser; "" where none was chosen, or nobody is signed in."""
    if "look" not in g:
        chosen = cookies.read(_cookie()) if g.get("person") else ""
        g.look = chosen if chosen in LOOKS else ""
    return str(g.look)


def choose() -> Response:
    """Keep the look that somebody chose, and stay where one is."""
    wanted = request.form.get("look", "")
    if wanted not in LOOKS:
        abort(400)
    g.look = wanted
    response = redirect(own_address(request.form.get("next", "")), 303)
    keep(response, wanted)
    return response


def keep(response: Response, wanted: str) -> None:
    """Have the browser hold the look that this person chose."""
    cookies.keep(response, _cookie(), wanted, A_YEAR)


def _cookie() -> str:
    """One for each person of a shared computer. It names nobody: the id is opaque, and only its beginning is used."""
    return f"consult_look_{g.person.id[:8]}"
