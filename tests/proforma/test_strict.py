"""What content files are read into: each kind of fault is told with its place and with what to write instead."""

from datetime import date, time
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from consult.proforma.strict import DEEPEST, Faulty, Strict, read


class Leaf(Strict, frozen=True, kw_only=True):
    """A small table that checks how its keys go together."""

    is_: str | None = None
    at_least: int | None = None

    def __post_init__(self) -> None:
        """Refuse two tests."""
        if self.is_ is not None and self.at_least is not None:
            raise ValueError("a leaf has one test")


class Top(Strict, frozen=True, kw_only=True):
    """A table with something of every kind."""

    id: str
    number: int = 0
    share: float = 0.0
    yes: bool = False
    on: date | None = None
    kind: Literal["a", "b"] = "a"
    all_of: Literal["every"] | tuple[str, ...] | None = None
    leaves: tuple[Leaf, ...] = ()
    named: dict[str, Leaf] = {}
    words: Annotated[tuple[str, ...], Meta(min_length=1)] = ("a",)


FAULTS = {
    "an unknown key": ({"it": 1}, [(("it",), "this key is not known; remove it or correct its spelling")]),
    "the name that Python has for a key": (
        {"leaves": [{"is_": "a"}]},
        [(("leaves", 0, "is_"), "this key is not known; remove it or correct its spelling")],
    ),
    "a text for a number": (
        {"number": "3"},
        [(("number",), "write a whole number without quotation marks, not a text in quotation marks")],
    ),
    "a fraction for a whole number": (
        {"number": 3.5},
        [(("number",), "write a whole number without quotation marks, not a number without quotation marks")],
    ),
    "yes for a number": (
        {"number": True},
        [(("number",), "write a whole number without quotation marks, not true or false without quotation marks")],
    ),
    "a text for a share": (
        {"share": "55"},
        [(("share",), "write a number without quotation marks, not a text in quotation marks")],
    ),
    "a text for yes or no": (
        {"yes": "no"},
        [(("yes",), "write true or false without quotation marks, not a text in quotation marks")],
    ),
    "a number for a date": (
        {"on": 3},
        [(("on",), "write a date such as 2027-11-01, not a whole number without quotation marks")],
    ),
    "a word that is none of those": ({"kind": "c"}, [(("kind",), 'write one of "a", "b"')]),
    "a word that is neither that one nor a list": (
        {"all_of": "some"},
        [(("all_of",), 'write one of "every", or a list in square brackets')],
    ),
    "a time of day for a text": (
        {"id": time(7, 30)},
        [(("id",), "write a text in quotation marks, not a time of day")],
    ),
    "a number for a word": ({"kind": 1}, [(("kind",), 'write one of "a", "b"')]),
    "a date for a text": (
        {"id": date(2026, 1, 1)},
        [(("id",), "write a text in quotation marks, not a date such as 2027-11-01")],
    ),
    "one table for a list": (
        {"leaves": {}},
        [(("leaves",), "write a list in square brackets, not a table of its own")],
    ),
    "an empty list": ({"words": []}, [(("words",), "write a list in square brackets that holds at least 1")]),
    "keys that do not go together": (
        {"leaves": [{}, {"is": "a", "at_least": 1}]},
        [(("leaves", 1), "a leaf has one test")],
    ),
    "a fault in a table by name": (
        {"named": {"x": {"is": 1}}},
        [(("named", "x", "is"), "write a text in quotation marks, not a whole number without quotation marks")],
    ),
    "a fault in one of two kinds": (
        {"all_of": ["a", 1]},
        [(("all_of", 1), "write a text in quotation marks, not a whole number without quotation marks")],
    ),
    "several at once": (
        {"number": "3", "leaves": [{"is": 1, "at_least": "2"}], "kind": "c"},
        [
            (("number",), "write a whole number without quotation marks, not a text in quotation marks"),
            (("kind",), 'write one of "a", "b"'),
            (("leaves", 0, "is"), "write a text in quotation marks, not a whole number without quotation marks"),
            (("leaves", 0, "at_least"), "write a whole number without quotation marks, not a text in quotation marks"),
        ],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_with_its_place_and_what_to_write(fault):
    raw, told = FAULTS[fault]
    with pytest.raises(Faulty) as refused:
        read(Top, {"id": "x"} | raw)
    assert [(one.at, one.sentence) for one in refused.value.faults] == told


def test_a_missing_key_is_told():
    with pytest.raises(Faulty) as refused:
        read(Top, {})
    assert [(one.at, one.kind) for one in refused.value.faults] == [(("id",), "missing")]


def test_a_date_in_quotation_marks_is_one_unless_dates_are_natural():
    assert read(Top, {"id": "x", "on": "2026-01-02"}).on == date(2026, 1, 2)
    with pytest.raises(Faulty, match="write a date"):
        read(Top, {"id": "x", "on": "2026-01-02"}, (date,))
    assert read(Top, {"id": "x", "on": date(2026, 1, 2)}, (date,)).on == date(2026, 1, 2)


def test_what_was_read_cannot_be_changed():
    top = read(Top, {"id": "x"})
    with pytest.raises(AttributeError):
        top.id = "y"


def nested(depth):
    found = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("depth", [DEEPEST, 100_000])
def test_what_is_nested_too_deeply_is_refused_and_nothing_overflows(depth):
    with pytest.raises(Faulty, match="nested too deeply"):
        read(Top, {"id": "x", "words": nested(depth)})


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | st.dates(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.sampled_from(("is", "at_least", "x")), parts),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from((*Top.__struct_encode_fields__, "it")), plain))
def test_anything_is_either_read_or_refused_with_a_place_that_is_there(raw):
    faults = []
    try:
        assert read(Top, raw).id == raw["id"]
    except Faulty as refused:
        faults = refused.faults or [None]
    for fault in faults:
        assert fault is not None
        assert fault.sentence
        part = raw
        for step in fault.at[: -1 if fault.kind == "missing" else None]:
            part = part[step]
