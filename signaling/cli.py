"""The command `zhuandi`."""

from __future__ import annotations

import asyncio
import json
import platform
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from signaling.checks.doctor import HELP as DOCTOR_HELP
from signaling.checks.doctor import doctor
from signaling.cli_common import ConfigFile, DataFolder, Settings, ask, config_of, fail
from signaling.clip_commands import HELP as CLIPS_HELP
from signaling.clip_commands import clips
from signaling.config import Config, dump_yaml
from signaling.data_commands import backup, restore
from signaling.emulator.command import HELP as LINK_HELP
from signaling.emulator.command import link
from signaling.ends.commands import attend, publish
from signaling.people.commands import person_app
from signaling.people.rights_table import ROLES

VERSION = "0.1.0"
app = typer.Typer(no_args_is_help=True, add_completion=False, help="专递: a classroom media server.")
config_app = typer.Typer(no_args_is_help=True, help="The configuration.")
token_app = typer.Typer(no_args_is_help=True, help="Access tokens.")
room_app = typer.Typer(no_args_is_help=True, help="Lessons of a running server.")
app.add_typer(config_app, name="config")
app.add_typer(token_app, name="token")
app.add_typer(room_app, name="room")
app.add_typer(person_app, name="person")
app.command()(backup)
app.command()(restore)
app.command()(publish)
app.command()(attend)
app.command(help=CLIPS_HELP)(clips)
app.command(help=LINK_HELP)(link)
app.command(help=DOCTOR_HELP)(doctor)


@app.command()
def serve(config: ConfigFile = None, settings: Settings = None, data: DataFolder = None) -> None:
    """Run the server until Ctrl+C."""
    _serve(config_of(config, settings, data))


@app.command()
def demo(config: ConfigFile = None, settings: Settings = None, data: DataFolder = None) -> None:
    """Run the server with the demo lesson."""
    _serve(config_of(config, [*(settings or []), "demo.enabled=true"], data))


@app.command()
def version(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """The version."""
    values = {"version": VERSION, "python": platform.python_version(), "machine": platform.machine()}
    typer.echo(json.dumps(values) if as_json else VERSION)


@config_app.command("print")
def config_print(config: ConfigFile = None, settings: Settings = None, data: DataFolder = None) -> None:
    """The configuration as it would be used; secrets are hidden."""
    typer.echo(dump_yaml(config_of(config, settings, data)), nl=False)


@config_app.command("check")
def config_check(
    file: Annotated[Path | None, typer.Argument(help="The same as --config.")] = None,
    config: ConfigFile = None,
    settings: Settings = None,
    data: DataFolder = None,
) -> None:
    """Complain about mistakes, or say that there are none."""
    config_of(file or config, settings, data)
    typer.echo("ok")


@token_app.command("create")
def token_create(
    identity: Annotated[str, typer.Option("--identity", "-i", help="Who: `sub` of the token.")],
    room: Annotated[str | None, typer.Option("--room", "-r", help="The lesson's id.")] = None,
    role: Annotated[str, typer.Option("--role", help=" ".join(ROLES))] = "classroom",
    name: Annotated[str, typer.Option("--name", help="The name that people see.")] = "",
    join: Annotated[bool, typer.Option("--join", help="May join; always so, kept for familiar hands.")] = True,
    valid_for: Annotated[str, typer.Option("--valid-for", help="As 30m, 12h or 7d.")] = "12h",
    config: ConfigFile = None,
    settings: Settings = None,
    data: DataFolder = None,
) -> None:
    """Make a token, shaped as LiveKit's are."""
    from signaling.auth import mint, rights_for
    from signaling.secret_files import api_keys

    known = next((r for r in ROLES if r == role), None)
    if known is None or (known in ("classroom", "assistant") and not room):
        fail(f"a classroom's token needs --room; roles are {', '.join(ROLES)}")
    everywhere = known in ("operator", "reviewer", "patrol")
    rights = rights_for(
        known, identity, name or identity, None if everywhere else room, int(time.time()) + _seconds(valid_for)
    )
    key = next(iter(api_keys(config_of(config, settings, data)).items()))
    typer.echo(mint(rights, key, time.time()))


@room_app.command("ls")
def room_ls(config: ConfigFile = None, settings: Settings = None, data: DataFolder = None) -> None:
    """The lessons, one JSON object a line."""
    for lesson in ask(config_of(config, settings, data), "GET", "/api/lessons")["lessons"]:
        typer.echo(json.dumps(lesson, ensure_ascii=False))


@room_app.command("close")
def room_close(lesson: str, config: ConfigFile = None, settings: Settings = None, data: DataFolder = None) -> None:
    """End a lesson."""
    ask(config_of(config, settings, data), "POST", f"/api/lessons/{lesson}/close")


def _serve(config: Config) -> None:
    from signaling.banner import user_language
    from signaling.supervisor import StartFailed, Supervisor

    try:
        asyncio.run(Supervisor(config, language=user_language()).run())
    except StartFailed as error:
        fail(str(error))


def _seconds(text: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    number, unit = text[:-1], text[-1:]
    if unit not in units or not number.isdigit():
        fail(f"{text} is no duration: write it as 30m, 12h or 7d")
    return int(number) * units[unit]


if __name__ == "__main__":
    sys.exit(app())
