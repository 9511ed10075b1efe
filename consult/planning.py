"""The action plan: each action with its gap and its re-audit, counted from the samples of their rounds as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from consult.accounts import people
from consult.accounts.people import ROLES
from consult.accounts.without_names import without_names
from consult.audit import actions, leaving, rounds, sampling, statistics
from consult.audit.actions import Action
from consult.audit.comparison import points, whole_rate
from consult.audit.counting import Result
from consult.audit.results import Results, results
from consult.audit.rounds import Round
from consult.audit.suppression import LEAVES_FROM
from consult.documents import action_plan, saved
from consult.documents.words import INVENTED_SHORT, local_time, uk_date
from consult.instance import Instance
from consult.record import ledger, settings
from consult.record.database import Connection

NAMED_INSIDE = "named in the service's own copy"
Count = Callable[[str, str], Results | None]


class Planned(Struct, frozen=True):
    """An action as a plan shows it: words for its parts, and the counts of gap and re-audit (None: not to be said).

    `owner` is a name or post, in a copy that leaves the provider a role; `carried` says that the gap is of an earlier
    round than the one asked for.
    """

    action: Action
    measure: str
    round: str
    site: str
    owner: str
    cause: str
    what: str
    evidence: str
    gap: Result | None
    reaudit: Result | None
    reaudit_round: str
    carried: bool

    @property
    def gap_said(self) -> str:
        """The result that showed the gap, in words."""
        return whole_rate(self.gap) if self.gap else "not given in this copy"

    @property
    def reaudit_said(self) -> str:
        """The result of the re-audit and how it differs, in words; "" while there was none."""
        if not self.action.reaudit:
            return ""
        if self.reaudit is None or self.gap is None:
            return f"{self.reaudit_round}: not given in this copy"
        return f"{self.reaudit_round}: {whole_rate(self.reaudit)}{_change(self.gap, self.reaudit)}"


def _change(before: Result, after: Result) -> str:
    found = statistics.newcombe(after.met, after.applicable, before.met, before.applicable)
    if found is None or min(before.applicable, after.applicable) < LEAVES_FROM:
        return "; too few to say how it changed"
    return f"; change {points(found[0])} points ({points(found[1])} to {points(found[2])})"


def plan(instance: Instance, conn: Connection, of: Round | None, *, leaves: bool = False) -> list[Planned]:
    """The actions that a round shows, or all; open ones first, then by the day they are due.

    With `leaves` as they may leave the provider: a role instead of a name, no result of one site or of fewer than 10,
    and no name of a colleague in any text.
    """
    known = list(rounds.standing(conn))
    held = list(actions.actions(conn).values())
    shown = actions.of_round(held, known, of.id) if of else held
    ordered = sorted(shown, key=lambda one: (not one.open, one.wanted.due, one.id))
    count = _counting(instance, conn, known)
    words = _Words(instance, conn, known, leaves)
    return [words.planned(one, count, of) for one in ordered]


def _counting(instance: Instance, conn: Connection, known: list[Round]) -> Count:
    """Counts the sample of a round at a site ("": all sites), each once; None for a round that is not there."""
    by_id = {one.id: one for one in known}
    measures, dataset = instance.measures, instance.library.current.dataset

    @cache
    def count(round_id: str, site: str) -> Results | None:
        if (one := by_id.get(round_id)) is None:
            return None
        selection = sampling.sample(conn, measures, dataset, one).selection
        return results(conn, measures, dataset, replace(selection, site=site))

    return count


class _Words:
    """The words of actions: who owns them, where they belong, and their texts as they may be shown."""

    def __init__(self, instance: Instance, conn: Connection, known: Iterable[Round], leaves: bool) -> None:
        self.measures, self.leaves = instance.measures, leaves
        self.rounds = {one.id: one.name for one in known}
        self.sites = settings.sites(conn)
        self.people = {person.id: person for person in people.people(conn)}

    def planned(self, action: Action, count: Count, of: Round | None) -> Planned:
        wanted = action.wanted
        measure = self.measures.by_id.get(wanted.measure)
        site = self.sites[wanted.site].name if wanted.site in self.sites else wanted.site
        return Planned(
            action,
            measure.title if measure else wanted.measure,
            self.rounds.get(wanted.round, "a round that was withdrawn"),
            site if site and not self.leaves else "one site" if site else "all sites",
            self._owner(action),
            self.text(wanted.cause),
            self.text(wanted.what),
            self.text(wanted.evidence),
            self._result(count(wanted.round, wanted.site), wanted),
            self._result(count(action.reaudit, wanted.site), wanted) if action.reaudit else None,
            self.rounds.get(action.reaudit, ""),
            bool(of and wanted.round != of.id),
        )

    def _owner(self, action: Action) -> str:
        person = self.people.get(action.wanted.owner)
        if person is None:
            return f"a post, {NAMED_INSIDE}" if self.leaves else action.wanted.post or action.wanted.owner
        return ROLES[person.role] if self.leaves else f"{person.name}, {ROLES[person.role].lower()}"

    def _result(self, found: Results | None, wanted: actions.Wanted) -> Result | None:
        result = found.measures.get(wanted.measure) if found else None
        withheld = self.leaves and result is not None and (bool(wanted.site) or not leaving.leaves(result))
        return None if withheld else result

    def text(self, text: str) -> str:
        """A text as it may be shown: in a copy that leaves, a colleague's name is replaced by the role."""
        return without_names(text, self.people.values()) if self.leaves else text


def marks(held: Iterable[Action], measure: str, site: str) -> list[tuple[date, str]]:
    """The actions on a measure as a chart over time marks them: the day each was done (else begun), and what it was.

    Those of all sites stand on every chart, those of one site on the charts of that site and of all.
    """
    found = []
    for action in held:
        wanted = action.wanted
        if wanted.measure == measure and (not site or wanted.site in ("", site)) and action.state != "given_up":
            day = local_time(action.done_on or action.set_at).date()
            said = "done" if action.done_on else "planned"
            found.append((day, f"{said}: {wanted.what}"))
    return sorted(found)


def document(instance: Instance, conn: Connection, of: Round | None, *, leaves: bool) -> bytes:
    """The action plan as a text document (docx), with the head of the record it was made at."""
    shown = plan(instance, conn, of, leaves=leaves)
    step, hash_ = ledger.head(conn)
    about = action_plan.About(
        title=f"Action plan: {of.name}" if of else "Action plan",
        provider=instance.provider,
        use=leaving.LEAVES if leaves else leaving.INTERNAL,
        made=uk_date(instance.today()),
        measures=f"measures {instance.measures.version}, digest {instance.content.measures_digest[:16]}",
        head=f"Step {step} of the record, {hash_}",
        key=saved.key("plan-leaving" if leaves else "plan", of.id if of else "", instance.clock()),
        at=instance.clock(),
        warning=INVENTED_SHORT if instance.demonstration else "",
    )
    return action_plan.docx([row(one) for one in shown], about)


def row(one: Planned) -> action_plan.Row:
    """One action as the rows of a plan on paper say it."""
    action = one.action
    gap = f"{one.measure}. {one.round}, {one.site}: {one.gap_said}"
    carried = " (carried over)" if one.carried else ""
    return action_plan.Row(
        gap + carried,
        one.cause,
        one.what,
        one.owner,
        uk_date(action.wanted.due),
        one.evidence,
        actions.STATES[action.state],
        one.reaudit_said or "not yet",
    )
