"""Items, media and vectors of one data directory, kept in step.

The names below are all that the rest of the service needs.
"""

from service.catalog.records import Embedding, Filter, Item, SpaceRef, Statistics
from service.collection.collection import Collection
from service.collection.errors import StorageFullError
from service.collection.new_item import NewItem

__all__ = [
    "Collection",
    "Embedding",
    "Filter",
    "Item",
    "NewItem",
    "SpaceRef",
    "Statistics",
    "StorageFullError",
]
