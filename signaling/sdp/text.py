"""SDP lines <-> sections, with bounds and line numbers; no meaning yet (RFC 8866)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_BYTES = 256 * 1024
MAX_SECTIONS = 64
MAX_LINE = 4096
MAX_ATTRIBUTES = 2048  # of one section: a browser's video section has some 250


class SdpError(ValueError):
    """A description that we refuse; `code` is the error code of PROTOCOL section 3, the text names the line."""

    def __init__(self, why: str, line: int | None = None, text: str = "", code: str = "bad_sdp") -> None:
        where = "" if line is None else f"line {line} ({text[:80]}): "
        super().__init__(f"{where}{why}")
        self.code = code
        self.line = line


@dataclass(frozen=True)
class Attribute:
    """One `a=` line: `name` or `name:value`, and where it stands."""

    name: str
    value: str
    line: int

    def error(self, why: str, code: str = "bad_sdp") -> SdpError:
        """The complaint about this line."""
        text = f"a={self.name}:{self.value}" if self.value else f"a={self.name}"
        return SdpError(why, self.line, text, code)


@dataclass
class Section:
    """The session part, or one `m=` line with what follows it."""

    line: int = 1
    kind: str = "session"
    port: int = 0
    protocol: str = ""
    formats: tuple[str, ...] = ()
    attributes: list[Attribute] = field(default_factory=list)

    def all(self, name: str) -> Iterator[Attribute]:
        """The attributes of one name, in order."""
        return (attribute for attribute in self.attributes if attribute.name == name)

    def first(self, name: str) -> Attribute | None:
        """The first attribute of a name."""
        return next(self.all(name), None)

    def error(self, why: str, code: str = "bad_sdp") -> SdpError:
        """The complaint about this section."""
        return SdpError(why, self.line, f"m={self.kind}", code)


def parse_sections(text: str) -> tuple[Section, list[Section]]:
    """The session part and the media sections; raises `SdpError`."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise SdpError(f"the description is longer than {MAX_BYTES} bytes")
    session = current = Section()
    sections: list[Section] = []
    lines = text.replace("\r\n", "\n").split("\n")
    if lines[0] != "v=0":
        raise SdpError("a description starts with v=0", 1, lines[0])
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        if len(line) > MAX_LINE:
            raise SdpError(f"the line is longer than {MAX_LINE} characters", number, line)
        if len(line) < 2 or line[1] != "=" or not line.isprintable():
            raise SdpError("a line is one letter, '=', and printable text", number, line)
        if line[0] == "m":
            current = _media_line(number, line)
            sections.append(current)
            if len(sections) > MAX_SECTIONS:
                raise SdpError(f"more than {MAX_SECTIONS} media sections", number, line)
        elif line[0] == "a":
            if len(current.attributes) >= MAX_ATTRIBUTES:
                raise SdpError(f"more than {MAX_ATTRIBUTES} attributes in one section", number, line)
            name, _, value = line[2:].partition(":")
            current.attributes.append(Attribute(name, value.strip(), number))
    return session, sections


def _media_line(number: int, line: str) -> Section:
    fields = line[2:].split()
    if len(fields) < 4:
        raise SdpError("a media line is m=<kind> <port> <protocol> <formats>", number, line)
    port = fields[1].split("/")[0]
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= 65535):
        raise SdpError("the port is a number up to 65535", number, line)
    if len(fields) - 3 > 128:
        raise SdpError("more than 128 formats", number, line)
    return Section(number, fields[0], int(port), fields[2], tuple(fields[3:]))
