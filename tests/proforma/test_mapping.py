"""Every row of the mapping of questions to the audit: group, level in each situation, gate, gesture, barrier, fields.

The tables below are written from the words of the mapping, not from proforma.toml: a question that goes, or whose
group, level or gesture changes, fails here by the name it has in the mapping.
"""

import itertools
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consult.audit.case import case_fields
from consult.proforma.path import blank_emergencies, group_state, holding, rest_of

HELD = ("present", "unsure", "declined")
OPEN = (None, "unsure", "declined")

C = {
    "C1": "bladder_emptying_change",
    "C2": "bladder_feeling_change",
    "C3": "new_leaking_or_pads",
    "C4": "saddle_feeling_change",
    "C5": "bowel_control_change",
    "C6": "sexual_function_change",
    "C7": "both_legs_affected",
}
N1, N2, V5 = "one_leg_weakness", "spreading_numbness_or_weakness", "cord_signs"
F1, F2, F3 = "major_injury", "minor_injury_thin_bones", "long_steroid_course"
F4A, F4B, F4C = "new_stoop_or_height_loss", "sudden_severe_central_pain", "midline_bony_tenderness"
M1, M4 = "cancer_ever", "weight_loss_sweats_off_food"
M2A, M2B, M2C, M2D = "upper_back_pain", "constant_or_worsening_pain", "night_pain", "worse_on_straining"
I1, I2A, I2B, I2C = "fever_or_very_ill", "weak_immunity", "diabetes_or_dialysis", "injected_drugs"
O1, SEVERE = "hopelessness_or_self_harm", "bone_pain_severe"
M3_RULE = [C["C1"], C["C2"], C["C3"], C["C4"], C["C5"], C["C7"], N1, N2, V5]
"""The answers of which any one with M1 shows the cord-compression text (the rule M3)."""

IF_M1 = "M1 is not absent"
IF_IMMUNE = "F3 or I2 is not absent"


@dataclass(frozen=True)
class Row:
    """One row: its question, groups, the level alone, and by which second answers the level is higher."""

    id: str
    primary: str = ""
    plus: tuple[str, ...] = ()
    level: str = "none"
    higher: dict[str, list[str]] = field(default_factory=dict)
    gate: str = ""
    one_by_one: str = ""
    examination: bool = False


def cauda(ref):
    return Row(C[ref], "rf_cauda_equina", level="U0", gate="yes", one_by_one="yes")


def pattern(question):
    return Row(question, "rf_pattern", level="U2", higher={"U1": [M1]}, gate="if", one_by_one=IF_M1)


def immune(question, *unwell):
    return Row(question, "rf_immune", level="U2", higher={"U1": list(unwell)}, gate="if", one_by_one=IF_IMMUNE)


RED_FLAGS = {
    **{ref: cauda(ref) for ref in C},
    "N1": Row(N1, "rf_neurology", ("neuro_symptoms",), "U1", {"U0": ["one_leg_weakness_severe"]}, "yes", "yes"),
    "N2": Row(N2, "rf_neurology", ("neuro_symptoms",), "U1", {}, "yes", "yes"),
    "V5": Row(
        V5,
        "rf_neurology",
        (),
        "U1",
        {"U0": ["cord_signs_severe", C["C1"], C["C2"], C["C3"], C["C5"], M1]},
        "yes",
        "yes",
    ),
    "F1": Row(F1, "rf_trauma", (), "U0", {}, "yes", "yes"),
    "F2": Row(F2, "rf_trauma", (), "U2", {"U1": [SEVERE, *M3_RULE]}, "if"),
    "F3": Row(F3, "rf_immune", (), "none", {"U2": [F2, F4A, F4B, F4C]}),
    "F4a": Row(F4A, "rf_deformity", (), "U2", {"U1": [SEVERE]}, "if"),
    "DF1": Row("other_new_deformity", "rf_deformity", (), "U2"),
    "F4b": Row(F4B, "rf_pattern", ("rf_trauma",), "U2", {"U1": [SEVERE]}, "if"),
    "F4c": Row(F4C, "", ("rf_pattern",), "U2", {"U1": ["midline_tenderness_severe", M1]}, "if", "", True),
    "F5": Row("injury_happened_at_work", one_by_one="yes"),
    "M1": Row(M1, "rf_cancer", (), "U2", {"U1": [M2A, M2B, M2C, M2D], "U0": M3_RULE}, "if", "yes"),
    "M2a": pattern(M2A),
    "M2b": pattern(M2B),
    "M2c": pattern(M2C),
    "M2d": Row(M2D, "", ("rf_pattern",), "none", {"U1": [M1]}, "if", IF_M1),
    "M4": Row(M4, "rf_systemic", (), "U2", {"U1": [M1]}, "if", IF_M1),
    "AG1": Row("first_back_pain_under_20_or_over_55", "rf_age"),
    "I1": Row(I1, "rf_systemic", (), "U1", {"U0": ["signs_of_sepsis", *M3_RULE]}, "yes", "yes"),
    "I2a": immune(I2A, I1, M2B, M2C),
    "I2b": immune(I2B, I1, M2B, M2C),
    "I2c": immune(I2C, I1, M2B, M2C),
    "I3": immune("recent_infection_or_procedure", I1, M2B, M2C),
    "I4": immune("tuberculosis_or_contact", I1, M4),
    "S0": Row("long_lasting_began_before_45"),
    "V1 with V2": Row("sudden_severe_pain_or_collapse", level="U0", gate="yes", one_by_one="yes"),
    "V3": Row("blood_in_urine_or_loin_pain", level="U1", gate="yes", one_by_one="yes"),
    "V4": Row("pregnant_or_might_be", one_by_one="yes"),
    "O1": Row(O1, "", ("yf_mood",), "U1", {"U0": ["self_harm_intent_or_plan"]}, "yes", "yes"),
    "X1": Row(
        "exam_significant_deficit",
        "",
        ("rf_neurology",),
        "U1",
        {"U0": ["exam_deficit_both_sides"]},
        "yes",
        "yes",
        True,
    ),
    "tone, plantars, gait": Row("exam_upper_motor_sign", "", ("rf_neurology",), "U1", {}, "yes", "yes", True),
    "S2 to S4": Row("saddle_examination_abnormal", "", ("rf_cauda_equina",), "U0", {}, "yes", "yes", True),
    "something else worries me": Row("something_else_worries", one_by_one="yes"),
}

NO_TO_THE_REST = ["F2", "F3", "F4a", "F4b", "DF1", "M2a", "M2b", "M2c", "M4", "I2a", "I2b", "I2c", "I3", "I4", "AG1"]


@dataclass(frozen=True)
class Flag:
    """One row of the yellow, blue and black flags."""

    id: str
    primary: str = ""
    plus: str = ""
    barriers: tuple[str, ...] = ()


FLAGS = {
    "Y-A1": Flag("harm_belief", "yf_belief", "", ("own_fear_or_belief",)),
    "Y-A2 concern": Flag("return_expectation_concern", "", "yf_belief", ("own_fear_or_belief",)),
    "Y-B1": Flag("stopped_activities", "yf_fear", "", ("own_fear_or_belief",)),
    "Y-B2 sleep": Flag("poor_sleep", "", "", ("other_health",)),
    "Y-B2 alcohol": Flag("rising_alcohol", "", "", ("other_health",)),
    "Y-B2 medicines": Flag("medicines_problem", "", "", ("other_health",)),
    "Y-C1": Flag("claim_or_grievance", "", "", ("claim_or_dispute",)),
    "Y-D1a": Flag("conflicting_or_frightening_advice", "", "yf_belief", ("other",)),
    "Y-D1b": Flag("waiting_for_scan_or_cure", "", "yf_passive", ("treatment_delay",)),
    "Y-P1": Flag("passive_expectation", "yf_passive"),
    "Y-E1": Flag("low_mood", "yf_mood", "", ("other_health",)),
    "Y-F1": Flag("people_at_home_hinder", "", "yf_fear", ("travel_or_home",)),
    "B-1": Flag("work_will_harm", "", "yf_fear", ("own_fear_or_belief",)),
    "B-2": Flag("job_demands_too_high", "", "", ("physical_demands",)),
    "B-3": Flag("manager_or_team_difficulty", "", "", ("manager_or_team",)),
    "B-4": Flag("job_dissatisfaction_or_stress", "", "", ("other", "manager_or_team")),
    "K-1": Flag("policy_blocks_return", "", "", ("no_modified_work",)),
    "K-2": Flag("money_or_contract_hinders", "", "", ("other",)),
    "K-3": Flag("service_delay", "", "", ("treatment_delay",)),
    "K-4": Flag("travel_or_caring_hinders", "", "", ("travel_or_home",)),
}
AREAS = [
    "sleep_alcohol_medicines",
    "claim_or_grievance",
    "advice_and_tests",
    "people_at_home",
    "work_harming",
    "job_demands",
    "manager_and_team",
    "feelings_about_job",
    "rules_at_work",
    "money_and_contract",
    "waiting_for_service",
    "travel_and_caring",
]
BARRIERS_OF_W = {
    "physical_demands": [1, 2],
    "own_fear_or_belief": [3, 4, 13],
    "manager_or_team": [5, 6],
    "no_modified_work": [8],
    "travel_or_home": [10, 14],
    "treatment_delay": [11],
    "other_health": [12, 15],
    "other": [7, 9, 16],
}

# Where every finding is a No, the legs hurt on one side, mood is low, the legs were examined and all areas are open:
# every question is on the path as far as it can be, and no text shows but that of mood's own sub-question (absent).
SETTING = {
    "leg_symptoms": ["pain"],
    "low_mood": "present",
    "neuro_examination": "done",
    "areas_to_explore": AREAS,
    "return_expectation": 3,
}


@pytest.fixture(scope="module")
def quiet(back_pain):
    findings = {q.id: "absent" for q in back_pain.proforma.questions if q.kind == "finding"}
    return findings | SETTING


@pytest.fixture(scope="module")
def case(back_pain, say):
    def fields(facts=(), mode="live", **words):
        return case_fields(back_pain, say(words), facts, {"capture_mode": mode})

    return fields


# ---------------------------------------------------------------- which questions there are, and what each counts for


@pytest.mark.parametrize("ref", [*RED_FLAGS, *FLAGS])
def test_a_row_of_the_mapping_is_a_question(back_pain, ref):
    row = {**RED_FLAGS, **FLAGS}[ref]
    question = back_pain.proforma.by_id[row.id]
    assert (question.ref, question.kind, question.retired) == (ref, "finding", False)


def test_the_other_questions_of_the_mapping_are_there(back_pain):
    by_ref = {q.ref: (q.id, q.kind) for q in back_pain.proforma.questions}
    assert by_ref["C7b"] == ("both_legs_what", "choices")
    assert {q.kind for q in back_pain.proforma.questions if q.ref == "C8"} == {"choice"}
    assert by_ref["C9"] == ("cauda_equina_other_explanation", "text")
    assert by_ref["S1 to S9"] == ("axial_features", "choices")
    assert by_ref["N0"] == ("neuro_examination", "choice")
    assert by_ref["BAR-0"] == ("anything_in_the_way_of_work", "finding")
    assert by_ref["Y-A2"] == ("return_expectation", "number")
    assert by_ref["legs"] == ("leg_symptoms", "choices")
    assert {"L2 to S1 power", "L2 to S1 reflex", "L2 to S1 touch", "straight-leg raise, femoral stretch"} <= set(by_ref)


def test_each_group_has_exactly_the_items_of_the_mapping(back_pain):
    expected = {
        ("both_legs_what", "rf_neurology", "plus"),
        ("both_legs_what", "leg_pain", "plus"),
        ("both_legs_what", "neuro_symptoms", "plus"),
        ("leg_symptoms", "leg_pain", "primary"),
        ("leg_symptoms", "neuro_symptoms", "primary"),
    }
    for row in RED_FLAGS.values():
        expected |= {(row.id, row.primary, "primary")} if row.primary else set()
        expected |= {(row.id, group, "plus") for group in row.plus}
    for flag in FLAGS.values():
        expected |= {(flag.id, flag.primary, "primary")} if flag.primary else set()
        expected |= {(flag.id, flag.plus, "plus")} if flag.plus else set()
    found = {(q.id, c.group, c.as_) for q in back_pain.proforma.questions for c in q.counts}
    assert found == expected


# ---------------------------------------------------------------- levels, the gate, the gesture

SECOND = [
    (ref, level, second)
    for ref, row in RED_FLAGS.items()
    for level, seconds in row.higher.items()
    for second in seconds
]


@pytest.mark.parametrize("ref", RED_FLAGS)
def test_the_level_of_a_row_alone(on_path, quiet, ref):
    row = RED_FLAGS[ref]
    for state in HELD:
        path = on_path(quiet | {row.id: state, **({F2: "present"} if ref == "F5" else {})})
        assert row.id in path
        assert path.level(row.id) == row.level, state
        assert (row.id in [q.id for q in holding(path)]) == (row.level in ("U0", "U1"))
    for state in ("absent", "not_asked", None):
        assert on_path(quiet | {row.id: state}).level(row.id) == "none"


@pytest.mark.parametrize(("ref", "level", "second"), SECOND)
def test_a_second_answer_raises_the_level_and_so_does_one_that_is_open(on_path, quiet, ref, level, second):
    row = RED_FLAGS[ref]
    for state, second_state in itertools.product(HELD, ("present", *OPEN)):
        path = on_path(quiet | {row.id: state, second: second_state})
        assert path.level(row.id) == level, (state, second_state)
    lowest = on_path(quiet | {row.id: "present", second: "absent"}).level(row.id)
    assert lowest == row.level


@pytest.mark.parametrize("ref", RED_FLAGS)
def test_the_gate_of_a_row(back_pain, ref):
    row = RED_FLAGS[ref]
    levels = {panel.level for panel in back_pain.proforma.by_id[row.id].panels} - {"none"}
    assert levels == {level for level in (row.level, *row.higher) if level != "none"}
    urgent = levels & {"U0", "U1"}
    holds_always = bool(urgent) and row.level in ("U0", "U1")
    assert row.gate == ("yes" if holds_always else "if" if urgent else "")


def test_u0_questions_to_the_employee_that_are_blank_hold_the_gate(on_path):
    assert {q.id for q in blank_emergencies(on_path({}))} == {*C.values(), F1, "sudden_severe_pain_or_collapse"}
    for question in (*C.values(), F1):
        for state in (*HELD, "absent", "not_asked"):
            assert question not in {q.id for q in blank_emergencies(on_path({question: state}))}


def test_only_rows_of_the_mapping_have_a_level(back_pain):
    levelled = {q.id for q in back_pain.proforma.questions if {p.level for p in q.panels} - {"none"}}
    assert levelled == {r.id for r in RED_FLAGS.values() if r.level != "none" or r.higher} | {"axial_features"}


def test_sexual_function_alone_leaves_the_choice_of_level_to_the_clinician(on_path, quiet):
    alone = on_path(quiet | {C["C6"]: "present"}).panel(C["C6"])
    assert "the clinician chooses" in alone.text
    assert alone.route == ("emergency_department", "spinal_on_call")
    for other in set(C.values()) - {C["C6"]}:
        for state in ("present", *OPEN):
            assert on_path(quiet | {C["C6"]: "present", other: state}).panel(C["C6"]) != alone


def test_what_it_is_in_both_legs_changes_the_text_and_never_the_level(on_path, quiet):
    texts = {}
    for what in (["weak"], ["numb"], ["tingling"], ["pain"], ["pain", "weak"], "unsure", "declined", None):
        path = on_path(quiet | {C["C7"]: "present", "both_legs_what": what})
        texts[str(what)] = path.panel(C["C7"]).text
        assert path.level(C["C7"]) == "U0"
    mild = {texts["['tingling']"], texts["['pain']"]}
    assert len(mild) == 1
    assert all(text not in mild for what, text in texts.items() if what not in ("['tingling']", "['pain']"))


@pytest.mark.parametrize("onset", ["today_or_yesterday", "within_14_days", "longer", "unsure"])
@pytest.mark.parametrize("trend", ["worse", "same", "better", "declined"])
def test_onset_trend_and_explanation_never_lower_a_level(on_path, quiet, onset, trend):
    beside = {
        "cauda_equina_onset": onset,
        "cauda_equina_trend": trend,
        "cauda_equina_other_explanation": "since birth",
    }
    for question in C.values():
        path = on_path(quiet | {question: "present", **beside})
        assert path.level(question) == "U0"
        assert set(beside) <= {q.id for q in path.questions()}
        assert group_state(path, "rf_cauda_equina") == "present"


@pytest.mark.parametrize("second", M3_RULE)
def test_past_cancer_with_a_deficit_shows_the_cord_compression_route_and_no_question_of_its_own(
    back_pain, on_path, quiet, second
):
    for state in HELD:
        panel = on_path(quiet | {M1: state, second: "present"}).panel(M1)
        assert (panel.level, panel.route) == ("U0", ("cord_compression",))
    assert "M3" not in {q.ref for q in back_pain.proforma.questions}


@pytest.mark.parametrize("tick", ["began_before_35", "psoriasis_ever", "close_relative_with_it"])
def test_axial_features_are_routine_and_never_counted(on_path, quiet, tick):
    opened = quiet | {"long_lasting_began_before_45": "present"}
    one = on_path(opened | {"axial_features": [tick]})
    every = on_path(
        opened
        | {"axial_features": ["began_before_35", "buttock_pain", "arthritis_ever", "enthesitis_ever", "psoriasis_ever"]}
    )
    assert one.panel("axial_features") == every.panel("axial_features")
    assert one.level("axial_features") == "U3"
    assert on_path(opened | {"axial_features": ["none_of_these"]}).level("axial_features") == "none"
    assert "axial_features" not in on_path(quiet | {"axial_features": [tick]})


@pytest.mark.parametrize("ref", RED_FLAGS)
def test_what_is_asked_one_by_one(back_pain, ref):
    row, question = RED_FLAGS[ref], back_pain.proforma.by_id[RED_FLAGS[ref].id]
    if not row.examination:
        assert question.one_by_one == (row.one_by_one == "yes")
    assert question.examination == row.examination
    assert (question.one_by_one_if is not None) == (row.one_by_one in (IF_M1, IF_IMMUNE))


def test_every_neurological_item_flag_and_detail_is_asked_one_by_one(back_pain):
    in_gesture = {q.id for b in back_pain.proforma.blocks if b.rest for q in back_pain.proforma.in_block(b.id)}
    fillable = {q for q in in_gesture if not back_pain.proforma.by_id[q].one_by_one}
    assert fillable == {RED_FLAGS[ref].id for ref in [*NO_TO_THE_REST, "M2d"]}
    assert not fillable & {flag.id for flag in FLAGS.values()}


REST = "rest_of_red_flags"


def resting(path):
    return {q.id for q in rest_of(path, path.proforma.block(REST))}


def test_no_to_the_rest_fills_exactly_the_items_of_the_ordinary_consultation(on_path):
    assert resting(on_path({M1: "absent"})) == {RED_FLAGS[ref].id for ref in NO_TO_THE_REST}


@pytest.mark.parametrize("cancer", [None, "present", "unsure", "declined", "not_asked"])
def test_with_cancer_not_absent_its_items_are_asked_one_by_one(on_path, cancer):
    conditional = {row.id for row in RED_FLAGS.values() if row.one_by_one == IF_M1}
    assert conditional == {M2A, M2B, M2C, M2D, M4}
    assert not resting(on_path({M1: cancer})) & conditional


@pytest.mark.parametrize("state", [*HELD, "not_asked"])
@pytest.mark.parametrize("first", [F3, I2A, I2B, I2C])
def test_with_steroids_or_weak_immunity_the_infection_items_are_asked_one_by_one(on_path, first, state):
    conditional = {row.id for row in RED_FLAGS.values() if row.one_by_one == IF_IMMUNE}
    assert not resting(on_path({M1: "absent", first: state})) & conditional
    assert resting(on_path({M1: "absent", first: "absent"})) >= conditional - {first}


# ---------------------------------------------------------------- groups: the oracle is the mapping's own sentence

STATES = (None, "present", "absent", "unsure", "declined", "not_asked")


def primaries_of(group):
    return [row.id for row in [*RED_FLAGS.values(), *FLAGS.values()] if row.primary == group]


def is_present(words, *questions):
    return any(words.get(q) == "present" for q in questions)


def both_legs(words, *codes):
    what = words.get("both_legs_what")
    return words.get(C["C7"]) in HELD and isinstance(what, list) and bool(set(codes) & set(what))


def plus_of(group, words):
    """Whether a + item makes the group present, in the words of the mapping.

    A present examination finding counts even where N0 has since been changed: an urgent item never parks.
    """
    if group == "rf_cauda_equina":
        return is_present(words, "saddle_examination_abnormal")
    if group == "rf_neurology":
        signs = is_present(words, "exam_significant_deficit", "exam_upper_motor_sign")
        return both_legs(words, "weak", "numb") or signs
    if group == "rf_trauma":
        return is_present(words, F4B) and is_present(words, F1, F2)
    if group == "rf_pattern":
        return is_present(words, F4C) or (is_present(words, M2D) and is_present(words, M1))
    return False


def oracle(group, words):
    primaries = [q for q in primaries_of(group) if q != N2 or n2_is_on_path(words)]
    states = [words.get(q) for q in primaries]
    if "present" in states or plus_of(group, words):
        return "present"
    if states and all(state == "absent" for state in states):
        return "absent"
    if all(state in ("absent", "unsure", "declined") for state in states):
        return "unable"
    return "not_asked" if any(states) else ""


def n2_is_on_path(words):
    legs = words.get("leg_symptoms") or []
    return "neither" not in legs or words.get(N1) != "absent" or words.get(N2) in HELD


GROUPS = [
    "rf_cauda_equina",
    "rf_neurology",
    "rf_trauma",
    "rf_cancer",
    "rf_systemic",
    "rf_immune",
    "rf_pattern",
    "rf_age",
    "rf_deformity",
]
YELLOW = ["yf_belief", "yf_fear", "yf_mood", "yf_passive"]


@pytest.mark.parametrize("group", [g for g in [*GROUPS, *YELLOW] if len(primaries_of(g)) <= 3])
def test_every_combination_of_states_of_a_small_group(on_path, group):
    primaries = primaries_of(group)
    for states in itertools.product(STATES, repeat=len(primaries)):
        words = dict(zip(primaries, states, strict=True))
        assert group_state(on_path(words), group) == oracle(group, words), words


ITEMS = sorted(
    {row.id for row in RED_FLAGS.values() if row.primary or row.plus} - {O1} | {"long_lasting_began_before_45"}
)


@settings(max_examples=400)
@given(
    words=st.fixed_dictionaries(
        {
            # Mostly No, so that whole groups come out absent or unable as often as present.
            **{q: st.one_of(st.just("absent"), st.sampled_from(STATES)) for q in ITEMS},
            "leg_symptoms": st.sampled_from([None, ["neither"], ["pain"], ["pins_or_numbness"]]),
            "neuro_examination": st.sampled_from([None, "done", "not_done_other"]),
            "both_legs_what": st.sampled_from([None, ["weak"], ["numb"], ["pain"], ["tingling"], "unsure"]),
        }
    ),
    spoiled=st.sampled_from([None, *GROUPS]),
)
def test_every_group_of_random_answers(on_path, words, spoiled):
    if spoiled:  # one group with no present item at all, so that absent and unable are met in the large groups too
        words = words | {q: "absent" if words[q] == "present" else words[q] for q in primaries_of(spoiled)}
    path = on_path(words)
    assert {g: group_state(path, g) for g in GROUPS} == {g: oracle(g, words) for g in GROUPS}


@pytest.mark.parametrize("group", ["rf_cauda_equina", "rf_immune", "rf_pattern"])
def test_every_pair_of_states_in_a_large_group_of_which_the_rest_is_absent(on_path, group):
    primaries = primaries_of(group)
    assert len(primaries) >= 4
    for pair in itertools.combinations(primaries, 2):
        for states in itertools.product(STATES, repeat=2):
            words = dict.fromkeys(primaries, "absent") | dict(zip(pair, states, strict=True))
            assert group_state(on_path(words), group) == oracle(group, words), words


@pytest.mark.parametrize(
    ("legs", "leg_pain", "neuro_symptoms"),
    [
        (None, "", ""),
        (["neither"], "absent", "absent"),
        (["pain"], "present", "absent"),
        (["pins_or_numbness"], "absent", "present"),
        (["pain", "pins_or_numbness"], "present", "present"),
        ("unsure", "unable", "unable"),
        ("declined", "unable", "unable"),
        ("not_asked", "not_asked", "not_asked"),
    ],
)
def test_leg_pain_and_nerve_symptoms_come_from_their_own_question(on_path, legs, leg_pain, neuro_symptoms):
    path = on_path({"leg_symptoms": legs})
    assert (group_state(path, "leg_pain"), group_state(path, "neuro_symptoms")) == (leg_pain, neuro_symptoms)


@pytest.mark.parametrize(
    ("words", "leg_pain", "neuro_symptoms"),
    [
        ({C["C7"]: "present", "both_legs_what": ["pain"]}, "present", "absent"),
        ({C["C7"]: "present", "both_legs_what": ["tingling"]}, "absent", "present"),
        ({C["C7"]: "present", "both_legs_what": ["weak"]}, "absent", "present"),
        ({C["C7"]: "absent", "both_legs_what": ["pain", "weak"]}, "absent", "absent"),
        ({N1: "present"}, "absent", "present"),
        ({N1: "unsure", N2: "present"}, "absent", "present"),
        ({"neuro_examination": "done", "exam_power_reduced": ["big_toe_extension_left"]}, "absent", "absent"),
        ({"neuro_examination": "done", "exam_significant_deficit": "present"}, "absent", "absent"),
    ],
)
def test_other_answers_add_to_the_leg_groups_but_an_examination_never_does(on_path, words, leg_pain, neuro_symptoms):
    path = on_path({"leg_symptoms": ["neither"], **words})
    assert (group_state(path, "leg_pain"), group_state(path, "neuro_symptoms")) == (leg_pain, neuro_symptoms)


@pytest.mark.parametrize("state", [None, "absent", "unsure", "declined", "not_asked"])
def test_a_saddle_examination_that_is_normal_or_not_done_never_counts(on_path, quiet, state):
    for history, group in ((dict.fromkeys(C.values(), "absent"), "absent"), ({C["C4"]: "unsure"}, "unable")):
        path = on_path(quiet | history | {"saddle_examination_abnormal": state})
        assert group_state(path, "rf_cauda_equina") == group


@pytest.mark.parametrize(("parent", "words", "group"), [
    ("return_expectation_concern", {"return_expectation_concern": "present"}, "yf_belief"),
    ("Y-D1a", {"conflicting_or_frightening_advice": "present", "advice_was_frightening": "present"}, "yf_belief"),
    ("Y-D1b", {"waiting_for_scan_or_cure": "present"}, "yf_passive"),
    ("Y-F1", {"people_at_home_hinder": "present", "home_protective_view_shared": "present"}, "yf_fear"),
    ("B-1", {"work_will_harm": "present"}, "yf_fear"),
    ("O1", {O1: "present"}, "yf_mood"),
])  # fmt: skip
def test_what_adds_to_a_yellow_group(on_path, quiet, parent, words, group):
    unsure_mood = quiet | {"low_mood": "unsure"}
    assert group_state(on_path(unsure_mood), group) in ("absent", "unable")
    assert group_state(on_path(unsure_mood | words), group) == "present"
    if len(words) == 2:  # the plus item alone, without its condition
        first, second = words
        assert group_state(on_path(unsure_mood | {first: "present", second: "absent"}), group) == "absent"
        assert group_state(on_path(unsure_mood | {first: "present", second: None}), group) == "absent"


def test_an_expectation_never_becomes_a_flag_by_its_number(on_path, quiet):
    for number in range(11):
        words = quiet | {"return_expectation": number, "return_expectation_concern": None}
        assert group_state(on_path(words), "yf_belief") == "absent"


# ---------------------------------------------------------------- barriers


def ticks_for(question, back_pain):
    options = back_pain.proforma.by_id["flags_in_the_way_of_work"].options
    return {o.code: o.adds["barriers"] for o in options if o.show_if and o.show_if.question == question}


@pytest.mark.parametrize("ref", FLAGS)
def test_a_flag_becomes_a_barrier_only_with_the_clinicians_tick(back_pain, case, quiet, ref):
    flag = FLAGS[ref]
    ticks = ticks_for(flag.id, back_pain)
    assert tuple(code for codes in ticks.values() for code in codes) == flag.barriers
    words = quiet | {"low_mood": "absent", "anything_in_the_way_of_work": "declined"}
    assert case(**words | {flag.id: "present"})["barriers"] == ""
    for tick, codes in ticks.items():
        ticked = words | {"flags_in_the_way_of_work": [tick]}
        assert case(**ticked | {flag.id: "present"})["barriers"] == ";".join(codes)
        for state in ("absent", "unsure", "declined", "not_asked", None):
            assert case(**ticked | {flag.id: state})["barriers"] == ""


def test_each_barrier_of_the_work_list_has_its_code(back_pain, case):
    found = {}
    for option in back_pain.proforma.by_id["work_barriers"].options:
        number = int(re.search(r"\(W(\d+)\)", option.label).group(1))
        ticked = case(anything_in_the_way_of_work="present", work_barriers=[option.code])["barriers"]
        found.setdefault(ticked, []).append(number)
    assert {code: sorted(numbers) for code, numbers in found.items()} == BARRIERS_OF_W


@pytest.mark.parametrize(
    ("state", "asked"),
    [
        ("present", "yes"),
        ("absent", "yes"),
        ("unsure", "yes"),
        ("declined", "yes"),
        ("not_asked", "no"),
        (None, "not_recorded"),
    ],
)
def test_barriers_are_asked_only_by_the_barrier_question(case, quiet, state, asked):
    words = quiet | {"anything_in_the_way_of_work": state, "flags_in_the_way_of_work": ["low_mood"]}
    assert case(**words)["barriers_asked"] == asked


def test_barriers_are_none_only_where_none_is_said_and_none_is_ticked(case, quiet):
    none = quiet | {"anything_in_the_way_of_work": "absent"}
    assert case(**none)["barriers"] == "none"
    assert case(**none | {"flags_in_the_way_of_work": ["low_mood"]})["barriers"] == "other_health"
    assert case(**quiet | {"anything_in_the_way_of_work": None})["barriers"] == ""
    assert case(**quiet | {"anything_in_the_way_of_work": "declined"})["barriers"] == ""


# ---------------------------------------------------------------- fields, facts and what never leaves


def test_live_capture_never_sets_the_three_statements_of_old_notes(back_pain, case, quiet):
    three = ("rf_overall", "yf_overall", "yf_overall_result")
    filled = case(**quiet | {C["C1"]: "present", "harm_belief": "present"})
    assert [filled[name] for name in three] == ["", "", ""]
    assert all(back_pain.dataset.by_name[name].never_live for name in three)
    setters = [o.sets for q in back_pain.proforma.questions for o in q.options]
    setters += [s for q in back_pain.proforma.questions for s in q.sets.values()]
    assert not [name for s in setters for name in s if name in three]


@pytest.mark.parametrize(("facts", "form"), [
    ((), ""),
    (("leaflet_given_printed",), "printed_leaflet"),
    (("leaflet_given_link",), "link"),
    (("leaflet_given_link", "leaflet_given_printed"), "printed_leaflet;link"),
    (("leaflet_printed",), ""),
])  # fmt: skip
def test_a_leaflet_counts_when_given_not_when_printed(case, facts, form):
    assert case(facts)["info_form"] == form


@pytest.mark.parametrize(("facts", "types", "said"), [
    (("report_with_adjustments",), ["altered_hours"], "yes"),
    ((), ["altered_hours"], "no"),
    ((), ["not_indicated"], ""),
    ((), None, ""),
])  # fmt: skip
def test_adjustments_are_in_written_advice_only_by_a_finalised_report(case, facts, types, said):
    assert case(facts, adjustment_types=types)["adjustments_in_written_advice"] in (said, said or "not_recorded")


@pytest.mark.parametrize(
    "code", ["same_day_emergency", "urgent_referral", "gp_letter", "discussed_senior", "other", "none"]
)
def test_a_decision_is_a_red_flag_action(back_pain, case, code):
    assert code in back_pain.proforma.decisions
    assert case((f"decision:{code}",))["rf_action"] == code
    assert case((), **{C["C1"]: "present", "red_flag_action": [code]})["rf_action"] == code


@pytest.mark.parametrize("code", ["same_day_emergency", "urgent_referral", "gp_letter", "discussed_senior", "other"])
def test_no_action_on_one_answer_stands_only_where_nothing_was_done_about_another(case, code):
    assert case(("decision:none", f"decision:{code}"))["rf_action"] == code


def test_the_decisions_offered_are_the_actions_of_the_data_set(back_pain):
    assert tuple(back_pain.proforma.decisions) == back_pain.dataset.by_name["rf_action"].options


@pytest.mark.parametrize("ref", [ref for ref in RED_FLAGS if ref not in ("F5", "V4", "S0")])
def test_the_clinicians_conclusion_is_asked_once_a_red_flag_is_not_absent(on_path, quiet, ref):
    asked = ("serious_pathology_suspected", "red_flag_action")
    question = RED_FLAGS[ref].id
    for state in HELD:
        assert set(asked) <= {q.id for q in on_path(quiet | {question: state}).questions()}
    for state in ("absent", "not_asked", None):
        assert not set(asked) & {q.id for q in on_path(quiet | {question: state}).questions()}


@pytest.mark.parametrize("ref", ["V1 with V2", "V3", "O1", "S0", "V4", "something else worries me", "F5"])
def test_rows_without_a_field_reach_no_red_flag_group(case, quiet, ref):
    before = case(**quiet)
    after = case(**quiet | {RED_FLAGS[ref].id: "present", "axial_features": ["began_before_35"]})
    changed = {name for name in before if before[name] != after[name]}
    assert changed <= ({"yf_mood"} if ref == "O1" else set())


def test_an_urgent_finding_without_a_field_reaches_the_case_by_the_clinicians_own_answers(case, quiet):
    words = quiet | {"sudden_severe_pain_or_collapse": "present"}
    own = {"serious_pathology_suspected": "yes", "red_flag_action": ["same_day_emergency"]}
    filled = case(**words | own)
    assert (filled["serious_pathology_suspected"], filled["rf_action"]) == ("yes", "same_day_emergency")
    parked = case(**quiet | own)
    assert (parked["serious_pathology_suspected"], parked["rf_action"]) == ("", "")


@pytest.mark.parametrize(("option", "field"), [
    ("done", "done"), ("not_done_no_leg_symptoms", "not_done"), ("not_done_other", "not_done"),
    ("not_possible_remote", "not_possible"), ("not_possible_declined", "not_possible"),
    ("not_possible_pain", "not_possible"),
])  # fmt: skip
def test_the_neurological_examination_fills_its_field(case, option, field):
    assert case(neuro_examination=option)["neuro_exam"] == field


def test_nothing_clinical_may_enter_a_report(back_pain):
    ticked = {q.id for q in back_pain.proforma.questions if q.report != "never"}
    never = {row.id for ref, row in RED_FLAGS.items() if ref != "F5"} | {flag.id for flag in FLAGS.values()}
    assert not ticked & never
    assert ticked & {q.id for q in back_pain.proforma.questions if q.kind == "arrangement"}
    tagged = set(back_pain.proforma.tagged("red_flag")) | set(back_pain.proforma.tagged("yellow_group"))
    assert not ticked & tagged


def test_an_answer_off_the_path_counts_for_nothing(case, quiet):
    words = quiet | {"neuro_examination": "not_possible_remote", "exam_upper_motor_sign": "absent"}
    assert case(**words)["rf_neurology"] == "absent"


ABOUT_WORK_AND_ADVICE = {
    *("pain_began_on", "work_status", "tasks_limited", "injury_happened_at_work", "work_cause_opinion", "cause_action"),
    *("activity_advice", "stay_or_return_advice", "adjustment_types", "fitness_for_work", "can_do_at_work"),
    "can_do_and_timescale",
    *("phased_return_plan", "altered_hours_plan", "amended_duties_plan", "workplace_adaptation_plan"),
    *("other_adjustment_plan", "told_mostly_settles", "told_work_matters", "told_body_and_mind_matter"),
    *("follow_up_date", "likely_timescale", "asked_of_health_and_safety"),
}


def test_only_what_is_about_work_and_advice_may_enter_a_report(back_pain):
    assert {q.id for q in back_pain.proforma.questions if q.report != "never"} <= ABOUT_WORK_AND_ADVICE


def test_every_finding_outside_the_gesture_is_one_by_one(back_pain):
    """Flags, examinations and details never go into a gesture, whichever block they are moved to."""
    others = {row.id for row in RED_FLAGS.values() if row.one_by_one != "yes" and not row.examination}
    for question in back_pain.proforma.questions:
        if question.kind == "finding" and question.id not in others:
            assert question.one_by_one, question.id
        if question.examination:
            assert question.one_by_one, question.id
    assert back_pain.proforma.by_id["neuro_examination"].one_by_one


def test_every_question_has_its_wording_a_spoken_prompt_and_a_source(back_pain):
    for question in back_pain.proforma.questions:
        assert question.ask, question.id
        assert question.say, question.id
        assert question.source, question.id


def test_every_level_has_its_kept_text(back_pain):
    for question in back_pain.proforma.questions:
        for panel in question.panels:
            assert len(panel.text.split()) >= 8, question.id
            assert panel.source or question.source, question.id
