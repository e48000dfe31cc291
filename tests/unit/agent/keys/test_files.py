"""Secrets open with their password, stay readable by their owner only, and are never written over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage_agent.keys import files

KEY = bytes(range(1, 33))


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    """A keystore with the password `secret`."""
    path = tmp_path / "keys" / "signer.json"
    files.write_signer(path, KEY, "secret", scrypt_n=2)
    return path


def test_signer__written__opens_and_signs_as_the_same_account(keystore: Path) -> None:
    assert files.load_key(keystore, "secret") == KEY
    assert files.load_signer(keystore, "secret").address == "0x6370eF2f4Db3611D657b90667De398a2Cc2a370C"


def test_signer__wrong_password__says_so_without_naming_it(keystore: Path) -> None:
    with pytest.raises(files.UnusableKey, match="the password is wrong") as error:
        files.load_signer(keystore, "guess-4711")
    assert "4711" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"17", b"\xff\xfe", b'{"version": 9}', b'{"version": 3}'])
def test_signer__file_is_no_keystore__says_so(keystore: Path, content: bytes) -> None:
    keystore.write_bytes(content)

    with pytest.raises(files.UnusableKey, match="no keystore"):
        files.load_signer(keystore, "secret")


def test_secrets__written__only_the_owner_may_read(keystore: Path, tmp_path: Path) -> None:
    files.write_password(tmp_path / "password")
    files.write_master_keys(tmp_path / "master.json", "secret", scrypt_n=2)

    for path in (keystore, tmp_path / "password", tmp_path / "master.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_secrets__others_may_read__refused_with_the_remedy(keystore: Path) -> None:
    keystore.chmod(0o640)

    with pytest.raises(files.UnusableKey, match=f"chmod 600 {keystore}"):
        files.load_signer(keystore, "secret")


def test_secrets__missing__named(tmp_path: Path) -> None:
    with pytest.raises(files.UnusableKey, match="No such file"):
        files.read_password(tmp_path / "password")


def test_secrets__exist_already__never_written_over(keystore: Path, tmp_path: Path) -> None:
    before = keystore.read_bytes()
    with pytest.raises(files.KeyExists):
        files.write_signer(keystore, bytes([7]) * 32, "secret", scrypt_n=2)
    assert keystore.read_bytes() == before


def test_password__made__long_and_different_each_time(tmp_path: Path) -> None:
    made = {files.write_password(tmp_path / str(number)) for number in range(3)}

    assert len(made) == 3
    assert all(len(password) == 64 for password in made)
    assert files.read_password(tmp_path / "0") in made


def test_password__empty_file__refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("\n")
    path.chmod(0o600)

    with pytest.raises(files.UnusableKey, match="empty"):
        files.read_password(path)


def test_master_keys__written__open_with_their_password_only(tmp_path: Path) -> None:
    path = tmp_path / "master.json"
    [made] = files.write_master_keys(path, "secret", scrypt_n=2)

    [opened] = files.load_master_keys(path, "secret")
    assert opened.public == made.public
    with pytest.raises(files.UnusableKey, match="password is wrong"):
        files.load_master_keys(path, "other")


def test_master_keys__one_added__newest_first_and_older_kept(tmp_path: Path) -> None:
    path = tmp_path / "master.json"
    [first] = files.write_master_keys(path, "secret", scrypt_n=2)
    (tmp_path / "master.json.new").write_text("left by a crash")

    second, *_ = files.add_master_key(path, "secret")
    third, *_ = files.add_master_key(path, "secret")

    keys = [key.public for key in files.load_master_keys(path, "secret")]
    assert keys == [third.public, second.public, first.public]
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.json"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_master_keys__exist_already__never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "master.json"
    files.write_master_keys(path, "secret", scrypt_n=2)
    before = path.read_bytes()

    with pytest.raises(files.KeyExists):
        files.write_master_keys(path, "secret", scrypt_n=2)
    with pytest.raises(files.UnusableKey):
        files.add_master_key(path, "other")

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"17", b"null", b"\xff\xfe", b"-----BEGIN ENCRYPTED PRIVATE KEY-----"]
)
def test_master_keys__file_is_another__says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.json"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(files.UnusableKey, match="holds no master keys"):
        files.load_master_keys(path, "secret")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("kind",), "walrus signer"),
        (("version",), 2),
        (("scrypt", "n"), 2**40),
        (("scrypt", "n"), 3),
        (("scrypt", "n"), "many"),
        (("scrypt", "r"), 2**20),
        (("scrypt", "salt"), "zz"),
        (("nonce",), "00"),
        (("ciphertext",), 5),
    ],
)
def test_master_keys__part_of_the_file_is_nonsense__says_so(
    tmp_path: Path, place: tuple[str, ...], value: object
) -> None:
    path = tmp_path / "master.json"
    files.write_master_keys(path, "secret", scrypt_n=2)
    document = json.loads(path.read_bytes())
    inner = document if len(place) == 1 else document[place[0]]
    inner[place[-1]] = value
    path.write_text(json.dumps(document))

    with pytest.raises(files.UnusableKey, match="holds no master keys"):
        files.load_master_keys(path, "secret")


def test_master_keys__ciphertext_changed_or_cut__refused(tmp_path: Path) -> None:
    path = tmp_path / "master.json"
    files.write_master_keys(path, "secret", scrypt_n=2)
    whole = json.loads(path.read_bytes())
    ciphertext = whole["ciphertext"]

    for changed in (ciphertext[:-2], "", ciphertext[:-1] + ("0" if ciphertext[-1] != "0" else "1")):
        path.write_text(json.dumps(whole | {"ciphertext": changed}))
        with pytest.raises(files.UnusableKey, match="the file was changed"):
            files.load_master_keys(path, "secret")


def test_master_keys__printed__never_show_themselves(tmp_path: Path) -> None:
    [made] = files.write_master_keys(tmp_path / "master.json", "secret", scrypt_n=2)

    secret = made.to_bytes()
    assert secret.hex() not in repr(made)
    assert str(int.from_bytes(secret, "big")) not in repr(made)
    assert secret.hex() not in (tmp_path / "master.json").read_text()
