"""Random numbers whose seed is printed, and can be given again with CONSULT_SEED."""

from __future__ import annotations

import os
import random
import secrets


def seeded(what: str) -> random.Random:
    """Random numbers for one harness; pytest shows what was printed when a test fails, and `-s` always."""
    seed = int(os.environ.get("CONSULT_SEED") or secrets.randbelow(10**9))
    print(f"\n{what}: seed {seed} (to repeat: CONSULT_SEED={seed})", flush=True)
    return random.Random(seed)
