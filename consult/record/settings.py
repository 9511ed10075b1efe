"""The installation's own settings: provider, sites with their routes, and whether it is a demonstration."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import asdict

from consult.proforma.wording import inside
from consult.record.database import Connection, Damaged
from consult.record.ledger import Draft, append

ROUTE_LABELS: Final = {
    "emergency_department": "Emergency department with MRI round the clock",
    "cord_compression": "Cord compression coordinator",
    "spinal_on_call": "Spinal on-call advice",
    "same_day": "Same-day GP, urgent care or 111 route",
    "crisis": "Mental health crisis line",
}
NEEDED_ROUTES: Final = ("emergency_department", "cord_compression", "crisis")


CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
"""What the code of a provider or a site is made of."""


class Site(Struct, frozen=True):
    """A place that sees employees, known by (provider, code), with the telephone numbers of its urgent routes."""

    code: str
    name: str
    routes: dict[str, str] = field(default_factory=dict)
    telephone: str = ""
    """Where whoever reads a letter or a report reaches the service; "" where none was set."""

    @property
    def blank_routes(self) -> list[str]:
        """The routes without which no live consultation is started."""
        return [route for route in NEEDED_ROUTES if not self.routes.get(route, "").strip()]

    @property
    def blank_in_words(self) -> str:
        """The same by the names that the settings page gives them, inside a sentence."""
        return ", ".join(inside(ROUTE_LABELS[route]) for route in self.blank_routes)


def get_setting(conn: Connection, name: str, default: Any = None) -> Any:
    """The value of a setting, or the default; Damaged if what is held is none."""
    row = conn.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
    try:
        return json.loads(row["value"]) if row else default
    except ValueError as error:
        raise Damaged(f"The setting {name} is not as it was written; restore a backup.") from error


def change_setting(conn: Connection, name: str, value: Any, actor: str, at: str) -> None:
    """Set a setting, and write the step that says so."""
    append(conn, Draft("setting_changed", {"name": name, "value": value}, actor, at))
    conn.execute(
        "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, json.dumps(value, ensure_ascii=False)),
    )


def provider(conn: Connection) -> str:
    """The code of this installation's own provider; "" before it is set up."""
    return str(get_setting(conn, "provider", ""))


def is_demonstration(conn: Connection) -> bool:
    """Whether the data here is the demonstration's."""
    return bool(get_setting(conn, "demonstration", False))


def sites(conn: Connection) -> dict[str, Site]:
    """The sites by code."""
    return {s["code"]: Site(**s) for s in get_setting(conn, "sites", [])}


def site_as_begun(conn: Connection, consultation: str, code: str) -> str:
    """What a site was called when a consultation began; "" if it was not known then."""
    row = conn.execute(
        "SELECT c.content FROM step s JOIN step_content c USING (seq) WHERE s.kind = 'setting_changed' "
        "AND c.content ->> '$.name' = 'sites' AND s.seq < (SELECT min(seq) FROM step WHERE consultation = ?) "
        "ORDER BY s.seq DESC LIMIT 1",
        (consultation,),
    ).fetchone()
    known = json.loads(row["content"])["value"] if row else []
    return next((str(site["name"]) for site in known if site["code"] == code), "")


def why_no_code(code: str, noun: str) -> str:
    """Why a text can't be the code of a provider or a site, with what to do; "" if it can."""
    if CODE.fullmatch(code):
        return ""
    return f"{code!r} cannot be a {noun} code; use up to 32 letters, digits, dots, hyphens or underscores."


def add_site(conn: Connection, code: str, name: str, actor: str, at: str) -> None:
    """Add a site that is not there yet, without urgent routes; SettingRefused if its code can't be one."""
    if why := why_no_code(code, "site"):
        raise SettingRefused(why)
    if there := [known for known in sites(conn) if known.casefold() == code.casefold()]:
        instead = "open that one again" if there[0] in closed_sites(conn) else "change that one"
        raise SettingRefused(f"There is a site {there[0]} already; {instead}, or give another code.")
    put_site(conn, Site(code, name or code), actor, at)


def add_unknown_sites(conn: Connection, codes: Iterable[str], actor: str, at: str) -> list[str]:
    """Add the sites that are not known yet, without routes; returns their codes."""
    unknown = sorted({*codes} - sites(conn).keys())
    for code in unknown:
        put_site(conn, Site(code, code), actor, at)
    return unknown


def put_site(conn: Connection, site: Site, actor: str, at: str) -> None:
    """Add a site, or change the one with the same code."""
    known = {**sites(conn), site.code: site}
    change_setting(conn, "sites", [asdict(s) for s in known.values()], actor, at)


SITES_CLOSED: Final = "sites_closed"
"""The setting that says which sites are closed, since which day, and by whom."""


class Closed(Struct, frozen=True):
    """A site where nothing new begins: since which day, and who closed it."""

    on: date
    by: str


def closed_sites(conn: Connection) -> dict[str, Closed]:
    """The sites that are closed, by code."""
    held = get_setting(conn, SITES_CLOSED, {})
    return {code: Closed(date.fromisoformat(one["on"]), one["by"]) for code, one in held.items()}


def open_sites(conn: Connection) -> dict[str, Site]:
    """The sites that are not closed, by code."""
    closed = closed_sites(conn)
    return {code: site for code, site in sites(conn).items() if code not in closed}


def close_site(conn: Connection, code: str, day: date, actor: str, at: str) -> None:
    """Close an open site from a day on; SettingRefused for the last one that is open."""
    known = open_sites(conn)
    if code not in known:
        raise SettingRefused(f"Site {code} is closed already; look at the settings again.")
    if len(known) == 1:
        raise SettingRefused(f"Site {code} is the only one that is open; add another one first.")
    held = {**get_setting(conn, SITES_CLOSED, {}), code: {"on": day.isoformat(), "by": actor}}
    change_setting(conn, SITES_CLOSED, held, actor, at)


def open_site(conn: Connection, code: str, actor: str, at: str) -> None:
    """Open a closed site again; its urgent numbers count as not checked."""
    held = get_setting(conn, SITES_CLOSED, {})
    if code not in held:
        raise SettingRefused(f"Site {code} is open already; look at the settings again.")
    change_setting(conn, SITES_CLOSED, {site: one for site, one in held.items() if site != code}, actor, at)
    check_routes(conn, code, None, actor, at)


ROUTES_CHECKED: Final = "routes_checked"
"""The setting that says on which day the urgent numbers of each site were last checked."""
CHECK_EVERY: Final = timedelta(days=92)


def routes_checked(conn: Connection) -> dict[str, date]:
    """The day on which somebody last said that the numbers of a site are right, by site; who never did is not there."""
    return {code: date.fromisoformat(day) for code, day in get_setting(conn, ROUTES_CHECKED, {}).items()}


def check_routes(conn: Connection, code: str, day: date | None, actor: str, at: str) -> None:
    """Say that the numbers of a site were checked on a day; None for numbers that were changed and not checked."""
    known = routes_checked(conn)
    wanted = {site: on for site, on in known.items() if site != code} | ({code: day} if day is not None else {})
    if wanted != known:
        written = {site: on.isoformat() for site, on in wanted.items()}
        change_setting(conn, ROUTES_CHECKED, written, actor, at)


def unchecked_routes(conn: Connection, today: date) -> dict[str, date | None]:
    """The open sites whose numbers were last checked more than three months ago, or never (None)."""
    checked = routes_checked(conn)
    last = {code: checked.get(code) for code in open_sites(conn)}
    return {code: day for code, day in last.items() if day is None or not timedelta() <= today - day <= CHECK_EVERY}


class SettingRefused(Exception):
    """Nothing was changed; the message says why and what to do, and `field` which field it is about, "" for no one."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class Keeping(Struct, frozen=True):
    """A setting about keeping the record: a whole number between two bounds, or a text ("" for none).

    A text is a place on this machine, or what `form` says.
    """

    default: int | str
    meaning: str
    least: int = 0
    most: int = 0
    form: str = ""

    def read(self, text: str) -> int | str:
        """The value that a text stands for; SettingRefused if it can't be one."""
        if self.form and text.strip() and not re.fullmatch(self.form, text.strip()):
            raise SettingRefused(f"{text!r} can't be that; {self.meaning}")
        if isinstance(self.default, str) and self.form:
            return text.strip()
        if isinstance(self.default, str):
            return str(Path(text.strip()).expanduser().absolute()) if text.strip() else ""
        if not (re.fullmatch(r"[0-9]{1,9}", text) and self.least <= int(text) <= self.most):
            raise SettingRefused(f"{text!r} is not a whole number from {self.least} to {self.most:,}; give one.")
        return int(text)


KEEPING: Final = {
    "backup_every_hours": Keeping(24, "A running server makes a backup this often, in hours; 0 for never.", 0, 24 * 31),
    "backup_folder": Keeping("", "Where it puts them; left blank, the folder backups of the instance."),
    "backup_keep_days": Keeping(30, "It removes its backups older than this, in days.", 1, 36_500),
    "backup_keep_least": Keeping(7, "But never so many that fewer than this are left.", 1, 10_000),
    "witness": Keeping("", "A file in a second place, to which it adds the head of the step log each day."),
    "retention_years": Keeping(
        0, "Years after the last consultation after which an employee is listed as due; 0 for never.", 0, 100
    ),
    "security_log_to": Keeping(
        "",
        "The syslog of this machine, which is handed each line of the security log too: unix:/dev/log, udp:514 or "
        "tcp:601, by its port.",
        form=r"unix:/\S+|(udp|tcp):[1-9]\d{0,4}",
    ),
    "breached_passwords": Keeping(
        "", "A list of passwords known from breaches (SHA-1, in order), none of which is taken as a new one."
    ),
}
"""The settings about backups, the witness, logs and how long is kept, which `consult settings set` changes."""


def keeping(conn: Connection, name: str) -> Any:
    """The value of a setting about keeping the record."""
    return get_setting(conn, name, KEEPING[name].default)


def set_keeping(conn: Connection, name: str, text: str, actor: str, at: str) -> Any:
    """Change a setting about keeping the record, with a step that says so; returns its value."""
    if name not in KEEPING:
        raise SettingRefused(f"There is no setting {name} to be set here; it is one of: {', '.join(KEEPING)}.")
    value = KEEPING[name].read(text)
    if value != keeping(conn, name):
        change_setting(conn, name, value, actor, at)
    return value
