"""Pieces of pages, drawn once for each look: a page holds some hundred, and most look as they did for others.

What belongs to one page or consultation (its address, the token, the keys of its forms) is taken out of what is kept,
and put in again. Anything else that a piece shows must be named in its look; nobody's own words ever are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from flask import current_app
from markupsafe import Markup

from consult.documents import letter
from consult.documents.words import told_at
from consult.proforma.model import Block, Question
from consult.web.context import content_is_approved
from consult.web.screen import Screen, Tally
from consult.web.token import new_key, token

MACROS: Final = "macros/question.html"
KEPT: Final = "consult_macros"
MOST: Final = 5000
KEY: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-\d{4,}")
"""A key as `new_key` makes it."""
HERE, TOKEN, NEW_KEY = "\0here\0", "\0token\0", "\0key\0"
MARKS: Final = re.compile("\0(here|token|key|[0-9])\0")
_drawn: dict[Hashable, list[str]] = {}
"""By look, the text of a piece, in turns with the names of what stands between."""


def once(
    look: Hashable, consultation_id: str, draw: Callable[..., Markup], *about: Any, told: Sequence[str] = ()
) -> Markup:
    """What a macro draws of one consultation, drawn anew only for a new look.

    `told` are parts of its text that differ from one drawing to the other: they are put in anew too.
    """
    pieces = _drawn.get(look)
    if pieces is None:
        text = draw(*about)
        if any(text.count(part) != 1 for part in told):
            return text  # else what was told of one consultation could be shown in another
        if len(_drawn) >= MOST:
            _drawn.clear()
        pieces = _drawn[look] = _without_own(str(text), consultation_id, told)
    return _drawn_already(_with_own(pieces, consultation_id, told))


def _drawn_already(text: str) -> Markup:
    return Markup(text)  # noqa: S704 # nosec B704 - a template drew and escaped it, in places named by ids of a proforma


def _without_own(text: str, consultation_id: str, told: Sequence[str]) -> list[str]:
    for number, part in enumerate(told):
        text = text.replace(part, f"\0{number}\0")
    text = KEY.sub(NEW_KEY, text).replace(consultation_id, HERE)
    return MARKS.split(text.replace(token(), TOKEN))


def _with_own(pieces: list[str], consultation_id: str, told: Sequence[str]) -> str:
    if len(pieces) == 1:
        return pieces[0]
    own: dict[str, Callable[[], str]] = {"here": lambda: consultation_id, "token": token, "key": new_key}
    parts = pieces[:]
    for at in range(1, len(parts), 2):
        name = parts[at]
        parts[at] = own[name]() if name in own else told[int(name)]
    return "".join(parts)


def macros() -> Any:
    """The macros that draw a question and what belongs to it: read once for an application, not for each page."""
    kept = current_app.extensions
    if KEPT not in kept:
        kept[KEPT] = current_app.jinja_env.get_template(MACROS).module
    return kept[KEPT]


def rail(screen: Screen, draw: Callable[..., Markup]) -> Markup:
    """The entries of the rail, each leading to its section."""
    entries = [
        f'<a class="rail__entry" id="rail-{tally.section.id}" href="#section-{tally.section.id}">'
        f"{counts(screen, tally, draw)}</a>\n"
        for tally in screen.tallies()
    ]
    return _drawn_already("".join(entries))


def slots(screen: Screen, block: Block, c: dict[str, Any], whole: Callable[..., Markup]) -> Markup:
    """The places of the questions of a block; one that does not apply now has nothing in its place.

    In Python and not by a macro, as a page has some hundred and a macro takes as long as what it puts in.
    """
    places = [
        f'<div class="slot" id="slot-{q.id}">{item(screen, q, c, whole) if screen.on(q) else ""}</div>\n'
        for q in screen.proforma.in_block(block.id)
    ]
    return _drawn_already("".join(places))


def item(screen: Screen, question: Question, c: dict[str, Any], whole: Callable[..., Markup]) -> Markup:
    """One question with its control, its state and the text kept for its answer; `whole` is the macro that draws it."""
    look = screen.look_of(question)
    faulty = question.id in c["errors"] or question.id in c["conflicts"]
    if look is None or faulty or screen.panel(question) is not None or screen.against(question):
        return whole(screen, question, c)
    last = screen.consultation.last(question.id)
    look = ("item", look, last.via if last else "")
    return once(look, screen.consultation.id, whole, screen, question, c, told=_told(screen, question))


def panel(screen: Screen, question: Question, c: dict[str, Any], draw: Callable[..., Markup]) -> str:
    """The text kept for an answer, with what is asked of the clinician; what was decided is in somebody's words.

    Where the answer does not agree with another one, both stand there as they are, which may be in somebody's words.
    """
    kept, against = screen.panel(question), screen.against(question)
    if kept is None and not against:
        return ""
    if kept is None or against or c["decision_problem"] or question.id in screen.consultation.decisions:
        return draw(screen, question, c)
    open_now = tuple(screen.still_open(question))
    numbers = tuple(letter.route_numbers(kept, c["site"])) if kept.route else ()
    about = (screen.consultation.started["definition"], content_is_approved(), question.id)
    look = ("panel", *about, kept.level, kept.text, open_now, numbers)
    told = [f'~shown.{question.id}" value="{screen.as_shown(question)}"'] if screen.holds(question) else []
    return once(look, screen.consultation.id, draw, screen, question, c, told=told)


def state(screen: Screen, question: Question, c: dict[str, Any], draw: Callable[..., Markup]) -> Markup:
    """What stands beside the answer of a question: that it is saved, or why not, and what the page knows of it."""
    if question.id in c["errors"] or question.id in c["conflicts"] or not screen.on(question):
        return draw(screen, question, c)
    answered, last = screen.answer(question) is not None, screen.consultation.last(question.id)
    look = ("state", screen.consultation.started["definition"], question.id, answered, last.via if last else None)
    told = _told(screen, question)
    return once(look, screen.consultation.id, draw, screen, question, c, told=told)


def _told(screen: Screen, question: Question) -> list[str]:
    """What is told of this very answer: the step the page knows it by, and when it was saved."""
    last = screen.consultation.last(question.id)
    saved = [f">Saved {told_at(last.at, screen.consultation.started_at)}"] if last and screen.answer(question) else []
    return [f'name="seen.{question.id}" value="{screen.known(question)}"', *saved]


def counts(screen: Screen, tally: Tally, draw: Callable[..., Markup]) -> Markup:
    """The counts of a section in the rail."""
    look = (tally.section.id, tally.recorded, tally.not_yet, tally.left_out, tally.not_established, tally.positive)
    return once(("counts", screen.consultation.started["definition"], *look), screen.consultation.id, draw, tally)


def rest(screen: Screen, block: Block, draw: Callable[..., Markup]) -> Markup:
    """What stands below a block with "No to the rest", in numbers."""
    look = ("rest", screen.consultation.started["definition"], block.id, *screen.rests[block.id])
    return once(look, screen.consultation.id, draw, screen, block, *screen.rests[block.id])


def left(screen: Screen, draw: Callable[..., Markup]) -> Markup:
    """What is left to do before signing, in numbers."""
    held = screen.gate()
    look = (len(screen.blank), len(held.undecided), len(held.blank), len(held.no_longer))
    return once(("left", *look), screen.consultation.id, draw, screen)


def control(screen: Screen, question: Question, draw: Callable[..., Markup], form: str) -> Markup:
    """The control of a question, as the macro draws it."""
    look, answer = screen.look_of(question), screen.answer(question)
    if look is None:
        return draw(screen, question, answer, form)
    return once(("control", look), screen.consultation.id, draw, screen, question, answer, form)


def forget() -> None:
    """Forget what was drawn, so that all is drawn anew."""
    _drawn.clear()
