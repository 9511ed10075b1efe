"""Checking all content at once: proformas with their measures and benchmarks, and leaflets, wherever they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from msgspec import Struct, field
from msgspec.structs import replace

from consult.audit import benchmarks as figures
from consult.audit import measures_file as counted
from consult.audit import organisation
from consult.audit.benchmarks import Benchmarks, load_benchmarks
from consult.audit.measures import MeasureSet
from consult.content import content_folders
from consult.documents import evidence, leaflet, needs
from consult.exchange import entryform
from consult.in_use import PROFORMA, Content, proforma_folder, unapproved
from consult.proforma.dataset import Dataset
from consult.proforma.load import REPORTS, ContentError, Problem, load_definition, read_text
from consult.record.database import Connection
from consult.record.kept import of_kind
from consult.record.settings import open_sites, sites
from consult.unasked import left_over

FILES = (
    *("proforma.toml", "dataset.toml", counted.FILE, figures.FILE),
    *(REPORTS, entryform.FILE, organisation.FILE, evidence.FILE),
)
"""What a proforma's folder holds."""
T = TypeVar("T")
DEPTH = 2
"""How deep in the folder of leaflets a leaflet lies: its own folder and its file."""


class Checked(Struct):
    """What was found right, in words, every problem, and what may come into use but has an end left open."""

    right: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    open: list[str] = field(default_factory=list)


def check_content(instance: Path | None) -> Checked:
    """Check the content that came with the program and that of an installation."""
    checked = Checked()
    for folder in (f for root in content_folders("proformas", instance) for f in sorted(root.glob("*/"))):
        _check_proforma(folder, instance if folder == proforma_folder(instance) else None, checked)
    _check_leaflets(content_folders("leaflets", instance), checked)
    if not checked.right and not checked.problems:
        checked.problems.append(Problem("proformas", "", "No content was found; put the folder back."))
    return checked


def overlooked(instance: Path) -> Iterator[str]:
    """The files and folders of an installation's own content that nothing reads, as their place or name is another."""
    for folder in sorted((instance / "proformas").glob("*/")):
        if folder != proforma_folder(instance):
            yield f"{folder} is not read; call the folder {PROFORMA}, and let its file proforma.toml stand in it."
            continue
        for file in sorted(path for path in folder.rglob("*") if path.name not in FILES or path.parent != folder):
            yield f"{file} is not read; the files of a proforma are {', '.join(FILES)}."
    own = instance / "leaflets"
    for file in sorted(path for path in own.rglob("*") if path.is_file()):
        depth = len(file.relative_to(own).parts)
        if file not in (own / needs.FILE, own / "LICENSE.md") and not (
            depth == DEPTH and file.suffix in (".md", ".svg")
        ):
            yield f"{file} is not read; a leaflet is a file such as its-id/en.md in {own}, with its pictures beside it."


def same_number(conn: Connection, instance: Path, content: Content) -> Iterator[str]:
    """What of an installation's own content was changed without raising its version."""
    parts = {path.parent.name for path in (instance / "leaflets").glob("*/*.md")}
    own = [item for item in content.leaflets.values() if item.id in parts]
    found = [("leaflet", f"{item.id}/{item.language}", item.version, item.digest) for item in own]
    if content.folder.is_relative_to(instance):
        proforma, measures = content.definition.proforma, content.measures
        found.append(("proforma", PROFORMA, proforma.version, content.definition.digest))
        found.append(("measures", PROFORMA, measures.version, content.measures_digest))
    for kind, id_, version, digest in found:
        if any((one.id, one.version) == (id_, version) and one.digest != digest for one in of_kind(conn, kind)):
            yield (
                f"The {kind} {id_} was changed and still calls itself version {version}; raise its version, so that "
                "prints and papers tell the two apart."
            )


def _check_proforma(folder: Path, instance: Path | None, checked: Checked) -> None:
    """A proforma with all that stands beside it; `instance` is given for the one that an installation has in use."""
    try:
        definition = load_definition(folder, PROFORMA if folder.name == PROFORMA else "")
        proforma, dataset = definition.proforma, definition.dataset
        measures = counted.load_measures(folder, dataset)
        benchmarks = load_benchmarks(folder, measures, dataset)
        if instance is not None:
            benchmarks = _check_added(instance, benchmarks, measures, dataset, checked)
        _parsed(folder / entryform.FILE, lambda text: entryform.parse_words(text, dataset))
        _parsed(folder / organisation.FILE, lambda text: organisation.parse_organisation(text, benchmarks))
        _parsed(folder / evidence.FILE, lambda text: evidence.parse_mapping(text, measures, dataset))
    except ContentError as error:
        checked.problems.extend(replace(p, file=f"{folder.name}/{p.file}") for p in error.problems)
        return
    if instance is not None:
        _check_evidence(instance, measures, dataset, checked)
        checked.open.extend(left_over(definition, measures))
    checked.right.append(
        f"proforma {proforma.id} {proforma.version}: {len(proforma.questions)} questions, "
        f"{len(dataset.fields)} fields, {len(measures.measures)} measures"
        f"{'; the one read here' if instance is not None else ''}"
    )


def _parsed(file: Path, parse: Callable[[str], T]) -> T | None:
    """What a file says that a proforma may do without."""
    return parse(read_text(file)) if file.exists() else None


def _check_added(
    instance: Path, shipped: Benchmarks, measures: MeasureSet, dataset: Dataset, checked: Checked
) -> Benchmarks:
    """The published figures with the rounds that the installation added; as they are where its file is refused."""
    try:
        both = _parsed(instance / figures.ADDED, lambda text: figures.with_added(shipped, text, measures, dataset))
    except ContentError as error:
        checked.problems.extend(error.problems)
        return shipped
    if both and both.added:
        years = ", ".join(str(one.year) for one in both.added.rounds)
        checked.right.append(f"published figures added here: {len(both.added.figures)}, of {years}")
    return both or shipped


def _check_evidence(instance: Path, measures: MeasureSet, dataset: Dataset, checked: Checked) -> None:
    """What packs are made of, where the installation has a file of its own for that."""
    try:
        if _parsed(instance / evidence.FILE, lambda text: evidence.parse_mapping(text, measures, dataset)):
            checked.right.append(f"{evidence.FILE} of this installation")
    except ContentError as error:
        checked.problems.extend(error.problems)


def _check_leaflets(folders: tuple[Path, ...], checked: Checked) -> None:
    try:
        leaflets = leaflet.load(*folders)
    except ContentError as error:
        checked.problems.extend(error.problems)
        return
    try:
        needs.load(folders)
    except ContentError as error:
        checked.problems.extend(error.problems)
    for (leaflet_id, language), item in sorted(leaflets.items()):
        checked.right.append(f"leaflet {leaflet_id} {language} {item.version}, digest {item.digest}")
        if why := item.moved_on(leaflets):
            checked.open.append(f"The leaflet {leaflet_id} {language} does not print. {why}")


def open_points(conn: Connection, content: Content) -> Iterator[str]:
    """What still keeps live consultations from beginning here: settings to fill in, content to approve."""
    if not sites(conn):
        yield "No site is set up; add one on the settings page."
    for site in open_sites(conn).values():
        if site.blank_routes:
            yield f"Site {site.code} has no number for: {site.blank_in_words}; fill them in on the settings page."
    for what in unapproved(conn, content):
        yield f"The {what} is draft, not approved for clinical use here; a clinician runs `consult approve`."
