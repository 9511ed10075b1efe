"""The form for cases from case notes, as entry.toml lays it out over the data set: sections, labels, one key a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Final

from msgspec import Struct

from consult.proforma.checks import Finding
from consult.proforma.dataset import Dataset, Field
from consult.proforma.load import parse, refuse_any
from consult.proforma.strict import Strict

FILE: Final = "entry.toml"
KEYS: Final = "123456789abcdefghijklmnopqrstuvwxyz"
NOTHING_KEY: Final = "0"
NOTHING: Final = ("not_recorded", "")
FIXED: Final = ("provider", "capture_mode")
"""The fields that the form itself fills: the own provider, and how the case was captured."""


class FieldWords(Strict, frozen=True, kw_only=True):
    """How one field is asked for."""

    name: str
    label: str
    hint: str = ""
    labels: dict[str, str] = {}
    carries: bool = False


class SectionWords(Strict, frozen=True, kw_only=True):
    """Fields that are asked for together."""

    id: str
    title: str
    fields: tuple[FieldWords, ...]


class EntryWords(Strict, frozen=True, kw_only=True):
    """What entry.toml says."""

    version: str
    labels: dict[str, str] = {}
    sections: tuple[SectionWords, ...] = ()


class Option(Struct, frozen=True):
    """One code of a field, its label, and the key that chooses it, if one was left; code "" leaves the field blank."""

    code: str
    label: str
    key: str


class EntryField(Struct, frozen=True):
    """One field as the form asks for it."""

    field: Field
    label: str
    hint: str
    options: tuple[Option, ...]
    carries: bool

    @property
    def name(self) -> str:
        """The name of the field."""
        return self.field.name

    def words(self, value: str) -> str:
        """A value of this field in words; "nothing recorded" for a blank."""
        labels = {option.code: option.label for option in self.options if option.code}
        parts = value.split(";") if self.field.type == "choices" else [value]
        return ", ".join(labels.get(part, part) for part in parts if part) or "nothing recorded"


class Section(Struct, frozen=True):
    """Fields that stand together."""

    id: str
    title: str
    fields: tuple[EntryField, ...]


class EntryForm(Struct, frozen=True):
    """The whole form: every field of the data set but those it fills itself."""

    sections: tuple[Section, ...]

    @property
    def fields(self) -> list[EntryField]:
        """The fields in the order of the form."""
        return [field for section in self.sections for field in section.fields]

    @property
    def by_name(self) -> dict[str, EntryField]:
        """The fields by name."""
        return {field.name: field for field in self.fields}

    def only(self, names: set[str]) -> EntryForm:
        """The form with these fields alone."""
        kept = [(s, tuple(f for f in s.fields if f.name in names)) for s in self.sections]
        return EntryForm(tuple(Section(s.id, s.title, fields) for s, fields in kept if fields))


def parse_words(text: str, dataset: Dataset) -> EntryWords:
    """What a text says; ContentError lists every problem."""
    words = parse(EntryWords, text, FILE, "sections")
    refuse_any(FILE, text, _check(words, dataset))
    return words


def _check(words: EntryWords, dataset: Dataset) -> Iterator[Finding]:
    named = [(section.id, field) for section in words.sections for field in section.fields]
    for name, n in Counter(field.name for _, field in named).items():
        if n > 1:
            yield name, "this field is asked for twice; remove one"
    for section, field in named:
        known = dataset.by_name.get(field.name)
        if known is None or field.name in FIXED:
            yield section, f"{field.name} is no field that is asked for; correct or remove it"
        else:
            for code in field.labels:
                if code not in known.options:
                    yield field.name, f"{code} is no code of this field; correct or remove its label"


def form(words: EntryWords, dataset: Dataset) -> EntryForm:
    """The form over a data set; fields that the words leave out stand at its end."""
    sections = [
        Section(s.id, s.title, tuple(_field(dataset.by_name[f.name], f, words) for f in s.fields))
        for s in words.sections
    ]
    named = {field.name for section in sections for field in section.fields}
    rest = [field for field in dataset.fields if field.name not in named and field.name not in FIXED]
    if rest:
        plain = tuple(_field(field, FieldWords(name=field.name, label=_plain(field.name)), words) for field in rest)
        sections.append(Section("more", "More" if sections else "The case", plain))
    return EntryForm(tuple(sections))


def _field(field: Field, words: FieldWords, all_words: EntryWords) -> EntryField:
    labels = {**all_words.labels, **words.labels}
    said = [code for code in field.options if code not in NOTHING]
    keys = chain(KEYS, repeat(""))
    options = [Option(code, labels.get(code, _plain(code)), key) for code, key in zip(said, keys, strict=False)]
    if field.type == "choice" and not field.required:
        nothing = NOTHING[0] if NOTHING[0] in field.options else ""
        options.append(Option(nothing, all_words.labels.get(NOTHING[0], "Not recorded"), NOTHING_KEY))
    return EntryField(field, words.label, words.hint, tuple(options), words.carries)


def _plain(code: str) -> str:
    return code.replace("_", " ").capitalize()
