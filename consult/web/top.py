"""What is pressed at the top of a page that has a form: what was typed in the form comes with it, and is not dropped.

`Lock` seals it in the locked page; after the password the page comes back with it, and nothing of it is recorded.
`Sign out` locks in the same way where anything is typed, and `Low light` draws the page again. The buttons belong to
the form of the page that is marked `data-typed`, and send it to the page's own address: with scripts or without.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final
from urllib.parse import parse_qsl, urlencode

from flask import Response, abort, g, make_response, render_template
from msgspec import Struct
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from consult.accounts import policy
from consult.web import filling, look, routing, sign_in, visit
from consult.web.context import person, this_request
from consult.web.dates import WithDates
from consult.web.holding import PRESSED

LOCK, SIGN_OUT = "lock", "sign_out"
MARKED: Final = " data-typed"
FORM: Final = re.compile(r'<form [^>]*id="([\w-]+)" data-typed.*?<button([^>]*)>', re.DOTALL)
SHOWS: Final = re.compile(r" data-shows\b")
NAMED: Final = re.compile(r'name="([^"]*)" value="([^"]*)"')
NO_PLACE: Final = "The page has no place any more for what you typed, so nothing of it is recorded."


class Top(Struct, frozen=True):
    """The form that the buttons at the top belong to; what it sends by its first button, as Enter would; and what draws
    it anew, where the page that is looked at does not show all of it.
    """

    form: str
    address: str
    enter: tuple[str, str]
    shows: str


def of(content: str, address: str = "") -> Top | None:
    """The form of a page in which something is typed, if it has one and can be looked at under its address."""
    found = FORM.search(content) if MARKED in content and g.get("person") else None
    address = address or visit.own_path()
    if found is None or routing.page_at(address) is None:
        return None
    named = NAMED.search(found[2])
    first = (unescape(named[1]), unescape(named[2])) if named else ("", "")
    shows = f"&{urlencode([first])}" if SHOWS.search(found[2]) else ""
    return Top(found[1], address, first, shows)


def pressed() -> AnyResponse | None:
    """Do what was pressed, and draw the page again where that leads back to it."""
    this = this_request()
    if this.method != "POST" or PRESSED not in this.form or g.get("person") is None:
        return None
    needed = dict(parse_qsl(this.form[PRESSED]))
    act = needed.pop("press", "")
    if act not in (LOCK, SIGN_OUT, *look.LOOKS):
        abort(400)
    waited = g.get("waited", False)
    if act == LOCK and not waited:
        return visit.locked_over(visit.own_path(), ())
    g.as_it_came, g.leaves = this.form, act == SIGN_OUT and not waited
    if act in look.LOOKS:
        g.look = g.chosen_look = act
    _draw_again({} if g.leaves else needed)
    return None


def _draw_again(needed: dict[str, str]) -> None:
    """Go on with this request as one that looks at the page, or as the button of it that only shows something."""
    this, address = this_request(), visit.own_path()
    typed = MultiDict((name, text) for name, text in this.form.items(multi=True) if name != PRESSED)
    g.typed = typed
    if needed:
        this.form = WithDates([*typed.items(multi=True), *needed.items()])
        return
    if (found := routing.page_at(address)) is None:
        abort(404)
    routing.is_for(found)
    this.routing_exception, this.method, this.form = None, "GET", WithDates()
    if not policy.allowed(person().role, found[0].endpoint):
        abort(403)


def with_what_was_typed(response: Response) -> AnyResponse:
    """The page as it is now, with what was typed in its form; where it has no place for that, the words to copy."""
    typed: MultiDict[str, str] | None = g.get("typed")
    if typed is None:
        return response
    g.typed = None
    if g.get("chosen_look"):
        look.keep(response, g.chosen_look)
    text = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
    form = FORM.search(text)
    filled = filling.filled(text, form[1] if form else "", typed)
    if g.leaves:
        return _left(filled.changed)
    words = tuple(text for text in filled.left_over if " " in text.strip())
    if words:
        title = "Not all that you typed stands here"
        page = render_template("refused.html", title=title, sentence=NO_PLACE, back=visit.own_path(), words=words)
        return make_response(page, 409)
    response.set_data(filled.page)
    return response


def _left(typed: bool) -> AnyResponse:
    """Signed out, or locked where something was typed: whoever goes away from the screen leaves nothing open."""
    return visit.locked_over(visit.own_path(), ()) if typed else sign_in.sign_out()
