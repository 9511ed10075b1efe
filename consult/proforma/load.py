"""Loading a proforma: TOML to a checked definition; every problem is listed at once, with file, id and a sentence."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar, cast

import tomli
from msgspec import Struct
from msgspec.structs import replace

from consult.proforma.checks import Finding, check, check_dataset, check_reports
from consult.proforma.dataset import Dataset
from consult.proforma.model import Proforma, Question
from consult.proforma.reports import NO_REPORTS, Reports
from consult.proforma.rules import Rule, expand_tags
from consult.proforma.strict import Fault, Faulty, Strict, read

MAX_BYTES: Final = 2_000_000
CURLY: Final = frozenset("\u2018\u2019\u201c\u201d\u201e")
"""Quotation marks that a word processor puts in the place of straight ones."""
REPORTS: Final = "reports.toml"
M = TypeVar("M", bound=Strict)


class Problem(Struct, frozen=True):
    """One thing wrong with a content file: where, and a sentence that says what to write instead."""

    file: str
    id: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.file}: {self.id}: {self.sentence}" if self.id else f"{self.file}: {self.sentence}"


class ContentError(Exception):
    """Content that was refused whole, with all its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def refuse_any(file: str, findings: Iterable[Finding]) -> None:
    """ContentError with all that was found wrong in a file, if anything was."""
    if problems := [Problem(file, *finding) for finding in findings]:
        raise ContentError(problems)


class Definition(Struct, frozen=True):
    """A proforma, its data set and its kinds of report as one version: `digest` is the SHA-256 of their texts."""

    proforma: Proforma
    dataset: Dataset
    digest: str
    texts: dict[str, str]
    reports: Reports = NO_REPORTS


def load_definition(folder: FilePath) -> Definition:
    """Read proforma.toml, dataset.toml and, if there is one, reports.toml; ContentError lists every problem of all."""
    files = ["proforma.toml", "dataset.toml", *([REPORTS] if (folder / REPORTS).exists() else [])]
    return parse_definition({name: read_text(folder / name) for name in files})


def parse_definition(texts: dict[str, str]) -> Definition:
    """The definition in its texts, keyed by file name; ContentError lists every problem. Equal texts give the same."""
    return _definition(tuple(sorted(texts.items())))


@lru_cache(maxsize=8)
def _definition(named: tuple[tuple[str, str], ...]) -> Definition:
    texts = dict(named)
    dataset = parse(Dataset, texts["dataset.toml"], "dataset.toml", "fields")
    lists = ("questions", "blocks", "sections", "contradictions", "done")
    proforma = parse(Proforma, texts["proforma.toml"], "proforma.toml", *lists)
    reports = parse(Reports, texts[REPORTS], REPORTS, "types") if REPORTS in texts else NO_REPORTS
    problems = [Problem("dataset.toml", *finding) for finding in check_dataset(dataset)]
    problems += [Problem("proforma.toml", *finding) for finding in check(proforma, dataset)]
    problems += [Problem(REPORTS, *finding) for finding in check_reports(reports, proforma)]
    if problems:
        raise ContentError(problems)
    digest = hashlib.sha256("\0".join(f"{n}\0{texts[n]}" for n in sorted(texts)).encode()).hexdigest()
    return Definition(_expanded(proforma), dataset, digest, dict(texts), reports)


def read_text(file: FilePath) -> str:
    """The text of a content file; ContentError if it is missing, too large, not UTF-8 or holds NUL bytes."""

    def refuse(sentence: str) -> ContentError:
        return ContentError([Problem(file.name, "", sentence)])

    try:
        if file.stat().st_size > MAX_BYTES:
            raise refuse(f"The file is larger than {MAX_BYTES:,} bytes; split it or remove what does not belong.")
        content = file.read_bytes()
    except OSError as error:
        raise refuse(f"The file cannot be read ({error.strerror}); put it back or mend its permissions.") from error
    if b"\0" in content:
        raise refuse("The file holds NUL bytes; save it again as plain text (UTF-8).")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")  # editors on Windows may put a mark before the text
    except UnicodeDecodeError as error:
        raise refuse(f"Byte {error.start} is not UTF-8; save the file again as UTF-8.") from error


def parse(model: type[M], text: str, file: str, *lists: str) -> M:
    """A checked model from TOML text; problems inside the named lists of tables carry the id of their entry.

    The same object for the same text: models are frozen, and reading a text is most of what opening an instance costs.
    """
    return cast(M, _parsed(model, text, file, lists))


def why_no_toml(text: str, error: Exception, above: int = 0) -> str:
    """What is wrong with a text that is no TOML; `above` lines of its file stand before it."""
    if not isinstance(error, tomli.TOMLDecodeError):
        return f"{error}."
    line = text.split("\n")[error.lineno - 1]
    hint = " Write straight quotation marks, not curly ones." if CURLY & set(line) else ""
    return f"{error.msg} (at line {error.lineno + above}, column {error.colno}).{hint}"


@lru_cache(maxsize=16)
def _parsed(model: type[Strict], text: str, file: str, lists: tuple[str, ...]) -> Strict:
    try:
        raw = tomli.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: broken TOML, or a number of thousands of digits
        raise ContentError([Problem(file, "", f"This is not valid TOML: {why_no_toml(text, error)}")]) from error
    try:
        return read(model, raw)
    except Faulty as error:
        raise ContentError([_problem(file, raw, lists, fault) for fault in error.faults]) from error


def _problem(file: str, raw: dict[str, Any], lists: Iterable[str], fault: Fault) -> Problem:
    entry, at = "", fault.at
    if len(at) >= 2 and str(at[0]) in lists and isinstance(at[1], int):
        item = raw[str(at[0])][at[1]]
        named = item.get("id") or item.get("name") or item.get("fact") if isinstance(item, dict) else None
        entry, at = str(named or f"{at[0]} number {at[1] + 1}"), at[2:]
    return Problem(file, entry, f"{'.'.join(map(str, at))}: {fault.sentence}.".lstrip(": "))


def _expanded(proforma: Proforma) -> Proforma:
    """The proforma with every tagged rule written out."""

    def expand(rule: Rule | None) -> Rule | None:
        return None if rule is None else expand_tags(rule, proforma.tagged)

    questions = tuple(_expand_question(q, expand) for q in proforma.questions)
    done = tuple(replace(d, when=expand(d.when)) for d in proforma.done)
    return replace(proforma, questions=questions, done=done, report_when=expand(proforma.report_when))


def _expand_question(question: Question, expand: Callable[[Rule | None], Rule | None]) -> Question:
    def each(items: tuple[Any, ...], key: str) -> tuple[Any, ...]:
        return tuple(replace(item, **{key: expand(getattr(item, key))}) for item in items)

    return replace(
        question,
        show_if=expand(question.show_if),
        one_by_one_if=expand(question.one_by_one_if),
        report_unless=expand(question.report_unless),
        options=each(question.options, "show_if"),
        counts=each(question.counts, "when"),
        panels=each(question.panels, "when"),
    )
