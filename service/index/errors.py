"""Errors of the index settings."""

from models.errors import KyomeiError


class IndexUnreachableError(KyomeiError):
    """An index on another machine does not answer; what the catalog holds is not touched by it."""


class IndexSettingError(KyomeiError):
    """An index setting asks for what this machine or this version does not have."""
