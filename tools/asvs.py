"""Write the table of security requirements from its data: `python tools/asvs.py`."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "security"
DATA, PAGE = FOLDER / "asvs.toml", FOLDER / "asvs.md"

BEFORE = """\
# Security requirements: OWASP ASVS 5.0, levels 1 and 2

All {n} requirements of levels 1 and 2: **{met} met, {not_met} not met, {not_applicable} not applicable**. The project
has judged them itself; nobody outside has assessed it, and no penetration test was held. What is not met stands first.

Numbers, levels and chapters are those of the [OWASP Application Security Verification
Standard](https://github.com/OWASP/ASVS) 5.0.0. What a requirement asks is said shortly in our own words; the standard's
text is what counts. This page and its data are under CC BY-SA 4.0, as the standard is. It is written by
`python tools/asvs.py` from [asvs.toml](asvs.toml); a test fails if it is not current, if a requirement is missing, or
if a test or document named in it does not exist.

## Not met

| Number | Level | Asks | Why not |
|---|---|---|---|
"""


def chapters(data: Path = DATA) -> list[dict[str, Any]]:
    """The chapters with their requirements."""
    return list(tomllib.loads(data.read_text("utf-8"))["chapters"])


def page(known: list[dict[str, Any]]) -> str:
    """The table as Markdown."""
    every = [(id_, of) for chapter in known for id_, of in chapter["requirements"].items()]
    counted = Counter(of["state"] for _, of in every)
    counts = {state.replace(" ", "_"): counted[state] for state in ("met", "not met", "not applicable")}
    lines = [BEFORE.format(n=len(every), **counts).rstrip("\n")]
    lines += [
        f"| {id_} | {of['level']} | {of['asks']} | {of['note']} |" for id_, of in every if of["state"] == "not met"
    ]
    for chapter in known:
        lines += ["", f"## {chapter['id']} {chapter['name']}", "", "| Number | Level | Asks | State | Shown by |"]
        lines += ["|---|---|---|---|---|"]
        lines += [_row(id_, of) for id_, of in chapter["requirements"].items()]
    return "\n".join(lines) + "\n"


def _row(id_: str, of: dict[str, Any]) -> str:
    proofs = [f"`{proof.removeprefix('tests/')}`" for proof in of.get("proof", [])]
    said = [of["note"]] if of.get("note") else []
    return f"| {id_} | {of['level']} | {of['asks']} | {of['state']} | {'<br>'.join(said + proofs)} |"


if __name__ == "__main__":
    PAGE.write_text(page(chapters()), "utf-8")
