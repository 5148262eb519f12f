"""The commands `zhuandi publish` and `zhuandi attend`; every failure is one line on standard error and status 1."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from signaling.ends.door import DoorPlan

Url = Annotated[str, typer.Option("--url", help="The server, as https://192.168.1.5:8443.")]
Lesson = Annotated[str, typer.Option("--lesson", help="The lesson's id.")]
Token = Annotated[str, typer.Option("--token", help="An access token; see `zhuandi token create`.")]
Authority = Annotated[Path | None, typer.Option("--ca", help="The server's own certificate authority (its /ca.crt).")]
Insecure = Annotated[bool, typer.Option("--insecure", help="Trust any certificate.")]
AsJson = Annotated[bool, typer.Option("--json", help="The report as one JSON object.")]


def publish(
    url: Url,
    lesson: Lesson,
    token: Token,
    file: Annotated[str, typer.Option("--file", help="A media file, or an rtsp:// or rtmp:// address.")],
    seconds: Annotated[float | None, typer.Option("--seconds", help="Stop after this time.")] = None,
    ca: Authority = None,
    insecure: Insecure = False,
) -> None:
    """Send a file or an IP camera into a lesson (WHIP); H.264 and Opus go through as they are."""
    from signaling.ends.publish import publish as run

    typer.echo(json.dumps(_run(run(_plan(url, token, ca, insecure), lesson, file, seconds))))


def attend(
    url: Url,
    lesson: Lesson,
    token: Token,
    seconds: Annotated[float, typer.Option("--seconds", help="How long.")] = 10.0,
    record: Annotated[Path | None, typer.Option("--record", help="Keep what was decoded in this .mkv file.")] = None,
    as_json: AsJson = False,
    ca: Authority = None,
    insecure: Insecure = False,
) -> None:
    """Watch a lesson (WHEP), decode everything, and say how well it came."""
    from signaling.ends.attend import attend as run

    report = _run(run(_plan(url, token, ca, insecure), lesson, seconds, str(record) if record else None))
    if as_json:
        typer.echo(json.dumps(report))
        return
    video, audio = report["video"], report["audio"]
    typer.echo(f"video: {video['frames']} frames, {video['width']}x{video['height']}, {video['freezes']} freezes")
    typer.echo(f"audio: {audio['frames']} frames, {audio['concealed_ratio']:.1%} concealed")
    typer.echo(f"received: {report['bytes']} bytes in {seconds:g} s")


def _plan(url: str, token: str, ca: Path | None, insecure: bool) -> DoorPlan:
    from signaling.ends.door import DoorPlan

    return DoorPlan(url, token, "classroom", str(ca) if ca else None, insecure)


def _run(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    import aiohttp

    from signaling.ends.door import Refused
    from signaling.ends.file_source import Unreadable

    try:
        return asyncio.run(work)
    except aiohttp.ClientConnectorCertificateError:
        words = "the server's certificate is not trusted: give its authority with --ca, or --insecure"
    except (Refused, Unreadable, aiohttp.ClientError, OSError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
    typer.echo(words, err=True)
    raise SystemExit(1)
