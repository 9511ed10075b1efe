"""The figures of a round in the shape of MoHaWK."""

from __future__ import annotations

from consult.audit import leaving
from consult.audit.rounds import MODES, Round
from consult.audit.suppression import LEAVES_FROM
from consult.documents.evidence import Part, Table
from consult.evidence.moment import Made, Moment, paper_of
from consult.evidence.report import definitions_part
from consult.exchange.resultsfile import MOHAWK
from consult.exchange.sheets import Sheet
from consult.instance import Instance
from consult.record.database import Connection


def mohawk_sheet(at: Moment, gone: frozenset[str] = frozenset()) -> Sheet:
    """Indicators in the shape of MoHaWK as they may leave: the whole service, and denominators of 10 or more.

    `gone` are measures that another round, for the same reader, would tell of few cases with.
    """
    found = leaving.without(at.basis.found, gone)
    period = f"{at.round.start}/{at.round.end}"
    rows = [
        [period, at.instance.provider, id_, at.instance.measures.version, result.met, result.applicable, None, None]
        for id_, result in leaving.of_results(found).items()
    ]
    return Sheet("Indicators", MOHAWK, rows)


def mohawk(instance: Instance, conn: Connection, of: Round) -> Made:
    """The MoHaWK figures of a round as a paper; its CSV is `mohawk_sheet`."""
    at = Moment(instance, conn, of, leaves=True)
    sheet = mohawk_sheet(at)
    rows = tuple(
        (instance.measures.by_id[str(row[2])].title, str(row[2]), str(row[3]), str(row[4]), str(row[5]))
        for row in sheet.rows
    )
    head = ("Indicator", "Id", "Definition version", "Numerator", "Denominator")
    notes = (
        "Numerator: met. Denominator: met and not met. What was excluded or is missing is counted in the service only.",
    )
    titles = ("Indicators", "Definitions")
    about = (f"The whole service, {MODES[of.capture]}. Indicators with a denominator of {LEAVES_FROM} or more.",)
    paper = paper_of(at, "mohawk", f"MoHaWK figures: {of.name}", about, titles)
    parts = (
        Part("indicators", "Indicators", (Table("", head, rows, notes, (3, 2, 1, 1, 1)),)),
        Part("definitions", "Definitions", tuple(definitions_part(at))),
    )
    return Made(paper, iter(parts))
