"""The product's own server in a process of its own, forked from one that has everything imported.

A fresh interpreter would take two seconds a start, and the content half a second more; ten thousand starts can't wait
for that. What is forked opens the instance, takes the lock and serves, by the product's own code.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
HERE = Path(__file__).resolve().parent


def free_port() -> int:
    """A port on loopback that nobody uses now, and that no outgoing connection is given while the server is down.

    Whoever asks for a port that nobody listens on may be given that very port to ask from, and then talks to itself.
    """
    while True:
        port = secrets.randbelow(10_000) + 20_000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Served:
    """The handle a test holds: starts, kills and stops the server, any number of times."""

    def __init__(self, log: Path) -> None:
        self.port, self._log = free_port(), log
        self._warm = subprocess.Popen(
            [sys.executable, str(HERE / "served.py"), str(log)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def start(self, folder: Path, build: str = "product") -> None:
        """Start the server and wait until it serves; `build` names one that is broken on purpose (see `BUILDS`)."""
        self.pid = self._ask(do="start", folder=str(folder), port=self.port, build=build)
        self.wait()

    def wait(self, patience: float = 30.0) -> None:
        """Wait until a page is served."""
        until = time.monotonic() + patience
        while not self.serves():
            if time.monotonic() > until:
                raise TimeoutError(f"the server did not come up:\n{self._log.read_text('utf-8')[-4000:]}")
            time.sleep(0.003)

    def serves(self) -> bool:
        """Whether a page is served now."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5) as asking:
            asking.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return asking.recv(64).startswith(b"HTTP/1.1 200")
        return False

    def kill(self) -> None:
        """End the process of the server and what it started at once, as `kill -9` does."""
        self._ask(do="signal", pid=self.pid, number=int(signal.SIGKILL), everyone=True)

    def stop(self) -> float:
        """Ask the server to end, as an administrator does; returns the seconds that took."""
        began = time.monotonic()
        self._ask(do="signal", pid=self.pid, number=int(signal.SIGTERM), everyone=False)
        return time.monotonic() - began

    def close(self) -> None:
        """End the process with everything imported, and with it whatever still serves."""
        if self._warm.stdin:
            self._warm.stdin.close()
        self._warm.wait(timeout=60)
        if self._warm.stdout:
            self._warm.stdout.close()

    def _ask(self, **command: Any) -> int:
        assert self._warm.stdin
        self._warm.stdin.write(json.dumps(command) + "\n")
        self._warm.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self._warm.stdout
        line = self._warm.stdout.readline()
        if not line:
            raise RuntimeError(f"the warm process ended:\n{self._log.read_text('utf-8')[-4000:]}")
        return int(line)


# --- builds that are broken on purpose, so that a harness can show that it would notice ------------------------------


def says_saved_before_commit() -> None:
    """As if somebody had made saving quicker: several answers share one commit, and the page does not wait for it."""
    import threading
    from collections.abc import Iterator
    from contextlib import contextmanager

    from consult.record.database import Connection, Database

    def commit_now_and_then(db: Database) -> None:
        while True:
            time.sleep(0.05)
            with db._lock:
                if db._writer.in_transaction:
                    db._writer.execute("COMMIT")

    @contextmanager
    def write(self: Database) -> Iterator[Connection]:
        with self._lock:
            if not hasattr(self, "_committing"):
                self._committing = threading.Thread(target=commit_now_and_then, args=(self,), daemon=True)
                self._committing.start()
            if not self._writer.in_transaction:
                self._writer.execute("BEGIN IMMEDIATE")
            yield self._writer

    Database.write = write  # type: ignore[method-assign]
    Database.read = lambda self: self._writer  # type: ignore[method-assign]


def knows_no_key() -> None:
    """As if a retry were not recognised: each save is a step of its own, whatever the page knew."""
    import uuid

    from consult.record import store
    from consult.record.ledger import append

    def saved(self: Any, consultation: str, question: Any, answer: Any, seen: int, key: str, via: str, who: Any) -> Any:
        with self.db.write() as conn:
            draft = store.answer_draft(consultation, question.id, answer, seen, str(uuid.uuid4()), via, who, self.at())
            return store.Saved(append(conn, draft))

    store.Store.saved = saved  # type: ignore[method-assign] # broken on purpose


def ignores_what_the_page_knew() -> None:
    """As if the last one to write always won: a stale page is never told."""
    from consult.record import store
    from consult.record.ledger import last_step

    def saved(self: Any, consultation: str, question: Any, answer: Any, seen: int, key: str, via: str, who: Any) -> Any:
        last = last_step(self.db.read(), consultation, question.id)
        return whole(self, consultation, question, answer, last.seq if last else 0, key, via, who)

    whole = store.Store.saved
    store.Store.saved = saved  # type: ignore[method-assign] # broken on purpose


def skips_the_hash_for_unknown_names() -> None:
    """As if somebody had made sign-in quicker: a name that is not known is refused without the work of a hash."""
    from consult.accounts import passwords

    whole = passwords.matches
    passwords.matches = lambda p, h, *how: bool(h) and whole(p, h, *how)  # type: ignore[assignment] # on purpose


BUILDS: dict[str, Callable[[], None]] = {
    "product": lambda: None,
    "says saved before commit": says_saved_before_commit,
    "knows no key": knows_no_key,
    "ignores what the page knew": ignores_what_the_page_knew,
    "skips the hash for unknown names": skips_the_hash_for_unknown_names,
}


# --- the process with everything imported ----------------------------------------------------------------------------


def warm_up(compiled: str) -> None:
    """Import all, and read the content files once: they do not change while this runs. No database is opened here.

    Templates are compiled into the folder `compiled`, for all that is forked.
    """
    from flask import Flask
    from jinja2 import FileSystemBytecodeCache

    from consult import in_use, server  # noqa: F401 - imported before the fork
    from consult.web import app  # noqa: F401

    Flask.jinja_options = {"bytecode_cache": FileSystemBytecodeCache(compiled)}
    folder = in_use.proforma_folder(None)
    definition = in_use.load_definition(folder)  # what is read once is kept by the product itself
    measures = in_use.measures_file.parse_measures((folder / "measures.toml").read_text("utf-8"), definition.dataset)
    in_use.benchmarks.parse_benchmarks((folder / "benchmarks.toml").read_text("utf-8"), measures, definition.dataset)
    in_use.leaflet.load(*in_use.content_folders("leaflets"))


def serve(folder: Path, port: int, build: str) -> None:
    """The life of the process that is forked."""
    from consult import serving

    BUILDS[build]()
    with serving.listen("127.0.0.1", port) as listener:
        serving.serve(folder, listener, serving.Address(), lambda _: None)


def fork(folder: str, port: int, build: str, log: int) -> int:
    """A process of its own, in a group of its own, that serves."""
    pid = os.fork()
    if pid:
        with suppress(OSError):
            os.setpgid(pid, pid)
        return pid
    code = 1
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # it never outlives the test, however that ends
        with suppress(OSError):
            os.setpgid(0, 0)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        serve(Path(folder), port, build)
        code = 0
    except SystemExit as left:
        code = int(left.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def send(pid: int, number: int, everyone: bool) -> None:
    """Send a signal to the server, and to what it started too if `everyone` is given, and wait for the end."""
    (os.killpg if everyone else os.kill)(pid, number)
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-pid, 0)  # the first process, and those it leaves behind, which come here


def prctl(what: int, value: int) -> None:
    """Set something about this process that only Linux knows."""
    import ctypes

    ctypes.CDLL(None, use_errno=True).prctl(what, value, 0, 0, 0)


def main(log_file: str) -> None:
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # what a killed server had started comes here, and is waited for
    log = os.open(log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with tempfile.TemporaryDirectory(prefix="templates-") as compiled:
        warm_up(compiled)
        obey(log)


def obey(log: int) -> None:
    """Start and end servers as the test asks, until it asks no more; none is left."""
    running: set[int] = set()
    print(0, flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "start":
            pid = fork(command["folder"], command["port"], command["build"], log)
            running.add(pid)
        else:
            pid = command["pid"]
            send(pid, command["number"], command["everyone"])
            running.remove(pid)
        print(pid, flush=True)
    for pid in running:
        with suppress(OSError):
            send(pid, signal.SIGKILL, True)


if __name__ == "__main__":
    main(sys.argv[1])
