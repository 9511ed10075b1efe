"""What is installed, shipped and vendored: locked by hash, explained, from nowhere else."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STATIC = ROOT / "consult" / "static"
VENDOR = STATIC / "vendor"
FONTS = ROOT / "consult" / "documents" / "fonts"
APART = ("encrypted", "semgrep", "audit", "wapiti")
"""What is installed beside the product, where it is wanted."""
LOCKS = sorted(ROOT.glob("requirements*.lock"))
NAMESPACES = re.compile(r"https?://www\.w3\.org/[\w./#-]*")


def pins(lock: Path) -> set[str]:
    """The pinned lines of a lock file, markers included."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {line.removesuffix("\\").strip() for line in lines if line and not line.startswith((" ", "#"))}


def declared() -> dict[str, list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {
        "requirements.lock": project["dependencies"],
        "requirements-test.lock": project["optional-dependencies"]["test"],
        "requirements-reference.lock": project["optional-dependencies"]["reference"],
        **{f"requirements-{s}.lock": project["optional-dependencies"][s] for s in APART},
    }


@pytest.mark.parametrize("lock", LOCKS, ids=lambda p: p.name)
def test_lock_names_no_address_and_hashes_every_package(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert entries
    assert [e.split()[0] for e in entries if "--hash=sha256:" not in e] == []


def test_lock_of_tests_holds_the_lock_of_the_product() -> None:
    assert pins(ROOT / "requirements.lock") <= pins(ROOT / "requirements-test.lock")


def test_every_dependency_is_locked() -> None:
    for lock, wanted in declared().items():
        locked = {re.split("==", pin)[0] for pin in pins(ROOT / lock)}
        assert {re.split("[<>=; ]", name)[0].lower() for name in wanted} - locked == set()


def test_every_dependency_says_what_it_is_for() -> None:
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    for name in [name for names in declared().values() for name in names]:
        line = next(line for line in lines if f'"{name}"' in line)
        assert re.search(r'",\s+# \w.{10,}', line), f"{name} needs a comment that says what it is for"


def test_product_brings_no_numpy_or_pandas() -> None:
    """sqlite-utils would import them, and a start would take seconds."""
    for lock in ("requirements.lock", "requirements-test.lock"):
        assert not [pin for pin in pins(ROOT / lock) if pin.startswith(("numpy=", "pandas=", "scipy="))]


def test_vendored_files_are_those_of_the_provenance() -> None:
    listed = json.loads((VENDOR / "PROVENANCE.json").read_text(encoding="utf-8"))["files"]
    notes = {"PROVENANCE.json", "THIRD-PARTY.md"}
    assert {f["file"] for f in listed} == {p.name for p in VENDOR.iterdir()} - notes
    for entry in listed:
        found = hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest()
        assert found == entry["sha256"], f"{entry['file']} was changed by hand: run tools/vendor.py"
        assert (entry["changed"] == "nothing") == (entry["upstream_sha256"] == entry["sha256"])
        assert entry["tarball_integrity"].startswith("sha512-")
        assert entry["package"].split(".")[0] in (VENDOR / "THIRD-PARTY.md").read_text(encoding="utf-8")


def test_the_fonts_of_the_pdfs_are_those_of_the_provenance() -> None:
    listed = json.loads((FONTS / "PROVENANCE.json").read_text(encoding="utf-8"))["files"]
    assert {f["file"] for f in listed} == {p.name for p in FONTS.iterdir()} - {"PROVENANCE.json"}
    for entry in listed:
        assert hashlib.sha256((FONTS / entry["file"]).read_bytes()).hexdigest() == entry["sha256"], entry["file"]
        assert re.fullmatch(r"[0-9a-f]{64}", entry["archive_sha256"])
        assert entry["changed"] == "nothing"
        assert entry["licence"] == "OFL-1.1"


def test_vendored_css_was_made_from_the_list_of_components() -> None:
    scss = hashlib.sha256((ROOT / "tools" / "nhsuk.scss").read_bytes()).hexdigest()
    assert scss in (VENDOR / "PROVENANCE.json").read_text(encoding="utf-8"), "run tools/vendor.py"


@pytest.mark.parametrize(
    "path", sorted(p for p in STATIC.rglob("*") if p.suffix in {".css", ".js", ".svg"}), ids=lambda p: p.name
)
def test_static_files_ask_no_other_host(path: Path) -> None:
    text = NAMESPACES.sub("", path.read_text(encoding="utf-8"))
    assert re.findall(r"""(?:https?:)?//[\w-]+\.[\w.-]+|url\(["']?//|@import|Frutiger""", text) == []


def test_vendored_css_holds_every_class_the_pages_use() -> None:
    """A part of nhsuk-frontend is vendored, so a class of a part left out would silently do nothing."""
    held = set(re.findall(r"\.(nhsuk-[\w-]+)", (VENDOR / "nhsuk.css").read_text(encoding="utf-8")))
    pages = [*(ROOT / "consult").rglob("*.html"), *(ROOT / "consult").rglob("*.py")]
    used = {
        (c, p.name)
        for p in pages
        for c in re.findall(r"\bnhsuk-[\w-]*\w\b(?![-\w]*[.{])", p.read_text(encoding="utf-8"))
    }
    assert sorted(u for u in used if u[0] not in held) == [], "see tools/nhsuk.scss and UNUSED in tools/vendor.py"


@pytest.mark.parametrize("path", sorted(p for p in STATIC.glob("*.css") if p.name != "nhsuk.css"), ids=lambda p: p.name)
def test_a_stylesheet_of_ours_styles_nothing_that_no_page_has(path: Path) -> None:
    """A rule for a class that is gone is read by whoever changes a look, and does nothing."""
    css = re.sub(r"/\*.*?\*/|\"[^\"]*\"|url\([^)]*\)", "", path.read_text(encoding="utf-8"), flags=re.S)
    selectors = " ".join(re.findall(r"([^{}]+)\{", css))
    pages = [p for kind in ("html", "py", "js", "toml") for p in (ROOT / "consult").rglob(f"*.{kind}")]
    text = "\n".join(p.read_text(encoding="utf-8") for p in pages if "vendor" not in p.parts)
    made = set(re.findall(r"([A-Za-z][\w-]*--)(?:\{\{|\{%|\{|'|\")", text))  # such as curve--{{ curve.kind }}
    words = set(re.findall(r"[A-Za-z][\w-]*", text))
    named = set(re.findall(r"[.#]([A-Za-z][\w-]*)", selectors))
    assert sorted(n for n in named - words if not n.startswith(tuple(made))) == []


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built as a release is, unpacked into an empty folder."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(ROOT)], check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")  # noqa: S202 - made a moment ago from our own files
    return folder / "site"


def shipped(folder: Path) -> set[str]:
    return {
        p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.suffix not in {".pyc", ".swp"}
    }


def test_wheel_holds_templates_static_files_and_content(unpacked: Path) -> None:
    for name in ("templates", "static", "documents"):
        assert shipped(unpacked / "consult" / name) == shipped(ROOT / "consult" / name)
    for name in ("proformas", "leaflets"):
        assert shipped(unpacked / "consult" / "_content" / name) == shipped(ROOT / name)


def test_wheel_finds_its_content_in_an_empty_folder(unpacked: Path, tmp_path: Path) -> None:
    code = "import consult.content as c; print(c.__file__, *map(c.content_root, ('proformas', 'leaflets')), sep='\\n')"
    env = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, check=True, capture_output=True, text=True
    )
    found = [Path(line) for line in done.stdout.split("\n") if line]
    assert [p for p in found if not p.is_relative_to(unpacked) or not p.exists()] == []


def test_the_source_distribution_holds_what_its_own_tests_read(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    for folder in ("consult", "proformas", "leaflets", "tests", "docs", "tools", ".ci"):
        assert not {f"{folder}/{name}" for name in shipped(ROOT / folder)} - held
    assert not {path.name for pattern in ("*.md", "*.lock", "do.py") for path in ROOT.glob(pattern)} - held


def test_ci_runs_the_command_of_the_readme() -> None:
    assert "python3 do.py test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "python3 do.py test" in (ROOT / "README.md").read_text(encoding="utf-8")
