"""Figures: what a page shows of one question, a chart, the table of its numbers and one sentence of finding."""

from consult.audit.figures.against import against_national, benchmark
from consult.audit.figures.groups import by_field, by_mode, of_items, of_parts, ranked
from consult.audit.figures.over_time import in_periods, trend
from consult.audit.figures.said import Figure, as_rate, levels
from consult.audit.figures.sites import over_sites

__all__ = [
    "Figure",
    "against_national",
    "as_rate",
    "benchmark",
    "by_field",
    "by_mode",
    "in_periods",
    "levels",
    "of_items",
    "of_parts",
    "over_sites",
    "ranked",
    "trend",
]
