"""How the sample of a round was taken, in words: by which rule at which site, and what was taken out of it."""

from __future__ import annotations

from consult.audit.rounds import SiteRule
from consult.audit.suppression import count_of_people
from consult.evidence.moment import Moment
from consult.record import settings


def sample_said(at: Moment) -> str:
    """The rule of the sample, that nobody picks cases, and how many were taken out all the same."""
    return f"taken by rule: {_rule(at)}. Nobody picks cases.{_taken_out(at)}"


def _rule(at: Moment) -> str:
    """The rule of one site, or of each; outside the provider no site is named."""
    if at.site:
        return _words(at.round.of_site(at.site))
    usual = f"{_words(SiteRule(at.round.rule, at.round.n))} of each site"
    own = {site: _words(at.round.of_site(site)) for site in sorted(at.round.sites)}
    if not own:
        return usual
    known = settings.sites(at.conn)
    named = [f"{known[site].name if site in known else site} {words}" for site, words in own.items()]
    other = sorted({*own.values()}) if at.leaves else named
    many = "one site with a rule of its own" if len(own) == 1 else f"{len(own)} sites with rules of their own"
    return f"{usual}, but for {many}: {', '.join(other)}"


def _words(rule: SiteRule) -> str:
    return "all eligible cases" if rule.rule == "all" else f"the first {rule.n} consecutive eligible cases"


def _taken_out(at: Moment) -> str:
    here = [case for case in at.sample.cases if case.place == "taken_out" and case.site == (at.site or case.site)]
    if not here:
        return ""
    said = count_of_people(len(here)) if at.leaves else str(len(here))
    return f" Taken out of the sample, each with a reason and the name of who did it, which the record keeps: {said}."
