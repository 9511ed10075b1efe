"""Addresses: how one is put together, and those that are always the same, are worked out when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from flask import current_app, request, url_for
from msgspec import Struct
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Rule

from consult.web.context import parts_of, this_request


class Lazy(Rule):
    """A rule as Werkzeug has it, which compiles two functions of each; a tenth of a start went into those."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []
        compiled = super()._compile_builder

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(compiled(append_unknown))
            return made[0](rule, **values)

        return build


def address(endpoint: str, **values: Any) -> str:
    """Where a page is found, as `url_for` has it; one that is always the same, as most on a page are, is kept."""
    if values or endpoint.startswith("."):
        return url_for(endpoint, **values)
    return _kept(request.script_root, endpoint)


@lru_cache(maxsize=100)
def _kept(_below: str, endpoint: str) -> str:
    return url_for(endpoint)


def page_at(address: str) -> tuple[Rule, Mapping[str, Any]] | None:
    """The page that is looked at under an address, with what the address names; None where there is none."""
    known = current_app.create_url_adapter(this_request())
    with suppress(HTTPException):
        return known.match(parts_of(address).path, method="GET", return_rule=True) if known else None
    return None


class Place(Struct, frozen=True):
    """A page that can be looked at: its address, its endpoint and the area that it is in."""

    address: str
    endpoint: str
    area: str


def nearest_page(address: str) -> Place | None:
    """The page that a form of this address stands on, or the next one above it."""
    path = parts_of(address).path
    while path.count("/") > 1 and page_at(path) is None:
        path = path.rpartition("/")[0]
    if (found := page_at(path)) is None:
        return None
    endpoint = found[0].endpoint
    return Place(address if path == parts_of(address).path else path, endpoint, endpoint.rpartition(".")[0] or endpoint)


def is_for(page: tuple[Rule, Mapping[str, Any]]) -> None:
    """Take this request as one for a page."""
    this = this_request()
    this.url_rule, this.view_args = page[0], dict(page[1])
