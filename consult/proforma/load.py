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

from consult.proforma import lines as lines_of
from consult.proforma.checks import Finding, check, check_dataset, check_reports
from consult.proforma.dataset import Dataset
from consult.proforma.model import Proforma, Question
from consult.proforma.plain import why_no_toml
from consult.proforma.reports import NO_REPORTS, Reports
from consult.proforma.rules import Rule, expand_tags
from consult.proforma.strict import Fault, Faulty, Strict, read

MAX_BYTES: Final = 2_000_000
REPORTS: Final = "reports.toml"
M = TypeVar("M", bound=Strict)


class Problem(Struct, frozen=True):
    """One thing wrong with a content file: where, and a sentence that says what to write instead."""

    file: str
    id: str
    sentence: str
    lines: tuple[int, ...] = ()

    def __str__(self) -> str:
        return ": ".join(filter(None, (f"{self.file}{self._at}", self.id, self.sentence)))

    @property
    def _at(self) -> str:
        numbers = ", ".join(map(str, self.lines[:-1]))
        return f", lines {numbers} and {self.lines[-1]}" if numbers else "".join(f", line {n}" for n in self.lines)


class ContentError(Exception):
    """Content that was refused whole, with all its problems."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def refuse_any(file: str, text: str, findings: Iterable[Finding]) -> None:
    """ContentError with all that was found wrong in the text of a file, if anything was."""
    if problems := problems_in(file, text, findings):
        raise ContentError(problems)


class Definition(Struct, frozen=True):
    """A proforma, its data set and its kinds of report as one version: `digest` is the SHA-256 of their texts."""

    proforma: Proforma
    dataset: Dataset
    digest: str
    texts: dict[str, str]
    reports: Reports = NO_REPORTS


def load_definition(folder: FilePath, known_as: str = "") -> Definition:
    """Read proforma.toml, dataset.toml and, if there is one, reports.toml; ContentError lists every problem of all.

    `known_as` is the id under which the versions of the proforma in use are kept.
    """
    files = ["proforma.toml", "dataset.toml", *([REPORTS] if (folder / REPORTS).exists() else [])]
    definition = parse_definition({name: read_text(folder / name) for name in files})
    if known_as and definition.proforma.id != known_as:
        sentence = f'its versions are kept under the name of its folder; write id = "{known_as}"'
        at = lines_of.of_place(definition.texts["proforma.toml"], ("id",))
        raise ContentError([Problem("proforma.toml", "", sentence, at)])
    return definition


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
    problems = problems_in("dataset.toml", texts["dataset.toml"], check_dataset(dataset))
    problems += problems_in("proforma.toml", texts["proforma.toml"], check(proforma, dataset))
    problems += problems_in(REPORTS, texts.get(REPORTS, ""), check_reports(reports, proforma))
    if problems:
        raise ContentError(problems)
    digest = hashlib.sha256("\0".join(f"{n}\0{texts[n]}" for n in sorted(texts)).encode()).hexdigest()
    return Definition(_expanded(proforma), dataset, digest, dict(texts), reports)


def problems_in(file: str, text: str, found: Iterable[tuple[str, str]]) -> list[Problem]:
    """What was found wrong in a text, as the name of an entry and a sentence: each once, with its lines in the file."""
    return [Problem(file, name, sentence, lines_of.of_name(text, name)) for name, sentence in dict.fromkeys(found)]


def read_text(file: FilePath) -> str:
    """The text of a content file; ContentError if it is missing, too large, not UTF-8 or holds NUL bytes."""

    def refuse(sentence: str, *line: int) -> ContentError:
        return ContentError([Problem(file.name, "", sentence, line)])

    try:
        if file.stat().st_size > MAX_BYTES:
            raise refuse(f"The file is larger than {MAX_BYTES:,} bytes; split it or remove what does not belong.")
        content = file.read_bytes()
    except OSError as error:
        raise refuse(f"The file cannot be read ({error.strerror}); put it back or mend its permissions.") from error
    if b"\0" in content:
        raise refuse("The file holds NUL bytes; save it again as plain text (UTF-8).")
    try:
        text = content.decode("utf-8-sig")  # editors on Windows may put a mark before the text
    except UnicodeDecodeError as error:
        line = one_line_end(content[: error.start].decode("latin-1")).count("\n") + 1
        raise refuse("What stands here is not UTF-8; save the file again as UTF-8.", line) from error
    return one_line_end(text)


def one_line_end(text: str) -> str:
    """The text with the line ends of every system written the same way."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse(model: type[M], text: str, file: str, *lists: str) -> M:
    """A checked model from TOML text; problems inside the named lists of tables carry the id of their entry.

    The same object for the same text: models are frozen, and reading a text is most of what opening an instance costs.
    """
    return cast(M, _parsed(model, text, file, lists))


@lru_cache(maxsize=16)
def _parsed(model: type[Strict], text: str, file: str, lists: tuple[str, ...]) -> Strict:
    try:
        raw = tomli.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: broken TOML, or a number of thousands of digits
        line, why = why_no_toml(text, error)
        raise ContentError([Problem(file, "", f"This is not valid TOML: {why}.", (line,) * bool(line))]) from error
    try:
        return read(model, raw)
    except Faulty as error:
        raise ContentError([_problem(file, text, raw, lists, fault) for fault in error.faults]) from error


def _problem(file: str, text: str, raw: dict[str, Any], lists: Iterable[str], fault: Fault) -> Problem:
    entry, at = "", fault.at
    if len(at) >= 2 and str(at[0]) in lists and isinstance(at[1], int):
        item = raw[str(at[0])][at[1]]
        named = item.get("id") or item.get("name") or item.get("fact") if isinstance(item, dict) else None
        entry, at = str(named or f"{at[0]} number {at[1] + 1}"), at[2:]
    place = ".".join(f"number {part + 1}" if isinstance(part, int) else part for part in at).replace(
        ".number", " number"
    )
    return Problem(file, entry, f"{place}: {fault.sentence}.".lstrip(": "), lines_of.of_place(text, fault.at))


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
