"""A label of a content file where it does not stand by itself: inside a sentence, or at the beginning of one."""

from __future__ import annotations


def inside(label: str) -> str:
    """A label inside a sentence: its first letter small, unless it begins with an abbreviation such as GP or A4."""
    return label[:1].lower() + label[1:] if label[1:2].islower() or label[1:2] in ("", " ") else label


def beginning(words: str) -> str:
    """Words at the beginning of a sentence: their first letter large."""
    return words[:1].upper() + words[1:]
