"""The screen of an open consultation in two parts: what is asked first at once, the rest right after it.

Only a browser whose scripts run gets it so, as they ask for the rest; any other gets the whole in one page.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from flask import abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.proforma.model import Block, Section
from consult.record.consultation import OPEN
from consult.web import cookies
from consult.web.desk import bp, found, screen_context
from consult.web.screen import Screen

ENOUGH: Final = 8
"""Questions that stand open at once: as many as a screen of 1366 x 768 is to show, before the rest comes below them."""
SCRIPTS: Final = "scripts"
"""The cookie by which the scripts of an earlier page (session.js) said that they run."""


def later(screen: Screen) -> Sequence[Section]:
    """The sections that come after the page: all behind the first ones that together ask enough."""
    if "whole" in request.args or not cookies.read(SCRIPTS):
        return ()
    sections, on = screen.proforma.sections, screen.path.on
    asked = accumulate(len(questions & on) for questions in screen.proforma.standing_open)
    return sections[next((at for at, questions in enumerate(asked, 1) if questions >= ENOUGH), len(sections)) :]


def folded_later(screen: Screen, sections: Sequence[Section]) -> Sequence[Block]:
    """The groups folded in the sections before these that ask something: what is in them comes later too."""
    return [
        block for block in folded_before(screen, sections) if any(map(screen.on, screen.proforma.in_block(block.id)))
    ]


def folded_before(screen: Screen, sections: Sequence[Section]) -> Sequence[Block]:
    """The groups that are folded in the sections before these; none where no section comes later."""
    behind = {section.id for section in sections}
    return [block for block in screen.proforma.blocks if sections and block.folded and block.section not in behind]


@bp.get("/<consultation_id>/coming/<section_id>")
def coming(consultation_id: str, section_id: str) -> Response | str:
    """The sections from this one on, what is folded before it, and the papers, each for the place kept for it."""
    consultation = found(consultation_id)
    if consultation.state != OPEN:
        return redirect(url_for("consultations.show", consultation_id=consultation_id))
    context = screen_context(consultation)
    sections = context["screen"].proforma.sections
    first = next((at for at, section in enumerate(sections) if section.id == section_id), None)
    if first is None:
        abort(404)
    g.unhurried = True
    folded = folded_before(context["screen"], sections[first:])
    return render_template("consultations/coming.html", **context, sections=sections[first:], folded=folded)
