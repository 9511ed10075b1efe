"""A rule of the proforma in words, as a person reads it on paper."""

from __future__ import annotations

from collections.abc import Mapping

from consult.proforma.model import Proforma, Question
from consult.proforma.rules import Rule


def in_words(rule: Rule, proforma: Proforma, numbers: Mapping[str, int]) -> str:
    """When a rule holds, naming questions by their number: "question 4 is Yes, or question 7 is at least 3"."""
    if rule.all_ is not None:
        return _joined(rule.all_, " and ", proforma, numbers)
    if rule.any_ is not None:
        return _joined(rule.any_, " or ", proforma, numbers)
    if rule.not_ is not None:
        return f"not ({in_words(rule.not_, proforma, numbers)})"
    if rule.count is not None:
        parts = "; ".join(in_words(part, proforma, numbers) for part in rule.count)
        return f"at least {rule.at_least} of these: {parts}"
    return _leaf(rule, proforma.by_id[rule.question or ""], numbers)


def _joined(parts: tuple[Rule, ...], word: str, proforma: Proforma, numbers: Mapping[str, int]) -> str:
    said = [in_words(part, proforma, numbers) for part in parts]
    inner = [
        f"({words})" if part.parts and len(part.parts) > 1 else words for part, words in zip(parts, said, strict=True)
    ]
    return word.join(inner)


def _leaf(rule: Rule, question: Question, numbers: Mapping[str, int]) -> str:
    name = f"question {numbers.get(question.id, question.ask)}"
    if rule.answered is not None:
        return f"{name} is {'answered' if rule.answered else 'left blank'}"
    if rule.at_least is not None:
        return f"{name} is at least {rule.at_least}"
    labels = [label_of(question, code) for code in rule.values]
    said = " or ".join(f"“{label}”" for label in labels)
    return f"{name} includes {said}" if rule.includes is not None else f"{name} is {said}"


def label_of(question: Question, code: str) -> str:
    """The words of an option or a state of a question."""
    option = question.option(code)
    return option.label if option else question.state_label(code)
