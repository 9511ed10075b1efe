"""The paper twin in the product: which versions there are, and a version as a form to print."""

from __future__ import annotations

from flask import Blueprint, abort, render_template, request, url_for

from consult.documents import paper
from consult.record import kept
from consult.record.reference import new_reference
from consult.web.context import inst
from consult.web.forms import number

bp = Blueprint("paper", __name__, url_prefix="/paper")


@bp.get("")
def index() -> str:
    """Every version of the proforma that was ever in use, with how many copies are wanted."""
    versions = kept.of_kind(inst().db.read(), "proforma")
    in_use = inst().library.current.digest
    return render_template(
        "paper_index.html", versions=versions, in_use=in_use, given=inst().approvals, most=paper.MOST_COPIES
    )


@bp.get("/<digest>")
def show(digest: str) -> str:
    """A version as a form, with a fresh reference for each copy."""
    conn = inst().db.read()
    version = kept.by_digest(conn, digest)
    if version is None or version.kind != "proforma":
        abort(404)
    copies = min(max(number(request.args.get("copies", "1")), 1), paper.MOST_COPIES)
    form = paper.form_of(
        inst().library.definition(conn, digest),
        inst().open_sites.values(),
        inst().leaflets.values(),
        draft=digest not in inst().approvals or bool(inst().unapproved()),
    )
    references = [new_reference(digest) for _ in range(copies)]
    return paper.html(form, references, url_for("static", filename="paper.css"), url_for("paper.index"))
