"""The data set of the audit: the fields a case has, as read from dataset.toml."""

from __future__ import annotations

from typing import Literal

from consult.proforma.rules import Strict


class Field(Strict):
    """One field of a case. Lists are semicolon-separated codes; `blank_as` fills a blank of a signed consultation."""

    name: str
    section: str
    type: Literal["text", "code", "date", "choice", "choices"]
    options: tuple[str, ...] = ()
    required: bool = False
    meaning: str = ""
    blank_as: str = ""
    never_live: bool = False
    never_leaves: bool = False


class Dataset(Strict):
    """All fields of a case, in the order of the case file."""

    version: str
    fields: tuple[Field, ...]

    @property
    def by_name(self) -> dict[str, Field]:
        """The fields by name."""
        return {field.name: field for field in self.fields}
