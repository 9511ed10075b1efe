"""The parts of an audit report, from results: sample, context, one row a measure, items, groups, definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import asdict

from consult.audit import comparison, figures, leaving, statistics
from consult.audit.ascertainment import PLACES, Row
from consult.audit.benchmarks import Benchmarks
from consult.audit.breakdowns import Close
from consult.audit.comparison import interval, points, rate, recorded
from consult.audit.figures.groups import GONE
from consult.audit.measures import Measure, MeasureSet
from consult.audit.reliability import KAPPA_FROM, Agreement
from consult.audit.results import Result, Results
from consult.audit.suppression import LEAVES_FROM, withheld
from consult.documents.evidence import Block, Drawn, Points, Table, Words
from consult.proforma.dataset import Dataset
from consult.proforma.wording import inside

WITHHELD: Final = "withheld"
TOO_FEW: Final = "too few to compare"
NONE_READ: Final = "No case of this round was read a second time."
LEFT_OUT: Final = "Taken out as entered in error before a second reading, and left out"


class Basis(Struct, frozen=True):
    """What a report is made of: how cases are scored, the results, those of the round before, and whether it may leave.

    `earlier` is None where no round of the same way of capture ended before this one began.
    """

    measures: MeasureSet
    dataset: Dataset
    benchmarks: Benchmarks
    found: Results
    earlier: Results | None = None
    earlier_name: str = ""
    leaves: bool = False
    targets: Mapping[str, float] = field(default_factory=dict)

    def shown(self) -> list[Measure]:
        """The measures that are shown: in a copy that leaves, those with a denominator of 10 or more."""
        every = self.measures.measures
        return [m for m in every if not self.leaves or leaving.leaves(self.found.measures[m.id])]

    def before(self, measure: str) -> Result | None:
        """The result of the round before, where there is one that may be shown."""
        result = self.earlier.measures.get(measure) if self.earlier else None
        return None if result is None or (self.leaves and not leaving.leaves(result)) else result


def change(before: Result | None, after: Result) -> str:
    """The change between two samples that share no case, in points with Newcombe's 95% interval."""
    if before is None:
        return ""
    if min(before.applicable, after.applicable) < comparison.COMPARE_FROM:
        return TOO_FEW
    found = statistics.newcombe(after.met, after.applicable, before.met, before.applicable)
    return f"{points(found[0])} ({points(found[1])} to {points(found[2])})" if found else ""


def results_table(basis: Basis, caption: str, national: bool) -> Table:
    """One row a measure: counts, rate, interval, the round before, the published figures, and what stands beside it."""
    held = basis.benchmarks
    beside = (basis.earlier_name, "Change, points") if basis.earlier else ()
    tested = (f"Beside {held.compared}",) if _is_tested(basis) else ()
    published = (*map(held.label, held.years), *tested) if national else ()
    left = () if basis.leaves else ("Not applicable", "Missing")
    head = ("Measure", "Recorded", "Rate", "95% interval", *beside, *published, *left)
    rows = tuple(_row(basis, m, national) for m in basis.shown() if m.national == national)
    gone = [m.short for m in basis.measures.measures if m.national == national and m not in basis.shown()]
    notes = (
        f"Withheld, as fewer than {LEAVES_FROM} cases apply: {', '.join(gone)}." if gone else "",
        comparison.CHANCE_NOTE if national and _is_tested(basis) else "",
        held.said_of_added() if national else "",
        *(_beside(basis) if national else ()),
    )
    return Table(caption, head, rows, notes, (3.2, *(1.0 for _ in head[1:])))


def _is_tested(basis: Basis) -> bool:
    """Whether results may be tested against the published figures: only those from case notes are."""
    return basis.found.capture_mode == comparison.COMPARED_MODE


def _beside(basis: Basis) -> Iterator[str]:
    """What must be printed beside national headings: the local measures that belong there, and what was not known."""
    shown = basis.shown()
    for measure in (m for m in shown if m.national):
        for other in (basis.measures.by_id[id_] for id_ in measure.shown_with):
            if other in shown and not other.national:
                said = comparison.whole_rate(basis.found.measures[other.id])
                yield f"{measure.short}; beside it {inside(other.title)}: {said}{_published(basis, other)}."
        for line in basis.found.measures[measure.id].beside:
            yield f"{measure.short}: {inside(line)}"
    yield from notes_of(shown)


def notes_of(measures: Iterable[Measure]) -> Iterator[str]:
    """What must be printed with national headings, each by its name."""
    yield from (f"{m.short}: {inside(m.note)}" for m in measures if m.national and m.note)


def _published(basis: Basis, measure: Measure) -> str:
    """The published figures that are held of a measure, newest first; "" where there are none."""
    held = basis.benchmarks
    return "".join(f"; {held.words(measure.id, year)}" for year in held.years if held.figure(measure.id, year))


def _row(basis: Basis, measure: Measure, national: bool) -> tuple[str, ...]:
    result, before = basis.found.measures[measure.id], basis.before(measure.id)
    cells = [measure.title, recorded(result), rate(result), interval(result)]
    if basis.earlier:
        cells += [comparison.whole_rate(before) if before else WITHHELD, change(before, result)]
    if national:
        cells += [basis.benchmarks.percent(measure.id, year) for year in basis.benchmarks.years]
    if national and _is_tested(basis):
        figure = basis.benchmarks.national(measure.id)
        cells.append(comparison.standing(result, figure.value if figure else None, basis.found.capture_mode))
    return tuple(cells if basis.leaves else [*cells, str(result.not_applicable), str(result.missing)])


def ends(basis: Basis) -> list[Block]:
    """The headings recorded most and least often, of those with 10 or more cases."""
    known = [(m, basis.found.measures[m.id]) for m in basis.shown() if m.national]
    most, least = figures.ranked(known)
    if not most:
        return [Words(f"Most and least often recorded: {TOO_FEW}.")]
    return [
        Words("Most often recorded", strong=True),
        Points(tuple(f"{m.title}: {comparison.whole_rate(r)}" for m, r in most)),
        Words("Least often recorded", strong=True),
        Points(tuple(f"{m.title}: {comparison.whole_rate(r)}" for m, r in least)),
    ]


def sample_table(
    row: Row, excluded: Mapping[str, str], roles: Iterable[Row], role_words: Mapping[str, str]
) -> list[Block]:
    """What became of every consultation of the period, and the sample by role; internal."""
    lines = [("Begun in the period", str(row.begun))]
    lines += [(words, str(row.places[place])) for place, words in PLACES.items()]
    lines += [(f"Not eligible: {excluded.get(why, why)}", str(n)) for why, n in row.not_eligible.items()]
    lines += [("Ended without signing", str(row.of_state("abandoned"))), ("Not finished", str(row.of_state("open")))]
    lines += [("Entered in error", str(row.in_error))]
    by_role = tuple((role_words.get(r.name[0], r.name[0] or "Not recorded"), str(r.captured)) for r in roles)
    return [
        Table("What became of every consultation", ("", "Cases"), tuple(lines)),
        Table("Cases in the sample by role of the clinician", ("Role", "Cases"), by_role),
    ]


def context_tables(counted: Mapping[str, Counter[str]], dataset: Dataset, leaves: bool) -> list[Block]:
    """The eligible cases by the codes of some fields; in a copy that leaves, small counts are withheld."""
    return [_context(dataset.by_name[name].title, name, counter, dataset, leaves) for name, counter in counted.items()]


def _context(title: str, name: str, counter: Counter[str], dataset: Dataset, leaves: bool) -> Table:
    field, n = dataset.by_name[name], sum(counter.values())
    order = {code: at for at, code in enumerate(field.options)}
    codes = sorted(counter, key=lambda code: order.get(code, -1))
    gone = withheld([(counter[code],) for code in codes]) if leaves else frozenset()
    rows = []
    for at, code in enumerate(codes):
        share = comparison.percent(counter[code] / n) if n >= comparison.PERCENT_FROM else ""
        rows.append((field.words(code), *((WITHHELD, "") if at in gone else (str(counter[code]), share))))
    return Table(title, (title, "Cases", "Share"), tuple(rows), (GONE,) if gone else ())


def item_blocks(basis: Basis, taken: Mapping[str, Close]) -> list[Block]:
    """The items inside each measure that has any."""
    shown = [m for m in basis.shown() if m.id in taken and taken[m.id].items]
    return (
        [Words("No measure has items inside.")]
        if not shown
        else [_named(figures.of_items(m, taken[m.id].items), m, basis.leaves) for m in shown]
    )


def _named(figure: figures.Figure, measure: Measure, leaves: bool) -> Block:
    renamed = {**asdict(figure), "id": f"items-{measure.id}", "title": f"{measure.title}: item by item"}
    if leaves:  # how many could not be established is a small number
        renamed |= {"head": figure.head[:4], "rows": tuple(cells[:4] for cells in figure.rows)}
    return Drawn(figures.Figure(**renamed))


def group_tables(basis: Basis, taken: Mapping[str, Close], fields: Sequence[str]) -> list[Block]:
    """The national headings by the codes of some fields."""
    return [_groups(basis, taken, name) for name in fields]


def _groups(basis: Basis, taken: Mapping[str, Close], name: str) -> Table:
    field = basis.dataset.by_name[name]
    rows, notes = [], dict[str, None]()
    for measure in basis.shown():
        if measure.id not in taken or not measure.national:
            continue
        close = taken[measure.id]
        of_few = name in close.of_few
        figure = figures.by_field(measure, field, close.by.get(name, {}), leaving=basis.leaves, of_few=of_few)
        rows += [(measure.title, *cells) for cells in figure.rows]
        notes |= dict.fromkeys(figure.notes)
    head = ("Measure", field.title, "Recorded", "Rate", "95% interval", "Note")
    return Table(f"By {field.title.lower()}", head, tuple(rows), tuple(notes))


def reliability_blocks(
    by_item: Sequence[Agreement], read: int, left_out: int, dataset: Dataset, leaves: bool
) -> list[Block]:
    """How far two readers of the same notes agreed; `left_out` were taken out as entered in error before they did."""
    found: list[Block] = agreement_blocks(by_item, read, dataset, leaves) if read else [Words(NONE_READ)]
    if left_out:
        many = "some" if leaves else str(left_out)
        found.append(Words(f"{LEFT_OUT}: {many} of the cases drawn."))
    return found


def agreement_blocks(by_item: Sequence[Agreement], read: int, dataset: Dataset, leaves: bool) -> list[Block]:
    """The agreement over the cases that were read twice, and the items they were read differently on."""
    agreed, pairs = sum(a.agreed for a in by_item), sum(a.n for a in by_item)
    said = f"Two readers agreed on {agreed} of {pairs} items"
    found: list[Block] = [
        Words(f"{said}, over all items of the cases read twice." if leaves else f"{said} of {read} cases.")
    ]
    if not leaves:
        differing = tuple(
            (dataset.by_name[a.name].title, f"{a.agreed} of {a.n}", f"{a.kappa:.2f}" if a.kappa is not None else "")
            for a in by_item
            if a.agreed < a.n
        )
        note = f"Kappa is given from {KAPPA_FROM} pairs on."
        found.append(Table("Items on which the readers differ", ("Item", "Agreed", "Kappa"), differing, (note,)))
    return found


def definitions(measures: MeasureSet, digest: str) -> list[Block]:
    """What each measure counts, with the version and digest of all of them."""
    rows = tuple((m.title, m.numerator, m.denominator, m.label) for m in measures.measures)
    return [
        Words(
            f"Measures {measures.version} of {measures.proforma}, dated {measures.dated.isoformat()}, digest {digest}."
        ),
        Table("What each measure counts", ("Measure", "Counted as met", "Of", "Definition"), rows, (), (2, 3, 2, 1.5)),
    ]
