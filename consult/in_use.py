"""The content in use: what the files say, or, where they are refused, the version that was in use before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

from msgspec import Struct

from consult.audit import benchmarks, measures, organisation
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
from consult.record.kept import Kept, digest_of, every, has, is_newest, keep, newest

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
    folder, problems = proforma_folder(instance), list[Problem]()
    definition = _or_kept(lambda: load_definition(folder), lambda: library.newest(conn, PROFORMA), problems)
    try:
        return _around(conn, instance, folder, definition, [*problems])
    except ContentError as error:  # right by itself, but neither the files beside it nor the kept ones go with it
        before = library.newest(conn, PROFORMA)
        if before is None or before.digest == definition.digest:
            raise
        return _around(conn, instance, folder, before, [*problems, *error.problems])


def _around(
    conn: Connection, instance: Path, folder: Path, definition: Definition, problems: list[Problem]
) -> tuple[Content, list[Kept]]:
    """The content around a proforma with its data set."""
    (measure_text, measure_set) = _file_or_kept(
        conn, folder / measures.FILE, lambda text: measures.parse_measures(text, definition.dataset), problems
    )
    (benchmark_text, base) = _file_or_kept(
        conn,
        folder / benchmarks.FILE,
        lambda text: benchmarks.parse_benchmarks(text, measure_set, definition.dataset),
        problems,
    )
    (added_text, benchmark_set) = _with_added(
        conn, instance, lambda text: benchmarks.with_added(base, text, measure_set, definition.dataset), base, problems
    )
    (entry_text, entry_words) = _if_there(
        conn, folder / entryform.FILE, lambda text: entryform.parse_words(text, definition.dataset), problems
    ) or ("", EntryWords(version=""))
    (organisation_text, section) = _if_there(
        conn,
        folder / organisation.FILE,
        lambda text: organisation.parse_organisation(text, benchmark_set),
        problems,
    ) or ("", Organisation())
    folders = content_folders("leaflets", instance)
    leaflets = _or_kept(lambda: leaflet.load(*folders), lambda: _good_leaflets(conn, folders), problems)
    kept = [
        _kept(measures.FILE, measure_set.version, measure_text),
        _kept(benchmarks.FILE, "", benchmark_text),
        *([_kept(benchmarks.ADDED, "", added_text)] if added_text else []),
        *([_kept(entryform.FILE, entry_words.version, entry_text)] if entry_text else []),
        *([_kept(organisation.FILE, section.version, organisation_text)] if organisation_text else []),
        *map(_kept_leaflet, leaflets.values()),
    ]
    asked_by = digest_of(organisation.FILE, organisation_text)
    entry = entryform.form(entry_words, definition.dataset)
    scored_by = digest_of(measures.FILE, measure_text)
    return Content(
        definition, measure_set, scored_by, benchmark_set, leaflets, entry, section, asked_by, folder, problems
    ), kept


def _with_added(
    conn: Connection, instance: Path, add: Callable[[str], Benchmarks], base: Benchmarks, problems: list[Problem]
) -> tuple[str, Benchmarks]:
    """The shipped figures with those that the installation added; without them where its file was never right."""
    try:
        found = _if_there(conn, instance / benchmarks.ADDED, add, problems)
    except ContentError as error:
        problems.extend(error.problems)
        found = None
    return found or ("", base)


def _if_there(conn: Connection, file: Path, parse: Callable[[str], T], problems: list[Problem]) -> tuple[str, T] | None:
    """As `_file_or_kept`, for a file that a proforma may do without."""
    return _file_or_kept(conn, file, parse, problems) if file.exists() else None


def _file_or_kept(conn: Connection, file: Path, parse: Callable[[str], T], problems: list[Problem]) -> tuple[str, T]:
    """A file of the proforma's folder with what it says, or the version of it that was in use before."""

    def read(text: str) -> tuple[str, T]:
        return text, parse(text)

    return _or_kept(
        lambda: read(read_text(file)), lambda: next((read(k.text) for k in newest(conn, file.stem)), None), problems
    )


def _or_kept(from_files: Callable[[], T], from_database: Callable[[], T | None], problems: list[Problem]) -> T:
    try:
        return from_files()
    except ContentError as error:
        before = from_database()
        if before is None:
            raise
        problems.extend(error.problems)
        return before


def _kept(file: str, version: str, text: str) -> Kept:
    return Kept(Path(file).stem, PROFORMA, version, digest_of(file, text), {"text": text})


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
    every_part = [library.as_kept(definition), *kept]
    if all(is_newest(db.read(), part) for part in every_part):
        return
    with db.write() as conn:
        for item in every_part:
            keep(conn, item, actor, at)


def differences(conn: Connection) -> Iterator[str]:
    """Each way in which the versions kept are not what their digests and steps say: a sentence with what to do."""
    installed: dict[str, ledger.Step] = {}
    for step in ledger.steps(conn, kind="content_installed"):
        if step.content:  # one that came into use again has the first of its steps as its own
            installed.setdefault(step.content["digest"], step)
    for kept in every(conn):
        name = f"{kept.kind} {kept.id} {kept.version}".strip()
        if not proves_itself(kept):
            yield f"The text kept as {name} is not the one its digest {kept.digest[:16]} was made from; {RESTORE}."
        own = installed.pop(kept.digest, None)
        if own is None:
            yield f"The {name} is kept, and no step says that it was installed; {RESTORE}."
        elif not _as_installed(kept, own):
            yield f"The {name} is kept under another name, version or time than step {own.seq} says; {RESTORE}."
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
