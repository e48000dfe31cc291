"""Secrets open with their password, stay readable by their owner only, and are never written over."""

from __future__ import annotations

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
    files.write_encryption_key(tmp_path / "encryption.pem", "secret")

    for path in (keystore, tmp_path / "password", tmp_path / "encryption.pem"):
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


def test_encryption_key__written__opens_with_its_password_only(tmp_path: Path) -> None:
    path = tmp_path / "encryption.pem"
    made = files.write_encryption_key(path, "secret")

    opened = files.load_encryption_key(path, "secret")
    assert files.public_bytes(opened) == files.public_bytes(made)
    assert len(files.public_bytes(made)) == 32
    with pytest.raises(files.UnusableKey):
        files.load_encryption_key(path, "other")
