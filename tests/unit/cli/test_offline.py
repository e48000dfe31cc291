"""What needs no network: help, ids, wallets, known networks, and what is said when something is wrong."""

from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Walrus
from walrus_chain.chain.deployments import CONTRACTS, Deployment
from walrus_chain.codec.stream import commit_blob
from walrus_chain.types import Address

KEY = "0x" + "11" * 32
ADDRESS = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"


def test_help__names_every_command_and_the_exit_codes(walrus: Walrus) -> None:
    ended = walrus("--help")
    assert ended.code == 0
    for command in (
        "store",
        "read",
        "status",
        "list",
        "extend",
        "delete",
        "transfer",
        "attributes",
        "invalidate",
        "blob-id",
        "compute",
        "wallet",
        "stake",
        "info",
    ):
        assert command in ended.out
    assert "Exit codes" in ended.out


def test_help__loads_neither_chain_nor_sockets() -> None:
    code = (
        "import sys; from walrus_chain.cli.main import run; run(['--help']);"
        "print([m for m in ('web3', 'eth_account', 'httpx', 'pyeclib', 'sqlite3') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_blob_id__loads_no_chain(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    code = (
        f"import sys; from walrus_chain.cli.main import run; run(['blob-id', {str(tmp_path / 'file')!r}]);"
        "print([m for m in ('web3', 'eth_account', 'httpx', 'eth_utils') if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("shards", [4, 30])
def test_blob_id__file_and_pipe__agree_with_the_codec(walrus: Walrus, tmp_path: Path, shards: int) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"some bytes" * 1000)
    expected = commit_blob([path.read_bytes()], shards).metadata.blob_id
    from_file = walrus("blob-id", path, "--shards", str(shards), "--json").data
    from_pipe = walrus("blob-id", "-", "--shards", str(shards), "--json", stdin=path.read_bytes()).data
    assert from_file == from_pipe == {"blobId": str(expected), "hex": expected.hex, "size": 10_000, "shards": shards}
    assert walrus("blob-id", path, "--shards", str(shards)).out == f"{expected}\n"


def test_error__for_people__goes_to_stderr_in_words(walrus: Walrus) -> None:
    ended = walrus("blob-id", "/nowhere/file")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err == "Error: /nowhere/file cannot be read: No such file or directory\n"


def test_error__for_programs__goes_to_stderr_with_its_evidence(walrus: Walrus) -> None:
    ended = walrus("blob-id", "/nowhere/file", "--json")
    assert (ended.code, ended.out) == (3, "")
    assert ended.error == {
        "code": "SourceUnreadable",
        "kind": "Misuse",
        "message": "/nowhere/file cannot be read: No such file or directory",
        "source": "/nowhere/file",
        "why": "No such file or directory",
    }


@pytest.mark.parametrize(
    "arguments",
    [["blob-id"], ["blob-id", "f", "--shards", "3"], ["nonsense"], ["store"], ["extend", "1"], ["read", "--what"]],
)
def test_usage_error__has_code_2_and_is_json_where_asked(walrus: Walrus, arguments: list[str]) -> None:
    assert walrus(*arguments).code == 2
    ended = walrus(*arguments, "--json")
    assert ended.code == 2
    assert ended.error["kind"] == "Usage"


@pytest.mark.parametrize("first", ["-", "--", "-h"])
def test_blob_id_that_begins_with_a_hyphen__is_no_option(walrus: Walrus, first: str) -> None:
    ended = walrus("status", first + "A" * (43 - len(first)), "--json")
    assert (ended.code, ended.error["code"]) == (3, "UnknownNetwork")


@pytest.mark.parametrize("command", ["read", "status"])
def test_malformed_blob_id__is_refused_before_any_network_is_looked_for(walrus: Walrus, command: str) -> None:
    ended = walrus(command, "abc", "--json")
    assert (ended.code, ended.error["code"]) == (3, "MalformedBlobId")


@pytest.mark.parametrize("text", ["5", "a-b", "9-3", "-5", "1-2-3"])
def test_read__malformed_range__says_how_to_write_one(walrus: Walrus, text: str) -> None:
    ended = walrus("read", "7", f"--range={text}")
    assert ended.code == 3
    assert "FIRST-LAST" in ended.err or "ends before" in ended.err


def test_no_network__says_how_to_get_one(walrus: Walrus) -> None:
    ended = walrus("info")
    assert ended.code == 3
    assert "walrus devnet up" in ended.err


def test_store__malformed_attribute__is_refused(walrus: Walrus) -> None:
    assert walrus("store", "f", "-a", "novalue", "--json").error["code"] == "MalformedArgument"


class TestWallet:
    """Keystores: encrypted, private, and never overwritten."""

    def test_new__is_encrypted_private_and_listed(self, walrus: Walrus, home: Path, password_file: Path) -> None:
        made = walrus("wallet", "new", "me", "--password-file", password_file, "--json").data
        keystore = Path(made["keystore"])
        assert keystore == home / "wallets" / "me.json"
        assert stat.S_IMODE(keystore.stat().st_mode) == 0o600
        assert '"crypto"' in keystore.read_text()
        assert walrus("wallet", "list", "--json").data == [{"name": "me", "address": made["address"], "used": True}]

    def test_import__from_stdin_or_file__is_that_account(
        self, walrus: Walrus, tmp_path: Path, password_file: Path
    ) -> None:
        options = ("--password-file", password_file, "--json")
        made = walrus("wallet", "import", "a", "--key-file", "-", *options, stdin=KEY.encode()).data
        (tmp_path / "key").write_text(KEY + "\n")
        again = walrus("wallet", "import", "b", "--key-file", tmp_path / "key", *options).data
        assert made["address"] == again["address"] == ADDRESS

    def test_import__keystore_of_another_program__is_taken(
        self, walrus: Walrus, home: Path, password_file: Path
    ) -> None:
        options = ("--password-file", password_file, "--json")
        walrus("wallet", "import", "a", "--key-file", "-", *options, stdin=KEY.encode())
        made = walrus("wallet", "import", "b", "--key-file", home / "wallets" / "a.json", *options).data
        assert made["address"] == ADDRESS

    def test_import__wrong_password_of_the_keystore__says_so(
        self, walrus: Walrus, home: Path, tmp_path: Path, password_file: Path
    ) -> None:
        walrus("wallet", "import", "a", "--key-file", "-", "--password-file", password_file, stdin=KEY.encode())
        (tmp_path / "wrong").write_text("battery staple")
        keystore = home / "wallets" / "a.json"
        ended = walrus("wallet", "import", "b", "--key-file", keystore, "--password-file", tmp_path / "wrong", "--json")
        assert (ended.code, ended.error["code"]) == (3, "WrongPassword")

    @pytest.mark.parametrize("text", ["", "0x12", "zz" * 32, "00" * 32])
    def test_import__no_key__never_repeats_what_was_given(self, walrus: Walrus, password_file: Path, text: str) -> None:
        ended = walrus(
            "wallet", "import", "a", "--key-file", "-", "--password-file", password_file, stdin=text.encode()
        )
        assert ended.code == 3
        assert "private key" in ended.err
        assert not text or text not in ended.err

    def test_import__key_on_the_command_line__is_not_possible(self, walrus: Walrus) -> None:
        assert walrus("wallet", "import", "a", "--key", KEY).code == 2

    def test_new__name_taken__changes_nothing(self, walrus: Walrus, home: Path, password_file: Path) -> None:
        walrus("wallet", "new", "me", "--password-file", password_file)
        before = (home / "wallets" / "me.json").read_bytes()
        ended = walrus("wallet", "new", "me", "--password-file", password_file, "--json")
        assert (ended.code, ended.error["code"]) == (3, "NameTaken")
        assert (home / "wallets" / "me.json").read_bytes() == before

    @pytest.mark.parametrize("name", ["../me", "a/b", "", ".hidden", "x" * 65])
    def test_new__name_that_leaves_the_folder__is_refused(self, walrus: Walrus, password_file: Path, name: str) -> None:
        ended = walrus("wallet", "new", name, "--password-file", password_file, "--json")
        assert (ended.code, ended.error["code"]) == (3, "MalformedName")

    def test_new__nobody_at_a_terminal__says_what_to_do(self, walrus: Walrus) -> None:
        ended = walrus("wallet", "new", "me", "--json")
        assert (ended.code, ended.error["code"]) == (3, "PasswordMissing")

    def test_use__another_wallet__is_used_from_then_on(self, walrus: Walrus, password_file: Path) -> None:
        for name in ("one", "two"):
            walrus("wallet", "new", name, "--password-file", password_file)
        walrus("wallet", "use", "two")
        assert [item["used"] for item in walrus("wallet", "list", "--json").data] == [False, True]
        assert walrus("wallet", "use", "three", "--json").error["code"] == "UnknownWallet"


class TestNetworks:
    """Networks that are known, without talking to any."""

    @pytest.fixture
    def known(self, home: Path) -> None:
        from walrus_chain.client.home import Network, WalrusHome

        contracts = {name: Address("0x" + f"{place:040x}") for place, name in enumerate(CONTRACTS, 1)}
        for name in ("one", "two"):
            deployment = Deployment(name, 31337, 1, contracts)
            WalrusHome(home).add_network(Network(name, ("http://127.0.0.1:1",), deployment))

    @pytest.mark.usefixtures("known")
    def test_list_and_use(self, walrus: Walrus) -> None:
        assert [(item["name"], item["used"]) for item in walrus("network", "list", "--json").data] == [
            ("one", True),
            ("two", False),
        ]
        walrus("network", "use", "two")
        assert walrus("network", "list").out.splitlines()[2].startswith("*  two")

    @pytest.mark.usefixtures("known")
    def test_use__unknown__names_those_that_are_known(self, walrus: Walrus) -> None:
        ended = walrus("network", "use", "three")
        assert ended.code == 3
        assert "one, two" in ended.err

    @pytest.mark.usefixtures("known")
    def test_chain_that_is_down__may_work_later_and_says_which_endpoint(self, walrus: Walrus) -> None:
        ended = walrus("info", "--json")
        assert ended.code == 6
        assert ended.error["code"] == "RpcUnavailable"
        assert "127.0.0.1:1" in ended.error["message"]

    def test_add__file_that_is_no_deployment__says_what_is_wrong(self, walrus: Walrus, tmp_path: Path) -> None:
        (tmp_path / "d.json").write_text("{}")
        ended = walrus(
            "network", "add", "x", "--rpc", "http://127.0.0.1:1", "--deployment", tmp_path / "d.json", "--json"
        )
        assert (ended.code, ended.error["code"]) == (3, "MalformedDeployment")

    @pytest.mark.parametrize(
        ("options", "code", "words"),
        [
            (["--first-slash", "20%"], 3, "first_slash_bps must be 1 to 1,600"),
            (["--maximum-slash", "51%"], 3, "maximum_slash_bps must be 1 to 5,000"),
            (["--burn", "60%"], 3, "burn_bps"),
            (["--bounty", "a tenth"], 3, "is not a share"),
            (["--minimum-stake", "0"], 3, "minimum_stake"),
            (["--protocol", "0%"], 3, "protocol_bps must be 1 to 1,000"),
            (["--tip", "6%"], 3, "tip_bps must be 0 to 500"),
            (["--minimum-notice-seconds", "31536001"], 3, "minimum_notice_seconds"),
            (["--maximum-request-age-seconds", "0"], 2, "greater than or equal to 1"),
            (["--unbonding-epochs", "2"], 2, "greater than or equal to 3"),
            (["--samples", "17"], 2, "less than or equal to 16"),
            (["--burn", "5%", "--samples", "16", "--jail-epochs", "1", "--sync-seconds", "60"], 3, "no wallet"),
        ],
    )
    def test_deploy__rule_out_of_bounds__is_refused_before_any_wallet_is_opened(
        self, walrus: Walrus, options: list[str], code: int, words: str
    ) -> None:
        ended = walrus("network", "deploy", "new", "--rpc", "http://127.0.0.1:1", *options, "--json")
        assert ended.code == code
        assert words in ended.error["message"]

    def test_deploy__defaults__are_those_of_the_parameters(self) -> None:
        from typer.main import get_command

        from walrus_chain.chain.deploy import DeploymentParameters
        from walrus_chain.cli.network import networks
        from walrus_chain.types import parse_amount, parse_bps

        [shown] = [
            {parameter.name: parameter.default for parameter in command.params}
            for name, command in get_command(networks).commands.items()  # type: ignore[attr-defined]
            if name == "deploy"
        ]
        for parameter in fields(DeploymentParameters):
            name, expected = parameter.name, parameter.default
            if name in ("genesis", "holder"):
                continue
            given = shown[name.removesuffix("_bps")]
            if name.endswith("_bps"):
                given = parse_bps(given)
            elif isinstance(given, str):
                given = parse_amount(given)
            assert given == expected, name

    @pytest.mark.parametrize("wei", [2**128 - 1, 10**28 + 1, 12345678901123456789012345678])
    def test_amounts__of_many_digits__are_not_rounded(self, wei: int) -> None:
        from walrus_chain.types import parse_amount

        assert parse_amount(f"{wei} wei") == wei
        assert parse_amount(f"{wei // 10**18}.{wei % 10**18:018d}") == wei

    def test_amounts__of_more_digits_than_any_has__are_refused(self) -> None:
        from walrus_chain.errors import MalformedAmount
        from walrus_chain.types import parse_amount

        for text in ("1" * 90, "1" * 5000 + " wei", "0." + "0" * 90 + "1"):
            with pytest.raises(MalformedAmount):
                parse_amount(text)

    def test_damaged_settings__are_named(self, walrus: Walrus, home: Path) -> None:
        home.mkdir()
        (home / "config.json").write_text("{broken")
        ended = walrus("info", "--json")
        assert (ended.code, ended.error["code"]) == (3, "HomeUnreadable")
        assert "config.json" in ended.error["message"]


def test_broken_pipe__ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    code = "from walrus_chain.cli.main import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "blob-id", str(tmp_path / "file")], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141
