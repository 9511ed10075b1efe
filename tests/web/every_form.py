"""The forms of pages, and what each would send."""

from __future__ import annotations

from xml.etree.ElementTree import Element

import pages
from visiting import PASSWORD, Visitor

NOT_FILLED = ("csrf_token", "pressed")
"""What a page makes anew, and what the buttons at its top say of themselves."""


def forms_of(visitor: Visitor, paths: list[str]) -> dict[tuple[str, frozenset[str]], list[tuple[str, str]]]:
    """The forms that post, each once: where to, and what they would send."""
    found: dict[tuple[str, frozenset[str]], list[tuple[str, str]]] = {}
    for path in paths:
        response = visitor.ask(path)
        whole = response.mimetype == "text/html" and response.text.lstrip().lower().startswith("<!doctype")
        if response.status_code != 200 or not whole:
            continue
        page = pages.parse(response.text)
        for form in page.iter("form"):
            if (form.get("method") or "").lower() != "post":
                continue
            to = (form.get("action") or path).split("#")[0]
            fields = fields_of(page, form)
            found.setdefault((to, frozenset(name for name, _ in fields)), fields)
    return found


def fields_of(page: Element, form: Element) -> list[tuple[str, str]]:
    """What a form would send, with something filled in where nothing stands; its own fields and those that name it."""
    inside = list(form.iter())
    own = [*inside, *(e for e in page.iter() if form.get("id") and e.get("form") == form.get("id"))]
    fields: dict[str, str] = {}
    for element in own:
        name, kind = element.get("name") or "", element.get("type") or element.tag
        if not name or name in NOT_FILLED or element.tag not in ("input", "textarea", "select", "button"):
            continue
        if element.tag == "select":
            options = [o.get("value") or "" for o in element.iter("option")]
            fields.setdefault(name, next((o for o in options if o), ""))
        elif kind == "password":
            fields[name] = PASSWORD
        elif kind in ("text", "textarea", "search"):
            fields.setdefault(name, element.get("value") or "as typed first")
        else:
            fields.setdefault(name, element.get("value") or "")
    return list(fields.items())
