"""Run or test the product from a fresh checkout: `python3 do.py run`, `python3 do.py test`.

Standard library only; works on Linux and Windows with Python 3.11 or later. Everything is installed into
.venv beside this file, from lock files whose every package is checked by hash.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")
STAMP = VENV / "installed.json"
REFERENCE = ROOT / ".venv-reference"
PROJECT = "oh-back-pain-consult"
OFFLINE = "install from a folder of wheels instead of the internet"
MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of its own is used in it
MEMORY_NEEDED = 4 * 1024**3
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
LOCKED = ("install", "--quiet", "--only-binary", ":all:", "--require-hashes")
WINDOWS_BROWSERS = ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")


class Stop(Exception):
    """What went wrong and what to do, in one sentence."""


def say(text: str) -> None:
    print(f"==> {text}", flush=True)


def call(*command: str | Path, **env: str) -> int:
    return subprocess.run([str(c) for c in command], cwd=ROOT, env={**os.environ, **env}, check=False).returncode


def must(*command: str | Path, otherwise: str, **env: str) -> None:
    if call(*command, **env):
        raise Stop(otherwise)


def apt_install(*packages: str) -> bool:
    """Install Debian packages where that can be done without asking anyone."""
    if WINDOWS or os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"installing {' '.join(packages)}")
    for command in (("update",), ("install", "--yes", "--no-install-recommends", *packages)):
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run(["apt-get", "-qq", *command], env=env, stdout=subprocess.DEVNULL, check=False).returncode:
            return False
    return True


# --- the environment -------------------------------------------------------------------------------------


def make_environment(may_install: bool) -> None:
    """Create .venv unless a working one is there."""
    if PYTHON.exists() and call(PYTHON, "-c", "import pip") == 0:
        return
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if importlib.util.find_spec("ensurepip") is None and not (may_install and apt_install(f"python{version}-venv")):
        raise Stop("Python's venv is missing: install it (on Debian: apt-get install python3-venv), then try again.")
    say(f"making the environment {VENV.name} with Python {version}")
    must(sys.executable, "-m", "venv", "--clear", VENV, otherwise=f"{VENV} could not be made: see the message above.")


def digest(offline: Path | None) -> str:
    """One digest of everything an installation follows from."""
    files = [*ROOT.glob("requirements*.lock"), ROOT / "pyproject.toml"]
    files += offline.glob(f"{PROJECT.replace('-', '_')}-*.whl") if offline else []
    return hashlib.sha256(b"".join(f.read_bytes() for f in sorted(files) if f.exists())).hexdigest()


def installed(state: str) -> list[str]:
    """The lock files already installed, if nothing they follow from has changed since."""
    stamp = json.loads(STAMP.read_text(encoding="utf-8")) if STAMP.exists() else {}
    return list(stamp.get("locks", [])) if stamp.get("state") == state else []


def pip(*arguments: str | Path, offline: Path | None = None, python: Path = PYTHON) -> None:
    source = ("--no-index", "--find-links", offline) if offline else ()
    hint = f"; was {offline} made on this kind of machine, with this version of Python?" if offline else "."
    must(
        *(python, "-m", "pip", *arguments, *source),
        otherwise=f"Installing failed: see pip's message above{hint}",
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )


def install(lock: str, offline: Path | None, may_install: bool = False) -> None:
    """Bring .venv to what the lock file says; does nothing when that was done before."""
    make_environment(may_install)
    state = f"{digest(offline)} from {offline or 'the package index'}"
    done = installed(state)
    if lock in done:
        return
    say(f"installing {lock}")
    STAMP.unlink(missing_ok=True)
    pip(*LOCKED, "-r", lock, offline=offline)
    if offline:
        pip("install", "--quiet", "--no-deps", "--force-reinstall", PROJECT, offline=offline)
    else:
        pip(*LOCKED, "-r", "requirements-build.lock")
        pip("install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ".")
    # The test lock holds every line of the other one.
    STAMP.write_text(json.dumps({"state": state, "locks": [*done, lock, "requirements.lock"]}), encoding="utf-8")


def install_reference(offline: Path | None) -> None:
    """Bring .venv-reference to its lock file: what the statistics are compared with, apart from the product."""
    lock, stamp = ROOT / "requirements-reference.lock", REFERENCE / "installed"
    state = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text(encoding="ascii") == state:
        return
    say(f"making the environment {REFERENCE.name}")
    python = REFERENCE / PYTHON.relative_to(VENV)
    failed = f"{REFERENCE} could not be made: see the message above."
    must(sys.executable, "-m", "venv", "--clear", REFERENCE, otherwise=failed)
    pip(*LOCKED, "-r", lock.name, offline=offline, python=python)
    stamp.write_text(state, encoding="ascii")


# --- commands --------------------------------------------------------------------------------------------


def run(options: argparse.Namespace, extra: list[str]) -> int:
    """Install what is needed and start the demonstration."""
    install("requirements.lock", offline_folder(options))
    command = [str(BIN / ("consult.exe" if WINDOWS else "consult")), "demo", *extra]
    if not WINDOWS:
        os.chdir(ROOT)
        os.execv(command[0], command)
    try:
        return call(*command)
    except KeyboardInterrupt:
        return 0


def offline_folder(options: argparse.Namespace) -> Path | None:
    """The folder of wheels: the one named, or this one when it is what `wheels` made."""
    if options.offline:
        folder = Path(options.offline).resolve()
        if not any(folder.glob("*.whl")):
            raise Stop(f"{folder} holds no wheels: make it with `python3 do.py wheels {options.offline}`.")
        return folder
    return None if (ROOT / "pyproject.toml").exists() else ROOT


def test(options: argparse.Namespace, extra: list[str]) -> int:
    """Style, types, then the tests: of speed with nothing beside them, the others on two cores."""
    install("requirements-test.lock", offline_folder(options), may_install=True)
    install_reference(offline_folder(options))
    browser = find_browser()
    check_driver()
    say(f"browser: {browser}")
    failed = [name for name, command in CHECKS.items() if announce(name) and call(PYTHON, "-m", *command)]
    failed += pytest(extra, browser)
    if failed:
        raise Stop(f"Not passed: {', '.join(failed)}. See the messages above.")
    return 0


CHECKS = {"style": ("ruff", "check", "."), "types": ("mypy",)}


def announce(name: str) -> bool:
    say(name)
    return True


def pytest(extra: list[str], browser: str) -> list[str]:
    """Run pytest and return the parts that failed; a part that has no test for the arguments given is no failure."""
    side_by_side = ["--dist", "worksteal", "-n"]  # each begins with whole modules, so that few fixtures are made twice
    parts = {
        "speed tests": ["-m", "speed and not soak"],  # one after the other: what runs beside them is measured too
        "unit tests": [*side_by_side, "2", "-m", "not browser and not fault and not soak and not speed"],
        "browser tests": [*side_by_side, "2", "-m", "browser and not fault and not soak and not speed"],
        "fault tests": [*side_by_side, "3", "-m", "fault and not soak"],  # most of their time they wait
    }
    if "-m" in extra:
        parts = {"tests": []}
    codes = {}
    for name, arguments in parts.items():
        say(name)
        with files_of_tests(name) as where:
            codes[name] = call(PYTHON, "-m", "pytest", "-q", *arguments, *extra, CONSULT_CHROMIUM=browser, **where)
    if set(codes.values()) == {5}:
        return ["pytest (it found no test to run)"]
    return [name for name, code in codes.items() if code not in (0, 5)]


@contextmanager
def files_of_tests(part: str) -> Iterator[dict[str, str]]:
    """Let test files lie in memory where there is room, so that nothing waits for a disk but what is about the disk."""
    room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    if not room or part not in ("speed tests", "unit tests", "browser tests"):
        yield {}
        return
    with tempfile.TemporaryDirectory(dir=MEMORY, ignore_cleanup_errors=True) as folder:
        yield {"PYTEST_DEBUG_TEMPROOT": folder}


def find_browser() -> str:
    """The one that is named; else Chromium without windows, installed where that is possible; else one that is there.

    The one without windows is the same Chromium and takes two thirds of the time.
    """
    if named := os.environ.get("CONSULT_CHROMIUM"):
        return named
    if not shutil.which(BROWSERS[0]):
        apt_install(BROWSERS[0], "fonts-liberation")
    roots = [os.environ.get(k) for k in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")] if WINDOWS else []
    usual = [str(Path(r) / b) for r in roots if r for b in WINDOWS_BROWSERS if (Path(r) / b).exists()]
    for found in [*map(shutil.which, BROWSERS), *usual]:
        if found:
            return found
    if apt_install("chromium", "fonts-liberation") and (last := shutil.which("chromium")):
        return last
    raise Stop(
        "The browser tests need Chromium: install it (on Debian: apt-get install chromium fonts-liberation) "
        "or name a Chrome or Edge in the environment variable CONSULT_CHROMIUM, then try again."
    )


def check_driver() -> None:
    """The node that comes with Playwright wants one library that a minimal Debian lacks."""
    command = (PYTHON, "-m", "playwright", "--version")
    if call(*command) and not (apt_install("libatomic1") and call(*command) == 0):
        raise Stop("Playwright's driver does not start: install what it names above (on Debian: libatomic1).")


def wheels(options: argparse.Namespace, extra: list[str]) -> int:
    """Make one folder that installs the product on a machine without internet."""
    folder = Path(options.folder).resolve()
    if folder.exists() and any(folder.iterdir()):
        raise Stop(f"{folder} is not empty: name an empty or a new folder.")
    install("requirements.lock", None)
    say(f"collecting wheels in {folder}")
    for lock in ("requirements.lock", "requirements-encrypted.lock"):
        pip("download", *LOCKED[1:], "-r", lock, "-d", folder, *extra)
    pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ".")
    for name in ("do.py", "requirements.lock", "requirements-encrypted.lock", "docs/install-offline.md"):
        shutil.copy(ROOT / name, folder)
    count, size = len(list(folder.glob("*.whl"))), sum(f.stat().st_size for f in folder.iterdir()) / 1e6
    say(f"{count} wheels, {size:.1f} MB; on the other machine, in that folder: python3 do.py run")
    return 0


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="do.py", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser(
        "run",
        help="install what is needed and start the demonstration",
        epilog="Other options go to `consult demo`, such as --port N and --no-open.",
    )
    one.add_argument("--offline", metavar="FOLDER", help=OFFLINE)
    one.set_defaults(action=run)
    two = commands.add_parser(
        "test",
        help="install what the tests need and run all but the soaks",
        epilog="Other arguments go to pytest, such as a path, -k WORD or -m soak.",
    )
    two.add_argument("--offline", metavar="FOLDER", help=OFFLINE)
    two.set_defaults(action=test)
    three = commands.add_parser("wheels", help="make a folder to install from on a machine without internet")
    three.add_argument("folder")
    three.set_defaults(action=wheels)
    return parser


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - said in a sentence rather than as a syntax error later
        print(f"This needs Python 3.11 or later; this is {sys.version.split()[0]}.", file=sys.stderr)
        return 2
    options, extra = arguments().parse_known_args()
    # Some machines forbid it; then each of the many processes of a test run would compile the whole code anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    try:
        return int(options.action(options, extra))
    except Stop as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
