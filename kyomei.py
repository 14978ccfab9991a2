"""The `kyomei` command: mounts the commands of training and service, nothing else."""

import sys

import typer

from models.errors import KyomeiError
from service.cli import app as service_app
from training.cli import app as training_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Cross-modal retrieval: sound, image, video, lyrics and sheet music in one space.",
)
app.add_typer(service_app)
app.add_typer(training_app)


def main() -> None:
    """Run a command; a user's mistake is one clear line on stderr and exit code 2."""
    try:
        app()
    except KyomeiError as error:
        _refuse(str(error))
    except OSError as error:  # a folder that cannot be made, a disk that is full
        _refuse(f"expected to use {error.filename or 'a file'}, got: {error.strerror or error}")


def _refuse(message: str) -> None:
    typer.echo(f"kyomei: {message}", err=True)
    sys.exit(2)


if __name__ == "__main__":
    main()
