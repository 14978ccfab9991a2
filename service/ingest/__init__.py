"""Media -> features -> embeddings -> collection: one upload, or folders of millions."""

from service.ingest.bulk import index_folder
from service.ingest.new_item import new_item
from service.ingest.report import IndexReport

__all__ = ["IndexReport", "index_folder", "new_item"]
