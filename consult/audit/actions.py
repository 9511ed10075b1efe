"""Actions of the audit: what is done about a gap, by whom and until when; folded from the step log, with no table."""

from __future__ import annotations

import heapq
import uuid
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import asdict, replace

from consult.audit.rounds import Round, standing
from consult.proforma.days import day_in
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, check_seen, sent_before, steps

STATES: Final = {
    "planned": "Planned",
    "under_way": "Under way",
    "done": "Done, not re-audited yet",
    "closed": "Closed after re-audit",
    "given_up": "Given up",
}
MOVES: Final[dict[str, frozenset[str]]] = {
    "planned": frozenset({"under_way", "done", "given_up"}),
    "under_way": frozenset({"done", "given_up"}),
    "done": frozenset({"under_way", "closed"}),
    "closed": frozenset({"under_way"}),
    "given_up": frozenset({"planned"}),
}
"""What an action may become, by what it is. Only what was done can be closed, and only after a later round."""
ENDED: Final = frozenset({"closed", "given_up"})
NEEDS_WORDS: Final = frozenset({("done", "under_way"), ("closed", "under_way"), ("given_up", "planned")})
KINDS: Final = ("action_set", "action_moved")
LONGEST: Final = 1000
TEXTS: Final = {
    "cause": "the likely cause",
    "what": "what is done, so that anybody can tell whether it was",
    "evidence": "the evidence wanted",
}


class Wanted(Struct, frozen=True):
    """An action as somebody asks for it: the gap (measure, round, site; "" for all sites), and what is done about it.

    `owner` is the id of a person who signs in here, or a post in words, never both; `due` is ISO 8601.
    """

    measure: str
    round: str
    site: str
    cause: str
    what: str
    owner: str
    post: str
    due: str
    evidence: str


class Action(Struct, frozen=True):
    """An action as its steps tell it now; `reaudit` is the round it was closed after, `history` are those steps."""

    id: str
    wanted: Wanted
    state: str
    reaudit: str
    set_at: str
    set_by: str
    history: tuple[Step, ...]

    @property
    def open(self) -> bool:
        """Whether it is still to be seen to: neither closed nor given up."""
        return self.state not in ENDED

    @property
    def done_on(self) -> str:
        """The time of the step that last said it was done; "" while none did."""
        return next((s.at for s in reversed(self.history) if (s.content or {}).get("state") == "done"), "")

    def overdue(self, today: date) -> bool:
        """Whether its day has passed and nobody has said that it was done."""
        return self.state in ("planned", "under_way") and self.wanted.due < today.isoformat()


def actions(conn: Connection) -> dict[str, Action]:
    """Every action by id, the first made first."""
    found: dict[str, Action] = {}
    for step in heapq.merge(*(steps(conn, kind=kind) for kind in KINDS), key=lambda step: step.seq):
        if step.content is not None:
            _apply(found, step, step.content)
    return found


def _apply(found: dict[str, Action], step: Step, content: Mapping[str, Any]) -> None:
    before = found.get(content["action"])
    if step.kind == "action_set":
        wanted = Wanted(**{name: content[name] for name in Wanted.__struct_fields__})
        fresh = Action(content["action"], wanted, "planned", "", step.at, step.actor, ())
        now = replace(before, wanted=wanted) if before else fresh
    elif before is None:
        return  # what the action was has been redacted
    else:
        now = replace(before, state=content["state"], reaudit=content["reaudit"])
    found[now.id] = replace(now, history=(*now.history, step))


def set_action(
    conn: Connection,
    wanted: Wanted,
    who: tuple[str, str],
    at: str,
    key: str,
    action_id: str = "",
    reason: str = "",
    seen: int = 0,
) -> str:
    """Make an action, or (with its id) change one; returns its id. Refused says what is wrong with it.

    `who` is the actor and the role. A change of an action that is there needs a reason; its gap stays what it was.
    The same key makes one only. `seen` is the step that the page knew as the last of this action: another one
    there raises ChangedSince.
    """
    known = actions(conn).get(action_id)
    if action_id and known is None:
        raise Refused("There is no such action; go back to the list of actions.")
    if known is not None:
        check_seen(known.history, seen, key, "action")
        if not known.open:
            raise Refused("This action has ended; take it up again before it is changed.")
        if not reason.strip():
            raise Refused("Say why the action is changed; the reason is kept with it.", "reason")
        wanted = replace(wanted, measure=known.wanted.measure, round=known.wanted.round, site=known.wanted.site)
    wanted = _checked(conn, wanted)
    action_id = action_id or str(uuid.uuid5(uuid.NAMESPACE_OID, key))
    content = {"action": action_id, **asdict(wanted), "reason": reason.strip()}
    append(conn, Draft("action_set", content, who[0], at, role=who[1], key=key))
    return action_id


def _checked(conn: Connection, wanted: Wanted) -> Wanted:
    """What is asked for with its texts trimmed; Refused if it is not a whole action."""
    plain = replace(wanted, **{name: getattr(wanted, name).strip() for name in (*TEXTS, "post")})
    if not plain.measure:
        raise Refused("Choose the measure that shows the gap.", "measure")
    if plain.round not in {one.id for one in standing(conn)}:
        raise Refused("Choose the round that shows the gap.", "round")
    for name, words in TEXTS.items():
        if not getattr(plain, name):
            raise Refused(f"Write down {words}.", name)
    if long := [name for name in (*TEXTS, "post") if len(getattr(plain, name)) > LONGEST]:
        raise Refused(f"Shorten each text to {LONGEST} characters.", long[0])
    if bool(plain.owner) == bool(plain.post):
        raise Refused("Choose one owner: somebody who signs in here, or a post in words.", "owner")
    if not day_in(plain.due):
        raise Refused("Give the day by which it is done as a date.", "due")
    return plain


def move(
    conn: Connection, action_id: str, state: str, text: str, reaudit: str, who: tuple[str, str], at: str, key: str
) -> None:
    """Say that an action has become something else; Refused on every way that MOVES does not hold.

    To close one, `reaudit` names a round of the same way of capture that begins after the round of the gap ended. To
    give one up, or to take one up again, `text` says why. The same key does it once.
    """
    if sent_before(conn, "action_moved", key):
        return
    known = actions(conn).get(action_id)
    if known is None:
        raise Refused("There is no such action; go back to the list of actions.")
    if state not in MOVES[known.state]:
        raise Refused(f"An action that is “{STATES[known.state]}” can't become “{STATES.get(state, state)}”.")
    if len(text) > LONGEST:
        raise Refused(f"Shorten the text to {LONGEST} characters.")
    if (state == "given_up" or (known.state, state) in NEEDS_WORDS) and not text.strip():
        raise Refused("Say why in a few words; it is kept with the action.")
    if state == "closed":
        _check_reaudit(conn, known, reaudit)
    content = {
        "action": action_id,
        "state": state,
        "text": text.strip(),
        "reaudit": reaudit if state == "closed" else "",
    }
    append(conn, Draft("action_moved", content, who[0], at, role=who[1], key=key))


def _check_reaudit(conn: Connection, action: Action, reaudit: str) -> None:
    if reaudit not in {one.id for one in may_reaudit(list(standing(conn)), action)}:
        raise Refused(
            "Choose the round that looked again: captured in the same way, and begun after the round of the gap ended."
        )


def may_reaudit(known: Iterable[Round], action: Action) -> list[Round]:
    """The rounds after which an action may be closed: captured in the same way, begun after that of the gap ended."""
    rounds = list(known)
    own = next((one for one in rounds if one.id == action.wanted.round), None)
    if own is None:
        return []
    return [one for one in rounds if one.capture == own.capture and one.start > own.end]


def of_round(found: Iterable[Action], known: Iterable[Round], round_id: str) -> list[Action]:
    """The actions that a round shows: its own, those carried over from earlier rounds, and those closed after it.

    An action is carried over into every later round of the same way of capture until it is closed or given up.
    """
    rounds = {one.id: one for one in known}
    here = rounds[round_id]
    shown = []
    for action in found:
        own = rounds.get(action.wanted.round)
        carried = own is not None and action.open and own.capture == here.capture and own.start < here.start
        if action.wanted.round == round_id or action.reaudit == round_id or carried:
            shown.append(action)
    return shown
