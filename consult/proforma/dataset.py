"""The data set of the audit: the fields a case has, as read from dataset.toml."""

from __future__ import annotations

from functools import cached_property
from typing import Final, Literal

from consult.proforma.strict import Strict

BLANK: Final = "Blank"
NOT_RECORDED: Final = "not_recorded"
BESIDE: Final = ("consultation", "step", "signed")
"""What the program itself keeps beside the fields of a case, so that no field can be called so."""


class Field(Strict, frozen=True, kw_only=True):
    """One field of a case. Lists are semicolon-separated codes; `blank_as` fills a blank of a signed consultation."""

    name: str
    label: str = ""
    section: str
    type: Literal["text", "code", "date", "choice", "choices"]
    options: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    required: bool = False
    meaning: str = ""
    blank_as: str = ""
    never_live: bool = False
    never_leaves: bool = False

    def __post_init__(self) -> None:
        """Refuse labels of codes that it does not have."""
        if unknown := [code for code in self.labels if code not in self.options]:
            raise ValueError(f"labels names {', '.join(unknown)}, which is not in options; correct the code")

    @property
    def title(self) -> str:
        """Its name in words; the name itself in versions that came before labels."""
        return self.label or self.name

    def words(self, code: str) -> str:
        """One code in words: its label, or the code itself as a word; "Blank" for none."""
        plain = code.replace("_", " ").capitalize() if self.options else code
        return self.labels.get(code) or plain or BLANK

    def group(self, text: str) -> str:
        """The code that a case is counted under: a blank is "not recorded", where there is such a code."""
        return NOT_RECORDED if not text and NOT_RECORDED in self.options else text

    def said(self, text: str) -> str:
        """What the field holds in words: one code, or the codes of a list."""
        held = [part.strip() for part in text.split(";")] if self.type == "choices" else [text]
        return "; ".join(self.words(code) for code in held)


class Dataset(Strict, frozen=True, kw_only=True):
    """All fields of a case, in the order of the case file."""

    version: str
    fields: tuple[Field, ...]

    def __hash__(self) -> int:
        """Labels are in a dict, which has none; equality still compares everything."""
        return hash((self.version, tuple(field.name for field in self.fields)))

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by name."""
        return {field.name: field for field in self.fields}
