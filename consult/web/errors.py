"""What a request is told that could not be done: one sentence that says what happened and what to do."""

from __future__ import annotations

from typing import Final

from flask import Flask, Response, current_app, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, SecurityError
from werkzeug.wrappers import Response as AnyResponse

from consult.record.database import Damaged, NotWritten, sqlite3, why_not_written
from consult.record.store import NotOpen, NotYours, Refused
from consult.web import holding, noting, sign_in, taking_over, visit
from consult.web.context import own_address, parts_of
from consult.web.holding import NOTHING, Held
from consult.web.token import OtherSite

KEPT: Final = "What you entered is kept in this page: wait a moment, then send it again from here."
NO_FILE: Final = "A file can't be kept in this page: open the form again in a moment, and choose it once more."
NEVER: Final = "A password or a code is never kept in a page: open the form again in a moment, and enter it once more."
NOT_KEPT: Final = "Open the page again in a moment; what was sent is not kept here."
STAYS: Final = "What you entered stays in the page: leave it open."
DAMAGED: Final = (
    "Nothing was changed. Ask your administrator to run `consult verify`; use the paper form for a consultation that "
    "can't wait."
)
NOT_ALLOWED: Final = 403
WORDS: Final = {
    NOT_ALLOWED: ("Not for your role", "Your role does not open this page; go back, or ask your administrator."),
    404: ("Page not found", "This page is not here; it may have moved. Check the address, or go back to the start."),
    405: ("Not possible", "This page can't be used that way; go back to the start."),
    413: ("Too large", "What was sent is too large; send less."),
}
FAILED: Final = 500
"""From this code on it is the service that failed."""
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


def _page(
    title: str, sentence: str, code: int, held: Held = NOTHING, back: str = "", words: tuple[str, ...] = ()
) -> Reply:
    if request.headers.get("HX-Request"):
        return sentence, code
    return render_template("refused.html", title=title, sentence=sentence, held=held, back=back, words=words), code


def _refused(error: Refused) -> AnyResponse | Reply:
    if isinstance(error, NotYours):
        noting.note("not_there")
    if isinstance(error, (NotOpen, NotYours)) and (reply := taking_over.not_taken(error)):
        return reply
    code = 403 if isinstance(error, NotYours) else 409
    return _page("Nothing was changed", str(error), code, back=_came_from(), words=holding.words())


def _csrf(_: CSRFError) -> Reply:
    noting.note("refused_form")
    return _page(
        "Not sent",
        "The page was made before somebody signed in anew, or came from elsewhere; reload it and try again.",
        400,
        words=holding.words(),
    )


def _other_site(_: OtherSite) -> Reply:
    noting.note("refused_origin")
    return _page("Not sent", "This came from another site, so nothing was done; open the page here, and send it.", 403)


def _wrong_host(_: SecurityError) -> Response:
    noting.note("refused_host")
    return Response("This service is not asked for under that name; use the address you were given.", 400)


def _failed(title: str, sentence: str, code: int, patience: str = "") -> Reply:
    """The reply to what failed by no fault of its sender: what was sent is carried in the page, to be sent again.

    The page that it was typed in is not to be had again: Back makes it anew, and blank. `patience` is said of a page
    that was only to be shown.
    """
    if request.headers.get("HX-Request"):
        return f"{sentence} {STAYS if request.method == 'POST' else patience}".strip(), code
    if request.method != "POST":
        return _page(title, f"{sentence} {patience}".strip(), code)
    if (waiting := holding.through_sign_in()).to:
        return sign_in.ask(own_address(request.form.get("next", "")), waiting, sentence), code
    held = holding.to_send_again(visit.own_path())
    return _page(title, f"{sentence} {_what_is_kept(held)}", code, held, _came_from())


def _what_is_kept(held: Held) -> str:
    if held.to:
        return KEPT
    if request.files:
        return NO_FILE
    return NEVER if holding.holds_a_secret() else NOT_KEPT


def _came_from() -> str:
    """The page of ours that a form was sent from, as far as the browser says; else the start."""
    source = parts_of(request.referrer or "")
    return own_address(source.path if source.netloc == request.host else "")


def _not_written(error: NotWritten) -> AnyResponse:
    current_app.logger.warning("%s %s: %s", request.method, request.endpoint, error)
    return _later(_failed("Not saved", str(error), 503))


def _unreadable(error: Exception) -> AnyResponse:
    current_app.logger.error("%s %s: %s", request.method, request.endpoint, error)
    if why_not_written(error):
        return _later(_failed("Not now", "The record can't be read just now.", 503, "Wait a moment, then try again."))
    return make_response(_failed("The record is damaged", DAMAGED, 500))


def _http(error: HTTPException) -> Reply:
    code = error.code or 500
    noting.refusal(code)
    if code >= FAILED:
        return _failed("Something went wrong", "This could not be done.", code, "Go back and try again.")
    title, sentence = WORDS.get(code, ("Something went wrong", "Go back and try again."))
    return _page(title, sentence, code, words=holding.words() if code == NOT_ALLOWED else ())


def _later(page: Reply) -> AnyResponse:
    """A page that says how soon it can be asked for again."""
    response = make_response(page)
    response.headers["Retry-After"] = "5"
    return response
