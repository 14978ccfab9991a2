"""``/health/live`` and ``/health/ready``, for people and for container engines."""

from fastapi import APIRouter

from service.dependencies import EnginesDep
from service.errors import ProblemError
from service.routes.answers import problems
from service.schemas import HealthAnswer

router = APIRouter(prefix="/health", tags=["service"])


@router.get("/live", operation_id="is_live", response_model_exclude_none=True)
async def is_live() -> HealthAnswer:
    """Say that the process answers at all."""
    return HealthAnswer(status="ok")


@router.get(
    "/ready",
    operation_id="is_ready",
    response_model_exclude_none=True,
    responses=problems("not-ready"),
)
async def is_ready(engines: EnginesDep) -> HealthAnswer:
    """Say that spaces and indexes are open and the extractors are warm; otherwise 503 and why.

    Degraded means that no file could be decoded when it was last tried; stored items still answer.
    It asks nothing of the disk or the thread pool, so a busy service still counts as ready.
    """
    waiting = [engine.waiting_for for engine in engines.values() if engine.waiting_for is not None]
    if waiting:
        raise ProblemError("not-ready", f"Not yet: {waiting[0]}")
    trouble = next(filter(None, (engine.embedder.trouble for engine in engines.values())), None)
    return HealthAnswer(status="ok" if trouble is None else "degraded", reason=trouble)


router.add_api_route(
    "/live",
    is_live,
    methods=["HEAD"],
    include_in_schema=False,
    response_model_exclude_none=True,
)
router.add_api_route(
    "/ready",
    is_ready,
    methods=["HEAD"],
    include_in_schema=False,
    response_model_exclude_none=True,
)
