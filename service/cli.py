"""The commands of the service: demo, index, serve, search, reindex, and those of the data folder.

Heavy imports are inside the functions, so that ``kyomei --help`` is quick.
"""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from models.errors import DataError
from models.types import Modality

if TYPE_CHECKING:
    from service.engine import Engine
    from service.ingest import IndexReport
    from service.ray_reader import RayReader
    from service.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False)
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; KYOMEI_DATA or ./kyomei_data when left out."),
]
Named = Annotated[
    str | None,
    typer.Option("--collection", help="Name in KYOMEI_COLLECTIONS; the default one if left out."),
]
SpaceFolders = Annotated[
    list[Path] | None,
    typer.Option("--space-folder", help="Artefact folder to serve; may be repeated."),
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on.")]
Port = Annotated[int | None, typer.Option("--port", help="Port; 0 takes a free one.")]


@app.command()
def serve(
    data: Data = None, space_folder: SpaceFolders = None, host: Host = None, port: Port = None
) -> None:
    """Serve a collection over HTTP: the page at /, Swagger at /docs."""
    from service.serving import listen, run

    settings = _settings(data=data, spaces=space_folder, host=host, port=port)
    listening = listen(settings)
    with listening.socket, _opened(settings) as engine:
        _say_where(engine, listening.base_url)
        run(engine, listening)


@app.command()
def demo(
    media: Annotated[Path, typer.Option(help="Folder that `kyomei build-demo` wrote.")],
    data: Data = None,
    host: Host = None,
    port: Port = None,
) -> None:
    """Index the demo media once, then serve them."""
    from service.demo import example_query, index_demo
    from service.routes.examples import curl_line
    from service.serving import listen, run

    settings = _settings(data=data, host=host, port=port)
    listening = listen(settings)
    with listening.socket, _opened(settings) as engine:
        for name, report in index_demo(engine, media):
            _say_report(name, report)
        _say_where(engine, listening.base_url)
        example = example_query(engine, media)
        if example is not None:
            line = curl_line(
                example.source,
                example.target,
                file=str(example.file),
                base_url=listening.base_url,
            )
            typer.echo(f"  try:  {line}")
        run(engine, listening)


@app.command()
def index(
    origin: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER_OR_MANIFEST",
            help="Folder of media, or a table of files (.csv, .jsonl) with a column path.",
        ),
    ],
    data: Data = None,
    space_folder: SpaceFolders = None,
    space: Annotated[
        list[str] | None,
        typer.Option(help="Name of a space to place the items in; all that fit when left out."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that read files; KYOMEI_DECODE_WORKERS if left out."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write the skipped files there, a JSON object a line.")
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Read the files on a Ray cluster; `local` starts one on this machine.",
        ),
    ] = None,
    collection: Named = None,
) -> None:
    """Add a folder of media to the collection; what is there already is passed over."""
    from service.ingest import index_folder

    if not origin.exists():
        raise DataError(f"expected a folder of media or a manifest, there is no {origin}")
    own_workers = workers if ray is None else 1
    settings = _settings(collection, data=data, spaces=space_folder, decode_workers=own_workers)
    with ExitStack() as stack:
        engine = stack.enter_context(_opened(settings))
        unknown = sorted(set(space or ()) - set(engine.embedder.spaces))
        if unknown:
            known = ", ".join(engine.embedder.spaces)
            raise DataError(f"expected a space of {known}, got {', '.join(unknown)}")
        reader = None if ray is None else stack.enter_context(_cluster(ray, settings, workers))
        done = index_folder(
            engine.embedder,
            engine.collection,
            origin,
            spaces=space or None,
            reader=reader,
            report=report,
        )
    _say_report(str(origin), done)
    if done.added + done.present == 0:
        raise typer.Exit(1)


@app.command()
def search(
    file: Annotated[Path, typer.Argument(help="The query.")],
    to: Annotated[Modality, typer.Option(help="What to look for.")],
    source: Annotated[
        Modality | None,
        typer.Option("--from", help="What to take the file as; judged by its content if left out."),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Most results.")] = 10,
    space: Annotated[str | None, typer.Option(help="Name of the space.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
    data: Data = None,
    collection: Named = None,
    space_folder: SpaceFolders = None,
) -> None:
    """Find the items nearest to a file, without a server."""
    from service.engine import SearchOptions
    from service.routes.answers import search_answer

    if not file.is_file():
        raise DataError(f"expected a file as the query, there is no file {file}")
    settings = _settings(collection, data=data, spaces=space_folder)
    with _opened(settings) as engine:
        taken_as = source or engine.embedder.probe(file).modality
        answer = engine.search(file, taken_as, to, SearchOptions(k=k, space=space))
    if as_json:
        body = search_answer(answer).model_dump(mode="json")
        typer.echo(json.dumps(body, indent=2, ensure_ascii=False))
        return
    if answer.note:
        typer.echo(f"typicality {answer.typicality:.2f}: {answer.note}", err=True)
    if not answer.results:
        _say_empty_spaces(engine)
        typer.echo(f"no {to} in space {answer.space}", err=True)
    for hit in answer.results:
        label = f" [{hit.item.label}]" if hit.item.label else ""
        typer.echo(f"{hit.rank:3d}  {hit.score:6.3f}  {hit.item.title}{label}  {hit.item.id}")


@app.command()
def reindex(data: Data = None, collection: Named = None, space_folder: SpaceFolders = None) -> None:
    """Place every item anew in the loaded spaces, after a space was trained again."""
    from service.reindex import reindex_collection

    settings = _settings(collection, data=data, spaces=space_folder)
    _set_up(settings)
    report = reindex_collection(settings)
    for name, count in report.placed.items():
        typer.echo(f"{name}: {count} items placed")
    for item, reason in report.skipped:
        typer.echo(f"  left out {item}: {reason}", err=True)


@app.command()
def check(
    data: Data = None,
    collection: Named = None,
    space_folder: SpaceFolders = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Check items, media, rows, vectors and indexes; exit code 1 when something is wrong."""
    from service.repair import check_collection, report_lines, report_values

    settings = _settings(collection, data=data, spaces=space_folder)
    _set_up(settings)
    outcome = check_collection(settings, repair=repair, progress=not quiet)
    if as_json:
        typer.echo(json.dumps(report_values(settings, outcome), indent=2, ensure_ascii=False))
    else:
        for line in report_lines(outcome):
            typer.echo(line)
    if not outcome.is_clean:
        raise typer.Exit(1)


@app.command()
def backup(
    to: Annotated[Path, typer.Option(help="New folder, or new file ending in .tar.")],
    data: Data = None,
    collection: Named = None,
    quiet: Quiet = False,
) -> None:
    """Copy catalog and media, also of a collection that is being served."""
    from service.collection.archive import save

    settings = _settings(collection, data=data)
    if settings.database_url is not None:
        raise DataError(
            "expected a catalog in SQLite; back KYOMEI_DATABASE_URL up with the tools of that "
            "database (pg_dump), then copy the folder media/"
        )
    note = save(settings.data, to, progress=not quiet)
    typer.echo(f"{to}: {note.items} items, {note.media_bytes} bytes of media")


@app.command()
def restore(
    backup: Annotated[Path, typer.Argument(help="What `kyomei backup` wrote.")],
    data: Data = None,
    collection: Named = None,
    quiet: Quiet = False,
) -> None:
    """Make a new data folder from a backup; every file is checked on the way."""
    from service.collection.archive import load

    settings = _settings(collection, data=data)
    note = load(backup, settings.data, progress=not quiet)
    typer.echo(f"{settings.data}: {note.items} items as of {note.made_at}")


@app.command()
def migrate(data: Data = None, collection: Named = None) -> None:
    """Bring the catalog of an older Kyomei up to date; the old one is kept."""
    from service.collection.migrate import migrate_folder

    settings = _settings(collection, data=data)
    _set_up(settings)
    done = migrate_folder(settings.data, settings.database_url)
    if done.found == done.now:
        typer.echo(f"{settings.data}: schema version {done.now} already, nothing to do")
        return
    kept = "" if done.copy is None else f"; the old catalog is kept in {done.copy}"
    typer.echo(f"{settings.data}: schema version {done.found} is now {done.now}{kept}")


def _settings(collection: str | None = None, **given: Any) -> "Settings":
    """Read the environment; options of the command line come first.

    Args:
        collection: Name of one in the file of ``KYOMEI_COLLECTIONS``; its data folder and spaces
            come before ``given``.
        given: Settings.
    """
    from pydantic import ValidationError

    from service.collections import settings_of
    from service.settings import Settings

    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        wrong = "; ".join(
            f"KYOMEI_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()
        )
        raise DataError(f"a setting is wrong: {wrong}") from error
    return settings_of(settings, collection) if collection is not None else settings


def _set_up(settings: "Settings") -> None:
    """One thread per search (set before FAISS and BLAS load), one format for the log."""
    os.environ.setdefault("OMP_NUM_THREADS", str(settings.threads))
    level = settings.log_level.upper()
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("faiss.loader").setLevel(logging.WARNING)  # tells which CPU build it tried


@contextmanager
def _opened(settings: "Settings") -> "Iterator[Engine]":
    _set_up(settings)
    from service.engine import Engine

    engine = Engine.open(settings)
    try:
        yield engine
    finally:
        engine.close()


def _cluster(address: str, settings: "Settings", workers: int | None) -> "RayReader":
    try:
        from service.ray_reader import RayReader
    except ModuleNotFoundError as error:
        raise DataError(f"--ray needs Ray: pip install 'kyomei[ray]' ({error})") from error
    return RayReader(address, settings, workers=workers)


def _say_report(name: str, report: "IndexReport") -> None:
    typer.echo(
        f"{name}: {report.added} added, {report.present} already there, "
        f"{report.n_skipped} skipped, {report.seconds:.1f} s"
    )
    for path, reason in report.skipped:
        typer.echo(f"  skipped {path}: {reason}", err=True)
    if report.n_skipped > len(report.skipped):
        typer.echo(f"  ... {report.n_skipped} in all; --report FILE names every one", err=True)


def _say_empty_spaces(engine: "Engine") -> None:
    """Items lie in the spaces that were open when they came; a new one is filled by reindex."""
    statistics = engine.collection.statistics()
    for name in engine.embedder.spaces:
        if statistics.items and not sum(statistics.embeddings.get(name, {}).values()):
            typer.echo(f"  space {name} holds none of the items: run kyomei reindex", err=True)


def _say_where(engine: "Engine", base_url: str) -> None:
    items = sum(engine.collection.statistics().items.values())
    names = ", ".join(engine.embedder.spaces)
    typer.echo(f"{items} items, spaces: {names}")
    _say_empty_spaces(engine)
    typer.echo(f"  page: {base_url}/")
    typer.echo(f"  API:  {base_url}/docs")
