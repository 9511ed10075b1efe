"""The security log: what is written of signing in and of refusals, that nothing sent gets into it, and who reads it."""

from __future__ import annotations

import json
import re
import shutil
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pages
import pytest
from visiting import EMPLOYEE, PASSWORD, Service, Visitor

from consult import security_log
from consult.accounts import tries
from consult.accounts.policy import BRAKES, POLICY
from consult.record.settings import set_keeping
from consult.security_log import EVENTS, Event, SecurityLog, newest

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
LINE = re.compile(
    r'\{"at": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "event": "[a-z_]+", "person": "(p-[0-9a-f]{16})?", '
    r'"page": "([a-z_]+(\.[a-z_]+)?)?", "method": "(GET|HEAD|POST)?"\}'
)
"""All that a line can be."""
NASTY = ('x\n{"event": "signed_in"}', "Zebedee\r\nQuillfeather", "\u202e\u2028\t{at}", "a" * 5000, '","person":"p-0')


def events(service: Service, event: str = "") -> list[Event]:
    return list(newest(service.instance.folder, 1000, event=event))


def lines(service: Service) -> list[str]:
    files = security_log.files_in(service.instance.folder / security_log.FOLDER)
    return [line for file in files for line in file.read_text("utf-8").splitlines()]


def test_signing_in_failing_locking_and_leaving_are_written(service: Service) -> None:
    nurse, who = service.visitor(), service.who["nurse"].actor
    nurse.post("/sign-in", {"username": "nora.nurse", "password": "not this one at all"})
    nurse.post("/sign-in", {"username": "nobody.here", "password": PASSWORD})
    nurse.post("/sign-in", {"username": "nora.nurse", "password": PASSWORD})
    nurse.token = ""
    nurse.post("/lock")
    nurse.post("/unlock", {"password": "not this one at all"}, htmx=True)
    nurse.post("/unlock", {"password": PASSWORD}, htmx=True)
    nurse.post("/account/sessions", {"others": "yes", "password": "not this one at all"})
    nurse.post("/sign-out")
    told = [(one.event, one.person) for one in reversed(events(service))]
    assert told == [
        ("sign_in_failed", who),
        ("sign_in_failed", ""),
        ("signed_in", who),
        ("locked", who),
        ("unlock_failed", who),
        ("unlocked", who),
        ("password_wrong", who),
        ("signed_out", who),
    ]


def test_an_idle_screen_that_locks_itself_is_written_once(service: Service, nurse: Visitor) -> None:
    nurse.csrf()
    service.clock.ahead = timedelta(minutes=16)
    for _ in range(3):
        nurse.ask("/")
    assert [one.event for one in events(service)] == ["locked"]


def test_too_many_tries_are_written_as_such(service: Service) -> None:
    visitor = service.visitor()
    for _ in range(tries.TRIES + 1):
        visitor.post("/sign-in", {"username": "nora.nurse", "password": "not this one at all"})
    assert [one.event for one in events(service)] == ["sign_in_braked"] + ["sign_in_failed"] * tries.TRIES


@pytest.mark.parametrize(
    ("role", "path", "event", "page"),
    [
        ("nurse", "/settings/people", "refused_role", "people.index"),
        ("administrator", "/employees", "refused_role", "employees.search"),
        ("nurse", "/consultations/00000000-0000-0000-0000-000000000000", "not_there", "consultations.show"),
        ("nurse", "/sign-out", "refused_method", ""),
    ],
)
def test_a_refused_page_is_written_with_its_kind_and_whose_it_was(
    service: Service, role: str, path: str, event: str, page: str
) -> None:
    visitor = service.visitor(role)
    visitor.ask(path)
    (one,) = events(service)
    whose = service.who[role].actor if page else ""  # a way that no page has is refused before anybody is looked up
    assert (one.event, one.person, one.page, one.method) == (event, whose, page, "GET")


def test_another_persons_consultation_is_written_as_asked_for(service: Service) -> None:
    consultation, doctor = service.begin(), service.visitor("doctor")
    assert doctor.ask(f"/consultations/{consultation}").status_code == 404
    (one,) = events(service)
    assert (one.event, one.person) == ("not_there", service.who["doctor"].actor)
    assert consultation not in str(lines(service))


def test_forms_of_other_sites_without_a_token_and_other_hosts_are_written(service: Service, nurse: Visitor) -> None:
    token = nurse.csrf()
    assert nurse.client.post("/incidents", data={"csrf_token": "wrong"}).status_code == 400
    sent = {"X-CSRFToken": token, "Sec-Fetch-Site": "cross-site"}
    assert nurse.client.post("/incidents", data={}, headers=sent).status_code == 403
    nurse.client.get("/sign-in", base_url="http://evil.example")
    assert [one.event for one in reversed(events(service))] == ["refused_form", "refused_origin", "refused_host"]


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_that_was_sent_gets_into_the_log(service: Service, nasty: str) -> None:
    """Every line is one of those there can be, however names, addresses, methods and headers are made up."""
    visitor = service.visitor()
    visitor.post("/sign-in", {"username": nasty, "password": nasty, "next": f"/{nasty}"})
    visitor.post("/sign-in/code", {"code": nasty})
    signed_in = service.visitor("nurse")
    plain = {ord(c): None for c in "\r\n\x00"}
    headers = {"User-Agent": nasty.translate(plain).encode("utf-8").decode("latin-1"), "X-Forwarded-For": "192.0.2.77"}
    signed_in.client.get(f"/consultations/{nasty.translate(plain)[:200]}", headers=headers)
    signed_in.client.get("/settings/people", query_string={"x": nasty}, headers=headers)
    signed_in.client.post("/incidents", data={"csrf_token": nasty, "what": nasty}, headers=headers)
    signed_in.client.open("/sign-out", method="DELETE", headers=headers)
    written = lines(service)
    assert len(written) >= 5
    assert [line for line in written if not LINE.fullmatch(line)] == []
    assert {json.loads(line)["event"] for line in written} <= set(EVENTS)


def test_what_is_not_of_the_lists_is_left_out_of_a_line(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    for nasty in NASTY:
        log.note(NOW, nasty, nasty, nasty, nasty)
        log.note(NOW, "signed_in", "p-0123456789abcdef", "employees.show", "PROPFIND")
    written = next(iter(security_log.files_in(tmp_path / "security"))).read_text("utf-8").splitlines()
    assert len(written) == 2 * len(NASTY)
    assert [line for line in written if not LINE.fullmatch(line)] == []


def test_no_name_number_or_address_of_a_computer_stands_in_the_log(service: Service, nurse: Visitor) -> None:
    employee = service.employee()
    nurse.get(f"/employees/{employee}")
    nurse.post("/employees", {"words": EMPLOYEE[0]})
    service.visitor("administrator").ask(f"/employees/{employee}")
    nurse.client.get("/employees/unknown", environ_overrides={"REMOTE_ADDR": "192.0.2.77"})
    written = "\n".join(lines(service)).lower()
    assert written
    words = [
        *EMPLOYEE[0].split(),
        EMPLOYEE[2],
        employee,
        "192.0.2",
        "127.0.0.1",
        "nora",
        "nurse",
        "mozilla",
        "werkzeug",
    ]
    assert [word for word in words if word.lower() in written] == []


def test_only_the_administrator_reads_it_and_finds_one_person_and_one_kind(service: Service, nurse: Visitor) -> None:
    nurse.ask("/settings/people")
    service.visitor().post("/sign-in", {"username": "dan.doctor", "password": "not this one at all"})
    assert POLICY["security.index"] == {"administrator"}
    admin = service.visitor("administrator")
    both = pages.text(admin.get("/settings/security"))
    assert "Nora Nurse" in both
    assert "Sign-in failed" in both
    page = admin.ask(f"/settings/security?person={service.who['nurse'].actor}").text
    assert ('<td data-label="What">Sign-in failed' in page, "people.index" in page) == (False, True)
    page = admin.ask("/settings/security?event=sign_in_failed&person=nobody").text
    assert ("Dan Doctor</td>" in page, "people.index</code>" in page) == (True, False)


def nearly_full(folder: Path, event: str, person: str = "") -> SecurityLog:
    """A log in whose file of the day there is room for a few lines more of what anybody can bring about."""
    log = SecurityLog(folder)
    log.note(NOW, event, person)
    (file,) = (folder / "security").glob("*.jsonl")
    line = file.read_bytes()
    file.write_bytes(line * (security_log.MOST // len(line) - 3))
    return log


def test_a_days_file_takes_no_more_about_nobody_and_goes_on_about_people(tmp_path: Path) -> None:
    log, whose = nearly_full(tmp_path, "refused_host"), "p-0123456789abcdef"
    before = len(list(newest(tmp_path, 100_000)))
    for _ in range(200):
        log.note(NOW, "refused_host")
    log.note(NOW, "signed_in", whose)
    found = list(newest(tmp_path, 100_000))
    assert [one.event for one in found[:2]] == ["signed_in", "log_full"]
    assert before < len(found) < before + 10
    log.note(NOW + timedelta(days=1), "refused_host")
    assert next(newest(tmp_path, 1)).event == "refused_host", "the next day has a file of its own"


@pytest.mark.parametrize("event", ["sign_in_failed", "sign_in_braked", "code_asked"])
def test_a_flood_of_tries_at_a_known_name_hides_nobody_who_is_signed_in(tmp_path: Path, event: str) -> None:
    whose = "p-0123456789abcdef"
    log = nearly_full(tmp_path, event, whose)
    for _ in range(200):
        log.note(NOW, event, whose)
    log.note(NOW, "refused_role", whose)
    assert [one.event for one in newest(tmp_path, 3)] == ["refused_role", "log_full", event]


def test_old_files_go_once_a_new_day_begins_and_nothing_else_does(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    since = NOW - timedelta(days=security_log.BELIEVED)
    log.note(since - security_log.KEEP - timedelta(days=1), "signed_in")
    log.note(since - security_log.KEEP, "signed_in")
    for days in (3, 2, 1):
        log.note(NOW - timedelta(days=days), "signed_in")
    (tmp_path / "security" / "notes-2020-01-01.txt").write_text("mine", "ascii")
    (tmp_path / "security" / "2020-99-99.jsonl").write_text("no day", "ascii")
    log.note(NOW, "signed_in")
    names = {file.name for file in (tmp_path / "security").iterdir()}
    written = {f"2026-{day}.jsonl" for day in ("05-23", "11-19", "11-20", "11-21", "11-22")}
    assert names == {*written, "notes-2020-01-01.txt", "2020-99-99.jsonl"}


@pytest.mark.parametrize("ahead", [timedelta(days=200), timedelta(days=4000)])
@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_clock_that_runs_ahead_for_a_few_days_takes_nothing_away(tmp_path: Path, ahead: timedelta, days: int) -> None:
    log = SecurityLog(tmp_path)
    moments = [NOW - timedelta(days=before) for before in range(40, 0, -1)]
    moments += [NOW + ahead + timedelta(days=day) for day in range(days)]
    moments += [NOW + timedelta(days=day) for day in range(days, 10)]
    for moment in moments:
        log.note(moment, "signed_in")
    assert {one.stem for one in security_log.files_in(tmp_path / "security")} == {str(one.date()) for one in moments}


def test_an_installation_in_daily_use_keeps_the_days_that_it_says_and_two_more(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    for day in range(400):
        log.note(NOW + timedelta(days=day), "signed_in")
    kept = security_log.files_in(tmp_path / "security")
    assert len(kept) == security_log.KEEP.days + security_log.BELIEVED + 1


def test_the_files_are_for_their_owner_only_and_a_log_that_cannot_be_written_stops_nobody(
    service: Service, nurse: Visitor
) -> None:
    nurse.ask("/settings/people")
    folder = service.instance.folder / security_log.FOLDER
    assert folder.stat().st_mode & 0o077 == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    shutil.rmtree(folder)
    folder.write_text("in the way", "ascii")
    assert nurse.ask("/settings/people").status_code == 403
    assert service.visitor().post("/sign-in", {"username": "nora.nurse", "password": PASSWORD}).status_code == 302


def test_a_line_that_is_none_is_passed_over(tmp_path: Path) -> None:
    log = SecurityLog(tmp_path)
    log.note(NOW, "signed_in", "p-0123456789abcdef")
    (file,) = security_log.files_in(tmp_path / "security")
    file.write_bytes(file.read_bytes() + b'{"at": 1}\n\xff\n{"event": "signed_in"}\n[]\n{"at": "x", "ev')
    assert [one.event for one in newest(tmp_path, 10)] == ["signed_in"]


class TestBrake:
    """What is costly is braked for each person, and for nobody else."""

    def test_who_asks_too_often_in_a_minute_waits_and_others_do_not(self, service: Service) -> None:
        most, nurse, doctor = BRAKES["search"].most, service.visitor("nurse"), service.visitor("doctor")
        service.braked = True
        moment = service.clock()
        service.instance.store.clock = lambda: moment
        assert {nurse.client.get("/employees").status_code for _ in range(most)} == {200}
        refused = nurse.ask("/employees")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
        assert "wait a moment" in refused.text
        assert nurse.ask("/").status_code == 200, "all else goes on"
        assert doctor.ask("/employees").status_code == 200
        assert next(newest(service.instance.folder, 1)).event == "braked"
        moment += timedelta(seconds=61)
        assert nurse.ask("/employees").status_code == 200

    def test_each_brake_is_about_routes_that_exist_and_none_about_saving(self, service: Service) -> None:
        known = {rule.endpoint for rule in service.app.url_map.iter_rules()}
        named = [endpoint for limit in BRAKES.values() for endpoint in limit.endpoints]
        assert set(named) <= known
        assert len(named) == len(set(named))
        assert not {"consultations.answers", "consultations.sign", "session_state", "home"} & set(named)


def test_lines_are_handed_on_as_soon_as_that_is_set_and_no_longer_than_it_is(service: Service) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
        syslog.bind(("127.0.0.1", 0))
        syslog.settimeout(20)
        for to in ("", f"udp:{syslog.getsockname()[1]}", ""):
            with service.instance.db.write() as conn:
                set_keeping(conn, "security_log_to", to, "test", service.instance.store.at())
            service.visitor().post("/sign-in", {"username": f"nobody{to[:3]}", "password": PASSWORD})
        came = [syslog.recv(2000).decode("ascii")]
        syslog.settimeout(0.2)
        with pytest.raises(TimeoutError):
            came.append(syslog.recv(2000).decode("ascii"))
    assert len(came) == 1
    assert '"event": "sign_in_failed"' in came[0]
    assert len(lines(service)) == 3
