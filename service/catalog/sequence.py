"""The counter of changes: one row, moved on in the transaction of the change that it numbers.

The row stays locked until that transaction ends, so that changes become visible in the order of
their numbers, in every database and with any number of writers.
"""

from sqlalchemy import Connection, Engine, select, update

from service.catalog.tables import InfoRow


def advance(connection: Connection, steps: int = 1) -> int:
    """Move the counter on within a transaction and return where it stands then."""
    moved = (
        update(InfoRow)
        .where(InfoRow.row == 1)
        .values(sequence=InfoRow.sequence + steps)
        .returning(InfoRow.sequence)
    )
    return int(connection.execute(moved).scalar_one())


def current(engine: Engine) -> int:
    """Return the number of the last change that was committed."""
    with engine.connect() as connection:
        return int(connection.scalar(select(InfoRow.sequence).where(InfoRow.row == 1)) or 0)
