"""The kind of browser, in words a person knows their own computers by; nothing more of it is kept."""

from __future__ import annotations

from typing import Final

from flask import request

NAMES: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def kind() -> str:
    """The browser of this request, such as "Edge on Windows"; "Another browser" if it is none of those known."""
    agent = request.headers.get("User-Agent", "")
    browser = next((name for mark, name in NAMES if mark in agent), "Another browser")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    return f"{browser} on {system}" if system else browser
