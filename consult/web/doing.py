"""A button of the consultation's page: what was typed comes with it, and is saved before the button's act is done.

Such a button belongs to the form of the answers and sends to the address of its act. Its value holds what the act
needs, written as the end of an address. Where something is typed for it, `of` is the mark before those fields.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import abort, g, redirect, request, url_for
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.wrappers import Response

from consult.accounts import policy
from consult.record.consultation import OPEN, Consultation
from consult.record.store import NotOpen, NotYours
from consult.web import begun, look, sign_in, visit
from consult.web.answers import answered, known_to_the_page, save_all, with_what_was_begun
from consult.web.context import inst, person, this_request
from consult.web.desk import bp, found, own_key, place
from consult.web.forms import BETWEEN
from consult.web.screen import Screen
from consult.web.token import new_key

DOING: Final = "doing"
ANSWERS, SHOW = "consultations.answers", "consultations.show"
BESIDE: Final = "reading.tell"
"""The one act of the page whose address names the employee and not the consultation."""

AT_THE_TOP: Final[Mapping[str, Callable[[], Response]]] = {
    "lock": visit.lock,
    "sign_out": sign_in.sign_out,
    "choose_look": look.choose,
}
"""What is pressed at the top of each page, by its endpoint."""
LEAVES: Final = ("lock", "sign_out")


def doing(**needed: object) -> str:
    """The value of a button: what its act needs, with a key of its own."""
    return urlencode({"key": new_key(), **needed})


def save_first() -> Response | str | tuple[str, int] | None:
    """Save what came with a button before its act; where an answer is not taken, nothing is done and that is said."""
    sent = this_request().form
    if request.method != "POST" or DOING not in sent or not _is_of_a_talk():
        return None
    needed, key = dict(parse_qsl(sent[DOING], keep_blank_values=True)), own_key()
    g.as_it_came, mark = sent, needed.get("of", "")
    this_request().form = _as_its_own(sent, needed)
    consultation_id = (request.view_args or {}).get("consultation_id") or needed.get("consultation", "")
    leaves = (request.view_args or {}).get("act") in LEAVES
    if not any(name.startswith("seen.") for name in sent) or not consultation_id:
        if consultation_id and not leaves:
            g.acting = consultation_id, mark
        return None  # scripts run: the answers have gone by themselves
    if leaves:
        return _saved_or_locked(consultation_id, key)
    before = _may_be_answered(consultation_id)
    screen = Screen.of(inst().store, before)
    done = save_all(screen, key)
    g.acting = before.id, mark
    return None if done.whole else answered(before, screen, key, done)


def _is_of_a_talk() -> bool:
    """Whether the address asked for is that of an act of the talk's page."""
    return request.blueprint == bp.name or request.endpoint == BESIDE


def with_the_rest(response: Response) -> Response:
    """After an act that leads back to the page: that page at once, where more was typed on it than is recorded now."""
    consultation_id, mark = g.get("acting", ("", ""))
    if not consultation_id or urlsplit(response.location or "").path != url_for(SHOW, consultation_id=consultation_id):
        return response
    g.done_mark = mark
    now = inst().store.remembered(consultation_id)
    if now is None or now.state != OPEN or now.owner != person().id or not begun.anything(now):
        return response
    page, response.status_code = with_what_was_begun(now)
    response.set_data(page)
    del response.headers["Location"]
    return response


def _saved_or_locked(consultation_id: str, key: str) -> Response | None:
    """Save what was typed, for whoever goes away from the screen.

    Where not all can be saved the screen is locked, and keeps it: it never stays open because an answer was refused.
    """
    try:
        before = _may_be_answered(consultation_id)
        whole = save_all(Screen.of(inst().store, before), key).whole and not begun.anything(before)
    except (NotOpen, NotYours):
        whole = False
    return None if whole else visit.locked_over(url_for(ANSWERS, consultation_id=consultation_id), {DOING})


@bp.post("/<consultation_id>/then/<act>")
def then(consultation_id: str, act: str) -> Response:
    """What is pressed at the top of the talk's page, once what was typed there is saved."""
    if act not in AT_THE_TOP:
        abort(404)
    with suppress(NotYours):
        found(consultation_id)
    if act == "lock" and g.with_password:
        return redirect(place(consultation_id, None))  # it met a screen that was locked already
    return AT_THE_TOP[act]()


def _may_be_answered(consultation_id: str) -> Consultation:
    """The consultation of the page that was sent: nothing else stands open by the address of an act."""
    if not policy.allowed(person().role, ANSWERS):
        abort(403)
    known, employee = known_to_the_page(consultation_id), (request.view_args or {}).get("employee_id")
    if employee not in (None, known.started["employee"]):
        abort(404)
    return known


def _as_its_own(sent: MultiDict[str, str], needed: dict[str, str]) -> ImmutableMultiDict[str, str]:
    """The fields as a form of the act alone would send them, beside all that came."""
    form, mark = MultiDict(sent), needed.pop("of", "") + BETWEEN
    for name, value in needed.items():
        form.setlist(name, [value])
    for name in [name for name in sent if name.startswith(mark) and mark != BETWEEN]:
        form.setlist(name.removeprefix(mark), sent.getlist(name))
    return ImmutableMultiDict(form)
