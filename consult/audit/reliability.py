"""Reliability of abstraction: a random few of a sample read again blind, the agreement, and what is disputed."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from consult.audit import cases, statistics
from consult.audit.case import codes
from consult.audit.cases import Key
from consult.audit.in_error import TakenOut, taken_out
from consult.proforma.dataset import Dataset, Field
from consult.proforma.rules import BLANKS
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, append, sent_before, steps

SHARE: Final = 8
"""One case in so many is read again: 5 of 40."""
FEWEST: Final = 5
KAPPA_FROM: Final = 30
NOTHING: Final = "nothing recorded"
GONE: Final = "This case was taken out as entered in error, so it is not read again."
OWN_ENTRY: Final = "You entered this case yourself; its second reader must be somebody else."
READ_ALREADY: Final = "This case was read a second time already."


class Entry(Struct, frozen=True):
    """What somebody made of one case: the step that says so, who, and the fields."""

    step: int
    by: str
    fields: Mapping[str, str]


class Reread(Struct, frozen=True):
    """One case drawn, with the first entry that stood and the second, blind one (None until it is made)."""

    case: Key
    first: Entry | None = None
    second: Entry | None = None
    said: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By field: what each person says now stands, by actor."""
    out: TakenOut | None = None
    """That the case was taken out as entered in error and was not entered again since."""

    @property
    def waits(self) -> bool:
        """Whether somebody is still to read it a second time."""
        return self.second is None and self.out is None


class Reliability(Struct, frozen=True):
    """The draw of one round: its seed, who drew it and when, and the cases drawn."""

    round: str
    seed: str
    by: str
    at: str
    cases: tuple[Reread, ...]

    @property
    def done(self) -> list[Reread]:
        """The cases that were read a second time; one taken out since stays, as agreement is of the readers."""
        return [one for one in self.cases if one.second is not None]

    @property
    def left_out(self) -> list[Reread]:
        """The cases taken out as entered in error before they were read again: no pair, and no other is drawn."""
        return [one for one in self.cases if one.second is None and one.out is not None]


def wanted(of: int) -> int:
    """How many cases of a sample are read again: 5 of 40, one in eight, and never fewer than 5 if there are 5."""
    return min(of, max(FEWEST, -(-of // SHARE)))


def drawn(seed: str, sample: Iterable[Key], n: int) -> list[Key]:
    """The n cases that a seed draws: those whose digests with the seed come first. The same on every machine."""
    return sorted(sorted(sample, key=lambda key: hashlib.sha256("\0".join((seed, *key)).encode()).hexdigest())[:n])


def draw(
    conn: Connection, round_id: str, sample: Iterable[Key], seed: str, who: tuple[str, str], at: str, key: str
) -> None:
    """Draw the cases of a round to be read again, once; Refused if they were drawn before or there are none.

    The same key draws once: what was drawn stands.
    """
    if sent_before(conn, "reliability_drawn", key):
        return
    if round_id in draws(conn):
        raise Refused("The cases of this round were drawn already, and a round is drawn once only.")
    pool = list(sample)
    if not pool:
        raise Refused("The sample of this round is empty; enter its cases first, then draw.")
    chosen = drawn(seed, pool, wanted(len(pool)))
    content = {"round": round_id, "seed": seed, "cases": [list(case) for case in chosen]}
    append(conn, Draft("reliability_drawn", content, who[0], at, "", "", who[1], key))


KINDS: Final = ("reliability_drawn", "case_reentered", "dispute_answered")


def draws(conn: Connection) -> dict[str, Reliability]:
    """The draw of each round, with what was read again and what was said of disputes since."""
    found: dict[str, Reliability] = {}
    for step in heapq.merge(*(steps(conn, kind=kind) for kind in KINDS), key=lambda step: step.seq):
        said = step.content
        if said is None:
            continue
        if step.kind == "reliability_drawn":
            chosen = tuple(Reread((case[0], case[1], case[2])) for case in said["cases"])
            found.setdefault(said["round"], Reliability(said["round"], said["seed"], step.actor, step.at, chosen))
        elif said["round"] in found:
            found[said["round"]] = _with(conn, found[said["round"]], step.kind, step.seq, step.actor, said)
    return {id_: replace(one, cases=tuple(_as_held(conn, each) for each in one.cases)) for id_, one in found.items()}


def _as_held(conn: Connection, one: Reread) -> Reread:
    """A case drawn, with who took it out where it is not held any more."""
    gone = cases.read(conn, *one.case) is None
    return replace(one, out=next(taken_out(conn, one.case), None)) if gone else one


def _with(conn: Connection, of: Reliability, kind: str, seq: int, actor: str, said: Mapping[str, Any]) -> Reliability:
    key = cases.key_of(said)

    def changed(one: Reread) -> Reread:
        if one.case != key:
            return one
        if kind == "case_reentered":
            return replace(one, first=_entry(conn, said["against"]), second=Entry(seq, actor, said["fields"]))
        answers = {**one.said.get(said["field"], {}), actor: said["value"]}
        return replace(one, said={**one.said, said["field"]: answers})

    return replace(of, cases=tuple(changed(one) for one in of.cases))


def _entry(conn: Connection, seq: int) -> Entry | None:
    return next((Entry(s.seq, s.actor, s.content) for s in steps(conn, seq=seq) if s.content is not None), None)


def waiting(conn: Connection) -> frozenset[Key]:
    """The cases drawn that nobody has read a second time: until then nobody who may do so sees what was entered."""
    return frozenset(one.case for draw in draws(conn).values() for one in draw.cases if one.waits)


SAME_PERSON: Final = "both readings are by the same person"
WROTE_BEFORE: Final = "the second reader had written a version of this case before"
HELD_IT: Final = "the second reader held this consultation"
FROM_FILE: Final = "the first entry came with a file, so who read the notes first is not known"


def doubts(one: Reread, wrote: Iterable[tuple[int, str]]) -> list[str]:
    """Why the second reading of a case was not blind, or can't be shown to have been; nothing where it was.

    `wrote` are the steps that hold a version of the case, with who wrote each.
    """
    first, second = one.first, one.second
    if first is None or second is None:
        return []
    found = {
        SAME_PERSON: first.by == second.by,
        WROTE_BEFORE: first.by != second.by and any(by == second.by and step < second.step for step, by in wrote),
        HELD_IT: first.fields.get("clinician_ref") == second.by,
        FROM_FILE: _from_file(one),
    }
    return [why for why, holds in found.items() if holds]


def items(dataset: Dataset) -> list[Field]:
    """The fields that two readers are compared on: those with codes, but for what only says which case it is."""
    return [f for f in dataset.fields if f.type in ("choice", "choices") and f.section != "identity"]


def value(field: Field, fields: Mapping[str, str]) -> str:
    """What a reader recorded, as it is compared: a list in the order of its codes; a blank is "nothing recorded"."""
    text = fields.get(field.name, "")
    if field.type == "choices":
        text = ";".join(code for code in field.options if code in codes(text))
    return NOTHING if text in BLANKS else text


class Agreement(Struct, frozen=True):
    """How far two readers agreed: k of n; kappa only from KAPPA_FROM pairs, and None where it is not defined."""

    name: str
    agreed: int
    n: int
    kappa: float | None


def agreement(name: str, pairs: Iterable[tuple[str, str]]) -> Agreement:
    """The agreement over pairs of values, the first reader's and the second's."""
    counted = Counter(pairs)
    categories = sorted({value for pair in counted for value in pair})
    table = [[counted[a, b] for b in categories] for a in categories]
    found = statistics.agreement(table) if counted else None
    n, agreed = sum(counted.values()), sum(k for (a, b), k in counted.items() if a == b)
    return Agreement(name, agreed, n, found[1] if found and n >= KAPPA_FROM else None)


def pairs(done: Iterable[Reread], field: Field) -> Iterator[tuple[str, str]]:
    """The pairs of values of one field, over the cases read twice."""
    for one in done:
        if one.first is not None and one.second is not None:
            yield value(field, one.first.fields), value(field, one.second.fields)


def by_item(done: list[Reread], dataset: Dataset) -> list[Agreement]:
    """The agreement on each item over these cases."""
    return [agreement(field.name, pairs(done, field)) for field in items(dataset)]


def by_kind(done: list[Reread], dataset: Dataset) -> list[tuple[list[str], Agreement]]:
    """The agreement over items of one section with the same codes, pooled: (names of the items, agreement)."""
    alike: dict[tuple[str, tuple[str, ...]], list[Field]] = {}
    for item in items(dataset):
        alike.setdefault((item.section, item.options), []).append(item)
    return [
        ([f.name for f in fields], agreement(section, [pair for f in fields for pair in pairs(done, f)]))
        for (section, _), fields in alike.items()
        if len(fields) > 1
    ]


class Dispute(Struct, frozen=True):
    """One item that two readers recorded differently, and what each says stands now; "" while somebody has not."""

    reread: Reread
    field: Field
    first: str
    second: str
    settled: str

    @property
    def said(self) -> Mapping[str, str]:
        """What each reader says stands, by actor."""
        return self.reread.said.get(self.field.name, {})


def disputes(of: Reliability, dataset: Dataset) -> list[Dispute]:
    """The items on which the readers of a round differ, case by case."""
    found = []
    for one in of.done:
        for item in items(dataset):
            for a, b in pairs([one], item):
                if a != b:
                    found.append(Dispute(one, item, a, b, _settled(one, item.name)))
    return found


def _settled(one: Reread, name: str) -> str:
    """The value both readers say stands; "" until they say the same."""
    said = one.said.get(name, {})
    readers = {entry.by for entry in (one.first, one.second) if entry is not None}
    others = set(said) - {one.second.by if one.second else ""}
    both = one.second is not None and one.second.by in said and bool(others) and len(set(said.values())) == 1
    return next(iter(said.values())) if both and (others & readers or _from_file(one)) else ""


def _from_file(one: Reread) -> bool:
    """Whether the first entry came with a file, so that no reader of it can be asked."""
    return one.first is not None and one.first.by.startswith("cli:")


def reenter(
    conn: Connection,
    of: Reliability,
    case: Key,
    fields: Mapping[str, str],
    who: tuple[str, str],
    at: str,
    key: str,
    wrote: set[str],
) -> None:
    """Record the second, blind reading of a case drawn; `wrote` are those who wrote a version of it, and may not.

    Refused if the case was not drawn, was read again already, was taken out, or the reader wrote a version of it. The
    same key reads it once.
    """
    if sent_before(conn, "case_reentered", key):
        return
    one = next((one for one in of.cases if one.case == case), None)
    held = cases.read(conn, *case)
    if one is None:
        raise Refused("This case was not drawn; go back to the list.")
    if one.second is not None:
        raise Refused(READ_ALREADY)
    if held is None:
        raise Refused(GONE)
    if who[0] in wrote:
        raise Refused(OWN_ENTRY)
    content = {"round": of.round, **cases.named(case), "against": held.step, "fields": dict(fields)}
    append(conn, Draft("case_reentered", content, who[0], at, "", "", who[1], key))


def say(
    conn: Connection, of: Reliability, dispute: Dispute, said: str, why: str, who: tuple[str, str], at: str, key: str
) -> str:
    """Say which value of a disputed item stands; returns that value once both readers say the same, else "".

    Only the two readers may; for a first entry that came with a file, anybody but the second reader stands in. The
    same key says it once, and what came of it stands.
    """
    if sent_before(conn, "dispute_answered", key):
        return ""
    first, second = dispute.reread.first, dispute.reread.second
    if first is None or second is None or said not in (dispute.first, dispute.second):
        raise Refused("Choose one of the two values.")
    if dispute.settled:
        raise Refused("This item was settled already; edit the case to change it again.")
    if dispute.reread.out:
        raise Refused("This case was taken out as entered in error, so there is nothing to settle.")
    if who[0] not in (first.by, second.by) and not _from_file(dispute.reread):
        raise Refused("Only the two who read these notes can say which value stands.")
    named = cases.named(dispute.reread.case)
    content = {"round": of.round, **named, "field": dispute.field.name, "value": said, "text": why.strip()}
    append(conn, Draft("dispute_answered", content, who[0], at, "", "", who[1], key))
    now = draws(conn)[of.round]
    one = next(one for one in now.cases if one.case == dispute.reread.case)
    return _settled(one, dispute.field.name)
