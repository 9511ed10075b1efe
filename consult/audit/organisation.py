"""The organisational section: a few questions a year about each site, as data, beside what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from msgspec import Struct

from consult.audit.benchmarks import Benchmarks
from consult.proforma.checks import Finding
from consult.proforma.load import parse, refuse_any
from consult.proforma.strict import Strict
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, check_seen, steps

FILE: Final = "organisation.toml"
LONGEST_TEXT: Final = 2000
YEARS: Final = (2000, 2100)
YES_NO: Final = {"yes": "Yes", "no": "No", "not_known": "Not known"}


class OrganisationQuestion(Strict, frozen=True, kw_only=True):
    """One question about a site; `figure` names the published figure that stands beside its answers."""

    id: str
    kind: Literal["yes_no", "number", "text"]
    ask: str
    hint: str = ""
    unit: str = ""
    min: int = 0
    max: int = 1000
    figure: str = ""

    def words(self, answer: str) -> str:
        """An answer in words."""
        if not answer:
            return "Not recorded"
        return YES_NO.get(answer, answer) if self.kind == "yes_no" else f"{answer} {self.unit}".strip()


class Organisation(Strict, frozen=True, kw_only=True):
    """The questions of the section; none where a proforma has no such file."""

    version: str = ""
    title: str = ""
    questions: tuple[OrganisationQuestion, ...] = ()


def parse_organisation(text: str, benchmarks: Benchmarks) -> Organisation:
    """The section in a text; ContentError lists every problem."""
    found = parse(Organisation, text, FILE, "questions")
    refuse_any(FILE, text, _check(found, benchmarks))
    return found


def _check(found: Organisation, benchmarks: Benchmarks) -> Iterator[Finding]:
    figures = {figure.id for figure in benchmarks.figures}
    seen: set[str] = set()
    for question in found.questions:
        if question.id in seen:
            yield question.id, "another question has this id; give each its own"
        seen.add(question.id)
        if question.figure and question.figure not in figures:
            yield question.id, f"figure {question.figure} is not in benchmarks.toml; correct the id or leave it out"
        if question.min > question.max:
            yield question.id, "min is larger than max; exchange them"


class Answered(Struct, frozen=True):
    """The answers of one site for one year as they stand; who gave them last, and when."""

    provider: str
    site: str
    year: int
    answers: Mapping[str, str]
    by: str
    at: str


def answered(conn: Connection) -> dict[tuple[str, str, int], Answered]:
    """What stands for each provider, site and year."""
    found = {}
    for step in steps(conn, kind="organisation_answered"):
        if step.content is not None:
            said = step.content
            key = (said["provider"], said["site"], said["year"])
            found[key] = Answered(*key, said["answers"], step.actor, step.at)
    return found


def history(conn: Connection, about: tuple[str, str, int]) -> list[Step]:
    """The answers of one (provider, site, year), the first first."""
    told = (step for step in steps(conn, kind="organisation_answered") if step.content is not None)
    return [step for step in told if tuple((step.content or {})[of] for of in ("provider", "site", "year")) == about]


class WrongAnswers(Refused):
    """Some answers were not taken; `problems` has a sentence for each question."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


def answer(
    conn: Connection,
    section: Organisation,
    about: tuple[str, str, int],
    answers: Mapping[str, str],
    digest: str,
    who: tuple[str, str],
    at: str,
    key: str,
    seen: int | None = None,
) -> None:
    """Record the answers of one (provider, site, year), in place of earlier ones; WrongAnswers names what is wrong.

    `digest` is that of the file the questions were read from, so that it stays known what was asked. `seen` is the step
    that a page knew as the last answers: others there raise ChangedSince.
    """
    provider, site, year = about
    if seen is not None:
        check_seen(history(conn, about), seen, key, "section")
    if not YEARS[0] <= year <= YEARS[1]:
        raise Refused(f"Give a year from {YEARS[0]} to {YEARS[1]}.")
    problems = {q.id: said for q in section.questions if (said := _wrong(q, answers.get(q.id, "").strip()))}
    if problems:
        raise WrongAnswers(problems)
    kept = {q.id: text for q in section.questions if (text := answers.get(q.id, "").strip())}
    content = {"provider": provider, "site": site, "year": year, "answers": kept, "digest": digest}
    append(conn, Draft("organisation_answered", content, who[0], at, "", "", who[1], key))


def _wrong(question: OrganisationQuestion, text: str) -> str:
    if not text:
        return ""
    if question.kind == "yes_no" and text not in YES_NO:
        return f"{question.ask} Choose Yes, No or Not known."
    if question.kind == "number" and not (text.isascii() and text.isdigit() and _within(question, text)):
        return f"{question.ask}: write a whole number from {question.min} to {question.max}."
    return "" if len(text) <= LONGEST_TEXT else f"{question.ask}: shorten the text to {LONGEST_TEXT} characters."


def _within(question: OrganisationQuestion, text: str) -> bool:
    return len(text) <= len(str(question.max)) and question.min <= int(text) <= question.max


def tally(question: OrganisationQuestion, of_year: list[Answered]) -> tuple[int, int]:
    """How many sites answered yes, of those that answered yes or no."""
    said = [one.answers.get(question.id, "") for one in of_year]
    return said.count("yes"), said.count("yes") + said.count("no")
