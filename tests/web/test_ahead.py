"""What is made ready while nobody waits is all that the first pages of a consultation need."""

from __future__ import annotations

import pytest
from visiting import Service, Visitor

from consult.web.ahead import made_ready


def test_the_first_page_of_a_consultation_has_no_template_to_be_compiled(
    service: Service, nurse: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, compiled = service.begin(), list[str]()
    templates = service.app.jinja_env
    ready = list(made_ready(service.app))
    assert ready.index("base.html") < ready.index("consultations/show.html")
    usual = templates.compile
    monkeypatch.setattr(
        templates, "compile", lambda source, name, *more: compiled.append(name) or usual(source, name, *more)
    )
    nurse.get("/")
    nurse.get(f"/consultations/{id_}")
    assert compiled == []
