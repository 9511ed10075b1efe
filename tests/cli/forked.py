"""Commands as processes of their own, forked off one that has read the program in, and its content: that takes longer
than most of them.

Each has the environment, the exit code and the two outputs of a command that was called by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

FORKING = """
import encodings.ascii, encodings.idna, json, os, sqlite_utils, sys, traceback  # what is imported late, as below
import click
from consult.cli import main

for name in main.list_commands(click.Context(main)):  # a command may run as a user who can't reach the program
    main.get_command(click.Context(main), name)
import consult.commands.refusals
from pathlib import Path
from consult import in_use
from consult.record.database import connect

known = in_use.look(connect(":memory:", ""), Path("nowhere"))  # texts that were read give the same again

def run(asked):
    for descriptor, file in ((1, asked["out"]), (2, asked["err"])):
        os.dup2(os.open(file, os.O_WRONLY | os.O_TRUNC), descriptor)
    os.environ.clear()
    os.environ.update(asked["environment"])
    if asked["user"] is not None:
        os.setgroups([])
        os.setgid(asked["user"])
        os.setuid(asked["user"])
    try:
        main(asked["arguments"], prog_name="consult")
    except SystemExit as end:
        return end.code or 0
    except BaseException:
        traceback.print_exc()
        return 1

for line in sys.stdin:
    child = os.fork()
    if not child:
        code = run(json.loads(line))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forked:
    """The process that others are forked off, begun in this environment: its key decides which SQLite is loaded."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-c", FORKING]
        self.process = subprocess.Popen(
            command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.folder = tempfile.TemporaryDirectory()

    def run(
        self, arguments: Sequence[object], environment: Mapping[str, str], user: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command with an environment of its own, as an ordinary user where one is named."""
        out, err = (Path(self.folder.name) / name for name in ("out", "err"))
        for file in (out, err):
            file.touch()
        words = [str(word) for word in arguments]
        asked = {"arguments": words, "environment": dict(environment), "user": user, "out": str(out), "err": str(err)}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        return subprocess.CompletedProcess(words, code, out.read_text("utf-8"), err.read_text("utf-8"))

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=60)
        self.process.stdout.close()
        self.folder.cleanup()


class Called:
    """The same where nothing can be forked: each command is started anew."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing is begun before the first command."""

    def run(
        self, arguments: Sequence[object], environment: Mapping[str, str], user: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A command with an environment of its own; users are those of POSIX."""
        assert user is None
        command = [sys.executable, "-m", "consult.cli", *map(str, arguments)]
        return subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)

    def __enter__(self) -> Called:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left."""


commands = Forked if hasattr(os, "fork") else Called
