"""How an employee needs to read: asked once, kept in steps by the opaque id alone, and what of it could not be met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import merge
from typing import Final, Literal, cast

from msgspec import Struct

from consult.record import merging
from consult.record.database import Connection
from consult.record.ledger import Draft, Refused, Step, append, last_step, steps

TOLD: Final = "reading_need_told"
UNMET: Final = "leaflet_need_unmet"
ABOUT_UNMET: Final = ("leaflet_given", "leaflet_not_given", UNMET)
Answer = Literal["some", "none", "declined"]
ANSWERS: Final[dict[str, str]] = {
    "none": "No need beyond ordinary print in English",
    "some": "Needs another form",
    "declined": "Asked, and would rather not say",
}


class Need(Struct, frozen=True):
    """What an employee said. `size` is a format of leaflets, `language` a tag ("" for English), `others` are codes.

    With `answer` none or declined the rest is blank.
    """

    answer: Answer
    size: str = ""
    language: str = ""
    easy_read: bool = False
    others: tuple[str, ...] = ()
    at: str = ""
    by: str = ""

    @property
    def codes(self) -> tuple[str, ...]:
        """Each single need as the steps name it: size:large, language:pl, easy_read, other:braille."""
        size = (f"size:{self.size}",) if self.size else ()
        language = (f"language:{self.language}",) if self.language else ()
        easy = ("easy_read",) if self.easy_read else ()
        return (*size, *language, *easy, *(f"other:{code}" for code in self.others))


def _about(employee: str) -> str:
    return f"reading:{employee}"


def need(conn: Connection, employee: str) -> Need | None:
    """What the employee needs as last told, under whichever entry of theirs; None while nobody asked."""
    told = (last_step(conn, "", _about(id_)) for id_ in merging.ids_of(conn, employee))
    step = max((one for one in told if one is not None), key=lambda one: one.seq, default=None)
    return _need(step) if step is not None and step.content is not None else None


def _need(step: Step) -> Need:
    said = step.content or {}
    answer = cast(Answer, said["answer"])
    return Need(answer, said["size"], said["language"], said["easy_read"], tuple(said["others"]), step.at, step.actor)


def tell(conn: Connection, employee: str, told: Need, who: tuple[str, str], at: str, key: str) -> None:
    """Record what the employee needs, in the place of what was told before; Refused where the answer does not fit."""
    if told.answer not in ANSWERS:
        raise Refused("Choose whether the employee needs another form than ordinary print, or would rather not say.")
    if told.answer == "some" and not told.codes:
        raise Refused("Choose what the employee needs, or that there is no such need.")
    if told.answer != "some" and told.codes:
        raise Refused("A need is chosen beside the answer that there is none, or none was told; choose one of them.")
    content = {
        "employee": employee,
        "answer": told.answer,
        "size": told.size,
        "language": told.language,
        "easy_read": told.easy_read,
        "others": list(told.others),
    }
    append(conn, Draft(TOLD, content, who[0], at, "", _about(employee), who[1], key))


class Counted(Struct, frozen=True):
    """How many employees gave which answer and need, as last told; and how often which need was not met, and why."""

    answers: Counter[str]
    needs: Counter[str]
    unmet: Counter[tuple[str, str]]


def counted(conn: Connection) -> Counted:
    """The counts over all employees and consultations; somebody entered twice is one employee."""
    same, last = merging.same_as(conn), dict[str, Step]()
    for step in steps(conn, kind=TOLD):
        if step.content is not None:
            last[same.get(step.content["employee"], step.content["employee"])] = step
    told = [_need(step) for step in last.values()]
    unmet: Counter[tuple[str, str]] = Counter()
    for step in still_unmet(merge(*(steps(conn, kind=kind) for kind in ABOUT_UNMET), key=lambda step: step.seq)):
        said = step.content or {}
        unmet.update((code, said["reason"]) for code in said["needs"])
    return Counted(Counter(one.answer for one in told), Counter(code for one in told for code in one.codes), unmet)


def still_unmet(in_order: Iterable[Step]) -> list[Step]:
    """The needs that were not met, of any consultations: all but those about leaflets that were then not given at all.

    A reason about a leaflet that was given falls with the giving, once that is taken back as pressed by mistake.
    """
    given, found, back = dict[tuple[str, str], set[int]](), list[tuple[Step, frozenset[int]]](), set[int]()
    for step in in_order:
        if step.content is None:
            continue
        about = step.consultation, step.content.get("leaflet", "")
        if step.kind == "leaflet_given":
            given.setdefault(about, set()).add(step.seq)
        elif step.kind == "leaflet_not_given":
            back.add(step.content["given"])
        elif step.kind == UNMET:
            found.append((step, frozenset(given.get(about, set()) - back)))
    return [step for step, before in found if not before or before - back]
