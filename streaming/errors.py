"""What can go wrong between a caller and the media process."""


class MediaError(Exception):
    """Base of all errors of this package."""


class CommandFailed(MediaError):
    """The media process answered a command with an error; `code` is for programs, `detail` for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class MediaUnavailable(MediaError):
    """There was no answer: the media process is away, or it went away while the command was under way."""


class NoSuchObject(MediaError):
    """A command named a lesson, transport, publication or subscription that does not stand."""
