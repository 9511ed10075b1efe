"""The permission table, endpoint by role.

N nurse, D doctor, P physiotherapist, L audit lead, C national coordinator, A administrator.
"""

import pytest

from consult.accounts.people import ROLES
from consult.accounts.policy import POLICY, PUBLIC, allowed

LETTERS = {
    "N": "nurse",
    "D": "doctor",
    "P": "physiotherapist",
    "L": "audit_lead",
    "C": "coordinator",
    "A": "administrator",
}
PUBLIC_TO_ALL = "-NDPLCA"  # the dash is somebody not signed in
TABLE = {
    "sign_in": PUBLIC_TO_ALL,
    "sign_in_code": PUBLIC_TO_ALL,
    "passkeys.ask": PUBLIC_TO_ALL,
    "passkeys.sign_in": PUBLIC_TO_ALL,
    "sign_on.start": PUBLIC_TO_ALL,
    "sign_on.back": PUBLIC_TO_ALL,
    "sign_on.code": PUBLIC_TO_ALL,
    "static": PUBLIC_TO_ALL,
    "health": PUBLIC_TO_ALL,
    "session_state": PUBLIC_TO_ALL,
    "unlock": PUBLIC_TO_ALL,
    "leaflets.read": PUBLIC_TO_ALL,
    "sign_out": "NDPLCA",
    "lock": "NDPLCA",
    "home": "NDPLCA",
    "leaflets.index": "NDPLCA",
    "leaflets.show": "NDPLCA",
    "employees.search": "NDP",
    "employees.register": "NDP",
    "employees.show": "NDP",
    "employees.everything": "NDP",
    "consultations.start": "NDP",
    "consultations.start_on_paper": "NDP",
    "consultations.take_over": "NDP",
    "consultations.show": "NDP",
    "consultations.answers": "NDP",
    "consultations.rest": "NDP",
    "consultations.undo_rest": "NDP",
    "consultations.decide": "NDP",
    "consultations.blank_reason": "NDP",
    "consultations.sign": "NDP",
    "consultations.then": "NDP",
    "consultations.abandon": "NDP",
    "consultations.in_error": "NDP",
    "consultations.addendum": "NDP",
    "consultations.note": "NDP",
    "consultations.note_copied": "NDP",
    "consultations.letter": "NDP",
    "consultations.report": "NDP",
    "consultations.steps": "NDP",
    "consultations.leaflet_done": "NDP",
    "results.overview": "NDPLC",
    "results.measure": "NDPLC",
    "results.cases": "NDPL",
    "results.case": "NDPL",
    "results.published": "NDPL",
    "results.download": "NDPL",
    "results.file": "NDPLC",
    "results.case_file": "L",
    "admin.settings": "A",
    "admin.site": "A",
    "admin.add_site": "A",
    "admin.site_standing": "A",
    "people.index": "A",
    "people.show": "A",
    "people.change": "A",
    "people.standing": "A",
    "people.start": "A",
    "people.factor": "A",
    "people.required": "A",
    "people.hand_over": "A",
    "people.trained": "A",
    "people.unlink": "A",
    "people.link_code": "A",
    "people.unlink_account": "A",
    "admin.sign_on": "A",
    "looking.index": "A",
    "security.index": "A",
    "identities.index": "A",
    "identities.find": "A",
    "identities.compare": "A",
    "identities.merge": "A",
    "employees.looks": "NDP",
    "employees.reason": "NDP",
    "employees.merge": "NDP",
    "employees.unmerge": "NDP",
    "employees.link": "NDP",
    "account.show": "NDPLCA",
    "account.password": "NDPLCA",
    "account.factor": "NDPLCA",
    "account.codes": "NDPLCA",
    "account.sessions": "NDPLCA",
    "passkeys.ask_to_add": "NDPLCA",
    "passkeys.add": "NDPLCA",
    "passkeys.remove": "NDPLCA",
    "admin.content": "NDPA",
    "consultations.report_event": "NDP",
    "reliability.read": "NDP",
    "reliability.say": "NDP",
    "followup.index": "NDP",
    "followup.decision": "NDP",
    "followup.review": "NDP",
    "rounds.index": "NDPL",
    "rounds.show": "NDPL",
    "rounds.results": "NDPL",
    "rounds.case": "NDPL",
    "rounds.targets_page": "NDPL",
    "rounds.sample_size": "NDPL",
    "reliability.show": "NDPL",
    "reflection.show": "NDPL",
    "organisation.index": "NDPL",
    "entry.baseline": "NDPL",
    "entry.sitting": "NDPL",
    "entry.case": "NDPL",
    "entry.drop": "NDPL",
    "entry.edit": "NDPL",
    "entry.take_out": "NDPL",
    "rounds.new": "L",
    "rounds.change": "L",
    "rounds.withdraw": "L",
    "rounds.exclude": "L",
    "rounds.set_target": "L",
    "reliability.draw": "L",
    "organisation.answer": "L",
    "paper.index": "NDPA",
    "paper.show": "NDPA",
    "incidents.index": "NDPLA",
    "incidents.note": "NDPLA",
    "incidents.change": "LA",
    "consultations.leaflet_again": "NDP",
    "actions.index": "NDPL",
    "actions.show": "NDPL",
    "actions.new": "L",
    "actions.change": "L",
    "actions.move": "L",
    "actions.plan": "L",
    "evidence.index": "NDPL",
    "evidence.report": "NDPL",
    "evidence.pack": "L",
    "evidence.indicators": "LC",
    "evidence.own": "NDP",
    "evidence.deck": "L",
    "evidence.slides": "L",
    "reading.tell": "NDP",
    "reading.index": "LA",
    "consultations.need_unmet": "NDP",
    "admin.leaflet": "A",
    "choose_look": "NDPLCA",
    "tour": "NDPLA",
    "consultations.leaflet_shown": "NDP",
    "consultations.papers_now": "NDP",
    "consultations.why": "NDP",
    "consultations.coming": "NDP",
}


def test_the_table_names_every_endpoint_of_the_policy():
    assert set(TABLE) == set(POLICY)
    assert set(LETTERS.values()) == set(ROLES)


@pytest.mark.parametrize("endpoint", TABLE)
def test_each_role_may_open_exactly_what_the_table_says(endpoint):
    may = {letter for letter, role in LETTERS.items() if allowed(role, endpoint)}
    may |= {"-"} if allowed(None, endpoint) else set()
    assert may == set(TABLE[endpoint])


def test_what_has_no_entry_is_for_nobody():
    for role in [None, *ROLES, "root", ""]:
        assert not allowed(role, "results.clinicians")
        assert not allowed(role, "")


def test_a_role_that_does_not_exist_opens_only_what_is_public():
    assert {endpoint for endpoint in POLICY if allowed("root", endpoint)} == PUBLIC
