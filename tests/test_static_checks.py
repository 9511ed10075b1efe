"""Static checks of security: bandit, our own rules, the list of components. Each finds the fault planted for it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import static_rules

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "consult"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_content" not in path.parts)
TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))

KNOWN = {
    "consult/web/drawing.py makes a template or markup from text": (
        "the text is what a template drew and escaped; put in are a number, codes, a time, a token, keys and an id"
    ),
    "consult/accounts/breached.py uses a weak or unnamed hash function": (
        "the list that it looks into is published by SHA-1; nothing is kept by it, and nothing is proved"
    ),
    "consult/accounts/without_names.py puts text into a regular expression": (
        "the words are escaped one by one in the line before"
    ),
}
"""What a rule finds and is right all the same, and why; whatever is no longer found comes off this list."""
PLANTED = {
    "runs text as code": "def f(x):\n    return eval(x)\n",
    "makes objects from bytes": "import pickle\n",
    "calls another system": "from urllib.request import urlopen\n",
    "draws numbers that can be guessed": "import random\n",
    "makes a template or markup from text": "from flask import render_template_string as r\nr('x')\nMarkup('x')\n",
    "goes through a shell": "import subprocess\ndef f(x):\n    subprocess.run(x, shell=True)\n",
    "uses a weak or unnamed hash function": "import hashlib\nhashlib.md5(b'')\n",
    "opens a file from the web part": "def f(name):\n    return open(name)\n",
    "puts a value into a statement": "def f(c, x):\n    c.execute(f\"SELECT 1 FROM t WHERE a = '{x}'\")\n",
    "puts what was sent into a statement": "def f(c, request):\n    c.execute(f'SELECT {request.args[0]}')\n",
    "puts a statement together from pieces": "def f(c, x):\n    c.execute('SELECT ' + x)\n",
    "puts text into a regular expression": "import re\ndef f(x):\n    return re.search(f'^{x}', 'y')\n",
}


def test_own_rules_find_nothing() -> None:
    found = [f for m in MODULES for f in static_rules.findings(m.read_text("utf-8"), m.relative_to(ROOT).as_posix())]
    found += [f for t in TEMPLATES for f in static_rules.template_findings(t.read_text("utf-8"), t.name)]
    assert {re.sub(r":\d+", "", line) for line in found} == set(KNOWN)
    assert len(found) == len(KNOWN)
    assert len(MODULES) > 150
    assert len(TEMPLATES) > 60


@pytest.mark.parametrize("words", PLANTED)
def test_own_rules_find_a_planted_fault(words: str) -> None:
    assert words in " ".join(static_rules.findings(PLANTED[words], "consult/web/planted.py"))


@pytest.mark.parametrize("line", ["<p>{{ name|safe }}</p>", "{% autoescape false %}"])
def test_own_rules_find_a_planted_fault_in_a_template(line: str) -> None:
    assert static_rules.template_findings(line, "planted.html")


def bandit(*paths: Path) -> list[str]:
    """What bandit finds of medium severity or above, with the settings of the project."""
    command = [sys.executable, "-m", "bandit", "-q", "-ll", "-f", "json", "-c", str(ROOT / "pyproject.toml"), "-r"]
    done = subprocess.run([*command, *map(str, paths)], capture_output=True, text=True, check=False)
    said = json.loads(done.stdout)
    assert said["errors"] == []
    assert said["metrics"]["_totals"]["loc"] > 0
    return [f"{r['filename']}:{r['line_number']} {r['test_id']} {r['issue_text']}" for r in said["results"]]


def test_bandit_finds_nothing_but_what_was_planted(tmp_path: Path) -> None:
    """One run over the product and a planted fault, so that a run that looks at nothing would be noticed."""
    planted = tmp_path / "planted.py"
    planted.write_text("import tempfile\nimport yaml\n\nyaml.load('x')\ntempfile.mktemp()\n", "utf-8")
    found = bandit(PACKAGE, planted)
    assert [line for line in found if "planted.py" not in line] == []
    assert len(found) == 2


def test_each_exclusion_of_bandit_says_why() -> None:
    section = (ROOT / "pyproject.toml").read_text("utf-8").partition("[tool.bandit]")[2].partition("\n[")[0]
    skipped = re.findall(r'^ *"(B\d+)",(.*)$', section, re.MULTILINE)
    assert skipped
    for number, why in skipped:
        assert len(why.partition("#")[2].split()) >= 5, number
    marked = [line for m in MODULES for line in m.read_text("utf-8").splitlines() if "nosec" in line]
    for line in marked:
        assert re.search(r"# nosec B\d+ - \w+", line), line


# ---------------------------------------------------------------- the list of components


def locked() -> dict[str, str]:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    return dict(re.split("==", line.split()[0]) for line in lines if line and not line.startswith((" ", "#")))


def sbom_tool() -> dict[str, object]:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import sbom
    finally:
        sys.path.remove(str(ROOT / "tools"))
    return sbom.sbom()


def test_the_list_of_components_is_current() -> None:
    known = json.loads((ROOT / "docs" / "security" / "sbom.json").read_text("utf-8"))
    assert known == json.loads(json.dumps(sbom_tool())), "run python tools/sbom.py"


def test_the_list_of_components_holds_every_locked_package_and_every_vendored_file() -> None:
    known = json.loads((ROOT / "docs" / "security" / "sbom.json").read_text("utf-8"))
    assert (known["bomFormat"], known["specVersion"]) == ("CycloneDX", "1.6")
    by_name = {part["name"]: part for part in known["components"]}
    assert len(by_name) == len(known["components"])
    for name, version in locked().items():
        part = by_name[name]
        assert part["version"] == version
        assert part["purl"] == f"pkg:pypi/{name}@{version}"
        assert part["hashes"]
        assert all(h["alg"] == "SHA-256" and re.fullmatch("[0-9a-f]{64}", h["content"]) for h in part["hashes"])
    assert {"htmx.org", "nhsuk-frontend"} <= set(by_name)
    assert len({part["bom-ref"] for part in known["components"]}) == len(known["components"])
