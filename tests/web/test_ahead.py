"""What is made ready while nobody waits is all that the first pages of a consultation need."""

from __future__ import annotations

from visiting import Service

from consult.web.ahead import made_ready


def test_the_first_page_of_a_consultation_has_no_template_to_be_compiled(shared: Service) -> None:
    """Of an application that has shown nothing yet."""
    nurse, id_, compiled = shared.visitor("nurse"), shared.begin(), shared.app.jinja_env.cache
    assert compiled is not None
    ready = list(made_ready(shared.app))
    assert ready.index("base.html") < ready.index("consultations/show.html")
    before = set(compiled)
    assert len(before) == len(set(ready))
    nurse.get("/")
    nurse.get(f"/consultations/{id_}")
    assert set(compiled) == before
