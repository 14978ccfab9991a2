"""The errors a caller can meet; each message says what was expected and what came."""


class KyomeiError(Exception):
    """Base of every error that Kyomei raises on purpose."""


class MediaError(KyomeiError):
    """The bytes are not the media that was asked for, or exceed a limit.

    Attributes:
        reason: One of ``empty``, ``unsupported`` (not a type we read), ``mislabelled`` (a type of
            another modality), ``damaged`` (the right type, but it does not decode), ``too_large``
            (bytes, pixels, pages, seconds or characters), ``timeout`` (decoding took too long).
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason

    def __reduce__(self) -> tuple[type["MediaError"], tuple[str, str]]:
        """Keep both arguments when the error crosses a process border."""
        return type(self), (self.reason, str(self))


class ShapeError(KyomeiError):
    """An array has another shape than the documented one."""


class ArtefactError(KyomeiError):
    """An artefact folder is missing, damaged or of another version; the message says the repair."""


class DataError(KyomeiError):
    """A data set or feature file is missing or not laid out as documented."""
