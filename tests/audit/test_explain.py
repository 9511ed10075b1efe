"""Explain this number: five groups that always add up to all cases."""

from hypothesis import given, settings
from test_breakdowns import batches, filled
from test_evaluators import fresh

from consult.audit.measures import OUTCOMES
from consult.audit.results import Selection, judged, results
from consult.audit.why import why


def test_the_five_groups_partition_the_cases(dataset, measures):
    conn = fresh(dataset)

    @settings(max_examples=40, deadline=None, print_blob=True)
    @given(batches(dataset))
    def partitioned(batch):
        written = {case["case_ref"] for case in filled(conn, dataset, batch)}
        selection = Selection(capture="retrospective")
        found = results(conn, measures, dataset, selection)
        excluded = {j.case.fields["case_ref"] for j in judged(conn, measures, dataset, selection) if j.excluded}
        assert len(excluded) == sum(found.excluded.values())
        for measure in measures.measures:
            groups = {"excluded": excluded}
            for outcome in OUTCOMES:
                behind = list(judged(conn, measures, dataset, selection, measure.id, outcome))
                groups[outcome] = {j.case.fields["case_ref"] for j in behind}
                assert len(groups[outcome]) == len(behind) == getattr(found.measures[measure.id], outcome)
                for one in behind:
                    assert why(measures, dataset, one.case.fields, measure.id).outcome == outcome
            assert sum(map(len, groups.values())) == len(written)
            assert set().union(*groups.values()) == written

    partitioned()
