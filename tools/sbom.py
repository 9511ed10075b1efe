"""Write the list of components (CycloneDX 1.6, JSON) from the lock file and the provenance: `python tools/sbom.py`.

It holds no date and no random number, so that the same locked components give the same list.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "security" / "sbom.json"
PROVENANCE = (
    ("npm", ROOT / "consult" / "static" / "vendor" / "PROVENANCE.json"),
    ("deb/debian", ROOT / "consult" / "documents" / "fonts" / "PROVENANCE.json"),
)
PINNED = re.compile(r"^([\w.-]+)==(\S+)(?: ; (.+?))? \\$", re.MULTILINE)


def sbom() -> dict[str, Any]:
    """The list: the product, and each package and vendored file with its version and hashes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    product = {
        "type": "application",
        "bom-ref": project["name"],
        "name": project["name"],
        "version": project["version"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product},
        "components": [*_locked(), *_vendored()],
    }


def _locked() -> list[dict[str, Any]]:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    found = []
    for entry in re.split(r"\n(?=\S)", text.strip()):
        if (pin := PINNED.match(entry)) is None:
            raise SystemExit(f"This line of requirements.lock is not understood: {entry.splitlines()[0]}")
        name, version, marker = pin.groups()
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)
        part = _part("pypi", name, version, hashes)
        if marker:
            part["properties"] = [{"name": "installed where", "value": marker}]
        found.append(part)
    return found


def _vendored() -> list[dict[str, Any]]:
    packages: dict[tuple[str, str, str, str], list[str]] = {}
    for kind, file in PROVENANCE:
        for known in json.loads(file.read_text("utf-8"))["files"]:
            key = (kind, known["package"], known["version"], known["licence"])
            packages.setdefault(key, []).append(known["sha256"])
    return [
        {**_part(kind, name, version, hashes), "licenses": [{"license": {"id": licence}}]}
        for (kind, name, version, licence), hashes in packages.items()
    ]


def _part(kind: str, name: str, version: str, hashes: list[str]) -> dict[str, Any]:
    purl = f"pkg:{kind}/{name}@{version}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": name,
        "version": version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": content} for content in hashes],
    }


if __name__ == "__main__":
    PAGE.write_text(json.dumps(sbom(), indent=1) + "\n", "utf-8")
