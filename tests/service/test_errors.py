import errno
import json
import re
import sqlite3

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from models.errors import ArtefactError, DataError, MediaError
from service.errors import PROBLEMS, TYPE_PREFIX, ProblemError, install_handlers, problem_response


def answer(error):
    """The response of an application whose only route raises the error."""
    app = FastAPI()
    install_handlers(app)

    def fail():
        raise error

    app.add_api_route("/", fail)
    with TestClient(app, raise_server_exceptions=False) as client:
        return client.get("/")


def full_database():
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ProblemError("busy", "No worker"), "busy"),
        (MediaError("too_large", "expected less"), "too-large"),
        (MediaError("mislabelled", "expected audio"), "mislabelled"),
        (DataError("expected a title"), "invalid-request"),
        (ArtefactError("waits for repair"), "internal"),
        (RuntimeError("surprise"), "internal"),
        (OSError(errno.ENOSPC, "full"), "disk-full"),
        (OSError(errno.EDQUOT, "quota"), "disk-full"),
        (OSError(errno.ENOENT, "gone"), "internal"),
        (full_database(), "disk-full"),
    ],
)
def test_every_error_has_its_problem(error, name):
    response = answer(error)
    body = response.json()
    assert body["type"] == TYPE_PREFIX + name
    assert response.status_code == body["status"] == PROBLEMS[name].status
    assert response.headers["content-type"] == "application/problem+json"


def test_a_full_disk_is_seen_behind_another_error():
    error = ArtefactError("cannot store")
    error.__cause__ = OSError(errno.ENOSPC, "full")
    assert answer(error).status_code == 507


def test_errors_not_meant_for_the_client_stay_in_the_log(caplog):
    response = answer(ArtefactError("/secret/path waits for repair"))
    assert "secret" not in response.text
    assert "/secret/path" in caplog.text


def test_the_detail_ends_with_the_advice():
    body = json.loads(bytes(problem_response("damaged", "expected WAV, got noise.").body))
    assert body["detail"] == f"expected WAV, got noise. {PROBLEMS['damaged'].advice}"


def test_only_what_may_pass_says_when_to_try_again():
    assert "retry-after" in problem_response("busy", "x").headers
    assert "retry-after" not in problem_response("damaged", "x").headers


def test_names_are_stable_words_and_every_media_reason_has_one():
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in PROBLEMS)
    reasons = {"empty", "unsupported", "mislabelled", "damaged", "too_large", "timeout"}
    assert {reason.replace("_", "-") for reason in reasons} <= set(PROBLEMS)
