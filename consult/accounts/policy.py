"""One table: which role may use which endpoint of the web application. An endpoint without an entry is for nobody."""

from __future__ import annotations

from typing import Final

from consult.accounts.people import CLINICIANS, ROLES

EVERYONE: Final = frozenset(ROLES)
AUDITORS: Final = CLINICIANS | {"audit_lead"}
ADMINISTRATORS: Final = frozenset({"administrator"})

PUBLIC: Final = frozenset({"sign_in", "static", "health"})
"""The endpoints that need no sign-in."""

SIGNED_IN: Final = ("sign_out", "home", "leaflets.index", "leaflets.show")
CLINICAL: Final = (
    "employees.search",
    "employees.register",
    "employees.show",
    "consultations.start",
    "consultations.show",
    "consultations.answers",
    "consultations.rest",
    "consultations.undo_rest",
    "consultations.decide",
    "consultations.blank_reason",
    "consultations.sign",
    "consultations.abandon",
    "consultations.in_error",
    "consultations.addendum",
    "consultations.note",
    "consultations.note_copied",
    "consultations.letter",
    "consultations.report",
    "consultations.report_event",
    "consultations.steps",
    "consultations.leaflet_done",
)
RESULTS: Final = ("results.overview", "results.measure", "results.cases", "results.case", "results.download")
ADMIN: Final = ("admin.settings", "admin.site", "admin.people")

POLICY: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys([*PUBLIC, *SIGNED_IN], EVERYONE),
    **dict.fromkeys(CLINICAL, CLINICIANS),
    **dict.fromkeys(RESULTS, AUDITORS),
    **dict.fromkeys(ADMIN, ADMINISTRATORS),
    "admin.content": CLINICIANS | ADMINISTRATORS,
}


def allowed(role: str | None, endpoint: str) -> bool:
    """Whether somebody with this role (None: not signed in) may use an endpoint."""
    return endpoint in PUBLIC or (role is not None and role in POLICY.get(endpoint, frozenset()))
