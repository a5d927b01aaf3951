"""The settings: the documented file says the defaults, and each way of giving one goes before the next."""

import tomllib
from pathlib import Path

import pytest

from timing.domain.errors import ConfigurationError
from timing.services.settings import Settings, load_settings

CONFIG = Path(__file__).parents[1] / "config/timing.toml"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"TIMING_{name.upper()}", raising=False)


def test_the_documented_file_is_the_defaults() -> None:
    written = tomllib.loads(CONFIG.read_text("utf-8"))
    unset = {name for name, field in Settings.model_fields.items() if field.default is None}
    assert set(written) == set(Settings.model_fields) - unset
    assert load_settings(CONFIG).model_dump() == load_settings().model_dump()


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "timing.toml"
    file.write_text("mqtt_port = 1001\nfeed_port = 1001\nweb_port = 1001\n")
    monkeypatch.setenv("TIMING_FEED_PORT", "1002")
    monkeypatch.setenv("TIMING_WEB_PORT", "1002")
    settings = load_settings(file, web_port=1003, log=None)
    assert (settings.mqtt_port, settings.feed_port, settings.web_port) == (1001, 1002, 1003)
    assert settings.log == Path("parcferme.db")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mqtt_prot = 1883", "mqtt_prot"),
        ("mqtt_port = 70000", "mqtt_port"),
        ('broker = "localhost"', "broker"),
        ("mqtt_port = ", "timing.toml"),
        ('rulebooks = "nowhere"', "rulebooks"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    file = tmp_path / "timing.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=complaint):
        load_settings(file)


@pytest.mark.parametrize("name", ["rulebooks", "log", "web_port"])
def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"TIMING_{name.upper()}", "")
    assert load_settings().model_dump() == Settings.model_construct().model_dump()


def test_a_file_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no configuration file"):
        load_settings(tmp_path / "nowhere.toml")
