"""Approval of content: a named clinician's word for one digest, given for this installation."""

from __future__ import annotations

from consult.instance import Instance
from consult.record.library import Approval, approve


class ApprovalRefused(Exception):
    """Nothing was approved; the message says why and what to do."""


def chosen(instance: Instance, what: str, leaflet: str = "") -> dict[str, str]:
    """The content in use that the words name (all, proforma, leaflet, or leaflet with its id), with its digests."""
    prefix = {"all": "", "proforma": "proforma ", "leaflet": f"leaflet {leaflet} " if leaflet else "leaflet "}[what]
    found = {name: digest for name, digest in instance.in_use().items() if name.startswith(prefix)}
    if not found:
        known = ", ".join(sorted({leaflet_id for leaflet_id, _ in instance.leaflets}))
        raise ApprovalRefused(f"There is no leaflet {leaflet} in use; name one of: {known}.")
    return found


def approve_all(instance: Instance, named: dict[str, str], name: str, post: str, actor: str) -> list[str]:
    """Record the approval of each digest; returns those that were not approved by the same person before."""
    if not name.strip() or not post.strip():
        raise ApprovalRefused("An approval needs the clinician's name and post; give --name and --post.")
    _check_may_approve(instance, named)
    new = []
    with instance.db.write() as conn:
        known = instance.approvals
        for what, digest in named.items():
            before = known.get(digest)
            if before is not None and (before.name, before.post) == (name.strip(), post.strip()):
                continue
            approve(conn, Approval(digest, what, name.strip(), post.strip(), instance.store.at()), actor)
            new.append(what)
    return new


def _check_may_approve(instance: Instance, named: dict[str, str]) -> None:
    for (leaflet_id, language), leaflet in instance.leaflets.items():
        what = f"leaflet {leaflet_id} {language}"
        if what in named and (sentence := leaflet.may_approve(instance.today())):
            raise ApprovalRefused(f"The {what} was not approved: {sentence}")
    proforma = instance.library.current.proforma
    if f"proforma {proforma.id}" in named and instance.today() > proforma.review_by:
        raise ApprovalRefused(
            f"The proforma passed its review date on {proforma.review_by}; review it and write a later review_by."
        )
