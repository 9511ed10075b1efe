"""The command line as tests call it, the demonstration made once, and an empty real installation."""

import re
import shutil
from contextlib import closing

import pytest
from click.testing import CliRunner

from consult import demo
from consult.accounts.people import WORK
from consult.cli import main
from consult.instance import open_instance
from consult.record.settings import change_setting
from consult.record.store import now_utc
from consult.setting_up import SetUp, set_up

PASSWORD = "quiet otter paints fences"


@pytest.fixture(scope="session")
def demo_made(tmp_path_factory):
    """The demonstration, made once; only to be copied. Also what of its script found no place."""
    folder = tmp_path_factory.mktemp("demo") / "instance"
    unplaced = demo.prepare(folder, now_utc())
    return folder, unplaced


@pytest.fixture
def demo_copy(demo_made, tmp_path):
    """A copy of the demonstration's instance that a test may change."""
    folder = tmp_path / "demo"
    shutil.copytree(demo_made[0], folder)
    return folder


@pytest.fixture(scope="session")
def real_made(tmp_path_factory):
    """A real installation, made once; only to be copied."""
    folder = tmp_path_factory.mktemp("real") / "instance"
    set_up(folder, SetUp("ACME", ("A",), "Anna Berg", PASSWORD), "cli:test")
    return folder


@pytest.fixture
def real(real_made, tmp_path):
    """A real installation of provider ACME with site A, and nothing in it."""
    return shutil.copytree(real_made, tmp_path / "real")


@pytest.fixture
def quick(real):
    """The same, in which passwords and recovery codes are hashed quickly from now on."""
    with closing(open_instance(real)) as instance, instance.db.write() as conn:
        change_setting(conn, WORK, "scrypt:1024:8:1", "cli:test", instance.store.at())
    return real


@pytest.fixture
def consult():
    """Run a command on an instance: consult(folder, "results", ...); `code` is the exit code it must have."""

    def consult(folder, *arguments, code=0, **more):
        given = ["--instance", str(folder)] if folder else []
        result = CliRunner().invoke(main, [*given, *map(str, arguments)], **more)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        if code == 1:
            last = result.stderr.rstrip().splitlines()[-1]
            assert re.fullmatch(r"Error: [A-Z0-9/'].*[.!]", last), last
        return result

    return consult


@pytest.fixture
def password_file(tmp_path):
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n", encoding="utf-8")
    return file
