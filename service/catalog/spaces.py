"""The spaces that embeddings lie in: one fingerprint each, so that vectors never mix."""

from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.orm import Session

from models.errors import DataError
from service.catalog.records import SpaceRef
from service.catalog.rows import space_values, to_space
from service.catalog.tables import EmbeddingRow, SpaceRow

NO_SPACE = -1


class SpaceTable:
    """Reads and writes the spaces of a catalog."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def all(self) -> dict[str, SpaceRef]:
        """Return the spaces by name."""
        with Session(self._engine) as session:
            rows = session.scalars(select(SpaceRow).order_by(SpaceRow.name))
            return {row.name: to_space(row) for row in rows}

    def id_of(self, name: str) -> int:
        """Return the key of a space, ``NO_SPACE`` when nothing was ever placed in it."""
        with self._engine.connect() as connection:
            found = connection.scalar(select(SpaceRow.id).where(SpaceRow.name == name))
        return NO_SPACE if found is None else found

    def put(self, connection: Connection, space: SpaceRef) -> int:
        """Write a space as it is from now on and return its key."""
        values = space_values(space)
        found = connection.scalar(select(SpaceRow.id).where(SpaceRow.name == space.name))
        if found is None:
            made = connection.execute(insert(SpaceRow).values(values).returning(SpaceRow.id))
            return int(made.scalar_one())
        connection.execute(update(SpaceRow).where(SpaceRow.id == found).values(values))
        return found

    def require(self, connection: Connection, space: SpaceRef) -> int:
        """Return the key of a space to add to, written when it is new or empty.

        Raises:
            DataError: When its embeddings come from another fingerprint.
        """
        query = select(SpaceRow.id, SpaceRow.fingerprint).where(SpaceRow.name == space.name)
        found = connection.execute(query).first()
        if found is not None and found.fingerprint == space.fingerprint:
            return int(found.id)
        count = select(func.count()).where(EmbeddingRow.space_id == (found.id if found else None))
        if found is not None and connection.scalar(count):
            raise DataError(
                f"space {space.name!r}: expected embeddings of fingerprint {found.fingerprint}, "
                f"got {space.fingerprint}; run kyomei reindex first"
            )
        return self.put(connection, space)
