"""Two leads answer for one site and year: what the first saved is not written over by the second."""

import pages
from visiting import Service

from consult.audit import organisation


def test_the_answers_of_another_are_not_written_over(service: Service) -> None:
    one, other = service.visitor("audit_lead"), service.visitor("audit_lead")
    path = f"/organisation/A/{service.instance.today().year}"
    seen = pages.value_of(one.get(path), "seen")
    assert other.post(path, {"q.direct_access": "no", "seen": seen}).status_code == 302
    for _ in range(2):
        refused = one.post(path, {"q.direct_access": "yes", "seen": seen})
        assert refused.status_code == 409
        page = pages.parse(refused.text)
        assert "Somebody changed this section since the page was made" in pages.text(page)
        seen = pages.value_of(page, "seen")
    (stands,) = organisation.answered(service.instance.db.read()).values()
    assert stands.answers == {"direct_access": "no"}
    again = {"q.direct_access": "yes", "seen": pages.value_of(one.get(path), "seen")}
    assert one.post(path, again).status_code == 302


def test_answers_that_were_sent_twice_are_taken_once(service: Service) -> None:
    lead = service.visitor("audit_lead")
    path = f"/organisation/A/{service.instance.today().year}"
    page = lead.get(path)
    sent = {"q.direct_access": "no", "seen": pages.value_of(page, "seen"), "key": pages.value_of(page, "key")}
    assert [lead.post(path, sent).status_code for _ in range(2)] == [302, 302]
