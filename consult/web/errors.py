"""What a request is told that could not be done: one sentence that says what happened and what to do."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from consult.record.database import Damaged, NotWritten, sqlite3, why_not_written
from consult.record.store import NotOpen, NotYours, Refused
from consult.web import noting, taking_over
from consult.web.token import OtherSite

GO_BACK: Final = "Go back: what you entered is still on that page; send it again in a moment."
DAMAGED: Final = (
    "Nothing was changed. Ask your administrator to run `consult verify`; use the paper form for a consultation that "
    "can't wait."
)
WORDS: Final = {
    403: ("Not for your role", "Your role does not open this page; go back, or ask your administrator."),
    404: ("Not found", "There is nothing here for you; check the address or go back to the start."),
    405: ("Not possible", "This page can't be used that way; go back to the start."),
    413: ("Too large", "What was sent is too large; send less."),
}
Reply = tuple[str, int]


def register(app: Flask) -> None:
    """Give each kind of refusal its reply."""
    app.register_error_handler(NotOpen, _refused)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(OtherSite, _other_site)
    app.register_error_handler(SecurityError, _wrong_host)
    app.register_error_handler(NotWritten, _not_written)
    app.register_error_handler(sqlite3.DatabaseError, _unreadable)
    app.register_error_handler(Damaged, _unreadable)
    app.register_error_handler(HTTPException, _http)


def _page(title: str, sentence: str, code: int) -> Reply:
    if request.headers.get("HX-Request"):
        return sentence, code
    return render_template("refused.html", title=title, sentence=sentence), code


def _refused(error: Refused) -> AnyResponse | Reply:
    if isinstance(error, NotYours):
        noting.note("not_there")
    if isinstance(error, (NotOpen, NotYours)) and (reply := taking_over.not_taken(error)):
        return reply
    return _page("Nothing was changed", str(error), 403 if isinstance(error, NotYours) else 409)


def _csrf(_: CSRFError) -> Reply:
    noting.note("refused_form")
    return _page(
        "Not sent",
        "The page was made before somebody signed in anew, or came from elsewhere; reload it and try again.",
        400,
    )


def _other_site(_: OtherSite) -> Reply:
    noting.note("refused_origin")
    return _page("Not sent", "This came from another site, so nothing was done; open the page here, and send it.", 403)


def _wrong_host(_: SecurityError) -> Response:
    noting.note("refused_host")
    return Response("This service is not asked for under that name; use the address you were given.", 400)


def _not_written(error: NotWritten) -> AnyResponse:
    told = "What you entered stays in the page: leave it open." if request.headers.get("HX-Request") else GO_BACK
    current_app.logger.warning("%s %s: %s", request.method, request.endpoint, error)
    return _later(_page("Not saved", f"{error} {told}", 503))


def _unreadable(error: Exception) -> AnyResponse:
    current_app.logger.error("%s %s: %s", request.method, request.endpoint, error)
    if why_not_written(error):
        return _later(_page("Not now", "The record can't be read just now; wait a moment, then try again.", 503))
    return make_response(_page("The record is damaged", DAMAGED, 500))


def _http(error: HTTPException) -> Reply:
    noting.refusal(error.code or 500)
    title, sentence = WORDS.get(error.code or 500, ("Something went wrong", "Go back and try again."))
    return _page(title, sentence, error.code or 500)


def _later(page: Reply) -> AnyResponse:
    """A page that says how soon it can be asked for again."""
    response = make_response(page)
    response.headers["Retry-After"] = "5"
    return response
