"""The way of a report: every pair of stage and event is tried, and no way leads to a release but those written here."""

from __future__ import annotations

import re

import pytest

from consult.record.release import IN_WORDS, TABLE, Event, NotPossible, Stage, after

# Each stage with all that may happen there, written out apart from the code: "event > stage", else it is refused.
SHORT = {
    "ENDS": "consent_withheld>withheld consent_withdrawn>withdrawn no_recipient>no_recipient "
    "consent_removed>not_explained",
    "MAY": "copy_before>wants_before copy_same_time>wants_same_time copy_none>wants_no_copy copy_removed>consented",
    "WISH": "copy_before>to_show copy_same_time>ready_same_time copy_none>ready_no_copy copy_removed>final",
}
EXPECTED = """
not_explained    explained>explained
explained        explained>explained consent_given>consented ENDS
withheld         explained>withheld consent_given>consented ENDS
withdrawn        explained>withdrawn consent_given>consented ENDS
no_recipient     explained>no_recipient consent_given>consented ENDS
consented        ENDS explained>consented MAY text_final>final
wants_before     ENDS explained>wants_before MAY text_final>to_show
wants_same_time  ENDS explained>wants_same_time MAY text_final>ready_same_time
wants_no_copy    ENDS explained>wants_no_copy MAY text_final>ready_no_copy
final            ENDS WISH explained>final text_final>final text_changed>consented
to_show          ENDS WISH explained>to_show text_final>to_show text_changed>wants_before copy_given>with_employee
with_employee    ENDS WISH explained>with_employee text_final>to_show text_changed>wants_before
                 copy_given>with_employee agreed>ready_before window_ended>ready_before correction_asked>queried
queried          ENDS WISH explained>queried text_final>to_show text_changed>wants_before correction_made>consented
                 correction_declined>with_employee
ready_before     ENDS WISH explained>ready_before text_final>to_show text_changed>wants_before
                 correction_asked>queried released>released
ready_same_time  ENDS WISH explained>ready_same_time text_final>ready_same_time text_changed>wants_same_time
                 released>released
ready_no_copy    ENDS WISH explained>ready_no_copy text_final>ready_no_copy text_changed>wants_no_copy
                 released>released
released         explained>released consent_withdrawn>withdrawn_after correction_asked>queried_after
queried_after    explained>queried_after consent_withdrawn>withdrawn_after correction_made>consented
                 correction_declined>released
withdrawn_after  explained>withdrawn_after consent_given>consented
"""
LINES = re.sub(r"\n +", " ", EXPECTED).strip().split("\n")


def expected() -> dict[tuple[str, str], str]:
    found = {}
    for line in LINES:
        stage, *ways = line.split()
        for way in " ".join(SHORT.get(way, way) for way in ways).split():
            event, _, to = way.partition(">")
            assert (stage, event) not in found
            found[stage, event] = to
    return found


PAIRS = [(stage, event) for stage in Stage for event in Event]


def test_every_stage_is_in_the_table_and_has_its_words() -> None:
    assert set(TABLE) == set(Stage) == set(IN_WORDS) == {Stage(line.split()[0]) for line in LINES}
    assert len(PAIRS) == 19 * 19


@pytest.mark.parametrize(("stage", "event"), PAIRS, ids=lambda part: part.value)
def test_every_pair_of_stage_and_event(stage: Stage, event: Event) -> None:
    to = expected().get((stage.value, event.value))
    if to is None:
        with pytest.raises(NotPossible, match="can't be done"):
            after(stage, event)
    else:
        assert after(stage, event) == Stage(to)


ENDS = {Event.CONSENT_WITHHELD, Event.CONSENT_WITHDRAWN, Event.NO_RECIPIENT, Event.CONSENT_REMOVED}
COPY = {Event.COPY_BEFORE: "before", Event.COPY_SAME_TIME: "same", Event.COPY_NONE: "none", Event.COPY_REMOVED: ""}
ANEW = {"wish": "", "final": "", "shown": ""}
TOLD: dict[Event, dict[str, str]] = {
    Event.CONSENT_GIVEN: {"consent": "yes", **ANEW},
    **{event: {"consent": ""} for event in ENDS},
    **{event: {"wish": wish, "shown": ""} for event, wish in COPY.items()},
    Event.TEXT_FINAL: {"final": "yes", "shown": ""},
    Event.TEXT_CHANGED: {"final": ""},
    Event.CORRECTION_MADE: ANEW,
    Event.AGREED: {"shown": "yes"},
    Event.WINDOW_ENDED: {"shown": "yes"},
    Event.CORRECTION_ASKED: {"shown": ""},
    Event.CORRECTION_DECLINED: {"shown": ""},
}


def every_state() -> set[tuple[Stage, frozenset[tuple[str, str]]]]:
    """Each stage that any way leads to, with each that can have been told on the way there."""
    begun = (Stage.NOT_EXPLAINED, frozenset({"consent": "", **ANEW}.items()))
    found, edge = {begun}, [begun]
    while edge:
        stage, told = edge.pop()
        for event, to in TABLE[stage].items():
            state = (to, frozenset((dict(told) | TOLD.get(event, {})).items()))
            if state not in found:
                found.add(state)
                edge.append(state)
    return found


def test_no_way_leads_to_a_release_without_consent_a_wish_and_a_final_text() -> None:
    """What must be so is kept apart from the stages: consent, wish, final text, and that the employee has seen it.

    All states are tried, as hardly any way that is drawn by chance comes as far as a release.
    """
    before_release = [dict(told) for stage, told in every_state() if Event.RELEASED in TABLE[stage]]
    assert {told["wish"] for told in before_release} == {"before", "same", "none"}
    for told in before_release:
        assert told["consent"]
        assert told["final"]
        assert told["wish"]
        assert told["shown"] or told["wish"] != "before"


def test_every_stage_can_be_reached_and_every_one_but_the_last_left() -> None:
    reached, edge = {Stage.NOT_EXPLAINED}, [Stage.NOT_EXPLAINED]
    while edge:
        edge = [to for stage in edge for to in TABLE[stage].values() if to not in reached and not reached.add(to)]
    assert reached == set(Stage)
    assert all(any(to != stage for to in ways.values()) for stage, ways in TABLE.items())
