"""What content files are read into: no unknown keys, no values of a wrong kind, and every fault told at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct, ValidationError, convert
from msgspec.structs import FieldInfo, fields

UNKNOWN: Final = "this key is not known; remove it or correct its spelling"
MISSING: Final = "this key is missing; add it"
DEEPEST: Final = 100
"""Tables and lists inside each other that a file may have: far more than anyone writes, and what can surely be read."""
TOO_DEEP: Final = "tables and lists are nested too deeply; write fewer of them inside each other"
KINDS: Final = {
    "str": "a text in quotation marks",
    "int": "a whole number without quotation marks",
    "float": "a number without quotation marks",
    "bool": "true or false without quotation marks",
    "date": "a date such as 2027-11-01",
    "datetime": "a date with a time",
    "time": "a time of day",
    "array": "a list in square brackets",
    "object": "a table of its own",
}
"""How each kind of value is written in TOML, by the name that a message of msgspec has for it."""

Place = tuple[str | int, ...]
S = TypeVar("S", bound="Strict")


def _as_written(name: str) -> str:
    """The key in a file for a name in Python, where `in`, `is` and their like need an underscore."""
    return name.rstrip("_")


class Strict(Struct, frozen=True, forbid_unknown_fields=True, dict=True, rename=_as_written):
    """Base of everything read from a content file: unknown keys are refused, nothing changes after loading.

    A class that checks how its fields go together does so in `__post_init__`, with a ValueError in a sentence.
    """


class Fault(Struct, frozen=True):
    """One thing wrong with what was read: its place as keys and numbers from the top, and what to write instead."""

    at: Place
    sentence: str
    kind: Literal["unknown", "missing", "wrong"] = "wrong"


class Faulty(Exception):
    """What was read is refused whole, with all its faults."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.sentence for fault in faults))
        self.faults = faults


def read(model: type[S], raw: object, natural: tuple[type, ...] = ()) -> S:
    """The model that plain dicts and lists describe; Faulty with every fault.

    Values of the `natural` types are not read from a text in quotation marks (a date is otherwise).
    """
    if _too_deep(raw):
        raise Faulty([Fault((), TOO_DEEP)])
    try:
        return convert(raw, model, builtin_types=natural)
    except ValidationError as error:
        raise Faulty(list(_faults(model, raw, (), natural))) from error


def _too_deep(raw: object) -> bool:
    level = [raw]
    for _ in range(DEEPEST):
        tables = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [part for table in tables for part in table]
    return bool(level)


def _faults(kind: Any, raw: object, at: Place, natural: tuple[type, ...]) -> Iterator[Fault]:
    """Every fault of a value that is to be of a kind; its own only where its parts have none."""
    fitting = _fitting(kind, raw)
    parts = _parts(fitting, raw)
    found = [fault for part, value, where in parts for fault in _faults(part, value, (*at, where), natural)]
    if _is_strict(fitting) and isinstance(raw, dict):
        found += _wrong_keys(fitting, raw, at)
    if found:
        yield from found
        return
    try:
        convert(raw, kind, builtin_types=natural)
    except ValidationError as error:
        yield Fault(at, _one_of(fitting) or _in_words(str(error)))


def _fitting(kind: Any, raw: object) -> Any:
    """Of a choice of kinds the one whose parts can be looked at, else the choice itself."""
    if get_origin(kind) not in (Union, UnionType):
        return kind
    kinds = [one for one in get_args(kind) if one is not type(None)]
    if len(kinds) == 1:
        return kinds[0]
    shape = tuple if isinstance(raw, list) else dict
    return next((one for one in kinds if (get_origin(one) or one) is shape), kind)


def _parts(kind: Any, raw: object) -> Iterator[tuple[Any, object, str | int]]:
    """The parts of a value that have a kind of their own: that kind, the part, and its key or number."""
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if _is_strict(kind) and isinstance(raw, dict):
        yield from ((f.type, raw[f.encode_name], f.encode_name) for f in _fields(kind) if f.encode_name in raw)
    elif get_origin(kind) is tuple and isinstance(raw, list):
        yield from ((get_args(kind)[0], value, number) for number, value in enumerate(raw))
    elif get_origin(kind) is dict and isinstance(raw, dict):
        yield from ((get_args(kind)[1], value, key) for key, value in raw.items())


@cache
def _fields(kind: type[Strict]) -> tuple[FieldInfo, ...]:
    """The fields of a class: to work them out reads its annotations anew, and takes longer than all else here."""
    return fields(kind)


def _is_strict(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Strict)


def _wrong_keys(kind: type[Strict], raw: dict[str, object], at: Place) -> list[Fault]:
    known = {field.encode_name: field for field in _fields(kind)}
    missing = [name for name, field in known.items() if name not in raw and _is_needed(field)]
    return [
        *(Fault((*at, name), MISSING, "missing") for name in missing),
        *(Fault((*at, name), UNKNOWN, "unknown") for name in raw if name not in known),
    ]


def _is_needed(field: FieldInfo) -> bool:
    return field.default is NODEFAULT and field.default_factory is NODEFAULT


def _one_of(kind: Any) -> str:
    """What may be written where only certain words may, or else a list; "" for any other kind."""
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    words = ", ".join(f'"{word}"' for one in kinds if get_origin(one) is Literal for word in get_args(one))
    or_a_list = f", or {KINDS['array']}" if any(get_origin(one) is tuple for one in kinds) else ""
    return f"write one of {words}{or_a_list}" if words else ""


def _in_words(message: str) -> str:
    """What a message of msgspec says, in the words of whoever writes the file; the sentence of a class as it is."""
    told = re.match(r"Expected `([^`]+)`(?:, got `(\w+)`)?(.*)", message)
    if told is None:
        return message
    expected = [KINDS.get(kind, kind) for kind in told[1].split(" | ") if kind != "null"]
    if not told[2]:
        return f"write {' or '.join(expected)}{told[3].replace('of length >=', 'that holds at least')}"
    return f"write {' or '.join(expected)}, not {KINDS.get(told[2], told[2])}"
