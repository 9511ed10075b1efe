"""Rounds: named periods of audit with the rule of their sample, folded from the step log; nothing else holds them."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, Literal

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from consult.audit.cases import Key, key_of, named
from consult.proforma.days import day_in
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, check_seen, sent_before, steps

Rule = Literal["first", "all"]
RULES: Final = {
    "first": "The first consecutive eligible cases from a date",
    "all": "All eligible cases in the period",
}
MODES: Final = {
    "live": "live consultations",
    "retrospective": "case notes read afterwards",
    "paper": "paper, entered later",
}
"""The ways of capture, never pooled: what the cases of each come from, as it stands in a sentence."""
USUAL: Final = 40
MOST: Final = 10_000
LONGEST: Final = 120


class SiteRule(Struct, frozen=True):
    """How the sample of one site is taken: the first `n` from `start`, or all; "" and 0 stand for the round's own."""

    rule: Rule
    n: int = 0
    start: str = ""


class Exclusion(Struct, frozen=True):
    """A case taken out of a sample by somebody, with the reason; taken back where `out` is False."""

    key: Key
    out: bool
    reason: str
    text: str
    by: str
    at: str


class Round(Struct, frozen=True):
    """A round as its steps tell it now; `history` are those steps, `provider` "" takes in every provider."""

    id: str
    name: str
    provider: str
    capture: str
    start: str
    end: str
    rule: Rule
    n: int
    sites: Mapping[str, SiteRule]
    withdrawn: str = ""
    exclusions: Mapping[Key, tuple[Exclusion, ...]] = field(default_factory=dict)
    history: tuple[Step, ...] = ()

    def has_ended(self, today: date) -> bool:
        """Whether its period is over, so that its figures move no more from one case to the next."""
        return self.end < today.isoformat()

    def of_site(self, site: str) -> SiteRule:
        """The rule of one site, its blanks filled in from the round."""
        own = self.sites.get(site, SiteRule(self.rule))
        return SiteRule(own.rule, own.n or self.n, max(own.start or self.start, self.start))

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that made the round itself what it is; a case that is taken out changes no round."""
        return tuple(step for step in self.history if step.kind != "sample_exclusion")

    @property
    def out(self) -> dict[Key, Exclusion]:
        """The cases that are out of the sample now, each with the exclusion that stands."""
        return {key: told[-1] for key, told in self.exclusions.items() if told[-1].out}


EXCLUSION_REASONS: Final = {
    "not_found": "The notes could not be found",
    "duplicate": "The same consultation is in the sample twice",
    "not_of_this_site": "The consultation was not held at this site",
    "restricted": "The employee asked to keep the record out of audit",
    "other": "Another reason",
}
KINDS: Final = ("round_set", "round_withdrawn", "sample_exclusion")


def rounds(conn: Connection, up_to: int | None = None) -> dict[str, Round]:
    """Every round by id, the first made first; those withdrawn say so. `up_to`: as they were at that step."""
    found: dict[str, Round] = {}
    for step in heapq.merge(*(steps(conn, kind=kind) for kind in KINDS), key=lambda step: step.seq):
        if step.content is not None and (up_to is None or step.seq <= up_to):
            _apply(found, step, step.content)
    return found


def _apply(found: dict[str, Round], step: Step, content: Mapping[str, Any]) -> None:
    before = found.get(content["round"])
    if step.kind == "round_set":
        made = _made(content)
        if before:
            made = replace(made, exclusions=before.exclusions, history=before.history)
    elif before is None:
        return  # what the round was has been redacted
    elif step.kind == "round_withdrawn":
        made = replace(before, withdrawn=content["reason"])
    else:
        key = key_of(content)
        told = Exclusion(key, content["out"], content["reason"], content["text"], step.actor, step.at)
        made = replace(before, exclusions={**before.exclusions, key: (*before.exclusions.get(key, ()), told)})
    found[made.id] = replace(made, history=(*made.history, step))


def _made(content: Mapping[str, Any]) -> Round:
    sites = {site: SiteRule(**rule) for site, rule in content["sites"].items()}
    plain = {name: content[name] for name in ("name", "provider", "capture", "start", "end", "rule", "n")}
    return Round(id=content["round"], sites=sites, **plain)


class Wanted(Struct, frozen=True):
    """A round as somebody asks for it; dates are ISO 8601 and inclusive, `sites` are rules that differ from it."""

    name: str
    provider: str
    capture: str
    start: str
    end: str
    rule: str = "first"
    n: int = USUAL
    sites: Mapping[str, SiteRule] = field(default_factory=dict)
    reason: str = ""


def set_round(
    conn: Connection, wanted: Wanted, who: tuple[str, str], at: str, key: str, round_id: str = "", seen: int = 0
) -> str:
    """Make a round, or (with its id) change one; returns its id. Refused says what is wrong with it.

    `who` is the actor and the role. A change of a round that is there needs a reason. The same key makes one only.
    `seen` is the step that the page knew as the last of this round's changes: another one there raises ChangedSince.
    """
    known = rounds(conn)
    if round_id:
        _check_change(known.get(round_id), wanted, seen, key)
    else:
        round_id = str(uuid.uuid5(uuid.NAMESPACE_OID, key))
    _check(wanted, [r.name for r in known.values() if r.id != round_id and not r.withdrawn])
    content = {
        "round": round_id,
        "name": wanted.name.strip(),
        "provider": wanted.provider,
        "capture": wanted.capture,
        "start": wanted.start,
        "end": wanted.end,
        "rule": wanted.rule,
        "n": wanted.n,
        "sites": {site: asdict(rule) for site, rule in wanted.sites.items()},
        "reason": wanted.reason.strip(),
    }
    append(conn, Draft("round_set", content, who[0], at, role=who[1], key=key))
    return round_id


def _check_change(of: Round | None, wanted: Wanted, seen: int, key: str) -> None:
    if of is None:
        raise Refused("There is no such round; go back to the list of rounds.")
    check_seen(of.changes, seen, key, "round")
    if not wanted.reason.strip():
        raise Refused("Say why the round is changed; the reason is shown with it.", "reason")


def _check(wanted: Wanted, others: list[str]) -> None:
    name = wanted.name.strip()
    if not name or len(name) > LONGEST:
        raise Refused(f"Give the round a name of up to {LONGEST} characters.", "name")
    if name.casefold() in [other.casefold() for other in others]:
        raise Refused(f"There is a round called {name} already; give this one another name.", "name")
    if wanted.capture not in MODES:
        sentence = "Choose how the cases were captured: live, from case notes, or on paper; they are never pooled."
        raise Refused(sentence, "capture")
    if not (day_in(wanted.start) and day_in(wanted.end)):
        wrong = "end" if day_in(wanted.start) else "start"
        raise Refused("Give the first and the last day of the period as dates.", wrong)
    if wanted.start > wanted.end:
        raise Refused("The last day of the period is before the first; exchange them.", "end")
    _check_rule(wanted.rule, wanted.n)
    for code, rule in wanted.sites.items():
        _check_rule(rule.rule, rule.n or wanted.n, f".{code}")
        if rule.start and not (day_in(rule.start) and wanted.start <= rule.start <= wanted.end):
            sentence = "The sample of a site begins on a day inside the period of its round; correct the date."
            raise Refused(sentence, f"start.{code}")


def _check_rule(rule: str, n: int, of_site: str = "") -> None:
    """Whether a rule can be; `of_site` is what the names of its fields end in, "" for those of the round."""
    if rule not in RULES:
        raise Refused("Choose how the sample is taken.", f"rule{of_site}")
    if not 1 <= n <= MOST:
        raise Refused(f"The number of cases of a sample lies between 1 and {MOST:,}; correct it.", f"n{of_site}")


def withdraw(conn: Connection, round_id: str, reason: str, who: tuple[str, str], at: str, key: str) -> None:
    """Take a round off the list, with the reason; its steps stay. The same key does it once."""
    if not reason.strip():
        raise Refused("Say why the round is withdrawn; the reason is kept.", "reason")
    if not sent_before(conn, "round_withdrawn", key):
        _known(conn, round_id)
    content = {"round": round_id, "reason": reason.strip()}
    append(conn, Draft("round_withdrawn", content, who[0], at, "", "", who[1], key))


def exclude(
    conn: Connection, round_id: str, case: Key, out: bool, why: tuple[str, str], who: tuple[str, str], at: str, key: str
) -> None:
    """Take one case out of the sample of a round, or (out=False) back in; `why` is the reason and its words.

    Taking out needs one of EXCLUSION_REASONS; another reason, and taking back in, need words. The same
    key does it once.
    """
    reason, text = why[0], why[1].strip()
    if out and reason not in EXCLUSION_REASONS:
        raise Refused("Choose the reason for which the case leaves the sample.", "reason")
    if (not out or reason == "other") and not text:
        raise Refused("Say why in a few words; it is shown with the case.", "text")
    of = _known(conn, round_id)
    if out == (case in of.out) and all(step.key != key for step in of.history):
        raise Refused(f"This case is {'out of' if out else 'in'} the sample already; nothing was changed.")
    content = {"round": round_id, **named(case), "out": out, "reason": reason if out else "", "text": text}
    append(conn, Draft("sample_exclusion", content, who[0], at, "", "", who[1], key))


def _known(conn: Connection, round_id: str) -> Round:
    found = rounds(conn).get(round_id)
    if found is None or found.withdrawn:
        raise Refused("There is no such round; go back to the list of rounds.")
    return found


def to_show(conn: Connection, today: date, outside: bool) -> dict[str, Round]:
    """The rounds that somebody may be shown, by id, the newest first: outside the provider those that have ended."""
    return {one.id: one for one in standing(conn) if not outside or one.has_ended(today)}


def standing(conn: Connection) -> Iterator[Round]:
    """The rounds that were not withdrawn, the newest period first."""
    found = (r for r in rounds(conn).values() if not r.withdrawn)
    yield from sorted(found, key=lambda r: (r.start, r.end), reverse=True)
