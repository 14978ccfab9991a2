"""Parse XML that strangers wrote: no entity is declared, no other file read, no depth unbounded."""

import xml.etree.ElementTree as ET
from xml.parsers import expat

from models.errors import MediaError

MAX_DEPTH = 200


def parse_xml(data: bytes | str, *, name: str) -> ET.Element:
    """Parse a document to a tree whose tags and attributes are spelt as in the file.

    A document type without entities, as every MusicXML file has, is accepted and not fetched.

    Args:
        data: The document.
        name: What it should be, for messages.

    Raises:
        MediaError: ``damaged`` when it is not well formed or nested too deeply, ``unsupported``
            when it declares entities (they can grow without bound or name other files).
    """
    builder = _Builder(name)
    parser = expat.ParserCreate()
    parser.EntityDeclHandler = builder.refuse_entity
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.tree.data
    try:
        parser.Parse(data, True)
        return builder.tree.close()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise MediaError(
            "damaged", f"expected a whole {name} file, its XML does not parse: {error}"
        ) from None


def local_name(element: ET.Element) -> str:
    """Tag without its namespace prefix."""
    return element.tag.rpartition(":")[2]


class _Builder:
    def __init__(self, name: str) -> None:
        self.tree = ET.TreeBuilder()
        self._name = name
        self._depth = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise MediaError(
                "damaged",
                f"expected {self._name} elements nested at most {MAX_DEPTH} deep, got more",
            )
        self.tree.start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self.tree.end(tag)

    def refuse_entity(self, entity: str, *_: object) -> None:
        raise MediaError(
            "unsupported",
            f"expected {self._name} without entity declarations, got <!ENTITY {entity} ...>",
        )
