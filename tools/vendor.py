"""Maintainers' script: brings the browser files this product ships out of their npm packages.

Needs node and npm; users of the product never run it. `python3 tools/vendor.py` rewrites
consult/static/vendor/ and its PROVENANCE.json; look at the difference before committing it.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "consult" / "static" / "vendor"
SCSS = ROOT / "tools" / "nhsuk.scss"

HTMX = ("htmx.org", "2.0.11", "0BSD")
NHSUK = ("nhsuk-frontend", "10.6.1", "MIT")
SASS = "1.108.2"

# What the registry serves must be what was looked at when the version was chosen.
INTEGRITY = {
    "htmx.org": "sha512-Thx/WtpeOQqSrqBCw/A1cwGJGg4UrVa3+sW0GmrM3p4gJgO89ecH4qtbnyzDDWFvBTqjnIMCgELTNt636dtamA==",
    "nhsuk-frontend": "sha512-PZorqQZjZx/A26yJoskCL9z0ib6AtkAyF0o4K/RHr8zRrJyXrUOCnMbjy0VNXsGO4tfTNMwqlkwATKs4a0xayw==",
}

# A selector that matches one of these is dropped: parts of components that no page here uses, or that need
# the package's scripts or images. To use one, take its pattern out and run this script again.
UNUSED = re.compile(
    r"""
    \.nhsuk-card--(clickable|primary|secondary) | \.nhsuk-card-group | \.nhsuk-card__(img|link)
    | \.nhsuk-card__content--(feature|primary|secondary) | \.nhsuk-card__heading--feature
    | \.nhsuk-card--care | \.nhsuk-image | \.nhsuk-link-image | \.nhsuk-action-link
    | \.nhsuk-(button|link|table|table-responsive|details|scroll|list|section-break|body)--reverse
    | \.nhsuk-button--(login|brand) | \.nhsuk-expander | \.nhsuk-table-responsive
    | \.nhsuk-table__(heading-tab|panel-with-heading-tab) | \.nhsuk-scroll | \.nhsuk-u-static-
    | \.nhsuk-icon | \.nhsuk-input__(wrapper|prefix|suffix) | \[type=search\] | \[data-sort\] | \[aria-sort
    | \.nhsuk-lede-text--small | \.nhsuk-list--(tick|cross) | \.nhsuk-(body|caption)-?xxl
    | \.nhsuk-caption--bottom | \.nhsuk-button--secondary-solid | \.nhsuk-u-padding | \.nhsuk-u-(one|two|three)-
    | \.nhsuk-summary-list__actions-list-item--\w+ | \.nhsuk-u-(float|clear)
    """,
    re.VERBOSE,
)
OLD_BROWSERS = re.compile(r"-ms-high-contrast|[^\x20-\x7e]|\\0")


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed: {done.stderr.strip()[-800:]}")
    return done.stdout


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def unpack(name: str, version: str, into: Path) -> Path:
    """Fetch one npm package, compare it with the pinned integrity, and return its unpacked folder."""
    packed = json.loads(run("npm", "pack", f"{name}@{version}", "--json", cwd=into))
    listed = packed[0] if isinstance(packed, list) else next(iter(packed.values()))
    tarball = into / listed["filename"]
    found = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if found != INTEGRITY[name]:
        sys.exit(f"{name}@{version} is not the tarball that was pinned: found {found}.")
    target = into / name
    with tarfile.open(tarball) as archive:
        archive.extractall(target, filter="data")
    return target / "package"


def blocks(css: str) -> list[tuple[str, str]]:
    """Split compressed CSS into (prelude, body) pairs, one level deep."""
    found, start, depth, prelude = [], 0, 0, ""
    for place, sign in enumerate(css):
        if sign == "{":
            if depth == 0:
                prelude, start = css[start:place], place + 1
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                found.append((prelude, css[start:place]))
                start = place + 1
    return found


def split_selectors(text: str) -> list[str]:
    return re.split(r",(?![^(]*\))", text)


def prune(css: str) -> str:
    """Drop unused selectors and rules for browsers that no longer exist; join neighbouring media blocks."""
    kept: list[tuple[str, str]] = []
    for prelude, body in blocks(css):
        if prelude.startswith("@media"):
            queries = [q for q in prelude.removeprefix("@media").split(",") if not OLD_BROWSERS.search(q)]
            prelude, body = "@media" + ",".join(queries), prune(body) if queries else ""
        elif prelude.startswith("@supports"):
            body = prune(body)
        elif not prelude.startswith("@"):
            prelude = ",".join(s for s in split_selectors(prelude) if not UNUSED.search(s))
        if not prelude or not body:
            continue
        if kept and kept[-1][0] == prelude and prelude.startswith("@media"):
            kept[-1] = (prelude, kept[-1][1] + body)
        else:
            kept.append((prelude, body))
    return "".join(f"{prelude}{{{body}}}" for prelude, body in kept)


def compile_nhsuk(package: Path, work: Path) -> bytes:
    """Compile tools/nhsuk.scss with the package's Sass, then take out what is not used."""
    run("npm", "install", "--ignore-scripts", "--no-save", "--prefix", str(work), f"sass@{SASS}", cwd=work)
    sass = work / "node_modules" / "sass" / "sass.js"
    options = ["--no-source-map", "--style=compressed", "--no-charset", f"--load-path={package / 'dist'}"]
    css = prune(run("node", str(sass), *options, str(SCSS), cwd=work))
    if re.search(r"url\(|@font-face|@import|Frutiger|https?:", css):
        sys.exit("The compiled CSS still names an image, a font or another host: extend UNUSED in tools/vendor.py.")
    notice = f"/* {NHSUK[0]} {NHSUK[1]}, part; MIT; see THIRD-PARTY.md */\n"
    return (notice + css + "\n").encode()


def digest_of_tree(folder: Path, pattern: str) -> str:
    """One digest over the names and contents of many source files."""
    lines = [f"{sha256(p.read_bytes())}  {p.relative_to(folder).as_posix()}\n" for p in sorted(folder.rglob(pattern))]
    return sha256("".join(lines).encode())


def entry(
    name: str, package: tuple[str, str, str], source: str, upstream: str, data: bytes, changed: str
) -> dict[str, str]:
    VENDOR.mkdir(parents=True, exist_ok=True)
    (VENDOR / name).write_bytes(data)
    print(f"{name}: {len(data):,} bytes, {len(gzip.compress(data, 9)):,} gzipped")
    return {
        "file": name,
        "package": package[0],
        "version": package[1],
        "licence": package[2],
        "tarball_integrity": INTEGRITY[package[0]],
        "upstream": source,
        "upstream_sha256": upstream,
        "sha256": sha256(data),
        "changed": changed,
    }


def vendor(work: Path) -> list[dict[str, str]]:
    htmx, nhsuk = unpack(*HTMX[:2], work), unpack(*NHSUK[:2], work)
    script = (htmx / "dist" / "htmx.min.js").read_bytes()
    css = compile_nhsuk(nhsuk, work)
    scss_digest = digest_of_tree(nhsuk / "dist" / "nhsuk", "*.scss")
    changed = (
        f"Compiled with sass {SASS} from tools/nhsuk.scss (sha256 {sha256(SCSS.read_bytes())}), which picks the "
        "components in use and sets the font family to arial, sans-serif; then selectors listed as UNUSED in "
        "tools/vendor.py and media queries for Internet Explorer taken out. No font, image, logo or script."
    )
    return [
        entry("htmx.min.js", HTMX, "dist/htmx.min.js", sha256(script), script, "nothing"),
        entry("nhsuk.css", NHSUK, "dist/nhsuk/**/*.scss (digest of the list of digests)", scss_digest, css, changed),
    ]


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    with tempfile.TemporaryDirectory() as work:
        files = vendor(Path(work))
    (VENDOR / "PROVENANCE.json").write_text(json.dumps({"files": files}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
