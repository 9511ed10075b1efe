"""Several consultations open at once, in as many tabs: each says whom it is with, and what is sent goes to its own."""

from __future__ import annotations

import random
from datetime import date

import pages
import pytest
from visiting import Service, Visitor

from consult.proforma.answer import Answer
from consult.record.store import Start

ASKED = ("harm_belief", "poor_sleep", "cord_signs", "saddle_numbness")
STATES = ("present", "absent", "unsure")


@pytest.mark.parametrize("seed", range(2))
def test_what_is_sent_from_one_of_several_open_consultations_goes_to_that_one(
    service: Service, nurse: Visitor, seed: int
) -> None:
    luck, store = random.Random(seed), service.instance.store
    names = ["Ada Aardvark", "Bea Badger", "Cy Coyote"]
    held = {}
    for n, name in enumerate(names):
        employee = service.employee(name, date(1970 + n, 1, 1), str(n))
        held[name] = store.start(Start(employee, "A", "DEMO", "in_person", "45-54"), service.who["nurse"])
    known = store.library.current.proforma.by_id
    questions = [question for question in ASKED if question in known]
    assert len(questions) > 2
    wanted: dict[tuple[str, str], str] = {}
    for n in range(12):
        name, question, state = luck.choice(names), luck.choice(questions), luck.choice(STATES)
        nurse.save(held[name], {f"a.{question}": state, "key": f"{seed}-{n:02}-{'k' * 20}"}, htmx=bool(n % 2))
        wanted[name, question] = state
    for name, consultation in held.items():
        found = {question: service.answer(consultation, question) for question in questions}
        assert found == {q: Answer(wanted[name, q]) if (name, q) in wanted else None for q in questions}, (seed, name)
        page = pages.text(nurse.get(f"/consultations/{consultation}"))
        assert [other for other in names if other in page] == [name]
    start = pages.text(nurse.get("/"))
    assert [name for name in names if name not in start] == [], "all that is open is listed on the start page"
