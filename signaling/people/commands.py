"""`zhuandi person`: the first operator, and a way back in for the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from signaling.cli_common import ConfigFile, DataFolder, Settings, ask, config_of, fail
from signaling.config import Config
from signaling.people.register import Register
from signaling.people.rights_table import ROLES
from signaling.people.roster import LOGIN

person_app = typer.Typer(no_args_is_help=True, help="People who sign in; everybody else comes by a roster.")


@person_app.command("add")
def person_add(
    login: Annotated[str, typer.Argument(help="Letters, digits and . _ - @")],
    name: Annotated[str, typer.Option("--name", help="The name that people see.")] = "",
    role: Annotated[str, typer.Option("--role", help=" ".join(r for r in ROLES if r != "classroom"))] = "operator",
    config: ConfigFile = None,
    settings: Settings = None,
    data: DataFolder = None,
) -> None:
    """Add a person and print the first password, which must be changed at the first sign-in."""
    login = login.lower()
    known = next((r for r in ROLES if r == role and r != "classroom"), None)
    if known is None:
        fail(f"{role} is no role of a person")
    if not LOGIN.fullmatch(login):
        fail("a login has 2 to 40 letters, digits or . _ - @")
    asked = {"login": login, "name": name or login, "role": known}
    _print(
        config_of(config, settings, data),
        lambda running: ask(running, "POST", "/api/people", asked)["password"],
        lambda register: register.add(login, name or login, known),
    )


@person_app.command("password")
def person_password(login: str, config: ConfigFile = None, settings: Settings = None, data: DataFolder = None) -> None:
    """Print a new first password; whoever is signed in with the old one is signed out."""
    _print(
        config_of(config, settings, data),
        lambda running: ask(running, "POST", f"/api/people/{login.lower()}/password")["password"],
        lambda register: _renew(register, login.lower()),
    )


async def _renew(register: Register, login: str) -> str:
    person = register.people.by_login.get(login)
    if person is None:
        raise ValueError(f"nobody has the login {login}")
    return await register.renew_password(person.id)


def _print(config: Config, by_server: Callable[[Config], str], by_hand: Callable[[Register], Awaitable[str]]) -> None:
    """By the running server, which keeps the register in memory, or in the database of a stopped one."""
    from signaling.data_lock import DataInUse, data_locked

    try:
        with data_locked(config.data_dir):
            password = asyncio.run(_in_database(config, by_hand))
    except DataInUse:
        password = by_server(config)
    except ValueError as error:
        fail(str(error))
    typer.echo(password)


async def _in_database(config: Config, work: Callable[[Register], Awaitable[str]]) -> str:
    from signaling.database.database import Database

    async with await Database.open(config.data_dir / "zhuandi.db") as database:
        register = Register(database)
        await register.load()
        return await work(register)
