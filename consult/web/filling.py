"""A page whose form holds again what was typed in it: as if nobody had gone away from it.

Pages are our own, and well formed: a field is found by its tag, and only what it holds is written anew.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Final

from markupsafe import escape
from msgspec import Struct
from werkzeug.datastructures import MultiDict

from consult.web.dates import BOXES, boxes
from consult.web.holding import NOT_HELD

PIECE: Final = re.compile(
    r"<(form|input|select)\b([^>]*)>|<(option|textarea)\b([^>]*)>([^<]*)</(?:option|textarea)>|</(form|select)>"
)
ATTRIBUTE: Final = re.compile(r'([\w-]+)(?:="([^"]*)")?')
TICKED: Final = ("radio", "checkbox")


class Filled(Struct, frozen=True):
    """A page with what was typed; whether that is anything but what it held; the texts that have no place in it."""

    page: str
    changed: bool
    left_over: tuple[str, ...]


def filled(page: str, form: str, sent: MultiDict[str, str]) -> Filled:
    """The page with what was sent in the fields of one form, by the id of the form."""
    pen = _Pen(form, sent)
    written = PIECE.sub(pen.write, page)
    left = tuple(text for name, texts in pen.left.items() if name not in pen.ticks for text in texts if text.strip())
    return Filled(written, pen.changed or bool(left), left)


def without(name: str, attributes: str) -> str:
    """The attributes of a tag as they are written, but for one."""
    return ATTRIBUTE.sub(lambda found: "" if found[1] == name else found[0], attributes)


class _Pen:
    """Goes through the fields of a page one after the other, and writes into those of the form."""

    def __init__(self, form: str, sent: MultiDict[str, str]) -> None:
        self.form, self.sent, self.changed = form, sent, False
        self.left = {name: sent.getlist(name) for name in sent if name not in NOT_HELD}
        self.ticks, self.inside, self.select = set[str](), False, ""
        self.options = list[tuple[str, bool]]()

    def write(self, found: re.Match[str]) -> str:
        tag, ends = found[1] or found[3], found[6]
        if ends:
            self._end(ends)
            return found[0]
        given = {name: unescape(value) for name, value in ATTRIBUTE.findall(found[2] or found[4] or "")}
        if tag == "form":
            self.inside = given.get("id") == self.form
        elif tag == "select":
            self.select, self.options = given.get("name", "") if self._is_ours(given) else "", []
        elif tag == "option":
            return self._option(found, given)
        elif self._is_ours(given):
            return self._textarea(found, given) if tag == "textarea" else self._input(found, given)
        return found[0]

    def _end(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif self.select in self.sent and self.options:
            held = [value for value, chosen in self.options if chosen] or [self.options[0][0]]
            self.changed |= held != self.sent.getlist(self.select)
        self.select = ""

    def _is_ours(self, given: dict[str, str]) -> bool:
        return "name" in given and (given["form"] == self.form if "form" in given else self.inside)

    def _input(self, found: re.Match[str], given: dict[str, str]) -> str:
        kind, name = given.get("type", "text"), given["name"]
        if kind in TICKED:
            value, was = given.get("value", "on"), "checked" in given
            self.changed |= (value in self.sent.getlist(name)) != was
            return self._tick(found, name, "checked", value, was)
        held, typed = given.get("value", ""), self._taken(name)
        if typed is None or typed == held:
            return found[0]
        self.changed |= kind != "hidden"
        return f'<input{without("value", found[2])} value="{escape(typed)}">'

    def _tick(self, found: re.Match[str], name: str, mark: str, value: str, was: bool) -> str:
        self.ticks.add(name)
        if (now := value in self.sent.getlist(name)) == was:
            return found[0]
        tag, given = (found[1], found[2]) if found[1] else (found[3], found[4])
        rest = found[0][len(tag) + len(given) + 1 :]
        return f"<{tag}{given} {mark}{rest}" if now else f"<{tag}{without(mark, given)}{rest}"

    def _option(self, found: re.Match[str], given: dict[str, str]) -> str:
        if not self.select or self.select not in self.sent:
            return found[0]
        value, was = given.get("value", unescape(found[5]).strip()), "selected" in given
        self.options.append((value, was))
        return self._tick(found, self.select, "selected", value, was)

    def _textarea(self, found: re.Match[str], given: dict[str, str]) -> str:
        held, typed = unescape(found[5]).removeprefix("\n"), self._taken(given["name"])
        if typed is None or typed.splitlines() == held.splitlines():
            return found[0]
        self.changed = True
        first = "\n" if typed[:1] in ("\r", "\n") else ""  # a browser takes the first end of a line away
        return f"<textarea{found[4]}>{first}{escape(typed)}</textarea>"

    def _taken(self, name: str) -> str | None:
        """What was typed in the next field of this name; None where nothing came for it."""
        for at, box in enumerate(BOXES):
            whole = name.removesuffix(box)
            if whole != name and whole in self.left:
                self.ticks.add(whole)
                return boxes(self.sent[whole])[at]
        return self.left[name].pop(0) if self.left.get(name) else None
