"""Cases entered from case notes, one after the other: sittings, drafts, and the same rules as for a case file."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

from consult.audit import cases
from consult.audit.cases import CaseRow, Key
from consult.audit.episode import gap_code
from consult.audit.in_error import last_steps
from consult.exchange.intake import Import, differences, prepared, supersede, wrong_with
from consult.proforma.dataset import Dataset
from consult.proforma.days import day_in
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, sent_before, steps
from consult.record.store import Who

MODE: Final = "retrospective"
ENTERED, KEPT, DROPPED = "case_entered", "case_draft_kept", "case_draft_dropped"
WRITTEN: Final = ("case_imported", "case_replaced")
"""The steps that hold a version of a case."""
USUAL: Final = 40
MOST: Final = 1000
DATES: Final = ("earlier_ended", "this_began")
"""Two dates that may be given instead of the gap: the rule of the new episode is then worked out from them."""


NO_SITE: Final = "This site is not set up here, or is closed; choose one of the list."


class NotTaken(Refused):
    """The case was not taken; `wrong` names each field with a sentence, `held` is the case of the same key, if any."""

    def __init__(self, wrong: list[tuple[str, str]], held: CaseRow | None = None) -> None:
        super().__init__(" ".join(sentence for _, sentence in wrong))
        self.wrong, self.held = wrong, held


class Over(Refused):
    """Nothing more is taken of this case: it was entered already, or given up."""


class Unfinished(Struct, frozen=True):
    """A case that was begun and not entered yet: its fields as they were typed."""

    id: str
    fields: Mapping[str, str]
    at: str


class Sitting(Struct, frozen=True):
    """One person's sitting over case notes: how many cases are wanted, what was entered, and what is unfinished."""

    id: str
    wanted: int
    by: str
    at: str
    entered: tuple[Key, ...] = ()
    drafts: Mapping[str, Unfinished] = field(default_factory=dict)
    done: frozenset[str] = frozenset()


def sittings(conn: Connection, actor: str = "") -> dict[str, Sitting]:
    """The sittings of a person (or of all) by id, the oldest first."""
    begun = [step for step in steps(conn, kind="sitting_begun") if actor in ("", step.actor)]
    entered, kept, dropped = (steps(conn, kind=kind) for kind in (ENTERED, KEPT, DROPPED))
    return _told(begun, entered, kept, dropped, last_steps(conn))


def sitting(conn: Connection, id_: str, actor: str = "") -> Sitting | None:
    """One sitting, if it is that person's (or anybody's); only what was recorded since it began is looked at."""
    begun = [one for one in steps(conn, kind="sitting_begun", said={"sitting": id_}) if actor in ("", one.actor)]
    if not begun:
        return None
    entered, kept = (steps(conn, kind=kind, after=begun[0].seq, said={"sitting": id_}) for kind in (ENTERED, KEPT))
    dropped = steps(conn, kind=DROPPED, after=begun[0].seq)
    return _told(begun, entered, kept, dropped, last_steps(conn))[id_]


def _told(
    begun: Iterable[Step],
    entered: Iterable[Step],
    kept: Iterable[Step],
    dropped: Iterable[Step],
    in_error: Mapping[Key, int],
) -> dict[str, Sitting]:
    """The sittings that were begun, with their cases and with the drafts that were neither entered nor dropped.

    A case that was taken out since (`in_error`, by the step that did so) is none of them any more.
    """
    keys, done = defaultdict[str, list[Key]](list), defaultdict[str, set[str]](set)
    for step, said in _said(entered):
        if step.seq > in_error.get(key := cases.key_of(said), 0):
            keys[said["sitting"]].append(key)
        done[said["sitting"]].add(said["draft"])
    drafts = _drafts(kept, {said["draft"] for _, said in _said(dropped)}, done)
    return {
        (id_ := said["sitting"]): Sitting(
            id_, said["wanted"], step.actor, step.at, tuple(keys[id_]), drafts[id_], frozenset(done[id_])
        )
        for step, said in _said(begun)
    }


def _drafts(
    kept: Iterable[Step], given_up: Collection[str], done: Mapping[str, set[str]]
) -> Mapping[str, dict[str, Unfinished]]:
    """The drafts of each sitting as they were kept last, but for those that were given up or entered."""
    drafts = defaultdict[str, dict[str, Unfinished]](dict)
    for step, said in _said(kept):
        id_, draft = said["sitting"], said["draft"]
        if draft not in given_up and draft not in done[id_]:
            drafts[id_][draft] = Unfinished(draft, said["fields"], step.at)
    return drafts


def _said(told: Iterable[Step]) -> Iterator[tuple[Step, Mapping[str, Any]]]:
    """Steps with what they say; those whose content was redacted say nothing, and are left out."""
    return ((step, step.content) for step in told if step.content is not None)


def begin(conn: Connection, wanted: int, who: Who, at: str, key: str) -> str:
    """Begin a sitting of so many cases; returns its id. The same key begins one only."""
    if not 1 <= wanted <= MOST:
        raise Refused(f"Give a number of cases from 1 to {MOST:,}.")
    id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, key))
    append(conn, Draft("sitting_begun", {"sitting": id_, "wanted": wanted}, who.actor, at, role=who.role, key=key))
    return id_


def why_over(conn: Connection, sitting: str, draft: str) -> str:
    """Why nothing more is taken of a case of a sitting, in a sentence; "" while it may go on."""
    if any(steps(conn, kind=ENTERED, said={"sitting": sitting, "draft": draft})):
        return "This case was entered already, so nothing more is kept of what is typed here."
    if any(steps(conn, kind=DROPPED, said={"draft": draft})):
        return "This case was given up, so nothing more is kept of what is typed here."
    return ""


def _check_goes_on(conn: Connection, sitting: str, draft: str) -> None:
    if why := why_over(conn, sitting, draft):
        raise Over(why)


def keep_draft(conn: Connection, of: Sitting, draft: str, fields: Mapping[str, str], who: Who, at: str) -> None:
    """Keep what was typed of a case so far; nothing is written where nothing changed.

    Over is raised, and nothing kept, once the case was entered or given up.
    """
    _check_goes_on(conn, of.id, draft)
    known = sitting(conn, of.id)
    before = known.drafts.get(draft) if known else None
    kept = {name: text for name, text in fields.items() if text}
    if not kept if before is None else dict(before.fields) == kept:
        return
    content = {"draft": draft, "sitting": of.id, "fields": kept}
    append(conn, Draft(KEPT, content, who.actor, at, role=who.role))


def drop_draft(conn: Connection, of: Sitting, draft: str, reason: str, who: Who, at: str, key: str) -> None:
    """Give up a case that was begun, with the reason; what was typed stays in the log. The same key does it once."""
    if sent_before(conn, DROPPED, key):
        return
    if draft not in of.drafts:
        raise Refused("There is no such unfinished case; go back to the sitting.")
    if not reason.strip():
        raise Refused("Say why this case is not entered; no case is dropped without a reason.")
    append(conn, Draft(DROPPED, {"draft": draft, "reason": reason.strip()}, who.actor, at, role=who.role, key=key))


def with_gap(fields: Mapping[str, str]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """The fields with `episode_gap` worked out from two dates where they are given, and what is wrong with them."""
    plain = {name: text for name, text in fields.items() if name not in DATES}
    given = [fields.get(name, "").strip() for name in DATES]
    if not any(given):
        return plain, []
    ended, began = (day_in(text) for text in given)
    if ended is None or began is None:
        return plain, [("episode_gap", "Give both dates, each as a day: when earlier back pain ended, and this began.")]
    if began < ended:
        return plain, [
            ("episode_gap", "This episode can't have begun before the earlier one ended; correct the dates.")
        ]
    told, chosen = gap_code(ended, began), plain.get("episode_gap", "")
    if chosen in ("", told):
        return plain | {"episode_gap": told}, []
    days = (began - ended).days
    return plain, [("episode_gap", f"The dates lie {days} days apart, which is not what was chosen; correct either.")]


def enter(
    conn: Connection,
    dataset: Dataset,
    typed: Mapping[str, str],
    about: tuple[Sitting, str],
    settings: Import,
    sites: set[str],
    who: Who,
    key: str,
) -> CaseRow:
    """Enter one case of a sitting; `about` is the sitting and the draft it came from. NotTaken says what is wrong.

    The case is marked retrospective and held to the rules of a case file. A case of the same key is never taken
    again: NotTaken then holds the one that is there. The same request twice (same key) enters it once. A draft that was
    entered or given up makes no case: Over is raised.
    """
    sitting, draft = about
    fields = _fields(dataset, typed, settings, sites)
    if (held := cases.read(conn, *cases.key_of(fields))) is not None:
        if held.fields == fields and _came_with(conn, held, key):
            return held
        raise _held_already(dataset, held, fields)
    _check_goes_on(conn, sitting.id, draft)
    step = append(conn, Draft("case_imported", fields, who.actor, settings.at, role=who.role, key=f"{key}:case"))
    cases.put(conn, fields, step=step)
    content = {"draft": draft, "sitting": sitting.id, **cases.named(cases.key_of(fields)), "step": step}
    append(conn, Draft(ENTERED, content, who.actor, settings.at, role=who.role, key=f"{key}:entered"))
    return CaseRow(fields, "", step, 0)


def _fields(dataset: Dataset, typed: Mapping[str, str], settings: Import, sites: set[str]) -> dict[str, str]:
    """What was typed as a case holds it; NotTaken where a rule of a case file does not hold, or at another site."""
    with_dates, wrong = with_gap(typed)
    fields = prepared({**with_dates, "capture_mode": MODE}, dataset, settings)
    wrong += wrong_with(fields, dataset, settings)
    if fields["site"] and fields["site"] not in sites:
        wrong.append(("site", NO_SITE))
    if wrong:
        raise NotTaken(wrong)
    return fields


def _held_already(dataset: Dataset, held: CaseRow, fields: Mapping[str, str]) -> NotTaken:
    differing = differences(dataset, held.fields, fields)
    said = f"with other values in {', '.join(differing)}" if differing else "with the same values"
    sentence = f"A case with this reference is held already, {said}; give this one another, or edit it."
    return NotTaken([("case_ref", sentence)], held)


def _came_with(conn: Connection, held: CaseRow, key: str) -> bool:
    return any(step.key == f"{key}:case" for step in steps(conn, seq=held.step))


def edit(
    conn: Connection,
    dataset: Dataset,
    held: CaseRow,
    typed: Mapping[str, str],
    reason: str,
    settings: Import,
    sites: set[str],
    who: Who,
    key: str,
    seen: int,
) -> None:
    """Let other values supersede those of a case entered or imported, with the reason; what was stays in the log.

    `seen` is the step that the page knew as the last of this case. Provider, capture mode and reference stay. A case
    of the own provider is moved to one of `sites` only; those of others have sites that nobody here knows.
    """
    if held.consultation:
        raise Refused("This case comes from a consultation signed here; its clinician corrects it by an addendum.")
    if _came_with(conn, held, key):
        return
    if held.step != seen:
        raise Refused("Somebody changed this case since the page was made; open it again, then make your change.")
    fields, wrong = _changed(dataset, held, typed, settings, sites)
    if not reason.strip():
        wrong.append(("reason", "Say why the case is changed; the reason is kept with it."))
    if not wrong and not differences(dataset, held.fields, fields):
        wrong.append(("reason", "Nothing was changed, so nothing is written."))
    if wrong:
        raise NotTaken(wrong)
    supersede(conn, fields, reason.strip(), who, settings.at, key)


def _changed(
    dataset: Dataset, held: CaseRow, typed: Mapping[str, str], settings: Import, sites: set[str]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """What was typed of a case that is held as a case holds it, and what is wrong with it."""
    with_dates, wrong = with_gap(typed)
    fields = prepared({**with_dates, **cases.named(held.key)}, dataset, settings)
    wrong += wrong_with(fields, dataset, settings)
    if fields["provider"] == settings.provider and fields["site"] not in {held.fields["site"], "", *sites}:
        wrong.append(("site", NO_SITE))
    return fields, wrong


def edits(conn: Connection, case: Key) -> list[tuple[str, str, str]]:
    """Why a case was changed, each time: (when, who, reason), the oldest first."""
    return [
        (step.at, step.actor, step.content["reason"])
        for step in steps(conn, kind="case_edited")
        if step.content is not None and cases.key_of(step.content) == case
    ]


def entered_by(conn: Connection, case: Key) -> set[str]:
    """Everybody who wrote a version of a case: those who may not be its second reader."""
    return {step.actor for kind in WRITTEN for step in steps(conn, kind=kind, said=cases.named(case))}


def written(conn: Connection, of: Collection[Key]) -> dict[Key, list[tuple[int, str]]]:
    """The steps that hold a version of some cases, with who wrote each."""
    found: dict[Key, list[tuple[int, str]]] = {key: [] for key in of}
    for kind in WRITTEN:
        for step in steps(conn, kind=kind):
            said = step.content or {}
            key = (said.get("provider", ""), said.get("capture_mode", ""), said.get("case_ref", ""))
            if key in found:
                found[key].append((step.seq, step.actor))
    return found
