"""The months of the full demonstration: its consultations as drawn, and the audit that its lead makes of them."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import Any, Final

from consult import demo_draw
from consult.audit import actions, cases, organisation, reliability, rounds, sampling, targets
from consult.audit.cases import Key
from consult.audit.rounds import SiteRule
from consult.demo_draw import Drawn
from consult.demo_talk import Clock, Talk
from consult.documents import followup, releasing, signing
from consult.exchange import entry
from consult.exchange.intake import Import
from consult.instance import Instance
from consult.record import incidents
from consult.record.identity import Employee
from consult.record.ledger import seen_of
from consult.record.release import Event
from consult.record.store import Who

OFFICE: Final = time(8, 5)
"""When what is done at a desk and not in a consultation is done, by default."""
A_CASE: Final = timedelta(minutes=2)
Happens = Callable[[], None]


class Month:
    """Everything that happens in the full demonstration, each thing at its time by the clock of the instance."""

    def __init__(
        self,
        instance: Instance,
        clock: Clock,
        now: datetime,
        who: Mapping[str, Who],
        script: dict[str, Any],
        usual: dict[str, Any],
        held: Callable[[int], None],
    ) -> None:
        self.instance, self.clock, self.now, self.who, self.script = instance, clock, now, who, script
        self.usual, self.held = usual, held
        self.people = {person["username"]: person for person in script["clinicians"]}
        self.invented = demo_draw.employees(script)
        self.employees: dict[int, Employee] = {}
        self.unplaced: list[str] = []
        self._due: list[tuple[datetime, int, Happens]] = []
        self._number = count()

    def fill(self, baseline: Sequence[dict[str, str]], others: Sequence[tuple[datetime, Happens]]) -> None:
        """Let everything happen in its order; `others` is what happens beside, each at its time."""
        audit = Audit(self.instance, self.clock, self.now, self.who, self.script)
        known = {name: {"role": self.who[name].role, "site": p["site"]} for name, p in self.people.items()}
        drawn = demo_draw.consultations(self.script, known, self.now)
        held = [(one.when, self._consultation(one)) for one in drawn]
        for when, happens in (*audit.planned(baseline), *others, *held):
            self._at(when, happens)
        while self._due:
            when, _, happens = heapq.heappop(self._due)
            if when < self.now:
                self.clock.now = max(self.clock.now, when)
                happens()

    def _at(self, when: datetime, happens: Happens) -> None:
        heapq.heappush(self._due, (when, next(self._number), happens))

    def _consultation(self, drawn: Drawn) -> Happens:
        def hold() -> None:
            who, employee = self.who[drawn.clinician], self._employee(drawn)
            names = releasing.Names(employee.name, self.people[drawn.clinician]["name"])
            talk = Talk(self.instance, self.clock, who, drawn.talk, names, self.usual)
            talk.hold(employee, self.people[drawn.clinician]["site"])
            self.unplaced += sorted(talk.refused)
            self._after(talk)
            self.held(1)

        return hold

    def _employee(self, drawn: Drawn) -> Employee:
        if drawn.employee not in self.employees:
            one = next(self.invented)
            who = self.who[drawn.clinician]
            self.employees[drawn.employee] = self.instance.store.register(one.name, one.born, one.number, who)
            self.clock.pass_()
        return self.employees[drawn.employee]

    def _after(self, talk: Talk) -> None:
        """What comes after: signing, now or on a later day, then whatever the script says of a signed one."""

        def end() -> None:
            talk.end()
            for days, happens in self._later(talk):
                self._at(self.clock() + timedelta(days=days), happens)

        self._at(self.clock() + timedelta(hours=talk.talk.get("signed_hours_later", 0)), end)

    def _later(self, talk: Talk) -> list[tuple[float, Happens]]:
        said = talk.talk
        if said["ends"] != "signed":
            return []
        plan: list[tuple[float, Happens]] = []
        if talk.decided and "followed_up" in said:
            plan.append((said["followed_up_days"], lambda: self._follow_up(talk)))
        if any(isinstance(answer, dict) for answer in talk.answers.values()):
            plan += [(day, lambda: self._review(talk)) for day in said.get("reviewed_on_days", [])]
        if "released_days" in said:
            plan.append((said["released_days"], lambda: self._release(talk)))
        if wrong := said.get("in_error"):
            plan.append((wrong["days"], lambda: self._in_error(talk, wrong)))
        if more := said.get("addendum"):
            plan.append((more["days"], lambda: self._add(talk, more)))
        return plan

    def _follow_up(self, talk: Talk) -> None:
        """What became of each urgent decision, where the script says what did."""
        consultation = self.instance.store.consultation(talk.id)
        told = talk.talk["followed_up"]
        if consultation is None:
            return
        for one in followup.decisions(self.instance.store, consultation):
            key = f"{talk.id}:followed-up:{one.decision.seq}"
            followup.follow_up(
                self.instance.store, talk.id, one.decision.seq, told["outcome"], told["text"], key, talk.who
            )

    def _review(self, talk: Talk) -> None:
        """What the review of each adjustment said whose date has passed."""
        consultation = self.instance.store.consultation(talk.id)
        told = talk.talk["reviewed"]
        if consultation is None:
            return
        for one in followup.reviews(self.instance.store, consultation, self.instance.today()):
            if one.open:
                key = f"{talk.id}:reviewed:{one.question.id}"
                followup.review(
                    self.instance.store, talk.id, one.question.id, told["outcome"], told["text"], key, talk.who
                )

    def _release(self, talk: Talk) -> None:
        """Release the final report, where there is one that may leave."""
        store = self.instance.store
        consultation = store.consultation(talk.id)
        if consultation is None:
            return
        now = releasing.now(consultation, store.definition_of(consultation), self.instance.today())
        if now.may(Event.RELEASED) and now.made is not None and now.made.content is not None:
            said = {"digest": now.made.content["digest"], **self.script["release"]}
            releasing.record(store, talk.id, Event.RELEASED, said, talk.names, f"{talk.id}:released", talk.who)

    def _in_error(self, talk: Talk, wrong: dict[str, Any]) -> None:
        key = f"{talk.id}:in-error"
        signing.enter_in_error(self.instance.store, talk.id, wrong["reason"], wrong["text"], key, talk.who)

    def _add(self, talk: Talk, more: dict[str, Any]) -> None:
        key = f"{talk.id}:addendum"
        signing.add_addendum(self.instance.store, talk.id, more["text"], more["why"], {}, key, talk.who)


class Audit:
    """What the audit lead and the readers of notes do: rounds, targets, second readings, actions, and what goes with
    them. Each thing comes from the script, at its day."""

    def __init__(
        self, instance: Instance, clock: Clock, now: datetime, who: Mapping[str, Who], script: dict[str, Any]
    ) -> None:
        self.instance, self.clock, self.now, self.who, self.script = instance, clock, now, who, script
        self.lead = self._by(script["lead"])
        self.rounds: dict[str, str] = {}
        self.actions: dict[str, str] = {}

    def planned(self, baseline: Sequence[dict[str, str]]) -> list[tuple[datetime, Happens]]:
        """Everything of the audit, each with its time."""
        script = self.script
        plan = [self._then(script["baseline"]["entered_days_ago"], lambda: self._enter(baseline))]
        plan += [self._then(one["set_days_ago"], self._round(one)) for one in script["rounds"]]
        plan += [self._then(one["days_ago"], self._exclude(one)) for one in script["taken_out"]]
        plan += [self._then(one["days_ago"], self._target(one)) for one in script["targets"]]
        plan += [self._then(script["readings"]["days_ago"], self._readings)]
        for action in script["actions"]:
            plan.append(self._then(action["set_days_ago"], self._action(action)))
            plan += [self._then(one["days_ago"], self._move(action["key"], one)) for one in action.get("moves", [])]
        for one in script["incidents"]:
            plan.append(self._then(one["days_ago"], self._incident(one)))
        plan += [self._then(one["days_ago"], self._organisation(one)) for one in script["organisation"]]
        return plan

    def _then(self, days_ago: int, happens: Happens) -> tuple[datetime, Happens]:
        return datetime.combine(self._day(days_ago), OFFICE, UTC), happens

    def _day(self, days_ago: int) -> date:
        return (self.now - timedelta(days=days_ago)).date()

    def _by(self, username: str) -> tuple[str, str]:
        return self.who[username].actor, self.who[username].role

    def _enter(self, baseline: Sequence[dict[str, str]]) -> None:
        """Enter the constructed cases as one sitting over case notes, two minutes a case."""
        reader = Who(*self._by(self.script["baseline"]["reader"]))
        dataset, sites = self.instance.library.current.dataset, set(self.instance.sites)
        with self.instance.db.write() as conn:
            sitting = entry.begin(conn, len(baseline), reader, self.instance.store.at(), "demonstration:sitting")
            about = entry.sittings(conn)[sitting]
        for nth, case in enumerate(baseline):
            self.clock.pass_(A_CASE)
            rules = Import(self.instance.provider, self.instance.today(), reader.actor, self.instance.store.at())
            with self.instance.db.write() as conn:
                key = f"demonstration:case:{nth}"
                entry.enter(conn, dataset, case, (about, f"draft-{nth}"), rules, sites, reader, key)

    def _round(self, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            wanted = rounds.Wanted(
                name=one["name"],
                provider=self.instance.provider,
                capture=one["capture"],
                start=self._day(one["start_days_ago"]).isoformat(),
                end=self._day(one["end_days_ago"]).isoformat(),
                rule=one["rule"],
                n=one["n"],
                sites={site: SiteRule(one["rule"], n) for site, n in one.get("sites", {}).items()},
            )
            with self.instance.db.write() as conn:
                key = f"demonstration:round:{one['key']}"
                self.rounds[one["key"]] = rounds.set_round(conn, wanted, self.lead, self.instance.store.at(), key)

        return happens

    def _sample(self, key: str) -> list[Key]:
        conn = self.instance.db.read()
        one = rounds.rounds(conn)[self.rounds[key]]
        dataset = self.instance.library.current.dataset
        return [case.key for case in sampling.sample(conn, self.instance.measures, dataset, one).taken]

    def _exclude(self, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            case, why = self._sample(one["round"])[one["nth"] - 1], (one["reason"], one["text"])
            with self.instance.db.write() as conn:
                key, at = f"demonstration:out:{one['round']}:{one['nth']}", self.instance.store.at()
                rounds.exclude(conn, self.rounds[one["round"]], case, True, why, self.lead, at, key)

        return happens

    def _target(self, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            with self.instance.db.write() as conn:
                key, at = f"demonstration:target:{one['measure']}:{one['days_ago']}", self.instance.store.at()
                targets.set_target(conn, one["measure"], one["percent"] / 100, one["reason"], self.lead, at, key)

        return happens

    def _readings(self) -> None:
        """Draw the cases to be read again, read them, and say what stands where the readers differ."""
        said, store = self.script["readings"], self.instance.store
        sample, round_id, reader = self._sample(said["round"]), self.rounds[said["round"]], self._by(said["reader"])
        with self.instance.db.write() as conn:
            seed = str(self.script["seed"])
            reliability.draw(conn, round_id, sample, seed, self.lead, store.at(), "demonstration:draw")
            drawn = reliability.draws(conn)[round_id]
        items = reliability.items(self.instance.library.current.dataset)
        for nth, one in enumerate(drawn.cases, start=1):
            self.clock.pass_(A_CASE)
            with self.instance.db.write() as conn:
                held = cases.read(conn, *one.case)
                fields = {item.name: held.fields[item.name] for item in items} if held else {}
                for differs in said["differs"]:
                    if differs["nth"] == nth:
                        name, values = differs["field"], differs["values"]
                        fields[name] = next(value for value in values if value != fields[name])
                key, wrote = f"demonstration:reading:{nth}", entry.entered_by(conn, one.case)
                reliability.reenter(conn, drawn, one.case, fields, reader, store.at(), key, wrote)
        for differs in said["differs"]:
            self._settle(round_id, drawn.cases[differs["nth"] - 1].case, differs)

    def _settle(self, round_id: str, case: Key, differs: dict[str, Any]) -> None:
        """Each reader who the script says has spoken says that what the first reader wrote stands."""
        dataset = self.instance.library.current.dataset
        for username in differs["first_stands_say"]:
            self.clock.pass_(A_CASE)
            with self.instance.db.write() as conn:
                drawn = reliability.draws(conn)[round_id]
                found = reliability.disputes(drawn, dataset)
                one = next(d for d in found if d.reread.case == case and d.field.name == differs["field"])
                key, at = f"demonstration:said:{username}:{differs['nth']}", self.instance.store.at()
                reliability.say(conn, drawn, one, one.first, differs["text"], self._by(username), at, key)

    def _action(self, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            wanted = actions.Wanted(
                measure=one["measure"],
                round=self.rounds[one["round"]],
                site=one.get("site", ""),
                cause=one["cause"],
                what=one["what"],
                owner=self.who[one["owner"]].actor if "owner" in one else "",
                post=one.get("post", ""),
                due=self._day(one["due_days_ago"]).isoformat(),
                evidence=one["evidence"],
            )
            with self.instance.db.write() as conn:
                key, at = f"demonstration:action:{one['key']}", self.instance.store.at()
                self.actions[one["key"]] = actions.set_action(conn, wanted, self.lead, at, key)

        return happens

    def _move(self, action: str, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            after = self.rounds[one["after"]] if "after" in one else ""
            with self.instance.db.write() as conn:
                key, at = f"demonstration:moved:{action}:{one['state']}", self.instance.store.at()
                actions.move(conn, self.actions[action], one["state"], one["text"], after, self.lead, at, key)

        return happens

    def _incident(self, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            told = incidents.Incident("", self._day(one["days_ago"]).isoformat(), one["what"], one["effect"], "")
            with self.instance.db.write() as conn:
                key, at = f"demonstration:incident:{one['days_ago']}", self.instance.store.at()
                today, by = self.instance.today(), self._by(one["by"])
                id_ = incidents.note(conn, told, by, today, at, key)
                if done := one.get("done"):
                    known = incidents.Incident(id_, told.happened_on, told.what, told.effect, done)
                    seen = seen_of(incidents.incidents(conn)[id_].history)
                    incidents.note(conn, known, by, today, at, f"{key}:done", one["reason"], seen)

        return happens

    def _organisation(self, one: dict[str, Any]) -> Happens:
        def happens() -> None:
            about = (self.instance.provider, one["site"], self.instance.today().year - one.get("years_before", 0))
            section, digest = self.instance.organisation, self.instance.content.organisation_digest
            with self.instance.db.write() as conn:
                key, at = f"demonstration:organisation:{about[1]}:{about[2]}", self.instance.store.at()
                organisation.answer(conn, section, about, one["answers"], digest, self._by(one["by"]), at, key)

        return happens
