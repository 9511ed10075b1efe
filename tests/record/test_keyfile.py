"""A file of keys: for its owner only, whole or not at all, and on the disk before anything it protects."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from consult.instance import KEY_FILE, secret_key
from consult.record import keyfile


def test_the_file_and_then_its_name_reach_the_disk_before_it_is_used(tmp_path, monkeypatch):
    """The real calls are watched, not replaced: a power cut after the return can take neither key nor name."""
    seen, sync, replace = [], os.fsync, os.replace

    def synced(handle):
        seen.append(("synced", Path(f"/proc/self/fd/{handle}").readlink().name))
        sync(handle)

    def replaced(old, new, **more):
        seen.append(("named", Path(new).name))
        replace(old, new, **more)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", replaced)
    keyfile.write(tmp_path / "key", "ab" * 32)
    file, named = seen.index(("synced", "key.part")), seen.index(("named", "key"))
    assert file < named < max(at for at, what in enumerate(seen) if what == ("synced", tmp_path.name))


def test_it_is_for_its_owner_only_and_holds_what_was_put_last(tmp_path):
    file, first, second = tmp_path / "key", keyfile.new(), keyfile.new()
    keyfile.write(file, first)
    keyfile.write(file, second, first)
    assert file.read_text("ascii").split() == [second, first]
    assert all(keyfile.KEY.fullmatch(key) for key in (first, second))
    assert first != second
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_where_it_can_not_be_written_what_was_there_stays(tmp_path):
    file = tmp_path / "key"
    keyfile.write(file, "ab" * 32)
    (tmp_path / "key.part").mkdir()
    with pytest.raises(OSError):
        keyfile.write(file, "cd" * 32)
    assert file.read_text("ascii") == "ab" * 32 + "\n"


def test_a_start_that_could_not_write_the_key_of_cookies_leaves_none_so_that_the_next_makes_it(tmp_path):
    stopped = (
        "import resource, signal, sys; from pathlib import Path; from consult.instance import secret_key; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); "
        "secret_key(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", stopped, tmp_path], capture_output=True, check=False).returncode
    key = secret_key(tmp_path)
    assert len(key) == keyfile.BYTES
    assert secret_key(tmp_path) == key
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]
