"""What `walrus-agent` does without a network: new folders, errors in one line, exit codes by kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from storage_agent.cli.main import app
from storage_agent.cli.output import exit_code_of
from storage_agent.config import load_settings
from storage_agent.keys import files
from walrus_chain import errors
from walrus_chain.crypto.node_key import parse_node_key


def run(*arguments: object, code: int = 0) -> tuple[str, str]:
    """Output and errors of a command that ends with `code`."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.stdout, result.stderr


def init(folder: Path, deployment: Path, *more: str, code: int = 0) -> tuple[str, str]:
    """`walrus-agent init` with what it needs."""
    options = ["--name", "n", "--rpc", "http://a", "--rpc", "http://b", "--deployment", deployment]
    return run("init", folder, *options, *more, code=code)


def test_init__new_folder__settings_and_keys_that_open(tmp_path: Path, deployment: Path) -> None:
    out, _ = init(tmp_path / "agent", deployment, "--port", "9300", "--store", "s3://bucket/slivers", "--json")

    made = json.loads(out)
    settings = load_settings(Path(made["settings"]), {})
    assert (settings.node.name, settings.server.port, settings.storage.store) == ("n", 9300, "s3://bucket/slivers")
    assert settings.chain.rpc == ("http://a", "http://b")
    password = files.read_password(settings.keys.password_file)
    assert files.load_signer(settings.keys.signer, password).address == made["signer"]
    [master] = files.load_master_keys(settings.keys.encryption, password)
    assert parse_node_key(bytes.fromhex(made["encryptionKey"][2:]), made["signer"]) == master.public


def test_keys_show__names_them_and_shows_no_secret(tmp_path: Path, deployment: Path) -> None:
    made = json.loads(init(tmp_path / "agent", deployment, "--json")[0])
    settings = load_settings(Path(made["settings"]), {})
    password = files.read_password(settings.keys.password_file)
    newest, older = files.add_master_key(settings.keys.encryption, password)
    out, _ = run("keys", "show", "--config", made["settings"], "--json")

    shown = json.loads(out)
    assert shown["keys"] == ["0x" + key.public.key_id.hex() for key in (newest, older)]
    assert parse_node_key(bytes.fromhex(shown["encryptionKey"][2:]), made["signer"]) == newest.public
    assert shown["erasableKeys"] == 0
    for secret in (newest.to_bytes().hex(), older.to_bytes().hex(), password):
        assert secret not in out


def test_init__twice__refused_and_keys_untouched(tmp_path: Path, deployment: Path) -> None:
    init(tmp_path / "agent", deployment)
    before = (tmp_path / "agent" / "keys" / "signer.json").read_bytes()

    _, err = init(tmp_path / "agent", deployment, code=3)

    assert err.startswith("Error: ")
    assert "holds an agent's settings already" in err
    assert (tmp_path / "agent" / "keys" / "signer.json").read_bytes() == before


def test_init__no_deployment_file__nothing_made(tmp_path: Path) -> None:
    _, err = init(tmp_path / "agent", tmp_path / "nowhere.json", "--json", code=3)

    assert json.loads(err)["error"]["code"] == "MalformedDeployment"
    assert not (tmp_path / "agent").exists()


def test_run__no_settings__says_where_it_looked(tmp_path: Path) -> None:
    _, err = run("run", "--config", tmp_path / "agent.toml", code=3)

    assert str(tmp_path / "agent.toml") in err
    assert "walrus-agent init" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.MalformedAmount("x", "y"), 3),
        (errors.UnfitCandidates("none"), 3),
        (errors.MalformedMetadata("x"), 5),
        (errors.StoreUnavailable("x", "y"), 6),
        (errors.CatalogueBroken("x", "y"), 1),
    ],
)
def test_exit_code__says_what_can_be_done(error: errors.WalrusError, code: int) -> None:
    assert exit_code_of(error) == code


@pytest.mark.parametrize("url", ["node.example.org", "http://0.0.0.0:9185", "http://a/?x", "http://user:word@a"])
def test_register__address_that_nobody_connects_to__refused_before_anything_is_asked(
    tmp_path: Path, deployment: Path, url: str
) -> None:
    init(tmp_path / "agent", deployment)
    operator = tmp_path / "operator.json"
    files.write_signer(operator, bytes([7]) * 32, "word", scrypt_n=2)
    word = tmp_path / "word"
    word.write_text("word\n")
    word.chmod(0o600)

    _, err = run(
        *("register", "--config", tmp_path / "agent" / "agent.toml", "--url", url, "--region", "r"),
        *("--operator", operator, "--operator-password-file", word),
        code=3,
    )

    assert "is no address for an agent" in err
