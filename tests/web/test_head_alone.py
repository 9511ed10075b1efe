"""Whoever asks for the head of a page alone, as scanners and links looked up ahead do, changes nothing."""

from visiting import Service

from consult.proforma.answer import Answer
from consult.record.ledger import head


def test_the_head_of_a_report_makes_nothing_final(service: Service) -> None:
    talk = service.signed(report_consent=Answer("answered", "given"))
    nurse = service.visitor("nurse")
    nurse.get(f"/consultations/{talk}/report")
    before = head(service.instance.db.read())
    assert nurse.client.head(f"/consultations/{talk}/report").status_code == 200
    assert head(service.instance.db.read()) == before


def test_the_head_of_the_list_of_people_starts_nobody(service: Service) -> None:
    assert service.visitor("administrator").client.head("/settings/people").status_code == 200


def test_the_head_of_the_sign_in_is_no_try(service: Service) -> None:
    stranger = service.app.test_client()
    assert [stranger.head(path).status_code for path in ("/sign-in", "/sign-in/code")] == [200, 200]
