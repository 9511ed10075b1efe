"""Help beside a question: why it is asked, and what its words and the texts kept for its answers rest on."""

from __future__ import annotations

from collections.abc import Iterator

from flask import abort, render_template, request
from msgspec import Struct

from consult.proforma.model import Proforma, Question
from consult.web.context import inst
from consult.web.desk import bp, found


class Kept(Struct, frozen=True):
    """What the texts kept for answers at one level rest on."""

    level: str
    sources: tuple[str, ...]


@bp.get("/<consultation_id>/why/<question_id>")
def why(consultation_id: str, question_id: str) -> str:
    """Why a question is asked, in the version this consultation began with: a page, or the piece of it that opens."""
    proforma = inst().store.definition_of(found(consultation_id)).proforma
    question = proforma.by_id.get(question_id)
    if question is None:
        abort(404)
    piece = bool(request.headers.get("HX-Request"))
    return render_template(
        "consultations/why_piece.html" if piece else "consultations/why.html",
        consultation_id=consultation_id,
        question=question,
        sources=[proforma.sources[row] for row in question.source],
        kept=list(_kept(proforma, question)),
    )


def _kept(proforma: Proforma, question: Question) -> Iterator[Kept]:
    """The sources of the kept texts that name some, the most urgent level first, each said once."""
    rows: dict[str, dict[str, None]] = {}
    for panel in sorted(question.panels, key=lambda p: p.level):
        rows.setdefault(panel.level, {}).update(dict.fromkeys(panel.source))
    for level, named in rows.items():
        if named:
            yield Kept(level, tuple(proforma.sources[row] for row in named))
