"""Setting up a real installation: its provider, its sites, its first administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from consult.accounts.people import NewPerson, Person, PersonRefused, add_person, check_password, username_of
from consult.instance import Instance, InstanceRefused, exists, open_instance
from consult.record.settings import (
    Site,
    change_setting,
    is_demonstration,
    provider,
    put_site,
    why_no_code,
)

DEMO_PROVIDER: Final = "DEMO"


class SetUp(Struct, frozen=True):
    """What a real installation begins with; without a sign-in name one is made from the name of the administrator."""

    provider: str
    sites: tuple[str, ...]
    admin: str
    password: str
    username: str = ""

    def check(self) -> None:
        """Refuse what could not be set up, before anything is written."""
        for noun, code in [("provider", self.provider), *(("site", site) for site in self.sites)]:
            if why := why_no_code(code, noun):
                raise InstanceRefused(why)
        if self.provider.upper() == DEMO_PROVIDER:
            raise InstanceRefused(f"{DEMO_PROVIDER} is the provider of the demonstration; give the service's own code.")
        if not self.sites or len({site.casefold() for site in self.sites}) < len(self.sites):
            raise InstanceRefused("Give at least one site, and each of them once.")
        check_password(self.password, self._signs_in_as(), self.admin, service=(self.provider, *self.sites))

    def _signs_in_as(self) -> str:
        try:
            return username_of(self.username or self.admin)
        except PersonRefused as refusal:
            raise InstanceRefused(f"{refusal} Give it with --username.") from refusal


def set_up(folder: Path, wanted: SetUp, actor: str) -> Person:
    """Make a real installation in a folder, and return its first administrator."""
    wanted.check()
    if exists(folder):
        _check_free(folder)
    instance = open_instance(folder, create=True, actor=actor)
    try:
        with instance.db.write() as conn:
            at = instance.store.at()
            change_setting(conn, "provider", wanted.provider, actor, at)
            change_setting(conn, "demonstration", False, actor, at)
            for code in wanted.sites:
                put_site(conn, Site(code, code), actor, at)
            new = NewPerson(wanted.admin, "administrator", wanted.sites[0], wanted.password, wanted.username)
            return add_person(conn, new, actor, at)
    finally:
        instance.close()


def _check_free(folder: Path) -> None:
    instance = open_instance(folder)
    try:
        conn = instance.db.read()
        if is_demonstration(conn):
            raise InstanceRefused(
                f"{folder} holds the demonstration, which is never mixed with real data; "
                "choose another folder with --instance."
            )
        if code := provider(conn):
            raise InstanceRefused(
                f"{folder} is already set up for provider {code}; add people with `consult person add`."
            )
    finally:
        instance.close()


def open_set_up(folder: Path, actor: str = "program") -> Instance:
    """Open an instance that has been set up, real or demonstration."""
    instance = open_instance(folder, actor=actor)
    if not instance.provider:
        instance.close()
        raise InstanceRefused(f"{folder} is not set up yet; run `consult init` first.")
    return instance
