"""What does not hold in a proforma, its data set or its reports, each with a sentence that says what to write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from consult.proforma.answer import ANSWERED, FINDING_STATES, HELD
from consult.proforma.dataset import BESIDE, Dataset, Field
from consult.proforma.model import LEVELS, OTHER, RELEASE_EVENTS, ROUTES, Count, Proforma, Question, Reasons
from consult.proforma.reports import Reports
from consult.proforma.rules import Rule

NEEDED: Final = (
    "case_ref",
    "provider",
    "site",
    "consultation_date",
    "capture_mode",
    "clinician_role",
    "clinician_ref",
)
"""The fields by which the program itself finds and counts a case: no data set is without them."""

MISSED: Final = "the program fills this field itself, in each case; put it back"

HIDDEN: Final = (
    "a question with a U0 or U1 text may be hidden only while another question is absent: write show_if as any of "
    '{ not = { question = "...", is = "absent" } } or a positive of its parent'
)

FACTS: Final = ("leaflet_given_printed", "leaflet_given_link", "report_with_adjustments")
"""What [[done]] may name beside a decision: what `facts` of record/consultation.py says was done."""

Finding = tuple[str, str]
"""The id of an entry of a file ("" for none), and what is wrong with it: a sentence that says what to do."""


def check_dataset(dataset: Dataset) -> Iterator[Finding]:
    """The fields that the program itself needs and the data set does not have, and what can be no field of a case."""
    yield from ((name, MISSED) for name in NEEDED if name not in dataset.by_name)
    for name, n in Counter(field.name for field in dataset.fields).items():
        if n > 1:
            yield name, f"{n} fields have this name; give each its own"
        if name in BESIDE:
            yield name, "the program keeps something else under this name; give the field another"
        if not _is_snake_case(name):
            yield name, "the name of a field is snake_case: small letters, digits and underscores"
    for field in dataset.fields:
        yield from ((field.name, sentence) for sentence in _check_options(field))


def _check_options(field: Field) -> Iterator[str]:
    choosing = field.type in ("choice", "choices")
    if choosing != bool(field.options):
        yield "a choice needs options; other types have none" if choosing else "only choice and choices take options"
    for code, n in Counter(field.options).items():
        if n > 1:
            yield f"option {code} stands twice; keep one"
        if not code or ";" in code or code.split() != [code]:
            yield f'option "{code}" is no code; write it without spaces and semicolons'
    if field.blank_as and field.options and field.blank_as not in field.options:
        yield f"blank_as names {field.blank_as}, which is not in options; correct the code"


def _is_snake_case(name: str) -> bool:
    return name.isidentifier() and name == name.lower()


def check(proforma: Proforma, dataset: Dataset) -> Iterator[Finding]:
    """Every cross-reference of a proforma that does not hold, as (id, sentence)."""
    yield from _check_ids(proforma)
    position = {q.id: i for i, q in reversed([*enumerate(proforma.questions)])}  # of two with one id that of the first
    for question in proforma.questions:
        yield from ((question.id, s) for s in _check_question(question, proforma, dataset, position))
    if proforma.report_when is not None:
        yield from (("report_when", s) for s in _check_rule(proforma.report_when, proforma, None))
    for code in proforma.emergency_decisions:
        if code not in proforma.decisions:
            yield code, f"emergency_decisions names {code}, which is not in [decisions]; add it there or correct it"
    yield from _check_done(proforma, dataset)
    yield from _check_single_setters(proforma, dataset)
    yield from _check_reasons(proforma)
    yield from _check_contradictions(proforma)
    yield from _check_never_in_report(proforma)


def _check_question(
    question: Question, proforma: Proforma, dataset: Dataset, position: dict[str, int]
) -> Iterator[str]:
    yield from _check_words(question)
    yield from _check_shape(question)
    yield from _check_sources(question, proforma)
    yield from _check_rules(question, proforma, position)
    yield from _check_panels(question)
    yield from _check_fields(question, dataset)
    if question.emergency and question.show_if is not None and not _hides_only_absent(question.show_if, proforma):
        yield HIDDEN


def _check_done(proforma: Proforma, dataset: Dataset) -> Iterator[Finding]:
    facts = {*FACTS, *(f"decision:{code}" for code in proforma.decisions)}
    for done in proforma.done:
        if done.fact not in facts:
            yield done.fact, f"no such fact can come about; use {', '.join(sorted(facts))}"
        yield from ((done.fact, s) for s in _check_fill(dataset, done.sets | done.else_sets, done.adds))
        if done.when is not None:
            yield from ((done.fact, s) for s in _check_rule(done.when, proforma, None))


def _check_reasons(proforma: Proforma) -> Iterator[Finding]:
    """A clinician whose reason is in none of the lists must still be able to end a consultation."""
    for name in Reasons.__struct_fields__:
        if OTHER not in getattr(proforma.reasons, name):
            yield f"reasons.{name}", f'the reason "{OTHER}" is missing; add it, such as {OTHER} = "Another reason"'


def _check_contradictions(proforma: Proforma) -> Iterator[Finding]:
    for id_, n in Counter(one.id for one in proforma.contradictions).items():
        if n > 1:
            yield id_, f"{n} contradictions have this id; give each its own"
    for one in proforma.contradictions:
        yield from ((one.id, s) for s in _check_rule(one.when, proforma, None))
        yield from ((one.id, f"no tag is taken here: name question by question, not {t}") for t in _tags_in(one.when))
        if len(one.questions) < 2 and not one.decided:
            yield one.id, "answers to two questions contradict each other; name both in when, or a decision in decided"
        for code in (c for c in one.decided if c not in proforma.decisions):
            yield one.id, f"decided names {code}, which is not in [decisions]; add it there or correct it"
        for key in (k for k in one.source if k not in proforma.sources):
            yield one.id, f"source {key} is not in [sources]; add it there or correct it"


def _tags_in(rule: Rule) -> list[str]:
    return [leaf.tagged for leaf in rule.leaves() if leaf.tagged is not None]


def _check_never_in_report(proforma: Proforma) -> Iterator[Finding]:
    """What may never be ticked into a report: what is listed so, and every flag, whoever forgets to list it."""
    for id_ in proforma.never_in_report:
        if id_ not in proforma.by_id:
            yield id_, f"never_in_report names question {id_}, which is not known; correct the id"
    listed = set(proforma.never_in_report)
    for question in proforma.questions:
        flag = bool({"red_flag", "yellow_group"} & set(question.tags)) or bool(question.counts) or question.emergency
        if question.report != "never" and (question.id in listed or flag):
            why = "is listed in never_in_report" if question.id in listed else "is a flag"
            yield question.id, f'this question {why} and may not enter a report; write report = "never"'
        for event in (e for o in question.options for e in o.release if e not in RELEASE_EVENTS):
            yield question.id, f"release knows no {event}; use {', '.join(RELEASE_EVENTS)}"


def check_reports(reports: Reports, proforma: Proforma) -> Iterator[Finding]:
    """Every kind of report names only what may enter one."""
    for id_, n in Counter(t.id for t in reports.types).items():
        if n > 1:
            yield id_, f"{n} kinds of report have this id; give each its own"
    for kind in reports.types:
        for id_ in (q for part in kind.parts for q in part.questions):
            question = proforma.by_id.get(id_)
            if question is None:
                yield kind.id, f"a part names question {id_}, which is not known; correct the id"
            elif question.report != "always":
                yield kind.id, f'a part names question {id_}, which is not report = "always"; leave it to be ticked'
        for rule in (r.when for part in kind.parts for r in part.recorded):
            yield from ((kind.id, s) for s in _check_report_rule(rule, proforma))


def _check_report_rule(rule: Rule, proforma: Proforma) -> Iterator[str]:
    """A report may say what was recorded instead of a list only of what may enter a report at all."""
    yield from _check_rule(rule, proforma, None)
    yield from (f"recorded names questions by id, not all that are tagged {tag}" for tag in _tags_in(rule))
    for question in (proforma.by_id.get(leaf.question or "") for leaf in rule.leaves()):
        if question is not None and question.report == "never":
            yield f"recorded names question {question.id}, which may never enter a report"


def _check_ids(proforma: Proforma) -> Iterator[Finding]:
    named: list[tuple[str, list[str]]] = [
        ("section", [s.id for s in proforma.sections]),
        ("block", [b.id for b in proforma.blocks]),
        ("question", [q.id for q in proforma.questions]),
    ]
    for noun, ids in named:
        for id_, n in Counter(ids).items():
            if n > 1:
                yield id_, f"{n} entries have this {noun} id; give each its own"
            if not _is_snake_case(id_):
                yield id_, f"a {noun} id is snake_case: small letters, digits and underscores"
    sections, blocks = set(named[0][1]), set(named[1][1])
    for block in proforma.blocks:
        if block.section not in sections:
            yield block.id, f"section {block.section} is not known; name one of [[sections]]"
    for question in proforma.questions:
        if question.block not in blocks:
            yield question.id, f"block {question.block} is not known; name one of [[blocks]]"


def _check_shape(question: Question) -> Iterator[str]:
    choosing = question.kind in ("choice", "choices")
    if choosing != bool(question.options):
        yield "a choice needs options; other kinds have none" if choosing else "only choice and choices take options"
    for code, n in Counter(o.code for o in question.options).items():
        if n > 1 or code in FINDING_STATES:
            yield f"option {code} is used twice or is the name of a state; give it its own code"
    if question.kind == "finding" and question.states:
        yield "a finding has all five states; remove states"
    if question.kind == "number" and (question.min is None or question.max is None or question.min > question.max):
        yield "a number needs min and max, min not above max"
    for label in question.labels:
        if label not in FINDING_STATES:
            yield f"labels knows no state {label}; use {', '.join(FINDING_STATES)}"
    for state in [*question.sets, *question.adds]:
        if state not in FINDING_STATES:
            yield f"sets and adds of a question go by state, not {state}; for options write them at the option"


def _check_words(question: Question) -> Iterator[str]:
    if not all(words.strip() for words in (question.ask, *(option.label for option in question.options))):
        yield "a question needs its words in ask, and each option in label"


def _check_sources(question: Question, proforma: Proforma) -> Iterator[str]:
    if not question.source:
        yield "a question needs at least one source"
    for key in [*question.source, *(k for p in question.panels for k in p.source)]:
        if key not in proforma.sources:
            yield f"source {key} is not in [sources]; add it there or correct it"


def _check_rules(question: Question, proforma: Proforma, position: dict[str, int]) -> Iterator[str]:
    here = position[question.id]
    for option in question.options:
        if option.show_if is not None:
            yield from _check_rule(option.show_if, proforma, here, position)
    if question.show_if is not None:
        yield from _check_rule(question.show_if, proforma, here, position)
    others = [
        question.one_by_one_if,
        question.report_unless,
        *(c.when for c in question.counts),
        *(p.when for p in question.panels),
    ]
    for rule in others:
        if rule is not None:
            yield from _check_rule(rule, proforma, None)


def _check_rule(
    rule: Rule, proforma: Proforma, before: int | None, position: dict[str, int] | None = None
) -> Iterator[str]:
    for leaf in rule.leaves():
        if leaf.field is not None:
            yield f"a rule of a proforma names a question, not field {leaf.field}"
        elif leaf.tagged is not None:
            ids = proforma.tagged(leaf.tagged)
            if not ids:
                yield f"no question bears the tag {leaf.tagged}; correct it, or add it to the tags of a question"
            if before is not None and position and any(position[i] >= before for i in ids):
                sentence = f"show_if may name only earlier questions, and some tagged {leaf.tagged} come later"
                yield f"{sentence}; put this one below them"
        elif leaf.question not in proforma.by_id:
            yield f"a rule names question {leaf.question}, which is not known; correct the id"
        else:
            if before is not None and position and position[leaf.question] >= before:
                instead = (
                    "name another" if position[leaf.question] == before else "put this one below it, or name another"
                )
                yield f"show_if may name only earlier questions, and {leaf.question} is not earlier; {instead}"
            yield from _check_leaf_values(leaf, proforma.by_id[leaf.question])


def _check_leaf_values(leaf: Rule, question: Question) -> Iterator[str]:
    known = dict.fromkeys((*question.offered_states(), *(o.code for o in question.options)))
    instead = f"use one of {', '.join(known)}" if known else "write at_least or answered"
    for value in leaf.values:
        if value not in known:
            yield f"a rule compares {question.id} with {value}, which it can never be; {instead}"
    if leaf.includes is not None and question.kind != "choices":
        yield f"includes is for questions of kind choices, and {question.id} is a {question.kind}; write is or in"
    if leaf.at_least is not None and question.kind != "number":
        yield f"at_least is for numbers, and {question.id} is a {question.kind}; write is or in"


def _check_panels(question: Question) -> Iterator[str]:
    known = dict.fromkeys((*question.offered_states(), *(o.code for o in question.options), ANSWERED))
    by_state = {s: [p for p in question.panels if s in p.for_] for s in {s for p in question.panels for s in p.for_}}
    for panels in by_state.values():
        order = [LEVELS.index(p.level) for p in panels]
        if order != sorted(order):
            yield "panels go from the highest level (U0) down; reorder them"
    if any(p.when is None for p in question.panels[:-1]) and len({p.for_ for p in question.panels}) == 1:
        yield "only the last panel may do without `when`; the ones after it could never show"
    for panel in question.panels:
        yield from (f"route {r} is not known; use {', '.join(ROUTES)}" for r in panel.route if r not in ROUTES)
        if not panel.text.strip():
            yield "a panel needs its text"
        if question.kind == "finding" or panel.for_ != HELD:
            never = [state for state in panel.for_ if state not in known]
            instead = f"use {', '.join(known)}"
            yield from (f"a panel is for {s}, which {question.id} can never be; {instead}" for s in never)


def _check_fields(question: Question, dataset: Dataset) -> Iterator[str]:
    for option in question.options:
        yield from _check_fill(dataset, option.sets, option.adds)
    for state in question.sets:
        yield from _check_fill(dataset, question.sets[state], {})
    for state in question.adds:
        yield from _check_fill(dataset, {}, question.adds[state])
    yield from _check_fill(dataset, dict.fromkeys(question.asked, "yes"), {})
    if question.copies and (field := dataset.by_name.get(question.copies)) is None:
        yield f"copies names field {question.copies}, which dataset.toml does not have"
    elif question.copies and field and field.type != "text":
        yield f"copies names field {question.copies}, which is not a text"
    for count in question.counts:
        yield from _check_count(count, question, dataset)


def _check_count(count: Count, question: Question, dataset: Dataset) -> Iterator[str]:
    field = dataset.by_name.get(count.group)
    if field is None or not {"present", "absent", "unable"} <= set(field.options):
        yield f"counts names {count.group}, which is not a present/absent field of dataset.toml"
    if question.kind == "finding":
        return
    codes = {o.code for o in question.options}
    if not set(count.present) <= codes or not (set(count.absent) <= codes or count.absent == ("absent",)):
        yield f"counts for {count.group} needs present and absent as option codes of this question"


def _check_fill(dataset: Dataset, sets: dict[str, str], adds: dict[str, tuple[str, ...]]) -> Iterator[str]:
    pairs = [(f, v, "choice") for f, v in sets.items()] + [(f, c, "choices") for f, cs in adds.items() for c in cs]
    for name, value, kind in pairs:
        field = dataset.by_name.get(name)
        if field is None:
            yield f"field {name} is not in dataset.toml; correct the name"
        elif field.type != kind:
            yield f"field {name} is of type {field.type}: use {'adds' if field.type == 'choices' else 'sets'}"
        elif value not in field.options:
            yield f"field {name} knows no {value}; use one of {', '.join(field.options)}"


def _check_single_setters(proforma: Proforma, dataset: Dataset) -> Iterator[Finding]:
    """A field other than yes/no is set by one question only, so that no order decides what a case says."""
    setters: dict[str, set[str]] = {}
    for question in proforma.questions:
        if not question.retired:
            for fill in [*(o.sets for o in question.options), *question.sets.values()]:
                for name in fill:
                    setters.setdefault(name, set()).add(question.id)
    for name, ids in setters.items():
        field = dataset.by_name.get(name)
        if len(ids) > 1 and field and not {"yes", "no"} <= set(field.options):
            yield sorted(ids)[1], f"field {name} is set by {' and '.join(sorted(ids))}; let one question set it"


def _hides_only_absent(rule: Rule, proforma: Proforma) -> bool:
    """Whether a show_if can hide its question only while its parents are not positive (detail under a positive)."""
    if rule.any_ is not None:
        return all(_hides_only_absent(part, proforma) for part in rule.any_)
    if rule.not_ is not None:
        parts = rule.not_.all_ or (rule.not_,)
        return all(_says_absent(part, proforma) for part in parts)
    return rule.subject is not None and bool({"present", "done"} & set(rule.values) or rule.includes)


def _says_absent(leaf: Rule, proforma: Proforma) -> bool:
    """Whether a leaf holds only where a question counts as absent: a finding's state, or options that count so."""
    if leaf.is_ == "absent":
        return True
    question = proforma.by_id.get(leaf.question or "")
    if question is None or not question.counts or not leaf.values:
        return False
    return all(set(leaf.values) <= set(count.absent) for count in question.counts)
