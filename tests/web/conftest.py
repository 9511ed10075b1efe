"""The fixtures of the web tests; what they are made of stands in visiting.py, which tests import by name."""

from audited import audited
from visiting import made, nurse, service, shared

__all__ = ["audited", "made", "nurse", "service", "shared"]
