"""`zhuandi backup` and `zhuandi restore`."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

import typer

from signaling.cli_common import ConfigFile, DataFolder, Settings, config_of, fail

Media = Annotated[bool, typer.Option("--with-media", help="Also the files of the library, which are large.")]


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to be written; whoever has it can act as this server.")],
    with_media: Media = False,
    config: ConfigFile = None,
    settings: Settings = None,
    data: DataFolder = None,
) -> None:
    """Write database, secrets and the library's list to one file, also while the server runs."""
    from signaling.backup import BackupError, back_up

    try:
        back_up(config_of(config, settings, data).data_dir, file, with_media=with_media)
    except BackupError as error:
        fail(str(error))
    typer.echo(f"{file}: {file.stat().st_size} bytes")


def restore(
    file: Annotated[Path, typer.Argument(help="An archive of `zhuandi backup`.")],
    config: ConfigFile = None,
    settings: Settings = None,
    data: DataFolder = None,
) -> None:
    """Put a backup in the place of what the data folder holds; the server must be stopped."""
    from signaling.backup import BackupError
    from signaling.backup import restore as restore_from
    from signaling.data_lock import DataInUse

    try:
        done = restore_from(config_of(config, settings, data).data_dir, file)
    except (BackupError, DataInUse) as error:
        fail(str(error))
    moment = datetime.datetime.fromtimestamp(done.created_ms / 1000).astimezone()
    typer.echo(f"restored as of {moment:%Y-%m-%d %H:%M}; {done.lessons} lessons of the library")
    if done.without_media:
        typer.echo(f"{done.without_media} lessons are not shown: the backup was made without their media")
