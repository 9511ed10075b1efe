"""A computer that several people use: what a visit leaves behind in the browser."""

from __future__ import annotations

from visiting import Visitor


def test_signing_out_tells_the_browser_to_forget(nurse: Visitor) -> None:
    reply = nurse.post("/sign-out")
    assert reply.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert reply.headers["Cache-Control"] == "no-store"
