"""What a change moves on the open consultation screen, as pieces that htmx puts in place of what stands there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from markupsafe import Markup

from consult.documents.words import told_at
from consult.proforma.model import Question
from consult.record.consultation import report_allowed, report_stands
from consult.web import drawing
from consult.web.desk import headings, site_of
from consult.web.screen import Screen, banner_answers

Draw = Mapping[str, Callable[..., Markup]]
"""The macros that draw, by name."""
Piece = tuple[str, str]
"""The id of what it stands in, and what it holds now."""


def pieces(
    before: Screen,
    now: Screen,
    asked: list[Question],
    own: Collection[str],
    conflicts: Mapping[str, Any],
    errors: Mapping[str, str],
) -> str:
    """The states of the questions that were sent, and every piece that looks otherwise now than it did before.

    `asked` are the questions that were sent, whose controls are in use and never drawn anew; `own` those that steps of
    this request are about. The texts in `conflicts` and `errors` are by question.
    """
    draw = vars(drawing.macros())
    c: dict[str, Any] = {"errors": errors, "conflicts": conflicts, "site": None, "decision_problem": ""}
    states = [drawing.state(now, question, c, draw["state"]) for question in asked]
    redrawn, below = _moved(before, now, {q.id for q in asked}, own)
    if any((kept := now.path.panel(q)) is not None and kept.route for q in (*redrawn, *below)):
        c["site"] = site_of(now.consultation)
    parts = [*_of_questions(now, redrawn, below, c, draw), *_of_the_page(before, now, asked, draw)]
    return "\n".join([*states, *(f'<div id="{id_}" data-hx-swap-oob="innerHTML">{held}</div>' for id_, held in parts)])


def _moved(
    before: Screen, now: Screen, sent: set[str], own: Collection[str]
) -> tuple[Collection[str], Collection[str]]:
    """The questions that are drawn anew, and those of which only what stands below the answer is."""
    differ = now.may_differ(before)
    both = before.path.on & now.path.on & differ
    moved = (differ & (before.path.on ^ now.path.on)) | {q for q in both if _shown_otherwise(q, before, now)}
    redrawn = (moved | (both & set(own))) - sent
    # What is in use stays where it is, also where its own answer takes it off the path or brings it back.
    kept = (both | (moved & sent)) - redrawn
    return redrawn, {q for q in kept if before.below.get(q) != now.below.get(q)}


def _shown_otherwise(question_id: str, before: Screen, now: Screen) -> bool:
    """Whether other options apply, or an answer counts as blank that did not, or the other way round."""
    if before.offered.get(question_id) != now.offered.get(question_id):
        return True
    return before.path.answer(question_id) != now.path.answer(question_id)


def _of_questions(
    now: Screen, redrawn: Collection[str], below: Collection[str], c: dict[str, Any], draw: Draw
) -> Iterator[Piece]:
    for question in now.proforma.in_order(redrawn):
        yield f"slot-{question.id}", drawing.item(now, question, c, draw["whole_item"]) if now.on(question) else ""
    for question in now.proforma.in_order(below):
        yield f"panel-{question.id}", drawing.panel(now, question, c, draw["panel"])


def _of_the_page(before: Screen, now: Screen, asked: list[Question], draw: Draw) -> Iterator[Piece]:
    """Rail, gestures, headings, what is left, what is kept aside, banner and report."""
    for tally, old in zip(now.tallies(), before.tallies(), strict=True):
        if tally != old:
            yield f"rail-{tally.section.id}", drawing.counts(now, tally, draw["rail_counts"])
    for block in now.proforma.blocks:
        if block.rest and before.rests[block.id] != now.rests[block.id]:
            yield f"rest-{block.id}", drawing.rest(now, block, draw["rest_inside"])
    shown = headings(before.consultation)
    for heading in headings(now.consultation):
        if heading not in shown:
            yield f"heading-{heading[0]}", heading[2]
    yield "left", drawing.left(now, draw["left"])
    if now.parked() != before.parked():
        yield "parked", draw["parked"](now)
    if any("banner" in question.tags for question in asked):
        yield "banner-answers", Markup.escape(banner_answers(now))
    if (allowed := report_allowed(now.path)) != report_allowed(before.path):
        yield "report-act", draw["report_act"](now.consultation, allowed)
    yield "report-state", _report_state(now, draw["report_state"])


def _report_state(now: Screen, draw: Callable[..., Markup]) -> str:
    made, look = now.consultation.report, (report_stands(now.consultation, now.path), report_allowed(now.path))
    told = [told_at(made["at"], now.consultation.started_at)] if made and look[0] else []
    return drawing.once(
        ("report", made is not None, *look), now.consultation.id, draw, now.consultation, *look, told=told
    )
