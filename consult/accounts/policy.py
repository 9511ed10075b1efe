"""One table: which role may use which endpoint of the web application. An endpoint without an entry is for nobody."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from consult.accounts.people import CLINICIANS, OUTSIDE, ROLES

EVERYONE: Final = frozenset(ROLES)
WITHIN: Final = EVERYONE - OUTSIDE
AUDITORS: Final = CLINICIANS | {"audit_lead"}
ADMINISTRATORS: Final = frozenset({"administrator"})

PUBLIC: Final = frozenset(
    {
        "sign_in",
        "sign_in_code",
        "passkeys.ask",
        "passkeys.sign_in",
        "sign_on.start",
        "sign_on.back",
        "sign_on.code",
        "static",
        "health",
        "session_state",
        "unlock",
        "leaflets.read",
    }
)
"""The endpoints that need no sign-in.

`leaflets.read` is what the code on a printed leaflet leads to: a text that is given away and names nobody, found only
by whoever holds its digest.
"""

SETTLING: Final = frozenset(
    {
        "account.show",
        "account.password",
        "account.factor",
        "passkeys.ask_to_add",
        "passkeys.add",
        "sign_out",
        "lock",
    }
)
"""What somebody may use who must first choose a password of their own, or set up a second factor."""

SIGNED_IN: Final = (
    "account.show",
    "account.password",
    "account.factor",
    "account.codes",
    "account.sessions",
    "passkeys.ask_to_add",
    "passkeys.add",
    "passkeys.remove",
    "sign_out",
    "lock",
    "choose_look",
    "home",
    "leaflets.index",
    "leaflets.show",
)
OF_THE_TOOL: Final = ("tour", "incidents.index", "incidents.note")
CLINICAL: Final = (
    "employees.search",
    "employees.register",
    "employees.show",
    "employees.looks",
    "employees.reason",
    "employees.merge",
    "employees.unmerge",
    "employees.link",
    "employees.everything",
    "consultations.start",
    "consultations.start_on_paper",
    "consultations.take_over",
    "consultations.show",
    "consultations.coming",
    "consultations.answers",
    "consultations.rest",
    "consultations.undo_rest",
    "consultations.decide",
    "consultations.blank_reason",
    "consultations.sign",
    "consultations.then",
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
    "consultations.leaflet_again",
    "consultations.need_unmet",
    "reading.tell",
    "consultations.leaflet_shown",
    "consultations.papers_now",
    "consultations.why",
)
RESULTS: Final = ("results.cases", "results.case", "results.published", "results.download")
FIGURES: Final = ("results.overview", "results.measure", "results.file")
"""What those outside the provider are shown too, then as it may leave it: of rounds that have ended."""
AUDIT: Final = (
    "rounds.index",
    "rounds.show",
    "rounds.results",
    "rounds.case",
    "rounds.targets_page",
    "rounds.sample_size",
    "reliability.show",
    "reflection.show",
    "organisation.index",
    "entry.baseline",
    "entry.sitting",
    "entry.case",
    "entry.drop",
    "entry.edit",
    "entry.take_out",
    "actions.index",
    "actions.show",
    "evidence.index",
    "evidence.report",
)
LEADING: Final = (
    "results.case_file",
    "rounds.new",
    "rounds.change",
    "rounds.withdraw",
    "rounds.exclude",
    "rounds.set_target",
    "reliability.draw",
    "organisation.answer",
    "actions.new",
    "actions.change",
    "actions.move",
    "actions.plan",
    "evidence.pack",
    "evidence.deck",
    "evidence.slides",
)
READING: Final = (
    "evidence.own",
    "reliability.read",
    "reliability.say",
    "followup.index",
    "followup.decision",
    "followup.review",
)
ADMIN: Final = (
    "admin.settings",
    "admin.site",
    "admin.add_site",
    "admin.site_standing",
    "admin.leaflet",
    "people.index",
    "people.show",
    "people.change",
    "people.standing",
    "people.start",
    "people.factor",
    "people.required",
    "people.hand_over",
    "people.trained",
    "people.unlink",
    "people.link_code",
    "people.unlink_account",
    "admin.sign_on",
    "looking.index",
    "security.index",
    "identities.index",
    "identities.find",
    "identities.compare",
    "identities.merge",
)


class Limit(Struct, frozen=True):
    """How often in a minute one person may ask for something costly, and which endpoints count together."""

    most: int
    endpoints: frozenset[str]


BRAKES: Final = {
    "search": Limit(90, frozenset({"employees.search", "identities.find"})),
    "papers": Limit(
        90, frozenset({"consultations.note", "consultations.letter", "consultations.report", "leaflets.show"})
    ),
    "figures": Limit(90, frozenset({"results.cases", "results.measure", "results.published", "rounds.results"})),
    "files": Limit(
        60,
        frozenset(
            {
                "results.file",
                "results.case_file",
                "employees.everything",
                "evidence.pack",
                "evidence.indicators",
                "evidence.deck",
                "evidence.slides",
                "evidence.own",
                "evidence.report",
                "paper.show",
            }
        ),
    ),
}
"""What is braked: far more than anybody needs who works by hand, far less than would keep colleagues waiting."""
TEXTS: Final = 10
"""So many forms one person may send in a minute whose texts are looked through for names of employees: each tells who
may not look for employees whether there is one of a name.
"""

POLICY: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys([*PUBLIC, *SIGNED_IN], EVERYONE),
    **dict.fromkeys(OF_THE_TOOL, WITHIN),
    **dict.fromkeys(CLINICAL, CLINICIANS),
    **dict.fromkeys([*RESULTS, *AUDIT], AUDITORS),
    **dict.fromkeys(FIGURES, AUDITORS | OUTSIDE),
    "evidence.indicators": OUTSIDE | {"audit_lead"},
    **dict.fromkeys(LEADING, frozenset({"audit_lead"})),
    **dict.fromkeys(READING, CLINICIANS),
    **dict.fromkeys(ADMIN, ADMINISTRATORS),
    "reading.index": ADMINISTRATORS | {"audit_lead"},
    "incidents.change": ADMINISTRATORS | {"audit_lead"},
    "admin.content": CLINICIANS | ADMINISTRATORS,
    "paper.index": CLINICIANS | ADMINISTRATORS,
    "paper.show": CLINICIANS | ADMINISTRATORS,
}


def braked_as(endpoint: str) -> str:
    """The kind of what is costly that an endpoint belongs to; "" for all else."""
    return next((kind for kind, limit in BRAKES.items() if endpoint in limit.endpoints), "")


def allowed(role: str | None, endpoint: str) -> bool:
    """Whether somebody with this role (None: not signed in) may use an endpoint."""
    return endpoint in PUBLIC or (role is not None and role in POLICY.get(endpoint, frozenset()))
