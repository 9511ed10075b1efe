"""Controls of questions, drawn once for each look: a page holds some seventy, and most look as they did for others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from consult.proforma.model import Question
from consult.web.screen import Screen

MOST: Final = 5000
_drawn: dict[object, Markup] = {}
"""By version of the proforma, question, answer and options on the path; never anybody's own words."""


def drawn(screen: Screen, question: Question, control: Callable[..., Markup], form: str) -> Markup:
    """The control of a question, as the macro draws it."""
    look, answer = screen.look_of(question), screen.answer(question)
    if look is None:
        return control(screen, question, answer, form)
    if look not in _drawn:
        if len(_drawn) >= MOST:
            _drawn.clear()
        _drawn[look] = control(screen, question, answer, form)
    return _drawn[look]
