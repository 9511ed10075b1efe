"""The quick form asks for every field of the data set, in words, with a key for each code and nothing chosen."""

from pathlib import Path

import pytest

from consult.exchange import entryform
from consult.exchange.entryform import EntryWords, form, parse_words
from consult.proforma.load import ContentError, read_text

CONTENT = Path(__file__).parents[2] / "proformas" / "back-pain"


@pytest.fixture
def shipped(back_pain):
    return form(parse_words(read_text(CONTENT / entryform.FILE), back_pain.dataset), back_pain.dataset)


def test_every_field_is_asked_for_once_and_all_its_codes_can_be_chosen(shipped, back_pain):
    names = [field.name for field in shipped.fields]
    assert sorted(names) == sorted(set(back_pain.dataset.by_name) - {"provider", "capture_mode"})
    for item in shipped.fields:
        assert {option.code for option in item.options} >= set(item.field.options)


def test_each_code_has_a_key_of_its_own_and_nothing_recorded_is_one_key_away(shipped):
    for item in shipped.fields:
        keys = [option.key for option in item.options]
        assert len(set(keys)) == len(keys)
        if item.field.type == "choice" and not item.field.required:
            assert item.options[-1].key == "0"
            assert item.options[-1].code in ("not_recorded", "")
        else:
            assert "0" not in keys


def test_labels_are_short_and_no_code_shows_through(shipped):
    for item in shipped.fields:
        assert len(item.label) <= 50
        for option in item.options:
            assert len(option.label) <= 22, option
            assert "_" not in option.label


def test_words_of_values(shipped):
    assert shipped.by_name["yf_action"].words("explained;early_review") == "Explained, Early review"
    assert shipped.by_name["sex"].words("") == "nothing recorded"


def test_without_a_file_the_form_names_fields_by_themselves(back_pain):
    plain = form(EntryWords(version=""), back_pain.dataset)
    assert [s.title for s in plain.sections] == ["The case"]
    assert plain.by_name["off_sick_today"].label == "Off sick today"


def test_a_field_that_the_file_forgets_stands_at_the_end(back_pain):
    text = 'version = "1"\n[[sections]]\nid = "a"\ntitle = "A"\nfields = [{ name = "sex", label = "Sex" }]'
    found = form(parse_words(text, back_pain.dataset), back_pain.dataset)
    assert [s.id for s in found.sections] == ["a", "more"]
    assert len(found.fields) == len(back_pain.dataset.fields) - 2


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ('{ name = "sex", label = "S" }, { name = "sex", label = "S" }', "twice"),
        ('{ name = "shoe_size", label = "S" }', "no field"),
        ('{ name = "provider", label = "S" }', "no field"),
        ('{ name = "sex", label = "S", labels = { f = "F" } }', "no code"),
        ('{ name = "sex", colour = "S" }', "colour"),
    ],
)
def test_a_wrong_file_is_refused_with_its_place(back_pain, fields, said):
    text = f'version = "1"\n[[sections]]\nid = "a"\ntitle = "A"\nfields = [{fields}]'
    with pytest.raises(ContentError, match=said):
        parse_words(text, back_pain.dataset)
