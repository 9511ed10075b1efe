"""The people who sign in, for the administrator: start, change, stop, help whoever lost something, hand work over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import factors, passkeys, passwords, sessions, single_sign_on
from consult.accounts import people as accounts
from consult.accounts.people import CLINICIANS, ROLES, NewPerson, Person, PersonRefused
from consult.record import lists, own
from consult.record.database import Connection
from consult.record.ledger import Refused
from consult.record.lists import Summary
from consult.record.store import Who
from consult.web.context import inst, person, who
from consult.web.forms import typed

bp = Blueprint("people", __name__, url_prefix="/settings/people")
WHY_HANDED: Final = {
    "left": "The clinician has left",
    "away": "The clinician is away",
    "other_work": "The clinician has other work now",
}
OWN: Final = "This is your own account; change it on your account page, with your password."
OWN_LINK: Final = (
    "A link code for your own account is made by another administrator, or on the server: consult person link."
)


@bp.route("", methods=["GET", "POST"])
def index() -> str | tuple[str, int]:
    """Everybody who may sign in, or could; a new person is started with a password that is shown once."""
    if request.method != "POST":
        return _listed()
    words, until = passwords.start_words(), _start_until()
    try:
        with inst().db.write() as conn:
            new = NewPerson(typed("name"), typed("role"), _site(), words, typed("username"), until)
            added = accounts.add_person(conn, new, person().id, inst().store.at())
    except PersonRefused as refusal:
        return _listed(_said(refusal), refusal.field), 422
    return _started(added, words, "was added")


def _listed(problem: str = "", wrong: str = "") -> str:
    """Everybody, and the form of a new person; `wrong` is the field that a problem is about, "" for none."""
    conn = inst().db.read()
    return render_template(
        "people/index.html",
        problem=problem,
        wrong=wrong,
        given={name: typed(name) for name in ("name", "username", "role", "site")},
        people=accounts.people(conn),
        starting=accounts.starting(conn),
        with_factor=factors.held(conn),
        trained=accounts.trained(conn),
        required=factors.required(conn),
        roles=ROLES,
        sites=inst().open_sites.values(),
        named=_site_names(),
    )


def _site_names() -> dict[str, str]:
    """What each site is called, the closed ones too, by code."""
    return {code: site.name for code, site in inst().sites.items()}


def _started(one: Person, words: str, how: str) -> str:
    """The page that shows a start password, this once."""
    return render_template("people/start.html", one=one, words=words, how=how, days=sessions.START.days)


def _start_until() -> int:
    return int((inst().store.clock() + sessions.START).timestamp())


def _said(refusal: PersonRefused) -> str:
    """Why it was refused; a role is chosen from a list here, so its codes are not named."""
    return "Choose a role from the list." if refusal.field == "role" else str(refusal)


def _site(now: str = "") -> str:
    """The site that was chosen: one that is open, or the one where a person is now."""
    if typed("site") not in inst().open_sites and (not now or typed("site") != now):
        raise PersonRefused("Choose a site from the list.", "site")
    return typed("site")


def _known(person_id: str) -> Person:
    found = accounts.person(inst().db.read(), person_id)
    if found is None:
        abort(404)
    return found


@bp.get("/<person_id>")
def show(person_id: str) -> str:
    """One person: what they are, how they sign in, and the consultations they hold open."""
    return _page(_known(person_id))


def _page(one: Person, problem: str = "", wrong: str = "") -> str:
    """The page of a person; `wrong` is the field or the part of it that a problem is about."""
    conn = inst().db.read()
    held = [(summary, _colleagues(summary)) for summary in lists.open_of(conn, one.id)]
    return render_template(
        "people/show.html",
        one=one,
        problem=problem,
        wrong=wrong,
        roles=ROLES,
        sites=[site for site in inst().sites.values() if site.code in {*inst().open_sites, one.site}],
        named=_site_names(),
        at_closed=one.site not in inst().open_sites,
        starting=one.id in accounts.starting(conn),
        has_factor=factors.has(conn, one.id),
        passkeys=passkeys.of_person(conn, one.id),
        account=single_sign_on.links(conn).get(one.id, "")[:12],
        trained=accounts.trained(conn).get(one.id, ""),
        held=held,
        reasons=WHY_HANDED,
        proofs=accounts.PROOFS,
        proved=accounts.identity_proved(conn, one.id),
        is_self=one.id == person().id,
        is_employee=bool(own.of_person(conn, one.id)),
    )


def _colleagues(summary: Summary) -> list[Person]:
    """Who may be handed an open consultation: other clinicians of its site who may sign in, but not its employee."""
    conn = inst().db.read()
    others = (one for one in accounts.people(conn) if one.active and one.role in CLINICIANS)
    here = (one for one in others if one.site == summary.site and one.id != summary.clinician)
    return [one for one in here if not own.is_own(conn, one.id, summary.employee)]


def _after(one: Person) -> Response:
    return redirect(url_for("people.show", person_id=one.id))


def _changed(one: Person, change: Callable[[Connection], object], part: str) -> Response | tuple[str, int]:
    """Carry a change of a person out as one transaction; back to their page, which says why where it was refused.

    `part` is where on that page it is asked for.
    """
    try:
        with inst().db.write() as conn:
            change(conn)
    except PersonRefused as refusal:
        return _page(one, _said(refusal), refusal.field or part), 422
    return _after(one)


@bp.post("/<person_id>")
def change(person_id: str) -> Response | tuple[str, int]:
    """Change the name, the role or the site of a person; another role or site ends their sessions."""
    one, by, at = _known(person_id), person().id, inst().store.at()

    def changes(conn: Connection) -> None:
        accounts.rename(conn, one.id, typed("name"), by, at)
        accounts.place(conn, one.id, typed("role"), _site(one.site), by, at)

    return _changed(one, changes, "role")


@bp.post("/<person_id>/standing")
def standing(person_id: str) -> Response | tuple[str, int]:
    """Stop a person's sign-in, which ends their sessions at once, or let them in again."""
    one, by, at = _known(person_id), person().id, inst().store.at()
    return _changed(one, lambda conn: accounts.set_active(conn, one.id, typed("active") == "yes", by, at), "signing-in")


@bp.post("/<person_id>/start-password")
def start(person_id: str) -> str | tuple[str, int]:
    """Give a person who lost their password one to start with, which is shown once and must be changed at once."""
    one, words = _known(person_id), passwords.start_words()
    try:
        _not_own(one)
        with inst().db.write() as conn:
            accounts.prove_identity(conn, one.id, typed("proved"), person().id, inst().store.at())
            accounts.change_password(conn, one.id, words, person().id, inst().store.at(), _start_until())
    except PersonRefused as refusal:
        return _page(one, str(refusal), refusal.field or "signing-in"), 422
    return _started(one, words, "has a start password")


@bp.post("/<person_id>/second-factor")
def factor(person_id: str) -> Response | tuple[str, int]:
    """Take away every second factor of a person who lost their telephone or passkeys; their sessions end."""
    one, by, at = _known(person_id), person().id, inst().store.at()

    def changes(conn: Connection) -> None:
        _not_own(one)
        accounts.prove_identity(conn, one.id, typed("proved"), by, at)
        factors.remove(conn, one.id, by, at)
        accounts.end_all(conn, one.id)

    return _changed(one, changes, "signing-in")


@bp.post("/<person_id>/link-code")
def link_code(person_id: str) -> str | tuple[str, int]:
    """Make a code, shown once, with which a person links their account at the provider: as strong as a password."""
    one = _known(person_id)
    try:
        _not_own(one, OWN_LINK)
        with inst().db.write() as conn:
            accounts.prove_identity(conn, one.id, typed("proved"), person().id, inst().store.at())
            words = single_sign_on.make_code(conn, one.id, inst().store.clock(), person().id, inst().store.at())
    except PersonRefused as refusal:
        return _page(one, str(refusal), "proved-of-link" if refusal.field else "account"), 422
    return render_template("people/link_code.html", one=one, words=words, days=single_sign_on.CODE_STANDS.days)


@bp.post("/<person_id>/unlink")
def unlink_account(person_id: str) -> Response | tuple[str, int]:
    """Take the link to an account at the provider away; the sessions of the person end."""
    one, by, at = _known(person_id), person().id, inst().store.at()

    def changes(conn: Connection) -> None:
        single_sign_on.unlink(conn, one.id, by, at)
        accounts.end_all(conn, one.id)

    return _changed(one, changes, "account")


def _not_own(one: Person, why: str = OWN) -> None:
    if one.id == person().id:
        raise PersonRefused(why)


@bp.post("/<person_id>/hand-over")
def hand_over(person_id: str) -> Response | tuple[str, int]:
    """Hand an open consultation of a person over to another clinician of the same site."""
    one = _known(person_id)
    held = next((s for s in lists.open_of(inst().db.read(), one.id) if s.id == typed("consultation")), None)
    if held is None:
        return _page(
            one, "That consultation is not open with this person any more; look at the list again.", "held"
        ), 422
    to = next((c for c in _colleagues(held) if c.id == typed("to")), None)
    if to is None or typed("reason") not in WHY_HANDED:
        sentence = "Choose the clinician who is to go on with it, and why it is handed over."
        return _page(one, sentence, _not_chosen(held, to)), 422
    try:
        reason = WHY_HANDED[typed("reason")]
        inst().store.hand_over(held.id, one.id, Who(to.id, to.role), reason, who())
    except Refused as refusal:
        return _page(one, str(refusal), "held"), 422
    return _after(one)


def _not_chosen(held: Summary, to: Person | None) -> str:
    """Which field of a handing over lacks a choice; the list of open consultations where nobody could be chosen."""
    return "held" if not _colleagues(held) else "reason" if to else "to"


@bp.post("/<person_id>/own-record")
def unlink(person_id: str) -> Response | tuple[str, int]:
    """Take back that a person is an employee here, where that was said of the wrong one; never of oneself."""
    one = _known(person_id)
    if one.id == person().id:
        return _page(one, "That is taken back by another administrator, not by yourself.", "own-record"), 422
    with inst().db.write() as conn:
        own.say(conn, one.id, "", who().actor, who().role, inst().store.at())
    return _after(one)


@bp.post("/<person_id>/trained")
def trained(person_id: str) -> Response | tuple[str, int]:
    """Note on which day a person was trained in the tool."""
    one, by, at, day = _known(person_id), person().id, inst().store.at(), request.form.get("trained", "")
    return _changed(one, lambda conn: accounts.train(conn, one.id, day, inst().today(), by, at), "trained")


@bp.post("/second-factor-for")
def required() -> Response | tuple[str, int]:
    """Say which roles need a second factor."""
    try:
        with inst().db.write() as conn:
            factors.require(conn, request.form.getlist("roles"), person().id, inst().store.at())
    except PersonRefused as refusal:
        return _listed(str(refusal), "factors"), 422
    return redirect(url_for("people.index", _anchor="factors"))
