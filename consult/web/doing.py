"""A button of the consultation's page: what was typed comes with it, and is saved before the button's act is done.

Such a button belongs to the form of the answers and sends to the address of its act. Its value holds what the act
needs, written as the end of an address. Where something is typed for it, `of` is the mark before those fields.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qsl, urlencode

from flask import abort, g, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.wrappers import Response

from consult.accounts import policy
from consult.record.consultation import Consultation
from consult.web.answers import answered, known_to_the_page, save_all
from consult.web.context import inst, person, this_request
from consult.web.desk import bp, own_key
from consult.web.forms import BETWEEN
from consult.web.screen import Screen
from consult.web.token import new_key

DOING: Final = "doing"
BESIDE: Final = "reading.tell"
"""The one act of the page whose address names the employee and not the consultation."""


def doing(**needed: object) -> str:
    """The value of a button: what its act needs, with a key of its own."""
    return urlencode({"key": new_key(), **needed})


def save_first() -> Response | str | tuple[str, int] | None:
    """Save what came with a button before its act; where an answer is not taken, nothing is done and that is said."""
    sent = this_request().form
    if (
        request.method != "POST"
        or DOING not in sent
        or not (request.blueprint == bp.name or request.endpoint == BESIDE)
    ):
        return None
    needed, key = dict(parse_qsl(sent[DOING], keep_blank_values=True)), own_key()
    g.as_it_came = sent
    this_request().form = _as_its_own(sent, needed)
    consultation_id = (request.view_args or {}).get("consultation_id") or needed.get("consultation", "")
    if not any(name.startswith("seen.") for name in sent) or not consultation_id:
        return None  # scripts run: the answers have gone by themselves
    before = _may_be_answered(consultation_id)
    screen = Screen.of(inst().store, before)
    done = save_all(screen, key)
    return None if done.whole else answered(before, screen, key, done)


def _may_be_answered(consultation_id: str) -> Consultation:
    """The consultation of the page that was sent: nothing else stands open by the address of an act."""
    if not policy.allowed(person().role, "consultations.answers"):
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
