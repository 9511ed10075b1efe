"""Pieces of pages, drawn once for each look: a page holds some hundred, and most look as they did for others.

What belongs to one page or consultation (its address, the token, the keys of its forms) is taken out of what is kept,
and put in again. Anything else that a piece shows must be named in its look; nobody's own words ever are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any, Final

from markupsafe import Markup

from consult.proforma.model import Question
from consult.web.screen import Screen
from consult.web.token import new_key, token

MOST: Final = 5000
KEY: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{4,}")
"""A key as `new_key` makes it."""
HERE, TOKEN, NEW_KEY = "\0here\0", "\0token\0", "\0key\0"
MARKS: Final = re.compile("\0(here|token|key)\0")
_drawn: dict[Hashable, list[str]] = {}
"""By look, the text of a piece, in turns with the names of what stands between."""


def once(look: Hashable, consultation_id: str, draw: Callable[..., Markup], *about: Any) -> Markup:
    """What a macro draws of one consultation, drawn anew only for a new look."""
    pieces = _drawn.get(look)
    if pieces is None:
        if len(_drawn) >= MOST:
            _drawn.clear()
        pieces = _drawn[look] = _without_own(str(draw(*about)), consultation_id)
    return Markup(_with_own(pieces, consultation_id))  # noqa: S704 - the text is a template's, which escaped it


def _without_own(text: str, consultation_id: str) -> list[str]:
    text = KEY.sub(NEW_KEY, text).replace(consultation_id, HERE)
    return MARKS.split(text.replace(token(), TOKEN))


def _with_own(pieces: list[str], consultation_id: str) -> str:
    if len(pieces) == 1:
        return pieces[0]
    own: dict[str, Callable[[], str]] = {"here": lambda: consultation_id, "token": token, "key": new_key}
    return "".join([own[piece]() if number % 2 else piece for number, piece in enumerate(pieces)])


def item(screen: Screen, question: Question, c: dict[str, Any], frame: Callable[..., Markup]) -> Markup:
    """One question with its control, its state and the text kept for its answer; `frame` is the macro that draws it.

    Whole if nothing was ever recorded for it, else all but what stands under the answer.
    """
    look, id_ = screen.look_of(question), screen.consultation.id
    if look is None:
        return frame(screen, question, c)
    if screen.is_untouched(question) and question.id not in c["errors"] and question.id not in c["conflicts"]:
        return once(("item", look), id_, frame, screen, question, c)
    return frame(screen, question, c)


def control(screen: Screen, question: Question, draw: Callable[..., Markup], form: str) -> Markup:
    """The control of a question, as the macro draws it."""
    look, answer = screen.look_of(question), screen.answer(question)
    if look is None:
        return draw(screen, question, answer, form)
    return once(("control", look), screen.consultation.id, draw, screen, question, answer, form)


def forget() -> None:
    """Forget what was drawn, so that all is drawn anew."""
    _drawn.clear()
