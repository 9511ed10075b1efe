"""A piece of a page that was drawn for another consultation is the piece that would be drawn for this one."""

from __future__ import annotations

import re

from visiting import Service, Visitor

from consult.web import drawing

ONCE_ONLY = re.compile(
    r'(?<=name="csrf_token" value=")[^"]+|(?<=name="csrf-token" content=")[^"]+|(?<=name="key" value=")[^"]+'
    r'|(?<=name="session-left" content=")\d+'
    r"|[0-9a-f-]{36}-\d{4}"
)
KEY = re.compile(r'(?:name="key" value="|name="doing" value="key=)([^"&]+)["&]|"key": "([^"]+)"')
SAID = {"a.low_mood": "present", "a.cord_signs": "unsure", "a.night_pain": "absent", "a.pain_sites": "low_back"}


def page(visitor: Visitor, consultation: str) -> str:
    reply = visitor.client.get(f"/consultations/{consultation}")
    assert reply.status_code == 200
    return reply.text


def test_a_page_is_the_same_whether_or_not_its_pieces_were_drawn_before(service: Service, nurse: Visitor) -> None:
    one, other = service.begin(), service.begin()
    nurse.save(one, SAID | {"key": "first-key-of-this-page"})
    drawing.forget()
    page(nurse, one)
    nurse.save(other, {"a.low_mood": "absent", "a.cord_signs": "present", "key": "second-key-of-this-page"})
    printed = {"key": "third-key-of-this-page", "format": "a4", "language": "en"}
    assert nurse.post(f"/consultations/{other}/leaflets/back-pain-core/printed", printed).status_code in (200, 302)
    assert [s.kind for s in service.consultation(other).documents] == ["leaflet_printed"]
    for id_, stranger in ((other, one), (one, other)):
        warm = page(nurse, id_)
        drawing.forget()
        cold = page(nurse, id_)
        assert ONCE_ONLY.sub("-", warm) == ONCE_ONLY.sub("-", cold)
        assert id_ in warm
        assert stranger not in warm
        assert "\0" not in warm


def test_each_form_of_a_page_has_a_key_of_its_own_and_the_token_of_the_page(service: Service, nurse: Visitor) -> None:
    id_ = service.begin()
    page(nurse, id_)
    text = page(nurse, id_)
    keys = [first or second for first, second in KEY.findall(text)]
    assert len(keys) > 20
    assert len(set(keys)) == len(keys)
    assert len(set(re.findall(r'name="csrf_token" value="([^"]+)"', text))) == 1
    assert set(keys).isdisjoint(first or second for first, second in KEY.findall(page(nurse, id_)))
