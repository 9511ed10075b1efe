"""Every small change of a rule, a measure or a list of reasons: what the examples in measures.toml must notice.

A change that gives the same answer for every value its field can hold is not a change: `_same_test` works that out over
the whole domain of the field, and only such mutants are left out here.
"""

import json
from itertools import combinations

from msgspec.structs import fields, replace

from consult.proforma.rules import Rule, holds
from consult.proforma.strict import read


def rule_of(plain):
    return read(Rule, plain)


def plain_of(rule):
    """The rule as it stands in a file."""
    known = {f.encode_name: getattr(rule, f.name) for f in fields(rule)}
    return {key: _plain(value) for key, value in known.items() if value is not None}


def _plain(value):
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return plain_of(value) if isinstance(value, Rule) else value


def mutants(rule, dataset):
    """(what was changed, mutated rule) for every change of one rule."""
    plain = plain_of(rule)
    for what, changed in _mutants(plain, dataset):
        yield what, rule_of(changed)
    for extra in _neighbours([plain], dataset):
        yield f"any of it and {extra}", rule_of({"any": [plain, extra]})
        yield f"all of it and {extra}", rule_of({"all": [plain, extra]})


def _mutants(plain, dataset):
    if "not" not in plain:
        yield f"not {plain}", {"not": plain}
    joint = next((name for name in ("all", "any", "count") if name in plain), None)
    if "not" in plain:
        yield f"without not: {plain}", plain["not"]
        yield from ((what, {"not": changed}) for what, changed in _mutants(plain["not"], dataset))
    elif joint:
        yield from _joint_mutants(plain, joint, dataset)
    else:
        yield from _leaf_mutants(plain, dataset)


def _joint_mutants(plain, joint, dataset):
    parts = plain[joint]
    rest = {"at_least": plain["at_least"]} if joint == "count" else {}
    for what, changed in _part_mutants(parts, dataset, rest.get("at_least", 1)):
        yield f"{joint}: {what}", {joint: changed, **rest}
    if len(parts) > 1:
        yield from ((f"{other} for {joint}", {other: parts}) for other in {"all", "any"} - {joint})
    if joint == "count":
        yield from ((f"{joint} twice {part}", {joint: [*parts, part], **rest}) for part in parts)
        for n in {rest["at_least"] - 1, rest["at_least"] + 1} & set(range(1, len(parts) + 1)):
            yield f"at least {n}", {"count": parts, "at_least": n}
    elif len(parts) > 2:
        yield f"2 or more for {joint}", {"count": parts, "at_least": 2}


def _part_mutants(parts, dataset, at_least):
    for i, part in enumerate(parts):
        for what, changed in _mutants(part, dataset):
            yield what, [*parts[:i], changed, *parts[i + 1 :]]
        if len(parts) > at_least:
            yield f"without {part}", [*parts[:i], *parts[i + 1 :]]
    for extra in _neighbours(parts, dataset):
        yield f"with {extra}", [*parts, extra]


def _neighbours(parts, dataset):
    """The same tests on every other field that could be tested so, which the rule does not name yet."""
    leaves = [part.get("not", part) for part in parts]
    leaves = [leaf for leaf in leaves if "field" in leaf]
    named = {(leaf["field"], json.dumps(_test(leaf))) for leaf in leaves}
    found = {}
    for leaf in leaves:
        for name in _fields_like(leaf, dataset):
            if (name, json.dumps(_test(leaf))) not in named:
                found[name, json.dumps(_test(leaf))] = {"field": name, **_test(leaf)}
    return list(found.values())


def _test(leaf):
    return {key: value for key, value in leaf.items() if key != "field"}


def _fields_like(leaf, dataset):
    field = dataset.by_name[leaf["field"]]
    values = set(leaf.get("in", [])) | {leaf[key] for key in ("is", "includes") if key in leaf}
    for other in dataset.fields:
        same = other.type == field.type and values <= set(other.options)
        if same and other.name != field.name and other.options:
            yield other.name


def _leaf_mutants(leaf, dataset):
    for name in _fields_like(leaf, dataset):
        yield f"{name} for {leaf['field']}", {"field": name, **_test(leaf)}
    field = dataset.by_name[leaf["field"]]
    for test in _tests(leaf, field.options, field.type == "choices"):
        changed = {"field": leaf["field"], **test}
        if not _same_test(leaf, changed, field):
            yield f"{test} for {_test(leaf)} of {field.name}", changed


def _tests(leaf, options, is_list):
    yield {"answered": True}
    yield {"answered": False}
    if is_list:
        yield from ({"includes": option} for option in options)
        return
    values = leaf.get("in") or ([leaf["is"]] if "is" in leaf else [])
    yield from ({"is": option} for option in options)
    for option in options:
        if option in values:
            yield {"in": [v for v in values if v != option] or [next(o for o in options if o != option)]}
        else:
            yield {"in": [*values, option]}
            yield from ({"in": [option if v == value else v for v in values]} for value in values)


def _same_test(one, other, field):
    if field.type == "choices":
        domain = [[], *([o] for o in field.options), *map(list, combinations(field.options, 2)), list(field.options)]
    else:
        domain = ["", *field.options]
    rules = rule_of(one), rule_of(other)
    return all(holds(rules[0], lambda _, v=value: v) == holds(rules[1], lambda _, v=value: v) for value in domain)


def measure_mutants(measure, measures, dataset):
    """(what was changed, mutated measure) for every change of one measure that has rules of its own."""
    for name, rule in measure.rules.items():
        for what, changed in mutants(rule, dataset):
            yield f"{name}: {what}", replace(measure, **{name: changed})
        if name != "met":
            yield f"without {name}", replace(measure, **{name: None})
    yield from _swapped(measure)
    for name in ("applies", "missing"):
        for other in measures.measures:
            borrowed = getattr(other, name)
            if borrowed is not None and borrowed != getattr(measure, name):
                yield f"{name} of {other.id}", replace(measure, **{name: borrowed})


def _swapped(measure):
    rules = {name: getattr(measure, name) for name in ("met", "applies", "missing")}
    for one, other in (("applies", "missing"), ("met", "applies"), ("met", "missing")):
        swapped = {**rules, one: rules[other], other: rules[one]}
        if swapped != rules and swapped["met"] is not None:
            yield f"{one} and {other} swapped", replace(measure, **swapped)
    if measure.applies is not None:
        yield (
            "missing where it does not apply",
            replace(measure, missing=rule_of({"not": plain_of(measure.applies)})),
        )


def joint_mutants(measure, measures):
    """Changes of a measure with all_of: each part left out, each other measure taken in."""
    parts = measures.parts(measure)
    for part in parts:
        yield f"without {part}", replace(measure, all_of=tuple(p for p in parts if p != part))
    for other in measures.measures:
        if other.met is not None and other.id not in parts:
            yield f"with {other.id}", replace(measure, all_of=(*parts, other.id))


def eligibility_mutants(measures, dataset):
    """(what was changed, mutated set) for every change of the reasons and of their order."""
    reasons = measures.eligibility
    for i, reason in enumerate(reasons):
        for what, changed in mutants(reason.when, dataset):
            other = replace(reason, when=changed)
            yield f"{reason.id}: {what}", (*reasons[:i], other, *reasons[i + 1 :])
        yield f"without {reason.id}", (*reasons[:i], *reasons[i + 1 :])
    for i in range(len(reasons) - 1):
        yield f"order of {reasons[i].id}", (*reasons[:i], reasons[i + 1], reasons[i], *reasons[i + 2 :])
