"""Hold the locked components against a service that knows their weaknesses, or say that it was not done, and why.

    python tools/audit.py

Ends with 0 if every component was looked at and nothing is known of any, with 1 if something is known, and with 3 if
the audit was not run: a service that can't be reached, or a component that was passed over, shows nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
FINE, KNOWN, NOT_RUN = 0, 1, 3
LIMIT = 600


@dataclass(frozen=True)
class Outcome:
    """How an audit ended: 0, 1 or 3 as above, and a line for each thing to say."""

    code: int
    lines: list[str]


def audit(lock: Path = LOCK, *service: str) -> Outcome:
    """Run pip-audit over a lock file; `service` are options that name another service than the usual one."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        import scanners
    finally:
        sys.path.remove(str(ROOT / "tests"))
    try:
        command = [scanners.scanner("audit") / "pip-audit", "--require-hashes", "--disable-pip", "--progress-spinner"]
        command += ["off", "--format", "json", "-r", lock, *service]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
    except (scanners.NotRun, OSError, subprocess.TimeoutExpired) as error:
        return Outcome(NOT_RUN, [f"The audit was not run: {error}"])
    return outcome(done.stdout, done.stderr)


def outcome(said: str, problems: str) -> Outcome:
    """What pip-audit's reply means: without a reply to every component the audit was not run."""
    try:
        components: list[dict[str, Any]] = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = next((line.strip() for line in reversed(problems.splitlines()) if line.strip()), "it said nothing")
        return Outcome(NOT_RUN, [f"The audit was not run: {reason[:300]}"])
    known = [
        f"{one['name']} {one['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'none'}"
        for one in components
        for weakness in one.get("vulns", [])
    ]
    passed = [f"{one['name']} was passed over: {one['skip_reason']}" for one in components if "skip_reason" in one]
    if known:
        return Outcome(KNOWN, [*known, *passed])
    if passed or not components:
        return Outcome(NOT_RUN, ["The audit was not run for every component.", *passed])
    return Outcome(FINE, [f"{len(components)} components, nothing known of any."])


if __name__ == "__main__":
    result = audit()
    print("\n".join(result.lines))
    sys.exit(result.code)
