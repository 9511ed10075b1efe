"""Results: the documented shape, the selection, what is never pooled, and the lines beside a number."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult.audit import cases
from consult.audit.comparison import percent, shown_rate, standing
from consult.audit.results import (
    AmbiguousSite,
    MixedModes,
    Result,
    Selection,
    as_json,
    cases_json,
    judged,
    results,
)
from consult.audit.why import why


def fill(conn, rows, **changes):
    for number, row in enumerate(rows, 1):
        cases.put(conn, row | {"provider": "OWN"} | changes, step=number)


def counted(conn, measures, dataset, **selection):
    return results(conn, measures, dataset, Selection(**selection))


def test_the_worked_cases_through_sql(conn, dataset, measures, example_cases, expected):
    fill(conn, example_cases)
    found = cases_json(conn, measures, dataset, Selection())
    assert {one["case_ref"] for one in found} == expected.keys()
    for one in found:
        ref = one.pop("case_ref")
        wanted = {key: value for key, value in expected[ref].items() if key != "describes"}
        assert one == {"provider": "OWN", "site": "A", "capture_mode": "retrospective", **wanted}, ref


def test_the_documented_shape(conn, dataset, measures, benchmarks, example_cases, expected):
    fill(conn, example_cases)
    found = as_json(counted(conn, measures, dataset), measures, benchmarks)
    eligible = [one["outcomes"] for one in expected.values() if "outcomes" in one]
    assert list(found) == [
        "proforma", "measures_version", "capture_mode", "from", "to", "site", "eligible", "excluded", "measures",
        "opportunity",
    ]  # fmt: skip
    assert (found["proforma"], found["capture_mode"], found["eligible"]) == (
        "back-pain",
        "retrospective",
        len(eligible),
    )
    assert found["excluded"] == {
        "back_pain_reason_unknown": 1,
        "clinician_out_of_scope": 1,
        "not_first_consultation": 1,
        "not_new_episode": 1,
        "episode_gap_unknown": 1,
    }
    for id_, result in found["measures"].items():
        n = {outcome: sum(case[id_] == outcome for case in eligible) for outcome in ("met", "not_met", "missing")}
        assert {outcome: result[outcome] for outcome in n} == n
        assert result["rate"] == n["met"] / (n["met"] + n["not_met"])
        assert result["worst_case_rate"] == n["met"] / sum(n.values())
        assert result["interval"][0] <= result["rate"] <= result["interval"][1]
    twelve = [found["measures"][id_] for id_ in measures.national]
    assert found["opportunity"] == {
        "met": sum(r["met"] for r in twelve),
        "applicable": sum(r["met"] + r["not_met"] for r in twelve),
        "missing": sum(r["missing"] for r in twelve),
    }
    assert found["measures"]["clear_information_any"]["benchmarks"] == {"2011": 0.48, "2008": None}


def test_nothing_selected_gives_no_rate(conn, dataset, measures, benchmarks):
    found = as_json(counted(conn, measures, dataset), measures, benchmarks)
    assert (found["eligible"], found["excluded"], found["capture_mode"]) == (0, {}, None)
    for result in found["measures"].values():
        assert [result[key] for key in ("rate", "interval", "worst_case_rate")] == [None, None, None]
        assert result["met"] == result["not_met"] == result["missing"] == result["not_applicable"] == 0


def test_modes_are_never_pooled(conn, dataset, measures, example_cases):
    fill(conn, example_cases[:3])
    fill(conn, example_cases[:2], capture_mode="live")
    with pytest.raises(MixedModes, match=r"2 ways \(live, retrospective\), which are never pooled; choose") as refused:
        counted(conn, measures, dataset)
    assert refused.value.modes == ["live", "retrospective"]
    assert counted(conn, measures, dataset, capture="live").eligible == 2
    assert counted(conn, measures, dataset, capture="retrospective").capture_mode == "retrospective"
    assert len(cases_json(conn, measures, dataset, Selection())) == 5


def test_selection_by_provider_site_and_inclusive_dates(conn, dataset, measures, example_cases):
    complete = example_cases[0]
    for number, (provider, site, day) in enumerate(
        [("OWN", "A", "2026-03-01"), ("OWN", "B", "2026-03-02"), ("OTHER", "A", "2026-03-03")]
    ):
        row = complete | {"provider": provider, "site": site, "consultation_date": day, "case_ref": str(number)}
        cases.put(conn, row, step=number)

    def eligible(**selection):
        return counted(conn, measures, dataset, **selection).eligible

    assert eligible() == 3
    assert eligible(provider="OWN") == 2
    assert eligible(provider="OWN", site="A") == 1
    assert eligible(site="B") == 1
    assert eligible(start="2026-03-02") == 2
    assert eligible(end="2026-03-02") == 2
    assert eligible(start="2026-03-02", end="2026-03-02") == 1
    assert eligible(site="C") == 0
    with pytest.raises(AmbiguousSite, match=r"Site A exists at several providers \(OTHER, OWN\)"):
        eligible(site="A")


def test_cases_come_by_date_then_order_of_signing_or_reference(conn, dataset, measures, example_cases):
    complete = example_cases[0] | {"provider": "OWN", "capture_mode": "live"}
    for ref, day, signed in [
        ("c", "2026-03-02", 5),
        ("b", "2026-03-02", 9),
        ("a", "2026-03-03", 2),
        ("d", "2026-03-01", 9),
    ]:
        cases.put(
            conn, complete | {"case_ref": ref, "consultation_date": day}, step=signed, consultation=ref, signed=signed
        )
    assert [one["case_ref"] for one in cases_json(conn, measures, dataset, Selection())] == ["d", "c", "b", "a"]
    conn.execute("DELETE FROM case_row")
    for ref in "cab":
        cases.put(conn, complete | {"case_ref": ref, "capture_mode": "paper"}, step=1)
    assert [one["case_ref"] for one in cases_json(conn, measures, dataset, Selection())] == ["a", "b", "c"]


def test_lines_beside_a_result(conn, dataset, measures, example_cases):
    fill(conn, example_cases)
    found = counted(conn, measures, dataset).measures
    assert found["red_flags_screened"].beside == ("Of which could not be established: 2.",)
    assert found["work_cause_action"].beside[0] == "Asked in 9 of 28; in 19 it is not known whether it applied."
    said = "No action was recorded as such in 1 of the 1 not met; a refusal by the employee would be one of these."
    assert found["work_cause_action"].beside[1] == said  # a case does not say who decided that nothing is done
    assert found["red_flags_screened"].without_aside == (found["red_flags_screened"].met - 1, 27)
    assert found["barriers_asked"].aside_not_met == 1


def test_other_obstacles_are_told_where_yellow_flags_do_not_apply(conn, dataset, measures, example_cases):
    row = example_cases[1] | {
        "provider": "OWN",
        "yf_belief": "absent",
        "yf_mood": "absent",
        "barriers": "manager_or_team",
    }
    cases.put(conn, row | {"case_ref": "1"}, step=1)
    cases.put(conn, row | {"case_ref": "2", "yf_action": "early_review"}, step=2)
    cases.put(conn, row | {"case_ref": "3", "barriers": "none"}, step=3)
    found = counted(conn, measures, dataset).measures["yellow_flags_action"]
    assert found.not_applicable == 3
    said = (
        "Where it did not apply, barriers to work were recorded in 2; in 1 of these an action on another obstacle was."
    )
    assert found.beside[1] == said


def test_a_number_opens_to_the_cases_behind_it_and_why(conn, dataset, measures, example_cases):
    fill(conn, example_cases)
    for outcome in ("met", "not_met", "not_applicable", "missing"):
        behind = list(judged(conn, measures, dataset, Selection(), "work_cause_action", outcome))
        assert len(behind) == getattr(counted(conn, measures, dataset).measures["work_cause_action"], outcome)
        for one in behind:
            said = why(measures, dataset, one.case.fields, "work_cause_action")
            assert said.outcome == outcome == one.outcomes["work_cause_action"]
            assert said.read.keys() <= {"cause_asked", "cause_view", "cause_action"}


def test_why_names_the_rule_and_the_fields_it_read(dataset, measures, example_cases):
    by_ref = {case["case_ref"]: case for case in example_cases}
    said = why(measures, dataset, by_ref["cause-none"], "work_cause_action")
    assert said.sentence.startswith("Not met: this does not hold: “Action on a work cause” includes incident report, ")
    assert said.read == {"cause_action": "none"}
    said = why(measures, dataset, by_ref["withheld-blank"], "adjustments_advised")
    assert said.read == {"adjustments_needed": "", "report_consent": "withheld"}
    assert "not (“Consent to the report” is withheld or no manager)" in said.sentence
    said = why(measures, dataset, by_ref["gap-27"], "barriers_asked")
    assert (said.outcome, said.read) == ("not_new_episode", {"episode_gap": "lt_28_days"})
    said = why(measures, dataset, by_ref["only-missing"], "all_applicable_met")
    assert said.sentence == "Missing, because of these it is not known whether they apply: Action on work cause."
    assert said.parts["red_flags_screened"] == "met"


def test_rates_on_screen():
    assert shown_rate(Result(22, 18, 0, 0)) == "55% (22 of 40)"
    assert shown_rate(Result(2, 2, 0, 0)) == "2 of 4"
    assert shown_rate(Result(0, 0, 3, 0)) == "0 of 0"


def test_only_case_notes_are_compared_and_only_from_ten_on():
    low = Result(15, 25, 0, 0)
    assert standing(low, 0.55, "retrospective") == "unusually low"
    assert standing(low, 0.55, "live") == standing(low, 0.55, "paper") == ""
    assert standing(low, None, "retrospective") == ""
    assert standing(Result(1, 8, 0, 0), 0.55, "retrospective") == "fewer than 10: no comparison"
    assert standing(Result(38, 2, 0, 0), 0.95, "retrospective") == "within chance; n too small to be unusually high"


def test_a_national_round_is_counted_in_a_few_scans_worth_of_time(conn, dataset, measures, example_cases):
    """5,524 cases, as in the 2011 round; the bound is a ratio to reading every column once, in turns."""
    rows = [case | {"provider": "OWN"} for case in example_cases]
    conn.execute("BEGIN")
    for number in range(5524):
        cases.put(conn, rows[number % len(rows)] | {"case_ref": f"x{number}"}, step=number)
    conn.execute("COMMIT")
    every = ", ".join(f"sum({cases.quoted(f.name)} = 'yes')" for f in dataset.fields)

    def seconds(work):
        start = time.process_time()
        work()
        return time.process_time() - start

    def read():
        conn.execute(f"SELECT {every} FROM case_row").fetchall()

    turns = [(seconds(read), seconds(lambda: counted(conn, measures, dataset))) for _ in range(5)]
    scan, whole = (min(taken) for taken in zip(*turns, strict=True))
    assert counted(conn, measures, dataset).eligible > 4000
    assert whole < 20 * scan, f"results took {whole:.3f} s, a plain scan {scan:.3f} s"


@given(st.integers(5, 3000), st.data())
def test_a_rate_is_100_percent_only_of_all_and_0_only_of_none(n, data):
    met = data.draw(st.one_of(st.integers(0, n), st.sampled_from([0, 1, n - 1, n])))
    said = shown_rate(Result(met, n - met, 0, 0)).partition(" (")[0]
    assert (said == "100%") == (met == n)
    assert (said == "0%") == (met == 0)
    assert said in (percent(met / n), "over 99%", "under 1%")


def test_299_of_300_are_not_all():
    assert shown_rate(Result(299, 1, 0, 0)) == "over 99% (299 of 300)"
    assert shown_rate(Result(1, 299, 0, 0)) == "under 1% (1 of 300)"
    assert shown_rate(Result(298, 2, 0, 0)) == "99% (298 of 300)"
