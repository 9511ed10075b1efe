"""A measure taken apart: every part says what counting the cases one by one says, and the groups add up."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_evaluators import fresh, random_cases

from consult.audit import cases
from consult.audit.breakdowns import close, span
from consult.audit.items import items
from consult.audit.measures import looker, outcomes, why_excluded
from consult.audit.measures_file import parse_measures
from consult.audit.own import context
from consult.audit.results import Selection, results
from consult.proforma.load import ContentError
from consult.proforma.rules import holds

PLACES = [("P1", "A"), ("P1", "B"), ("P2", "A")]
DAYS = ["2026-01-31", "2026-02-01", "2026-02-28", "2026-04-10"]
ALL = Selection(capture="retrospective")


def batches(dataset):
    one = st.tuples(random_cases(dataset), st.sampled_from(PLACES), st.sampled_from(DAYS))
    return st.lists(one, min_size=1, max_size=12)


def filled(conn, dataset, batch):
    conn.execute("DELETE FROM case_row")
    written = []
    for number, (case, (provider, site), day) in enumerate(batch):
        own = {"provider": provider, "site": site, "consultation_date": day, "capture_mode": "retrospective"}
        whole = dict.fromkeys(dataset.by_name, "") | case | own | {"case_ref": f"{number:03}"}
        cases.put(conn, whole, step=number)
        written.append(whole)
    return written


def four(result):
    return {"met": result.met, "not_met": result.not_met, "not_applicable": result.not_applicable} | {
        "missing": result.missing
    }


def counted(eligible, measures, dataset, measure, key):
    """The outcomes of the cases by what `key` makes of them, counted one by one."""
    found = {}
    for case in eligible:
        group = found.setdefault(key(case), Counter(dict.fromkeys(("met", "not_met", "not_applicable", "missing"), 0)))
        group[outcomes(measures, dataset, case)[measure.id]] += 1
    return {k: dict(v) for k, v in found.items()}


def test_every_part_is_what_counting_one_by_one_gives(dataset, measures):
    conn = fresh(dataset)

    @settings(max_examples=25, deadline=None, print_blob=True)
    @given(batches(dataset), st.sampled_from(measures.measures), st.sampled_from(["", "A"]))
    def same(batch, measure, site):
        written = filled(conn, dataset, batch)
        selection = Selection(provider="P1" if site else "", site=site, capture="retrospective")
        eligible = [c for c in written if not why_excluded(measures, dataset, c)]
        here = [c for c in eligible if not site or (c["provider"], c["site"]) == ("P1", site)]
        around = [c for c in eligible if not site or c["provider"] == "P1"]
        found = close(conn, measures, dataset, selection, measure)
        everything = results(conn, measures, dataset, selection)
        assert four(found.whole) == four(everything.measures[measure.id])

        def by(key, among=here):
            return counted(among, measures, dataset, measure, key)

        for breakdown in measures.breakdowns:
            said = {code: four(r) for code, r in found.by[breakdown.field].items()}
            assert said == by(lambda c, of=dataset.by_name[breakdown.field]: of.group(c[of.name]))
            coded = "not_recorded" in dataset.by_name[breakdown.field].options
            assert not ("" in said and coded), "a blank is what was not recorded, and no group of its own"
        assert {m: four(r) for m, r in found.months.items()} == by(lambda c: c["consultation_date"][:7])
        assert {s: four(r) for s, r in found.sites.items()} == by(lambda c: (c["provider"], c["site"]), around)
        applies = [c for c in here if outcomes(measures, dataset, c)[measure.id] in ("met", "not_met")]
        for one in found.items:
            assert one.result.met == sum(holds(one.item.rule, looker(dataset, c)) for c in applies)
            assert one.result.applicable == len(applies)
            unable = "unable" in one.item.rule.values
            assert one.unable == (sum(c[one.item.rule.field] == "unable" for c in applies) if unable else 0)
        days = sorted(c["consultation_date"] for c in here)
        assert span(conn, measures, dataset, selection) == ((days[0], days[-1]) if days else None)

    same()


def test_the_red_flags_are_nine_items_by_name_and_the_statement_of_the_notes(dataset, measures):
    complete = [item.label for item in items(measures.by_id["red_flags_complete"], dataset)]
    assert len(complete) == 9
    screened = [item.label for item in items(measures.by_id["red_flags_screened"], dataset)]
    assert screened == ["Statement that red flags were considered", *complete]
    assert not any("_" in label for label in screened)


def test_what_live_consultations_never_hold_is_no_item_of_theirs(dataset, measures):
    conn, measure = fresh(dataset), measures.by_id["red_flags_screened"]
    own = {"provider": "P1", "site": "A", "consultation_date": DAYS[0]}
    for mode in ("live", "paper", "retrospective"):
        case = dict.fromkeys(dataset.by_name, "") | own | {"capture_mode": mode, "case_ref": mode}
        cases.put(conn, case, step=1)
        named = [one.item.label for one in close(conn, measures, dataset, Selection(capture=mode), measure).items]
        assert ("Statement that red flags were considered" in named) == (mode != "live")
        assert named[-1] == "Deformity"
        assert len(named) == (9 if mode == "live" else 10)


def test_a_rule_that_is_one_leaf_has_no_items(dataset, measures):
    assert items(measures.by_id["barriers_asked"], dataset) == ()
    assert items(measures.by_id["all_applicable_met"], dataset) == ()


def test_no_cases_are_no_groups(dataset, measures):
    found = close(fresh(dataset), measures, dataset, ALL, measures.measures[0])
    assert (found.months, found.sites, four(found.whole)["met"], found.whole.applicable) == ({}, {}, 0, 0)
    assert all(not codes for codes in found.by.values())
    assert all(one.result.applicable == 0 for one in found.items)


WHO = {
    "nobody named": ([("nurse", "")] * 4, False),
    "three of each": ([(role, f"{role}-{n}") for role in ("nurse", "doctor") for n in range(3)], False),
    "three of each, and some not named": ([("nurse", ref) for ref in ("a", "b", "c", "")], False),
    "one doctor": ([("nurse", "a"), ("nurse", "b"), ("nurse", "c"), ("doctor", "d"), ("doctor", "d")], True),
    "two doctors": ([("nurse", "a"), ("nurse", "b"), ("nurse", "c"), ("doctor", "d"), ("doctor", "e")], True),
    "one doctor among cases not named": ([("nurse", ""), ("doctor", ""), ("doctor", "d")], True),
    "the same three in two roles": ([(role, ref) for role in ("nurse", "doctor") for ref in "abc"], False),
    "one other, whose case does not count": ([*[("nurse", ref) for ref in "abc"], ("other", "d")], False),
}
ELIGIBLE = {"back_pain_reason": "main", "first_consultation": "yes", "episode_gap": "none_ever"}


def by(role, ref, place=PLACES[0]):
    """An eligible case of a clinician."""
    return {**ELIGIBLE, "clinician_role": role, "clinician_ref": ref}, place, DAYS[0]


@pytest.mark.parametrize("who", WHO)
def test_groups_of_one_or_two_clinicians_are_known_as_such(dataset, measures, who):
    seen, few = WHO[who]
    conn = fresh(dataset)
    filled(conn, dataset, [by(role, ref) for role, ref in seen])
    found = close(conn, measures, dataset, ALL, measures.measures[0])
    assert found.of_few == (frozenset({"clinician_role"}) if few else frozenset())


def test_a_group_of_few_clinicians_at_one_site_is_known_there_only(dataset, measures):
    conn = fresh(dataset)
    filled(conn, dataset, [by("nurse", "a"), by("nurse", "b"), by("nurse", "c", PLACES[1])])
    here = Selection(provider="P1", site="A", capture="retrospective")
    assert close(conn, measures, dataset, ALL, measures.measures[0]).of_few == frozenset()
    assert close(conn, measures, dataset, here, measures.measures[0]).of_few == {"clinician_role"}


@pytest.mark.parametrize(
    ("field", "words"), [("clinician_ref", "can't be broken down by"), ("nothing", "is not in dataset.toml")]
)
def test_a_measure_is_never_broken_down_by_clinician(content, dataset, field, words):
    text = (content / "measures.toml").read_text("utf-8")
    wrong = text.replace('field = "staff_group"\npersonal', f'field = "{field}"\npersonal')
    assert wrong != text
    with pytest.raises(ContentError) as refused:
        parse_measures(wrong, dataset)
    assert [words in p.sentence for p in refused.value.problems if p.id == "breakdowns"] == [True]


def test_a_blank_is_counted_with_what_was_not_recorded(dataset, measures):
    conn, measure = fresh(dataset), measures.by_id["barriers_asked"]
    eligible = {"first_consultation": "yes", "episode_gap": "none_ever", "back_pain_reason": "main"}
    own = {"provider": "P1", "site": "A", "consultation_date": DAYS[0], "capture_mode": "retrospective"} | eligible
    for number, staff_group in enumerate(["", "not_recorded", "not_recorded", "students"]):
        case = dict.fromkeys(dataset.by_name, "") | own | {"clinician_role": "nurse", "staff_group": staff_group}
        cases.put(conn, case | {"case_ref": f"{number}"}, step=number)
    found = close(conn, measures, dataset, ALL, measure).by["staff_group"]
    assert {code: r.applicable for code, r in found.items()} == {"not_recorded": 3, "students": 1}
    assert context(conn, measures, dataset, ALL, ["staff_group"])["staff_group"] == {"not_recorded": 3, "students": 1}
