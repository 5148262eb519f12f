"""Files that only we may read: mode 0600 from their first byte, replaced whole."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from signaling.config import Config


def write_secret(path: Path, content: bytes) -> None:
    """Put `content` there by rename; the folder is made, readable by us alone."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)


def api_keys(config: Config) -> dict[str, str]:
    """Key name -> secret: those of the configuration, or one of our own, made at the first start."""
    if config.keys:
        return dict(config.keys)
    path = config.data_dir / "secrets" / "key.json"
    if not path.exists():
        write_secret(path, json.dumps({"zhuandi": secrets.token_urlsafe(48)}).encode())
    keys: dict[str, str] = json.loads(path.read_text())
    return keys
