"""Settings: file, environment, and errors that name what to correct."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from storage_agent.config import FILE_VARIABLE, Settings, load_settings, read_settings, write_settings
from walrus_chain.errors import WrongSetting

MINIMAL = """
[node]
name = "harbour-1"
[storage]
data_dir = "data"
[chain]
rpc = ["http://127.0.0.1:8545"]
deployment = "network.json"
[keys]
signer = "signer.json"
password_file = "signer.password"
encryption = "/secret/encryption.key"
"""


def _read(text: str = MINIMAL, **environment: str) -> Settings:
    return read_settings(tomllib.loads(text), environment, "agent.toml", Path("/srv/agent"))


def test_load__minimal_file__defaults_and_paths_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(MINIMAL)
    settings = load_settings(file, {})
    assert settings.node.name == "harbour-1"
    assert settings.storage.catalogue == tmp_path / "data" / "catalogue.db"
    assert settings.storage.store_url == str(tmp_path / "data" / "slivers")
    assert settings.keys.encryption == Path("/secret/encryption.key")
    assert settings.chain.rpc == ("http://127.0.0.1:8545",)
    assert settings.server.port == 9185
    assert settings.log.level == "info"
    assert settings.keeper.enabled


def test_read__environment_counts_over_the_file() -> None:
    settings = _read(
        WALRUS_AGENT_SERVER_PORT="81",
        WALRUS_AGENT_CHAIN_RPC="http://a, http://b",
        WALRUS_AGENT_STORAGE_STORE="s3://bucket/slivers",
        WALRUS_AGENT_WORK_HEAL_DELAY_SECONDS="2.5",
        WALRUS_AGENT_KEEPER_SWEEP="False",
        PATH="/bin",
    )
    assert settings.server.port == 81
    assert settings.chain.rpc == ("http://a", "http://b")
    assert settings.storage.store_url == "s3://bucket/slivers"
    assert settings.work.heal_delay_seconds == 2.5
    assert (settings.keeper.sweep, settings.keeper.report_misses) == (False, True)


def test_read__name_of_the_file_itself__is_no_setting() -> None:
    assert _read(**{FILE_VARIABLE: "/elsewhere.toml"}) == _read()


def test_read__required_key_only_in_the_environment() -> None:
    text = MINIMAL.replace('name = "harbour-1"', "")
    assert _read(text, WALRUS_AGENT_NODE_NAME="quay-2").node.name == "quay-2"


def test_write__comes_back_the_same() -> None:
    settings = _read(WALRUS_AGENT_CHAIN_RPC='http://a"quoted,http://b')
    assert read_settings(tomllib.loads(write_settings(settings)), {}, "again", Path("/")) == settings


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        (('name = "harbour-1"', ""), "node.name", "a text: the node's registered name; it is missing"),
        (('name = "harbour-1"', 'name = ""'), "node.name", "a name; it is ''"),
        (('name = "harbour-1"', "name = 7"), "node.name", "it is 7"),
        (('name = "harbour-1"', 'nam = "x"'), "node.nam", "is name meant?"),
        (("[chain]", "[chian]"), "chian", "is chain meant?"),
        (("[chain]", "[chain]\nconfirmations = -1"), "chain.confirmations", "at least 0; it is -1"),
        (("[chain]", "[chain]\nconfirmations = true"), "chain.confirmations", "it is True"),
        (("[chain]", '[chain]\npoll_seconds = "soon"'), "chain.poll_seconds", "at least 0.01; it is 'soon'"),
        (('rpc = ["http://127.0.0.1:8545"]', "rpc = []"), "chain.rpc", "at least one address"),
        (('rpc = ["http://127.0.0.1:8545"]', "rpc = [1]"), "chain.rpc", "at least one address"),
        (("[chain]", "[server]\nport = 70000\n[chain]"), "server.port", "a port"),
        (("[chain]", '[log]\nlevel = "loud"\n[chain]'), "log.level", "one of debug, info, warning, error"),
        (("[chain]", "[keeper]\nenabled = 1\n[chain]"), "keeper.enabled", "true or false; it is 1"),
        (('data_dir = "data"', 'data_dir = ""'), "storage.data_dir", "a path"),
    ],
)
def test_read__wrong__names_file_key_and_what_is_expected(change: tuple[str, str], key: str, words: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        _read(MINIMAL.replace(*change))
    assert (caught.value.source, caught.value.key) == ("agent.toml", key)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("WALRUS_AGENT_SERVER_PORT", "many", "a port, 0 to 65535; it is 'many'"),
        ("WALRUS_AGENT_KEEPER_ENABLED", "maybe", "true or false; it is 'maybe'"),
        ("WALRUS_AGENT_SERVER_PROT", "81", "is WALRUS_AGENT_SERVER_PORT meant?"),
        ("WALRUS_AGENT_CHAIN_RPC", " ,", "at least one address"),
    ],
)
def test_read__wrong_variable__is_named(variable: str, value: str, words: str) -> None:
    with pytest.raises(WrongSetting) as caught:
        _read(**{variable: value})
    assert caught.value.source == "environment"
    assert variable in str(caught.value)
    assert words in str(caught.value)


def test_read__table_that_is_none__is_named() -> None:
    document: dict[str, Any] = tomllib.loads(MINIMAL) | {"server": 81}
    with pytest.raises(WrongSetting, match="server must be a table"):
        read_settings(document, {}, "agent.toml", Path("/"))


@pytest.mark.parametrize("text", [None, "not = = toml"])
def test_load__no_file_or_no_toml__says_so(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "agent.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(WrongSetting, match=r"agent\.toml"):
        load_settings(file, {})
