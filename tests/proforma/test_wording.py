"""Labels inside a sentence keep the letters of an abbreviation."""

import pytest

from consult.proforma.wording import beginning, inside


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("Spinal on-call advice", "spinal on-call advice"),
        ("A red flag", "a red flag"),
        ("GP or urgent care", "GP or urgent care"),
        ("A4", "A4"),
        ("X-ray", "X-ray"),
        ("N", "n"),
        ("", ""),
    ],
)
def test_a_label_inside_a_sentence(label, said):
    assert inside(label) == said


def test_words_at_the_beginning_of_a_sentence():
    assert (beginning("may leave the provider"), beginning("")) == ("May leave the provider", "")
