"""What the pieces of a reply make of the open page is what the page shows when it is loaded anew."""

from __future__ import annotations

import copy

from luck import seeded
from open_page import OpenPage, act, drawn, read_by_rules, unlike
from visiting import Service, Visitor

ACTS = 40


def test_after_any_answer_the_open_page_shows_what_a_new_one_does(service: Service, nurse: Visitor) -> None:
    luck = seeded("pieces and page")
    proforma = service.instance.library.current.proforma
    moving = read_by_rules(proforma)
    assert len(moving) > 20
    open_page, done = OpenPage(nurse, service.begin()), []
    for _ in range(ACTS):
        done.append(act(open_page, proforma, moving, luck))
        here, anew = drawn(copy.deepcopy(open_page.page)), drawn(open_page.anew())
        other = unlike(here, anew)
        assert other == [], (done[-3:], here.get(other[0]), anew.get(other[0]))
    assert {"left", "parked", "the rest of the page"} < here.keys()


def test_a_question_whose_own_answer_takes_it_off_the_path_stays_in_use_and_can_be_answered_again(
    service: Service, nurse: Visitor
) -> None:
    """An emergency stands while it is present: its No is kept aside, its text goes, and a Yes brings it back."""
    talk = service.begin()

    def choose(state: str) -> str:
        reply = nurse.save(talk, {"a.exam_significant_deficit": state, "key": f"{state}-{talk}"[:40]}, htmx=True)
        assert reply.status_code == 200
        assert 'id="state-exam_significant_deficit"' in reply.text
        assert 'name="seen.exam_significant_deficit"' in reply.text
        assert 'class="q__saved"' in reply.text
        return reply.text

    nurse.save(talk, {"a.neuro_examination": "done", "key": f"neuro-{talk}"[:40]}, htmx=True)
    assert "kept kept--u" in choose("present")
    nurse.save(talk, {"a.neuro_examination": "not_possible_remote", "key": f"remote-{talk}"[:40]}, htmx=True)
    away = choose("absent")
    assert "kept aside" in away
    assert '<div id="panel-exam_significant_deficit" data-hx-swap-oob="innerHTML"></div>' in away
    again = choose("declined")
    assert "kept aside" not in again.partition("</div>")[0]
    assert "kept kept--u" in again
