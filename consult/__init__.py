"""A guided occupational health consultation about back pain that is its own clinical audit."""

__version__ = "0.1.0"
