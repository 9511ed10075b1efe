"""How fast the consultation is, as ratios to a bare Flask application in the same run: `python tests/bench/room.py`.

Both are served by waitress, one process with four threads, on loopback. What is compared is done in turns, so that
other work on the machine slows both; of each the median time of all turns counts, as a browser would wait for it.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "faults"))

from asking import Line, Reply
from served import free_port

from consult import tending
from consult.accounts import people, sessions
from consult.instance import Instance, open_instance
from consult.proforma.answer import Answer
from consult.record import settings
from consult.record.store import Start, Who
from consult.web.coming import SCRIPTS

HERE = Path(__file__).parent
TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')
SEEN = re.compile(r'name="seen\.(\w+)" value="(\d+(?::[^"]*)?)"')
ROUTES = {route: f"01632 960 00{number}" for number, route in enumerate(settings.ROUTE_LABELS)}
WARM = 12
"""Times that each act is done before it counts."""
BEGUN_WITH = 40
"""Answers that a consultation holds when the acts on it are measured: about the middle of a talk."""
SAVES_OF_ONE = 30
"""Answers that are then saved in it, before another one is taken."""
MOST_SAVES = 600
"""A second, of all clinicians together: so many consultations are begun before it is measured how they save."""
COMING = re.compile('data-coming="([^"]+)"')
PART = '<section class="part" id='
HTMX = "HX-Request: true\r\n"
Act = Callable[[], object]


@dataclass
class Room:
    """The served product with a nurse who is signed in, and the bare application beside it."""

    instance: Instance
    who: Who
    port: int
    bare: int
    pids: dict[str, int] = field(default_factory=dict)
    _lines: list[Line] = field(default_factory=list)
    _number: Iterator[int] = field(default_factory=lambda: count(1))

    def line(self, port: int, cookie: str = "") -> Line:
        """A connection that is closed with the room."""
        self._lines.append(Line(port, cookie))
        return self._lines[-1]

    def close(self) -> None:
        """Close every connection and the record."""
        for line in self._lines:
            line.close()
        self.instance.close()

    def token(self) -> str:
        """A session as signing in opens it."""
        with self.instance.db.write() as conn:
            return sessions.create(conn, self.who.actor, self.instance.store.clock())

    def begun(self, answers: int = BEGUN_WITH) -> str:
        """A consultation with its first findings answered No."""
        store, number = self.instance.store, next(self._number)
        employee = store.register(f"Testina {'abcdefghij'[number % 10] * 3}", date(1980, 3, 2), f"B-{number}", self.who)
        id_ = store.start(Start(employee.id, "A", "DEMO", "in_person", "45-54"), self.who)
        proforma = store.library.current.proforma
        findings = [q for q in proforma.questions if q.kind == "finding" and q.show_if is None and not q.retired]
        for question in findings[:answers]:
            store.save(id_, question, Answer("absent"), 0, f"{id_}:{question.id}", "single", self.who)
        return id_

    def ready_to_sign(self) -> str:
        """A consultation that nothing holds from being signed."""
        id_ = self.begun()
        store = self.instance.store
        known = store.consultation(id_)
        assert known is not None
        blank = [q.id for q in store.path_of(known).questions() if q.asked_first and q.id not in known.answers]
        if blank:
            reason = {"reason": "out_of_time", "text": "", "questions": blank}
            store.note(id_, "blank_emergencies_explained", reason, f"{id_}:blank", self.who)
        return id_


class Clinician:
    """One browser of a nurse: answers one finding after the other, each with what the page knew of it."""

    def __init__(self, room: Room) -> None:
        self.room, self.line = room, room.line(room.port, room.token())
        self.saved, self.id, self.coming = 0, "", ""
        self.laid_out: list[tuple[str, str]] = []
        """Consultations that are begun and opened, as id and page: what a save costs is then measured by itself."""

    def lay_out(self, consultations: int) -> None:
        """Have so many ready, and sit down at the first."""
        self.saved, self.laid_out = 0, [self._opened(self.room.begun()) for _ in range(consultations)]
        self.sit()

    def _opened(self, id_: str) -> tuple[str, str]:
        return id_, self.line.get(f"/consultations/{id_}").text

    def sit(self, id_: str = "") -> None:
        """Turn to this consultation, else to one that is laid out, else to a new one."""
        known = self.laid_out.pop(0) if self.laid_out and not id_ else None
        self.id, page = known or self._opened(id_ or self.room.begun())
        self.csrf, self.seen = TOKEN.findall(page)[0], dict(SEEN.findall(page))
        proforma = self.room.instance.library.current.proforma
        self.findings = [q for q in self.seen if proforma.by_id[q].kind == "finding"]

    def turn(self) -> None:
        """Open another consultation, once enough was saved in this one."""
        if self.saved and self.saved % SAVES_OF_ONE == 0:
            self.sit()

    def save(self) -> Reply:
        """Change one answer, in the next consultation where it is its turn."""
        self.turn()
        return self.answer()

    def answer(self) -> Reply:
        """Change one answer."""
        number = self.saved
        self.saved += 1
        question = self.findings[number % len(self.findings)]
        state = "declined" if number // len(self.findings) % 2 else "absent"
        if self.seen[question] != "0":
            state = "unsure" if number % 3 else "absent"
        form = {f"a.{question}": state, f"seen.{question}": self.seen[question], "key": f"{self.id}-{number:08}"}
        reply = self.line.post(f"/consultations/{self.id}/answers", form, f"{HTMX}X-CSRFToken: {self.csrf}\r\n")
        assert reply.status == 200, (reply.status, reply.text[:300])
        self.seen |= dict(SEEN.findall(reply.text))
        return reply

    def page(self) -> Reply:
        """The whole screen of the consultation, as a browser without scripts gets it."""
        reply = self.line.get(f"/consultations/{self.id}")
        assert reply.status == 200
        assert reply.text.count(PART) > 10
        return reply

    def first_part(self) -> Reply:
        """The questions that stand open at first, as a browser whose scripts run gets them."""
        self.line.holds(SCRIPTS, "run")
        reply = self.line.get(f"/consultations/{self.id}")
        self.line.drops(SCRIPTS)
        found = COMING.search(reply.text)
        assert (reply.status, bool(found)) == (200, True)
        self.coming = found[1] if found else ""
        return reply

    def rest(self) -> Reply:
        """What such a browser asks for right after it."""
        reply = self.line.get(self.coming)
        assert reply.status == 200
        assert reply.text.count(PART) > 10
        return reply

    def sign(self, id_: str) -> Reply:
        """Sign a consultation."""
        form = {"csrf_token": self.csrf, "key": f"{id_}-sign-it"}
        reply = self.line.post(f"/consultations/{id_}/sign", form)
        assert reply.status == 302, (reply.status, reply.text[:300])
        return reply


def make(folder: Path) -> tuple[Instance, Who]:
    """An instance with one site and one nurse."""
    instance = open_instance(folder, create=True)
    with instance.db.write() as conn:
        at = instance.store.at()
        settings.change_setting(conn, "provider", "DEMO", "bench", at)
        settings.change_setting(conn, "demonstration", True, "bench", at)
        settings.put_site(conn, settings.Site("A", "Site A (invented)", ROUTES), "bench", at)
        nurse = people.add_person(conn, people.NewPerson("Nora Nurse", "nurse", "A", "plainly invented words"), "b", at)
    return instance, Who(nurse.id, "nurse")


@contextmanager
def opened(folder: Path, tended: bool = True) -> Iterator[Room]:
    """Both applications, served; `tended` says that the backup of the day is made already."""
    instance, who = make(folder / "instance")
    if tended:
        tending.tend(folder / "instance", instance.clock())
    room = Room(instance, who, free_port(), free_port())
    commands = {
        "product": ["-m", "consult.cli", "--instance", str(folder / "instance"), "serve", "--port", str(room.port)],
        "bare": [str(HERE / "bare.py"), str(room.bare), str(folder / "bare.sqlite3")],
    }
    running = {name: begin(words) for name, words in commands.items()}
    room.pids = {name: process.pid for name, process in running.items()}
    try:
        for port, path in ((room.port, "/health"), (room.bare, "/hello")):
            wait_for(port, path)
        yield room
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait(timeout=20)
        room.close()


def begin(words: list[str]) -> subprocess.Popen[bytes]:
    """A Python process that serves."""
    return subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)


def wait_for(port: int, path: str) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + 30
    while True:
        try:
            with closing(Line(port)) as line:
                line.get(path)
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.005)  # another process comes up: there is nothing to wait on but its answer


@dataclass
class Taken:
    """The milliseconds of an act, each time it was done: as the browser waited, and of the server's processor."""

    waited: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)

    @property
    def wait(self) -> float:
        """The median a browser waited."""
        return statistics.median(self.waited)

    @property
    def work(self) -> float:
        """The median the processor of the server worked, which other programs hardly change."""
        return statistics.median(self.worked)


def in_turns(acts: dict[str, tuple[str, Act]], pids: dict[str, int], turns: int) -> dict[str, Taken]:
    """What each act took, all of them done in turns, after some that do not count; with each the server it asks."""
    taken = {name: Taken() for name in acts}
    for turn in range(turns + WARM):
        for name, (server, act) in acts.items():
            worked, begun = processor(pids[server]), time.perf_counter()
            act()
            waited = time.perf_counter() - begun
            if turn >= WARM:
                taken[name].waited.append(waited * 1000)
                taken[name].worked.append((processor(pids[server]) - worked) / 1e6)
    return taken


def processor(pid: int) -> int:
    """The nanoseconds that a server and the processes it started have worked; Linux only."""
    every = [pid, *map(int, _of(pid, f"task/{pid}/children").split())]
    tasks = [task for one in every for task in Path(f"/proc/{one}/task").iterdir()]
    return sum(int((task / "schedstat").read_text("ascii").split()[0]) for task in tasks)


def one_clinician(room: Room, turns: int) -> dict[str, Taken]:
    """What each act of one clinician took, and the bare ones in between."""
    nurse, bare = Clinician(room), room.line(room.bare)
    nurse.sit()
    other = Clinician(room)
    other.sit()
    to_sign = iter([room.ready_to_sign() for _ in range(turns + WARM)])
    form = {"question": "harm_belief", "value": "absent"}
    acts: dict[str, tuple[str, Act]] = {
        "bare hello": ("bare", lambda: bare.get("/hello")),
        "bare page of 8 questions": ("bare", lambda: bare.get("/page")),
        "bare durable commit": ("bare", lambda: bare.post("/save", form)),
        "saving one answer": ("product", nurse.save),
        "the consultation page, its first part": ("product", other.first_part),
        "the rest of it": ("product", other.rest),
        "the consultation page, whole": ("product", other.page),
        "signing": ("product", lambda: other.sign(next(to_sign))),
    }
    return in_turns(acts, room.pids, turns)


def together(acts: list[Act], seconds: float) -> list[float]:
    """The milliseconds of every act that was done by so many at once, without a pause, for a while."""
    taken: list[list[float]] = [[] for _ in acts]
    faults: list[BaseException] = []
    until = time.perf_counter() + seconds

    def go_on(number: int) -> None:
        try:
            while (begun := time.perf_counter()) < until:
                acts[number]()
                taken[number].append((time.perf_counter() - begun) * 1000)
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=go_on, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]
    return [one for each in taken for one in each]


def many(room: Room, clients: int, seconds: float, rounds: int = 3) -> dict[str, tuple[float, float]]:
    """For the product and the bare application, in turns: saves a second, and the 99th percentile in milliseconds."""
    form = {"question": "harm_belief", "value": "absent"}
    found: dict[str, list[tuple[float, float]]] = {"product": [], "bare": []}
    nurses = [Clinician(room) for _ in range(clients)]
    lines = [room.line(room.bare) for _ in range(clients)]
    for _ in range(rounds):
        for nurse in nurses:
            nurse.lay_out(1 + int(seconds * MOST_SAVES / clients / SAVES_OF_ONE))
        product: list[Act] = [nurse.save for nurse in nurses]
        bare: list[Act] = [lambda line=line: line.post("/save", form) for line in lines]  # type: ignore[misc] # a default binds it
        for name, acts in (("product", product), ("bare", bare)):
            taken = sorted(together(acts, seconds))
            found[name].append((len(taken) / seconds, taken[int(len(taken) * 0.99)]))
    return {name: (statistics.median(r for r, _ in v), statistics.median(p for _, p in v)) for name, v in found.items()}


def memory(pid: int) -> float:
    """The proportional memory of a server and the processes it started, in MB; Linux only."""
    children = list(map(int, _of(pid, f"task/{pid}/children").split()))
    sizes = [re.findall(r"^Pss: +(\d+) kB", _of(one, "smaps_rollup"), re.M) for one in [pid, *children]]
    return sum(int(size[0]) for size in sizes) / 1000


def _of(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text("ascii")


def start(words: list[str], port: int, path: str) -> float:
    """The seconds from the start of a server to its first page."""
    begun = time.perf_counter()
    process = begin(words)
    try:
        wait_for(port, path)
        return time.perf_counter() - begun
    finally:
        process.terminate()
        process.wait(timeout=20)


def starts(folder: Path, times: int) -> dict[str, float]:
    """The median seconds of a start to the first page: the product's sign-in, and the bare hello."""
    instance, _ = make(folder / "started")
    instance.close()
    found: dict[str, list[float]] = {"product": [], "bare": []}
    for _ in range(times):
        port = free_port()
        words = ["-m", "consult.cli", "--instance", str(folder / "started"), "serve", "--port", str(port)]
        found["product"].append(start(words, port, "/sign-in"))
        port = free_port()
        found["bare"].append(start([str(HERE / "bare.py"), str(port), str(folder / "started.sqlite3")], port, "/hello"))
    return {name: statistics.median(taken) for name, taken in found.items()}


def report(options: argparse.Namespace) -> None:
    """Measure everything and print it."""
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        begun = starts(folder, 5)
        print(f"start to first page: {begun['product']:.2f} s, {begun['product'] / begun['bare']:.1f} x bare")
        with opened(folder) as room:
            found = one_clinician(room, options.turns)
            for name, taken in found.items():
                print(f"{name:40}{taken.wait:8.2f} ms waited, {taken.work:7.2f} ms of the processor")
                for bare in list(found)[:3]:
                    waited, worked = taken.wait / found[bare].wait, taken.work / found[bare].work
                    print(f"{'':40}{waited:8.1f} x waited, {worked:8.1f} x of {bare}")
            for clients in (8, 64):
                at_once = many(room, clients, options.seconds)
                (rate, late), (bare_rate, bare_late) = at_once["product"], at_once["bare"]
                print(
                    f"{clients} at once: {rate:.0f} saves a second, p99 {late:.0f} ms; "
                    f"bare {bare_rate:.0f}, {bare_late:.0f} ms: {rate / bare_rate:.2f} x"
                )
            print("memory: " + ", ".join(f"{name} {memory(pid):.0f} MB" for name, pid in room.pids.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=3.0)
    report(parser.parse_args())
