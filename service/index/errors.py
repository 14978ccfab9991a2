"""Errors of the index settings."""

from models.errors import KyomeiError


class IndexSettingError(KyomeiError):
    """An index setting asks for what this machine or this version does not have."""
