"""The answers of the service as they appear in JSON and in ``/docs``."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from models.types import Modality

MetadataValue = bool | int | float | str


class Answer(BaseModel):
    """Base of every answer: fields are complete, never invented by the client."""

    model_config = ConfigDict(frozen=True)


class ItemAnswer(Answer):
    """One item of the collection."""

    id: str = Field(description="Stable id, made from modality and content.")
    work_id: str | None = Field(description="Shared by items that belong together.")
    modality: Modality
    title: str
    label: str | None = Field(description="Class, if known.")
    media_type: str = Field(examples=["video/mp4"])
    bytes: int
    sha256: str
    created_at: datetime
    media_url: str = Field(description="The file itself; supports range requests.")
    preview_url: str = Field(description="A PNG, or the first lines as text for lyrics.")
    metadata: dict[str, MetadataValue]
    tags: list[str]


class ItemPage(Answer):
    """A page of items in the order they were added."""

    total: int = Field(description="Number of items that pass the filter.")
    offset: int
    items: list[ItemAnswer]
    next: str | None = Field(
        description="`cursor` of the next page; null when this page is the last."
    )


class QueryAnswer(Answer):
    """What the service understood the query to be."""

    modality: Modality
    media_type: str
    sha256: str
    bytes: int
    duration_seconds: float | None = None
    width: int | None = None
    height: int | None = None
    pages: int | None = None
    lines: int | None = None
    characters: int | None = None
    item_id: str | None = Field(default=None, description="Set when the query is a stored item.")
    typicality: float = Field(
        description="1: like what the space was trained on; near 0: unlike all of it."
    )
    note: str | None = Field(default=None, description="Set when the typicality is below 0.5.")


class TookAnswer(Answer):
    """Milliseconds of each step; a stored item needs only the search."""

    decode: float | None = None
    features: float | None = None
    project: float | None = None
    search: float
    total: float


class PlaceAnswer(Answer):
    """Where a part lies in a song; what does not apply is null."""

    first_bar: int | None = Field(default=None, description="1 for the first bar of the file.")
    last_bar: int | None = Field(default=None, description="Inclusive.")
    start_seconds: float | None = Field(
        default=None, description="Of notation, at the written tempo without repeats."
    )
    end_seconds: float | None = None
    page: int | None = Field(default=None, description="Of a scan or PDF, from 1.")
    staff: int | None = Field(default=None, description="Line of music on that page, from 1.")
    first_line: int | None = Field(default=None, description="Of lyrics, from 1.")
    last_line: int | None = Field(default=None, description="Inclusive.")


class ExcerptAnswer(PlaceAnswer):
    """The part of a song that was found."""

    position: int = Field(description="1 for the first part of the song.")
    media_url: str = Field(
        description="The whole file; of a sound with `#t=start,end`, so that players begin there."
    )
    preview_url: str = Field(description="A picture of this part, or its lines as text.")


class ResultAnswer(Answer):
    """One result."""

    rank: int = Field(description="1 for the best.")
    score: float = Field(description="Cosine similarity times the typicality of the query.")
    item: ItemAnswer
    excerpt: ExcerptAnswer | None = Field(
        default=None, description="The best part of a song that was cut; null for a whole item."
    )
    query_excerpt: PlaceAnswer | None = Field(
        default=None, description="The part of the query that found it, when it was cut too."
    )


class SearchAnswerBody(Answer):
    """The nearest items, best first."""

    query: QueryAnswer
    space: str
    took_ms: TookAnswer
    results: list[ResultAnswer]
    next: str | None = Field(
        description="`cursor` of the next page of the same search; null at the end."
    )


class ViewAnswer(Answer):
    """One modality of a space."""

    modality: str
    dimension: int = Field(description="D: size of the feature row.")
    extractor: str | None
    extractor_fingerprint: str | None = Field(
        description="Of the extractor and its parameters, equal in training and here."
    )
    items: int = Field(description="Items of the collection that lie in this space.")
    index: dict[str, str | int | float | bool | None] = Field(
        description="Of these items: type, number of vectors and measured recall."
    )


class SpaceAnswer(Answer):
    """A space that is served."""

    name: str
    method: str
    n_components: int = Field(description="K: size of the subspace.")
    fingerprint: str
    weights_sha256: str
    dataset: str
    licence: str
    views: list[ViewAnswer]
    pairs: list[str] = Field(examples=[["audio-to-video"]])


class CollectionAnswer(Answer):
    """A collection that is served."""

    name: str = Field(examples=["default"])
    collection_id: str = Field(description="Made with the catalog; its indexes name the same.")
    schema_version: int = Field(description="Of the catalog.")
    sequence: int = Field(description="Number of the last change; it grows with every change.")
    items: dict[str, int] = Field(description="Number of items of each modality.")
    works: int = Field(description="Number of different work ids.")
    media_bytes: int
    spaces: list[str]


class HealthAnswer(Answer):
    """Whether the service can answer."""

    status: str = Field(description="ok, or degraded.", examples=["ok"])
    reason: str | None = Field(default=None, description="Set when degraded: what does not work.")


class ProblemAnswer(Answer):
    """A failure, RFC 9457."""

    type: str = Field(examples=["urn:kyomei:error:damaged"])
    title: str
    status: int
    detail: str = Field(description="What was expected, what came, and what to do.")
    errors: list[dict[str, str]] | None = Field(
        default=None, description="For invalid-request: location and message of each parameter."
    )
