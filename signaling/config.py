"""One frozen configuration: command line over environment over YAML file over defaults; unknown keys stop the start."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

PREFIX = "ZHUANDI_"
FILE_VARIABLE = "ZHUANDI_CONFIG"
MIN_KEY_BYTES = 32
Port = Annotated[int, Field(ge=0, le=65535)]


class ConfigError(Exception):
    """The configuration cannot be used; the text has one line for each mistake."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Listen(_Part):
    """Where people's browsers come in."""

    host: str = ""
    port: Port = 8443
    http_port: Port = 8080


class Tls(_Part):
    """A certificate of your own; empty: a local certificate authority."""

    cert: str = ""
    key: str = ""


class Rtc(_Part):
    """Where media flows: UDP, and TCP on the same number."""

    port: Port = 7882
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    addresses: tuple[str, ...] = ()


class Metrics(_Part):
    """The Prometheus listener, `host:port`; empty: none."""

    listen: str = "127.0.0.1:9600"


class LessonLimits(_Part):
    """How long a lesson without a teacher stays open, how many classrooms and Mbit/s it takes, and its questions."""

    idle_close_s: Annotated[int, Field(ge=10)] = 600
    max_receivers: Annotated[int, Field(ge=1, le=10_000)] = 500
    max_mbit_s: Annotated[float, Field(ge=0, le=1e6)] = 0
    questions_days: Annotated[float, Field(ge=1, le=3650)] = 30


class NodeLimits(_Part):
    """What all lessons of this server may take together (0 Mbit/s: no limit), and how many newcomers enter a second."""

    max_receivers: Annotated[int, Field(ge=1, le=100_000)] = 2000
    max_mbit_s: Annotated[float, Field(ge=0, le=1e6)] = 0
    joins_per_s: Annotated[float, Field(ge=1, le=10_000)] = 200


class Recording(_Part):
    """Whether lessons are recorded, the free disk space that a new one needs, and which pictures are taken."""

    enabled: bool = True
    min_free_bytes: Annotated[int, Field(ge=0)] = 1_000_000_000
    layers: Literal["best", "watched"] = "best"


class Log(_Part):
    """What our processes write about themselves; `file` is data/logs/<process>.log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "text"] = "json"
    to: Literal["file", "stderr"] = "file"


class Demo(_Part):
    """The demo lesson: a teacher of ours who repeats three minutes for ever."""

    enabled: bool = False
    keep: Annotated[int, Field(ge=1)] = 3


class EmulatedLink(_Part):
    """A way in over an emulated link, TCP and UDP on one port; without a profile `zhuandi link` serves that port."""

    port: Port
    profile: str = ""

    @field_validator("profile")
    @classmethod
    def _known_profile(cls, name: str) -> str:
        if name:
            from signaling.emulator.profiles import named_profile

            named_profile(name)
        return name


# Known to be good: checked, it would load the packet core for every small command.
DEMO_LINKS = (EmulatedLink.model_construct(port=8444, profile="64k-loss10"),)


class Config(BaseSettings):
    """All that can be set; docs/zhuandi.yml shows it with comments."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", yaml_file=None
    )

    data: str = "data"
    listen: Listen = Listen()
    tls: Tls = Tls()
    rtc: Rtc = Rtc()
    metrics: Metrics = Metrics()
    lesson: LessonLimits = LessonLimits()
    node: NodeLimits = NodeLimits()
    recording: Recording = Recording()
    log: Log = Log()
    demo: Demo = Demo()
    timezone: str = "Asia/Shanghai"
    # For tests: a file with the seconds that the clock of lessons is ahead of this machine's.
    clock_file: str = ""
    # For development: never set in production. None: what the demonstration has, and nothing elsewhere.
    links: Annotated[tuple[EmulatedLink, ...] | None, NoDecode] = None
    keys: dict[str, str] = Field(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name} is no time zone; take a name such as Asia/Shanghai") from None
        return name

    @field_validator("links", mode="before")
    @classmethod
    def _links_in_short(cls, links: Any) -> Any:
        """`8444:64k-loss10,8445` as people type it."""
        if not isinstance(links, str):
            return links
        pairs = [item.partition(":") for item in links.split(",") if item.strip()]
        return [{"port": port.strip(), "profile": profile.strip()} for port, _, profile in pairs]

    @property
    def emulated_links(self) -> tuple[EmulatedLink, ...]:
        """Ways in over emulated links."""
        if self.links is None:
            return DEMO_LINKS if self.demo.enabled else ()
        return self.links

    @field_validator("keys")
    @classmethod
    def _long_keys(cls, keys: dict[str, str]) -> dict[str, str]:
        for name, secret in keys.items():
            if len(secret.encode()) < MIN_KEY_BYTES:
                raise ValueError(f"the secret of key {name} is shorter than {MIN_KEY_BYTES} bytes")
        return keys

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, environment, file; in this order."""
        return init_settings, env_settings, YamlConfigSettingsSource(settings_cls)

    @property
    def local_host(self) -> str:
        """The address at which our own programs on this machine reach the listeners."""
        anywhere = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
        return anywhere.get(self.listen.host, self.listen.host)

    def local_url(self, http_port: int) -> str:
        """Where our own programs on this machine reach the server without TLS."""
        host = self.local_host
        return f"http://[{host}]:{http_port}" if ":" in host else f"http://{host}:{http_port}"

    @property
    def data_dir(self) -> Path:
        """The data folder, absolute."""
        return Path(self.data).absolute()


def load_config(path: Path | None = None, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read file, environment and `overrides` (dotted key -> value); raises `ConfigError`."""
    if path is None and (named := os.environ.get(FILE_VARIABLE)):
        path = Path(named)
    if path is not None and not path.is_file():
        raise ConfigError(f"there is no configuration file {path}")
    complaints = [_unknown(key) for key in _unknown_variables()]
    if complaints:
        raise ConfigError("\n".join(complaints))

    class FromFile(Config):
        model_config = SettingsConfigDict(yaml_file=path)

    try:
        return FromFile(**_nested(overrides or {}))
    except ValidationError as error:
        raise ConfigError("\n".join(_complaint(item) for item in error.errors())) from None
    except (yaml.YAMLError, OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: {' '.join(str(error).split())}") from None


def known_keys(model: type[BaseModel] = Config, prefix: str = "") -> list[str]:
    """Every valid dotted key."""
    keys: list[str] = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            keys += known_keys(kind, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys


def dump_yaml(config: Config) -> str:
    """The whole configuration as YAML; secrets are hidden."""
    values = config.model_dump(mode="json")
    values["keys"] = dict.fromkeys(values["keys"], "(hidden)")
    return str(yaml.safe_dump(values, sort_keys=False, allow_unicode=True))


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for key, value in overrides.items():
        *parents, leaf = key.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return tree


def _unknown_variables() -> list[str]:
    """Environment variables of ours whose first part is no key; pydantic would overlook them."""
    first = {name.upper() for name in Config.model_fields}
    names = [n for n in os.environ if n.startswith(PREFIX) and n != FILE_VARIABLE]
    return [n[len(PREFIX) :].lower().replace("__", ".") for n in names if n[len(PREFIX) :].split("__")[0] not in first]


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, known_keys(), n=1, cutoff=0.4)
    return f"unknown key {key}" + (f": did you mean {near[0]}?" if near else "")


def _complaint(item: Any) -> str:
    key = ".".join(str(part) for part in item["loc"])
    return _unknown(key) if item["type"] == "extra_forbidden" else f"{key}: {item['msg']}"
