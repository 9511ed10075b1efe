"""Checking all content at once: proformas with their measures and benchmarks, and leaflets, wherever they are found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from consult.audit import benchmarks as figures
from consult.audit import measures as counted
from consult.audit import organisation
from consult.audit.benchmarks import Benchmarks, load_benchmarks
from consult.content import content_folders
from consult.documents import evidence, leaflet, needs
from consult.exchange import entryform
from consult.in_use import PROFORMA, Content, proforma_folder, unapproved
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
    if instance is not None and (instance / evidence.FILE).exists():
        _check_own_evidence(instance, checked)
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
    try:
        definition = load_definition(folder, PROFORMA if folder.name == PROFORMA else "")
        measures = counted.load_measures(folder, definition.dataset)
        benchmarks = load_benchmarks(folder, measures, definition.dataset)
        if (folder / entryform.FILE).exists():
            entryform.parse_words(read_text(folder / entryform.FILE), definition.dataset)
        if (folder / organisation.FILE).exists():
            organisation.parse_organisation(read_text(folder / organisation.FILE), benchmarks)
        if (folder / evidence.FILE).exists():
            evidence.parse_mapping(read_text(folder / evidence.FILE), measures, definition.dataset)
    except ContentError as error:
        checked.problems.extend(replace(p, file=f"{folder.name}/{p.file}") for p in error.problems)
        return
    if instance is not None:
        add = partial(figures.with_added, benchmarks, measures=measures, dataset=definition.dataset)
        _check_added(instance / figures.ADDED, add, checked)
        checked.open.extend(left_over(definition, measures))
    proforma = definition.proforma
    checked.right.append(
        f"proforma {proforma.id} {proforma.version}: {len(proforma.questions)} questions, "
        f"{len(definition.dataset.fields)} fields, {len(measures.measures)} measures"
        f"{'; the one read here' if instance is not None else ''}"
    )


def _check_added(file: Path, add: Callable[..., Benchmarks], checked: Checked) -> None:
    """The rounds that the installation added, where there are any."""
    if not file.exists():
        return
    try:
        found = add(text=read_text(file)).added
    except ContentError as error:
        checked.problems.extend(error.problems)
        return
    if found:
        years = ", ".join(str(one.year) for one in found.rounds)
        checked.right.append(f"published figures added here: {len(found.figures)}, of {years}")


def _check_own_evidence(instance: Path, checked: Checked) -> None:
    """The installation's own evidence.toml; where the proforma it goes with is refused, that is told already."""
    folder = proforma_folder(instance)
    try:
        dataset = load_definition(folder).dataset
        measures = counted.load_measures(folder, dataset)
    except ContentError:
        return
    try:
        evidence.parse_mapping(read_text(instance / evidence.FILE), measures, dataset)
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
