"""The record at one moment, as every paper of evidence is made from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consult.audit import leaving, sampling, targets
from consult.audit.breakdowns import Close, close
from consult.audit.results import Results, Selection, results
from consult.audit.rounds import MODES, Round, standing
from consult.audit.suppression import LEAVES_FROM
from consult.documents import evidence, saved
from consult.documents.audit_report import Basis
from consult.documents.evidence import Mapping, Paper, Part, Stamp
from consult.documents.words import uk_date, when
from consult.evidence import EvidenceRefused
from consult.instance import Instance
from consult.proforma.load import ContentError, read_text
from consult.record import capture, ledger, settings
from consult.record.capture import Captured
from consult.record.database import Connection

TOO_FEW: Final = "fewer than 10"


class Made(Struct, frozen=True):
    """A paper, and its parts as they are made one by one."""

    paper: Paper
    parts: Iterator[Part]


def mapping(instance: Instance) -> Mapping:
    """What packs are made of: the installation's own evidence.toml, else that of the proforma; EvidenceRefused."""
    own_file, shipped = instance.folder / evidence.FILE, instance.content.folder / evidence.FILE
    file = own_file if own_file.exists() else shipped
    try:
        return evidence.parse_mapping(read_text(file), instance.measures, instance.library.current.dataset)
    except ContentError as error:
        raise EvidenceRefused(f"{error.problems[0]} Mend that; `consult check` names all that is wrong.") from error


class Moment(Struct, dict=True):
    """The record at one moment, a round, a site ("" for all), and whether what is made may leave the provider."""

    instance: Instance
    conn: Connection
    round: Round
    site: str = ""
    leaves: bool = False

    @cached_property
    def map(self) -> Mapping:
        """What packs are made of."""
        return mapping(self.instance)

    @cached_property
    def sample(self) -> sampling.Sample:
        """The sample of the round."""
        return self.sample_of(self.round)

    def sample_of(self, of: Round) -> sampling.Sample:
        """The sample of any round."""
        dataset = self.instance.library.current.dataset
        return sampling.sample(self.conn, self.instance.measures, dataset, of)

    @cached_property
    def selection(self) -> Selection:
        """The cases of the sample, at the site."""
        return replace(self.sample.selection, site=self.site)

    def count(self, selection: Selection) -> Results:
        """The results of a selection by the measures in use."""
        return results(self.conn, self.instance.measures, self.instance.library.current.dataset, selection)

    @cached_property
    def before(self) -> Round | None:
        """The newest round of the same way of capture that ended before this one began: it can share no case."""
        mine = self.round
        known = (one for one in standing(self.conn) if one.capture == mine.capture and one.provider == mine.provider)
        return next((one for one in known if one.end < mine.start), None)

    @cached_property
    def basis(self) -> Basis:
        """What the parts of the audit report are made of."""
        earlier = replace(self.sample_of(self.before).selection, site=self.site) if self.before else None
        aims = {m: t.share for m, t in targets.targets(self.conn).items() if t.share is not None}
        return Basis(
            self.instance.measures,
            self.instance.library.current.dataset,
            self.instance.benchmarks,
            self.count(self.selection),
            self.count(earlier) if earlier else None,
            self.before.name if self.before else "",
            self.leaves,
            aims,
        )

    @cached_property
    def taken(self) -> dict[str, Close]:
        """The national headings, each taken apart."""
        known = self.instance.measures
        dataset = self.instance.library.current.dataset
        wanted = [m for m in self.basis.shown() if m.national]
        return {m.id: close(self.conn, known, dataset, self.selection, m) for m in wanted}

    @cached_property
    def signed_ever(self) -> list[Captured]:
        """Every consultation held in this tool and signed."""
        return list(capture.signed(self.conn, date.min.isoformat(), date.max.isoformat()))

    def stamp(self, n: int, leaves: bool) -> Stamp:
        """What every page bears."""
        said = TOO_FEW if leaves and n < LEAVES_FROM else str(n)
        held = f"n = {said} {'case' if said == '1' else 'cases'}"
        mode = MODES[self.round.capture]
        return Stamp(
            self.place,
            f"{self.round.name}: {uk_date(self.round.start)} to {uk_date(self.round.end)}, {mode}",
            held,
            self.version,
            leaving.LEAVES if leaves else leaving.INTERNAL,
            when(self.instance.store.at()),
            *ledger.head(self.conn),
            invented=self.instance.demonstration,
        )

    def key(self, kind: str, person: str = "") -> str:
        """What a saved paper is known by, for `consult verify` to make it again."""
        return saved.key(kind, self.round.id, self.instance.clock(), self.site, person)

    @property
    def place(self) -> str:
        """The provider and, for one site, the site in words."""
        known = settings.sites(self.conn).get(self.site)
        return (
            f"{self.instance.provider}, {known.name if known else self.site}" if self.site else self.instance.provider
        )

    @property
    def version(self) -> str:
        """The measures that results are counted by."""
        return f"Measures {self.instance.measures.version}, digest {self.instance.content.measures_digest[:16]}"


def paper_of(at: Moment, kind: str, title: str, about: tuple[str, ...], titles: tuple[str, ...]) -> Paper:
    """A paper of a moment, before its parts are made."""
    stamp = at.stamp(at.basis.found.eligible, at.leaves)
    return Paper(kind, title, about, stamp, titles, at.key(kind), bool(at.instance.unapproved()))
