"""``kyomei check``: the check of a data folder, and mending what can be mended."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.errors import DataError, KyomeiError
from service.artefacts import SpaceFolder, find_spaces
from service.catalog.records import Item, Placed, each
from service.collection.check import (
    KINDS,
    NOT_MENDED,
    Finding,
    Report,
    check_folder,
    of_kind,
    open_catalog,
)
from service.collection.collection import Collection
from service.collection.mend import drop_damaged, move_to_lost_and_found, set_aside
from service.embedder import Embedder
from service.index.options import IndexOptions, MilvusAddress
from service.manifest import manifest_values
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a check, and of a repair if one was asked for.

    Attributes:
        report: What is wrong now.
        repairs: What was tried before.
    """

    report: Report
    repairs: tuple["Repair", ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong any more."""
        return not self.report.findings and all(repair.is_mended for repair in self.repairs)


@dataclass(frozen=True, slots=True)
class Repair:
    """What was done about a finding.

    Attributes:
        finding: What was wrong.
        done: What was done, or why nothing could be.
        is_mended: Whether it is right now, or set aside.
    """

    finding: Finding
    done: str
    is_mended: bool


def check_collection(settings: Settings, *, repair: bool, progress: bool = True) -> Outcome:
    """Check a data folder; with ``repair``, mend it and check it again.

    Args:
        settings: Folder, spaces and index.
        repair: Whether to mend what is found.
        progress: Whether to show bars.

    Raises:
        ArtefactError: When there is no collection, it is open elsewhere or of another version.
    """
    found = find_spaces(settings)
    report = _check(settings, found, progress=progress)
    if not repair or all(finding.kind in NOT_MENDED for finding in report.findings):
        return Outcome(report)
    done = _repair(settings, found, report)
    return Outcome(_check(settings, found, progress=progress), tuple(done))


def report_lines(outcome: Outcome) -> Iterator[str]:
    """Say what came of a check in words for people."""
    for repair in outcome.repairs:
        yield f"{_line(repair.finding)}\n  {repair.done}"
    for finding in outcome.report.findings:
        yield f"{_line(finding)}\n  repair: {KINDS[finding.kind]}"
    counts = outcome.report.checked
    looked_at = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in sorted(counts))
    found = len(outcome.report.findings)
    verdict = "clean" if outcome.is_clean else f"{found} findings; try --repair"
    yield f"checked {looked_at}: {verdict}"


def report_values(settings: Settings, outcome: Outcome) -> dict[str, Any]:
    """Return what came of a check for JSON."""
    report = outcome.report
    return {
        "data": str(settings.data),
        "clean": outcome.is_clean,
        "checked": dict(report.checked),
        "unfinished": report.unfinished,
        "findings": [
            {**asdict(finding), "repair": KINDS[finding.kind]} for finding in report.findings
        ],
        "repairs": [asdict(repair) for repair in outcome.repairs],
        "manifest": manifest_values(settings, report),
    }


def _line(finding: Finding) -> str:
    place = "" if finding.space in (None, finding.subject) else f" in space {finding.space}"
    return f"{finding.kind}: {finding.subject}{place}: {finding.detail}"


def _check(settings: Settings, spaces: Sequence[SpaceFolder], *, progress: bool) -> Report:
    return check_folder(
        settings.data,
        [space.ref for space in spaces],
        IndexOptions(
            settings.index_backend,
            settings.index_device,
            settings.threads,
            settings.index_recall,
            settings.index_memory_bytes,
            milvus=MilvusAddress.of(settings),
        ),
        database_url=settings.database_url,
        progress=progress,
    )


def _repair(settings: Settings, spaces: Sequence[SpaceFolder], report: Report) -> list[Repair]:
    with open_catalog(settings.data, settings.database_url) as catalog:
        drop_damaged(catalog, of_kind(report, "embedding-damaged"))
    served = {space.name: space.ref for space in spaces}
    collection = Collection.open_for_repair(
        settings.data,
        list({**report.spaces, **served}.values()),
        backend=settings.index_backend,
        device=settings.index_device,
        threads=settings.threads,
        recall=settings.index_recall,
        memory_bytes=settings.index_memory_bytes,
        database_url=settings.database_url,
    )
    with collection:
        work = _Repair(collection, spaces, settings)
        work.files(report)
        work.rows(report)
        work.embeddings(report)
        work.indexes(report)
    return work.done


class _Repair:
    """One run of repairs; nothing is thrown away."""

    def __init__(
        self, collection: Collection, spaces: Sequence[SpaceFolder], settings: Settings
    ) -> None:
        self.done: list[Repair] = []
        self._collection = collection
        self._spaces = spaces
        self._settings = settings

    def files(self, report: Report) -> None:
        """Move what belongs to no item; set aside items whose media are gone or damaged."""
        for finding in of_kind(report, "media-orphan"):
            target = move_to_lost_and_found(self._collection.folder, finding.subject)
            self._did(finding, f"moved to {target.relative_to(self._collection.folder)}")
        for finding in of_kind(report, "media-missing", "media-damaged", "wrong-id"):
            item = self._collection.get(finding.subject)
            if item is not None:
                note = set_aside(self._collection, item, f"{finding.kind}: {finding.detail}")
                self._did(finding, f"set aside, see {note.relative_to(self._collection.folder)}")

    def rows(self, report: Report) -> None:
        """File metadata and tags anew."""
        for finding in of_kind(report, "metadata-misfiled"):
            item = self._collection.get(finding.subject)
            if item is not None:
                self._collection.inspection.rewrite([item])
                self._did(finding, "metadata and tags filed anew")

    def embeddings(self, report: Report) -> None:
        """Place items anew whose embedding is damaged or missing, from their media."""
        findings = list(of_kind(report, "embedding-damaged", "embedding-missing"))
        if not findings:
            return
        embedder = Embedder(self._spaces, self._settings)
        try:
            for finding in findings:
                item = self._collection.get(finding.subject)
                if item is not None:
                    self._place(embedder, finding, item)
        finally:
            embedder.close()

    def _place(self, embedder: Embedder, finding: Finding, item: Item) -> None:
        covering = embedder.space_names(item.modality)
        names = covering if finding.space is None else [finding.space]
        try:
            if not names or not set(names) <= set(covering):
                wanted = finding.space or f"any space of {item.modality}"
                raise DataError(f"{wanted} is not loaded; name its folder in KYOMEI_SPACES")
            for name, placed in self._embed(embedder, item, names).items():
                rows = [(item, embedding) for embedding in each(placed)]
                self._collection.put_embeddings(embedder.spaces[name].ref, rows)
            self._did(finding, f"placed anew in {', '.join(names)}")
        except KyomeiError as error:
            self._did(finding, f"not mended: {error}", is_mended=False)

    def _embed(self, embedder: Embedder, item: Item, names: Sequence[str]) -> dict[str, Placed]:
        with embedder.slot():
            reading = embedder.read(self._collection.media_path(item), item.modality, names)
            return embedder.place([reading], names)[0]

    def indexes(self, report: Report) -> None:
        """Build indexes anew that are damaged."""
        for finding in of_kind(report, "index-damaged"):
            try:
                self._collection.rebuild(finding.subject)
                self._did(finding, "built anew from the catalog")
            except KyomeiError as error:
                self._did(finding, f"not mended: {error}", is_mended=False)

    def _did(self, finding: Finding, what: str, *, is_mended: bool = True) -> None:
        self.done.append(Repair(finding, what, is_mended))
