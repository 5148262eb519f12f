"""Configuration: precedence, strictness, and the sample file that never drifts from the defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from signaling.cli import app
from signaling.config import Config, ConfigError, known_keys, load_config

SAMPLE = Path(__file__).resolve().parents[2] / "docs" / "zhuandi.yml"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHUANDI_CONFIG", raising=False)


def test_the_sample_file_equals_the_defaults_and_names_every_key() -> None:
    assert load_config(SAMPLE).model_dump() == load_config().model_dump()
    words = SAMPLE.read_text()
    assert all(f"{key.split('.')[-1]}:" in words for key in known_keys())


def test_the_command_line_wins_over_the_environment_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "z.yml"
    file.write_text("rtc: {port: 1111, workers: 3}\nlisten: {port: 1112}\n")
    monkeypatch.setenv("ZHUANDI_RTC__PORT", "2222")
    config = load_config(file, {"listen.port": "3333"})
    assert (config.rtc.port, config.rtc.workers, config.listen.port) == (2222, 3, 3333)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rtc: {prot: 1}", "unknown key rtc.prot: did you mean rtc.port?"),
        ("lisen: {port: 1}", "did you mean listen.port?"),
        ("recording: {min_free_byte: 5}", "did you mean recording.min_free_bytes?"),
        ("rtc: {port: 70000}", "rtc.port"),
        ("log: {level: loud}", "log.level"),
        ("keys: {a: short}", "shorter than 32 bytes"),
        ("rtc: [1, 2", "z.yml"),
    ],
)
def test_a_mistake_stops_the_start_and_names_the_nearest_key(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "z.yml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert complaint in str(caught.value)


def test_a_misspelt_variable_stops_the_start_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHUANDI_RCT__PORT", "1")
    with pytest.raises(ConfigError, match=r"did you mean rtc\.port"):
        load_config()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration file"):
        load_config(tmp_path / "none.yml")


def test_the_configuration_is_frozen_and_travels_as_json() -> None:
    config = load_config(None, {"rtc.port": 5, "keys": {"k": "s" * 40}})
    with pytest.raises(ValueError, match="frozen"):
        config.data = "x"
    assert Config.model_validate_json(config.model_dump_json()).model_dump() == config.model_dump()


def test_the_commands_check_and_print_hide_secrets_and_complain_in_one_line() -> None:
    runner = CliRunner()
    secret = "s" * 40
    printed = runner.invoke(
        app, ["config", "print", "--set", "rtc.port=5"], env={"ZHUANDI_KEYS": f'{{"k": "{secret}"}}'}
    )
    assert printed.exit_code == 0 and "port: 5" in printed.output
    assert secret not in printed.output and "k: (hidden)" in printed.output
    assert runner.invoke(app, ["config", "check", str(SAMPLE)]).output.strip() == "ok"
    wrong = runner.invoke(app, ["config", "check", "--set", "rtc.prot=5"])
    assert wrong.exit_code == 1 and "did you mean rtc.port?" in wrong.output
