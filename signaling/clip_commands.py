"""`zhuandi clips`: the micro-lessons of a lesson from the command line."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from signaling.cli_common import ConfigFile, DataFolder, Settings, ask, config_of, fail

STEPS = ("accept", "publish", "withdraw")
HELP = """The micro-lessons of a recorded lesson: list, propose again, accept, publish, withdraw.

Examples:

    zhuandi clips p17-20261122                 what is proposed, also while the lesson runs

    zhuandi clips p17-20261122 propose         make those anew that nobody touched

    zhuandi clips p17-20261122 accept 2 3

    zhuandi clips p17-20261122 publish 2 --json

    zhuandi clips p17-20261122 withdraw 2      its links answer 403 from then on
"""

Lesson = Annotated[str, typer.Argument(help="The recording's id, as in the library.")]
What = Annotated[str, typer.Argument(help="list, propose, accept, publish or withdraw.")]
Numbers = Annotated[list[int] | None, typer.Argument(help="Which clips.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def clips(
    lesson: Lesson,
    what: What = "list",
    numbers: Numbers = None,
    as_json: AsJson = False,
    config: ConfigFile = None,
    settings: Settings = None,
    data: DataFolder = None,
) -> None:
    """List or change them; the server must run."""
    if what not in ("list", "propose", *STEPS):
        fail(f"{what} is none of: list, propose, {', '.join(STEPS)}")
    if what in STEPS and not numbers:
        fail(f"{what} which clip? For example: zhuandi clips {lesson} {what} 1")
    known, path = config_of(config, settings, data), f"/api/library/{lesson}/clips"
    if what == "propose":
        ask(known, "POST", f"{path}/propose", {})
    for number in numbers or [] if what in STEPS else []:
        ask(known, "POST", f"{path}/{number}/{what}", {})
    book = ask(known, "GET", path)
    if as_json:
        typer.echo(json.dumps(book, ensure_ascii=False))
        return
    for clip in book["clips"]:
        typer.echo(_line(clip))
    if not book["clips"]:
        typer.echo("no micro-lessons yet")


def _line(clip: dict[str, Any]) -> str:
    words = f"{_clock(clip['start_s'])}-{_clock(clip['end_s'])}  {clip['state']:<10} {clip['confidence']:>4.0%}"
    problem = f"  ({clip['problem']})" if clip["problem"] else ""
    return f"{clip['number']:>3}  {words}  {clip['title']}{problem}"


def _clock(at_s: float) -> str:
    whole = round(at_s)
    return f"{whole // 60:02d}:{whole % 60:02d}"
