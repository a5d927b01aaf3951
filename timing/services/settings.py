"""The settings of the service: defaults, then the configuration file, then ``TIMING_…`` in the environment, then the command line."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import DirectoryPath, Field, FilePath, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from timing.domain.errors import ConfigurationError
from timing.services.hosts import PAGES

Port = Annotated[int, Field(ge=0, le=65535)]


class Settings(BaseSettings):
    """Every setting of ``timing serve``. Unknown names in the file are refused. A port 0 means any free one."""

    model_config = SettingsConfigDict(env_prefix="TIMING_", env_ignore_empty=True, extra="forbid", frozen=True, validate_default=True)

    log: Annotated[Path, Field(description="the event log's file; made if it is not there")] = Path("parcferme.db")
    broker: Annotated[str, Field(pattern=r"^(embedded|mqtts?://\S+)$", description="`embedded`, or an outside broker's address")] = (
        "embedded"
    )
    client_id: Annotated[
        str, Field(min_length=1, max_length=23, description="this service's name at the broker; keeps its session there")
    ] = "parcferme"
    mqtt_host: Annotated[str, Field(description="the address on which the embedded broker listens")] = "127.0.0.1"
    mqtt_port: Annotated[Port, Field(description="the embedded broker's port; a free one is found if it is taken")] = 1883
    mqtt_anonymous: Annotated[
        bool | None,
        Field(description="whether the embedded broker takes anybody while it has no users; left out: if it listens on this machine alone"),
    ] = None
    mqtt_certificate: Annotated[
        FilePath | None, Field(description="the embedded broker's certificate (PEM, with its chain); it then speaks TLS alone")
    ] = None
    mqtt_key: Annotated[FilePath | None, Field(description="its private key, where that is not in the certificate's file")] = None
    broker_ca: Annotated[
        FilePath | None, Field(description="who signs the outside broker's certificate (PEM), in place of those the system trusts")
    ] = None
    broker_certificate: Annotated[FilePath | None, Field(description="the certificate that an outside broker is shown")] = None
    broker_key: Annotated[FilePath | None, Field(description="its private key, where that is not in the certificate's file")] = None
    feed_host: Annotated[str, Field(description="the address on which the feed listens")] = "127.0.0.1"
    feed_port: Annotated[Port, Field(description="the WebSocket feed's port")] = 8765
    web_host: Annotated[str, Field(description="the address on which the pages listen")] = "127.0.0.1"
    web_port: Annotated[Port, Field(description="the pages' port")] = 8080
    certificate: Annotated[
        FilePath | None, Field(description="the certificate of pages and feed (PEM, with its chain); they then speak TLS alone")
    ] = None
    key: Annotated[FilePath | None, Field(description="its private key, where that is not in the certificate's file")] = None
    feed_url: Annotated[str | None, Field(description="the feed's address as browsers reach it, where a proxy stands before it")] = None
    replay_url: Annotated[
        str | None,
        Field(
            pattern=PAGES,
            description="where `replay serve` shows this log, as browsers reach it: an address, or `:PORT` of the pages' own host; "
            "the screens then lead there",
        ),
    ] = None
    root_path: Annotated[
        str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="the path under which a proxy shows the pages, such as `/timing`")
    ] = ""
    trusted_proxies: Annotated[
        tuple[str, ...], Field(description="addresses of proxies that may say who asks, and whether over TLS (`X-Forwarded-…`)")
    ] = ("127.0.0.1", "::1")
    web_connections: Annotated[int, Field(ge=1, le=100_000, description="the most connections to the pages at a time")] = 2_000
    max_screens: Annotated[int, Field(ge=1, le=1_000_000, description="the most screens on the feed at a time")] = 20_000
    max_screens_per_address: Annotated[
        int, Field(ge=1, le=1_000_000, description="the most screens from one address; a proxy before the feed is one")
    ] = 20_000
    rulebooks: Annotated[
        DirectoryPath | None, Field(description="a folder of rulebooks of one's own (NAME.toml), before those shipped")
    ] = None
    access: Annotated[
        Path | None, Field(description="the folder of what signs people in; left out, `LOG-access` beside the log; made if it is not there")
    ] = None
    viewing: Annotated[
        Literal["public", "signed-in"], Field(description="who may watch: everybody, or who is signed in for the session")
    ] = "public"
    allowed_origins: Annotated[
        tuple[str, ...],
        Field(description="origins of the pages that may send commands; left out, the host that is asked"),
    ] = ()
    commands_a_minute: Annotated[int, Field(ge=1, le=100_000, description="the most commands from one person over HTTP")] = 600
    sign_ins_a_minute: Annotated[int, Field(ge=1, le=100_000, description="the most attempts to sign in from one address")] = 20
    signing_key: Annotated[
        Path | None, Field(description="the private key's file (`timing key new`) with which results are signed; without one they are not")
    ] = None
    gather_ms: Annotated[int, Field(ge=0, le=1000, description="the longest a busy feed gathers changes before it sends a frame")] = 50
    batch: Annotated[int, Field(ge=1, le=10_000, description="the most messages taken from the broker into one commit")] = 256
    log_level: Annotated[
        str, Field(pattern="^(debug|info|warning|error)$", description="the least that is written to the service's own log")
    ] = "info"

    @property
    def access_folder(self) -> Path:
        """The folder of what signs people in."""
        return self.access or self.log.with_name(f"{self.log.name}-access")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the configuration file under the environment and the command line."""
        del dotenv_settings, file_secret_settings
        file = cls.model_config.get("toml_file")
        return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, file)) if file else (init_settings, env_settings)


def load_settings(config: Path | None = None, **given: object) -> Settings:
    """Gather the settings; ``given`` are those of the command line, ``None`` for those left out.

    Raises:
        ConfigurationError: naming each setting that cannot be used, and why.

    """
    if config is not None and not config.is_file():
        raise ConfigurationError(f"there is no configuration file {config}; give the path of one, or leave --config out")

    class FromFile(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        return FromFile(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]  # checked by pydantic
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False))
        raise ConfigurationError(f"settings that cannot be used: {faults}") from None
    except ValueError as error:
        raise ConfigurationError(f"{config}: {error}") from None
