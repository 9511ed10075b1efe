"""A leaflet past its review date: an administrator may confirm it for a stated time, with a reason; each is a step."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from msgspec import Struct

from consult.documents.leaflet import Leaflet
from consult.documents.words import uk_date
from consult.instance import Instance
from consult.record.library import Confirmation, confirm

LONGEST: Final = timedelta(days=92)
SOON: Final = timedelta(days=31)


class NotConfirmed(Exception):
    """Nothing was confirmed; the message says why and what to do."""


class Review(Struct, frozen=True):
    """Where a leaflet in use stands: `due` within a month or past its date, `why_not` why it does not print today."""

    leaflet: Leaflet
    due: bool
    why_not: str
    confirmation: Confirmation | None


def reviews(instance: Instance) -> list[Review]:
    """Every leaflet in use, those that come to their review date first."""
    known, today = instance.confirmations, instance.today()
    found = sorted(instance.leaflets.values(), key=lambda leaflet: (leaflet.review_by, leaflet.id, leaflet.language))
    return [
        Review(item, item.review_by <= today + SOON, instance.why_not_print(item) or "", known.get(item.digest))
        for item in found
    ]


def confirm_leaflet(instance: Instance, name: str, language: str, until: date, reason: str, actor: str) -> Confirmation:
    """Confirm that the text in use may be printed past its review date, until a day; NotConfirmed otherwise.

    It is of this very text: one changed letter, and the review date alone counts again.
    """
    leaflet = instance.leaflets.get((name, language))
    if leaflet is None:
        known = ", ".join(sorted(f"{id_} {tag}" for id_, tag in instance.leaflets))
        raise NotConfirmed(f"There is no leaflet {name} {language} in use; name one of: {known}.")
    if problem := _why_not(instance, leaflet, until, reason):
        raise NotConfirmed(problem)
    made = Confirmation(
        leaflet.digest, f"leaflet {name} {language}", until.isoformat(), reason.strip(), actor, instance.store.at()
    )
    with instance.db.write() as conn:
        confirm(conn, made)
    return made


def _why_not(instance: Instance, leaflet: Leaflet, until: date, reason: str) -> str:
    today = instance.today()
    if not reason.strip():
        return "Say why it may still be printed, in a few words."
    if not today <= until <= today + LONGEST:
        return f"Give a day from today until {uk_date(today + LONGEST)}; have it reviewed for longer."
    if until <= leaflet.review_by:
        return f"It prints until {uk_date(leaflet.review_by)} anyway; give a later day."
    return leaflet.moved_on(instance.leaflets) or ""
