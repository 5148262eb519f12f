"""What the commands share: options, the configuration, a question to the running server, an end with one line."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from signaling.config import Config, ConfigError, load_config

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="YAML file; docs/zhuandi.yml shows all keys.")]
Settings = Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE, as rtc.port=7882; may be repeated.")]
DataFolder = Annotated[Path | None, typer.Option("--data", help="The data folder.")]


def config_of(path: Path | None, settings: list[str] | None, data: Path | None) -> Config:
    """The configuration that these options name, or the end."""
    overrides: dict[str, Any] = {}
    for setting in settings or []:
        key, equals, value = setting.partition("=")
        if not equals:
            fail(f"--set takes KEY=VALUE, not {setting}")
        overrides[key.strip()] = value
    if data is not None:
        overrides["data"] = str(data)
    try:
        return load_config(path, overrides)
    except ConfigError as error:
        fail(str(error))


def ask(config: Config, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Ask the running server of this data folder, as an operator."""
    import urllib.error
    import urllib.request

    from signaling.auth import mint, operator_rights
    from signaling.secret_files import api_keys

    key = next(iter(api_keys(config).items()))
    token = mint(operator_rights("cli", "cli", int(time.time()) + 60), key, time.time())
    try:
        ports = json.loads((config.data_dir / "run" / "signalling.json").read_text())
        url = config.local_url(ports["http"]) + path
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(url, content, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        fail(json.load(error).get("detail", str(error)))
    except (OSError, ValueError) as error:
        fail(f"no server answers for {config.data_dir}: {error}")


def fail(words: str) -> NoReturn:
    """Say why, and end with an error."""
    typer.echo(words, err=True)
    raise SystemExit(1)
