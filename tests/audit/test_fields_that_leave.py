"""Which fields of a case leave the provider is said in the data set, and nowhere else."""

from msgspec.structs import replace

from consult.audit import leaving


def test_the_data_set_keeps_the_clinician_and_the_words_of_staying_inside(dataset):
    names = [field.name for field in dataset.fields]
    assert [name for name in names if name not in leaving.fields(dataset)] == ["clinician_ref", "stay_reason"]


def test_any_field_marked_never_leaves_stays_inside_and_no_other(dataset):
    case = {field.name: f"the value of {field.name}" for field in dataset.fields}
    for marked in dataset.fields:
        fields = tuple(replace(field, never_leaves=field is marked) for field in dataset.fields)
        one_marked = replace(dataset, fields=fields)
        assert leaving.fields(one_marked) == [field.name for field in fields if field.name != marked.name]
        assert not any(marked.name in value.split() for value in leaving.of_case(case, one_marked))
