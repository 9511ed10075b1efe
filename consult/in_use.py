"""The content in use: what the files say, or, where they are refused, the version that was in use before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from consult.audit import benchmarks, measures_file, organisation
from consult.audit.benchmarks import Benchmarks
from consult.audit.measures import MeasureSet
from consult.audit.organisation import Organisation
from consult.content import content_folders
from consult.documents import leaflet
from consult.documents.leaflet import Leaflets
from consult.exchange import entryform
from consult.exchange.entryform import EntryForm, EntryWords
from consult.proforma.load import ContentError, Definition, Problem, load_definition, read_text
from consult.record import ledger, library
from consult.record.database import Connection, Database
from consult.record.kept import Kept, current, digest_of, every, has, keep, newest

PROFORMA: Final = "back-pain"
RESTORE: Final = "restore a backup"
T = TypeVar("T")


class Content(Struct, frozen=True):
    """The content in use, the folder its proforma is read from, and the problems of files that were refused."""

    definition: Definition
    measures: MeasureSet
    measures_digest: str
    benchmarks: Benchmarks
    leaflets: Leaflets
    entry: EntryForm
    organisation: Organisation
    organisation_digest: str
    folder: Path
    problems: list[Problem]


def proforma_folder(instance: Path | None) -> Path:
    """The folder of the proforma in use: the installation's own if it has one, else that of the program."""
    found = [folder / PROFORMA for folder in content_folders("proformas", instance)]
    own = [folder for folder in found[1:] if (folder / "proforma.toml").exists()]
    return own[-1] if own else found[0]


def load_content(db: Database, instance: Path, actor: str, at: str) -> Content:
    """The content in use, kept in the database by digest; ContentError if nothing can stand for a refused file."""
    content, kept = _read(db.read(), instance)
    _keep_all(db, content.definition, kept, actor, at)
    return content


def look(conn: Connection, instance: Path) -> Content:
    """The content as it would be in use; nothing is kept. ContentError as above."""
    return _read(conn, instance)[0]


def named(definition: Definition, leaflets: Leaflets) -> dict[str, str]:
    """What clinicians and employees read, as `consult approve` names it, with its digests."""
    found = {f"proforma {definition.proforma.id}": definition.digest}
    return found | {f"leaflet {item.id} {item.language}": item.digest for _, item in sorted(leaflets.items())}


def unapproved(conn: Connection, content: Content) -> list[str]:
    """What of this content no named clinician has approved for use here."""
    approved = library.approvals(conn)
    return [what for what, digest in named(content.definition, content.leaflets).items() if digest not in approved]


def not_loaded(conn: Connection, instance: Path) -> list[str]:
    """What the files hold in a version that no opening of this installation has brought into use yet."""
    content, _ = _read(conn, instance)
    return [what for what, digest in named(content.definition, content.leaflets).items() if not has(conn, digest)]


def _read(conn: Connection, instance: Path) -> tuple[Content, list[Kept]]:
    """The content as the files say it, or where they are refused as it was before, and its parts to be kept."""
    folder = proforma_folder(instance)
    reader = _Reader(conn, folder)
    definition = reader.definition()
    refused = [*reader.problems]
    try:
        return _around(reader, instance, definition)
    except ContentError as error:  # right by itself, but neither the files beside it nor the kept ones go with it
        before = library.newest(conn, PROFORMA)
        if before is None or before.digest == definition.digest:
            raise
        return _around(_Reader(conn, folder, [*refused, *error.problems]), instance, before)


def _around(reader: _Reader, instance: Path, definition: Definition) -> tuple[Content, list[Kept]]:
    """The content around a proforma with its data set."""
    dataset = definition.dataset
    measure_set = reader.file(measures_file.FILE, lambda text: measures_file.parse_measures(text, dataset))
    shipped = reader.file(benchmarks.FILE, lambda text: benchmarks.parse_benchmarks(text, measure_set, dataset))
    figures = reader.added(
        instance / benchmarks.ADDED, lambda text: benchmarks.with_added(shipped, text, measure_set, dataset)
    )
    words = reader.if_there(entryform.FILE, lambda text: entryform.parse_words(text, dataset))
    section = reader.if_there(organisation.FILE, lambda text: organisation.parse_organisation(text, figures or shipped))
    return Content(
        definition,
        measure_set,
        reader.digest(measures_file.FILE),
        figures or shipped,
        reader.leaflets(content_folders("leaflets", instance)),
        entryform.form(words or EntryWords(version=""), dataset),
        section or Organisation(),
        reader.digest(organisation.FILE),
        reader.folder,
        reader.problems,
    ), reader.kept


class _Reader:
    """Reads content from files, or, where these are refused, as it was in use before.

    `problems` are those of the files refused, `kept` the parts that were read, as versions to be kept.
    """

    def __init__(self, conn: Connection, folder: Path, problems: Iterable[Problem] = ()) -> None:
        self.conn, self.folder = conn, folder
        self.problems = [*problems]
        self.kept: list[Kept] = []

    def definition(self) -> Definition:
        """The proforma with what belongs to it."""
        return self._or_before(
            lambda: load_definition(self.folder, PROFORMA), lambda: library.newest(self.conn, PROFORMA)
        )

    def file(self, name: str | Path, parse: Callable[[str], T]) -> T:
        """What a file says that stands beside the proforma (or elsewhere, by its whole path)."""
        file = self.folder / name

        def read(text: str) -> tuple[str, T]:
            return text, parse(text)

        def before() -> tuple[str, T] | None:
            return next((read(version.text) for version in newest(self.conn, file.stem)), None)

        text, found = self._or_before(lambda: read(read_text(file)), before)
        version = str(getattr(found, "version", ""))  # some files have none
        self.kept.append(Kept(file.stem, PROFORMA, version, digest_of(file.name, text), {"text": text}))
        return found

    def if_there(self, name: str | Path, parse: Callable[[str], T]) -> T | None:
        """The same of a file that a proforma may do without."""
        return self.file(name, parse) if (self.folder / name).exists() else None

    def added(self, file: Path, parse: Callable[[str], T]) -> T | None:
        """The same of a file of the installation's own; None too where it was never right."""
        try:
            return self.if_there(file, parse)
        except ContentError as error:
            self.problems.extend(error.problems)
            return None

    def leaflets(self, folders: tuple[Path, ...]) -> Leaflets:
        """The leaflets of these folders."""
        found = self._or_before(lambda: leaflet.load(*folders), lambda: _good_leaflets(self.conn, folders))
        self.kept += map(_kept_leaflet, found.values())
        return found

    def digest(self, name: str) -> str:
        """The digest of a file that was read; where it is not there that of no text."""
        return next((part.digest for part in self.kept if part.kind == Path(name).stem), digest_of(name, ""))

    def _or_before(self, from_files: Callable[[], T], from_database: Callable[[], T | None]) -> T:
        try:
            return from_files()
        except ContentError as error:
            before = from_database()
            if before is None:
                raise
            self.problems.extend(error.problems)
            return before


def _kept_leaflet(item: leaflet.Leaflet) -> Kept:
    return Kept("leaflet", f"{item.id}/{item.language}", item.version, item.digest, item.texts)


def _good_leaflets(conn: Connection, folders: tuple[Path, ...]) -> Leaflets | None:
    """The leaflets whose files are right, and for each of the others the version that was in use, if there was one."""
    kept = {item.id: item for item in newest(conn, "leaflet")}
    good: Leaflets = {}
    for path in (path for folder in folders for path in sorted(folder.glob("*/*.md"))):
        try:
            item = leaflet.load_file(path)
        except ContentError:
            before = kept.get(f"{path.parent.name}/{path.stem}")
            if before is None:
                continue
            item = leaflet.from_kept(before.texts, f"{before.id}.md")
        good.setdefault((item.id, item.language), item)
    return good or None


def _keep_all(db: Database, definition: Definition, kept: list[Kept], actor: str, at: str) -> None:
    used, every_part = current(db.read()), [library.version_of(definition), *kept]
    if all(used.get((part.kind, part.id)) == part.digest for part in every_part):
        return
    with db.write() as conn:
        for item in every_part:
            keep(conn, item, actor, at)


def differences(conn: Connection) -> Iterator[str]:
    """Each way in which the versions kept are not what their digests and steps say: a sentence with what to do."""
    installed: dict[str, ledger.Step] = {}
    for step in ledger.steps(conn, kind="content_installed"):
        if step.content:
            installed.setdefault(step.content["digest"], step)  # one that came back into use has another, later
    for kept in every(conn):
        name = f"{kept.kind} {kept.id} {kept.version}".strip()
        if not proves_itself(kept):
            yield f"The text kept as {name} is not the one its digest {kept.digest[:16]} was made from; {RESTORE}."
        first = installed.pop(kept.digest, None)
        if first is None:
            yield f"The {name} is kept, and no step says that it was installed; {RESTORE}."
        elif not _as_installed(kept, first):
            yield f"The {name} is kept under another name, version or time than step {first.seq} says; {RESTORE}."
    for digest, step in installed.items():
        yield f"The version {digest[:16]} that step {step.seq} installed is not kept any more; {RESTORE}."


def proves_itself(kept: Kept) -> bool:
    """Whether the texts of a version are those that its digest was made from."""
    if kept.kind == "proforma":
        parts = [part for name in sorted(kept.texts) for part in (name, kept.texts[name])]
        return digest_of(*parts) == kept.digest
    if kept.kind == "leaflet":
        pictures = {name: text for name, text in kept.texts.items() if name != "text"}
        return leaflet.digest(kept.text, pictures) == kept.digest
    return digest_of(f"{kept.kind}.toml", kept.text) == kept.digest


def _as_installed(kept: Kept, step: ledger.Step) -> bool:
    content = step.content or {}
    named = content["what"] in (kept.id, f"{kept.kind} {kept.id}")
    return named and content["version"] == kept.version and step.at == kept.first_used
