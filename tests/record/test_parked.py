"""A parked answer stays in the log and nowhere else: no case, no outcome, no numerator ever sees it."""

from hypothesis import given, settings
from hypothesis import strategies as st

from consult.audit.case import case_fields
from consult.audit.measures import outcomes
from consult.proforma.path import Path


def test_a_parked_answer_never_reaches_an_outcome(back_pain, national, some_answers):
    identity = {"case_ref": "1", "provider": "P", "capture_mode": "live", "clinician_role": "nurse"}

    @settings(max_examples=150, deadline=None, print_blob=True)
    @given(data=st.data())
    def same(data):
        answers = some_answers(data)
        path = Path(back_pain.proforma, answers)
        on = {q: a for q, a in answers.items() if q in path}
        whole, without = (case_fields(back_pain, some, (), identity) for some in (answers, on))
        assert whole == without
        assert outcomes(national, back_pain.dataset, whole) == outcomes(national, back_pain.dataset, without)

    same()
