"""From a Solidity file to a policy that can be deployed, with the sources that the package carries."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from walrus_chain.chain import compiler
from walrus_chain.chain.policy_code import compile_policy
from walrus_chain.errors import CompilationFailed, CompilerNotFound, NotOneContract, SourceUnreadable

RELEASE = "0.8.37"
HEAD = f"""// SPDX-License-Identifier: MIT
pragma solidity {RELEASE};

import {{AccessRequest}} from "walrus/interfaces/IDataPolicy.sol";
import {{DataPolicy}} from "walrus/policies/kinds/DataPolicy.sol";
"""
POLICY = """
contract {name} is DataPolicy {{
    address public immutable FRIEND;

    constructor(address friend) {{
        FRIEND = friend;
    }}

    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {{
        return request.requester == FRIEND ? bytes32(0) : bytes32("NotAFriend");
    }}

    function kind() external pure override returns (bytes32) {{
        return "{name}";
    }}
}}
"""


def write(folder: Path, *names: str, head: str = HEAD, file: str = "Friends.sol") -> Path:
    path = folder / file
    path.write_text(head + "".join(POLICY.format(name=name) for name in names))
    return path


def test_compile_policy__from_a_folder_of_its_own__gives_code_and_parameters(tmp_path: Path) -> None:
    code = compile_policy(write(tmp_path, "Friends"))
    assert code.name == "Friends"
    assert code.parameters == (("friend", "address"),)
    assert len(code.bytecode) > 100
    assert code.warnings == ()


def test_compile_policy__file_beside_it__is_found(tmp_path: Path) -> None:
    (tmp_path / "Words.sol").write_text(
        f'pragma solidity {RELEASE};\nlibrary Words {{ bytes32 internal constant NO = "No"; }}\n'
    )
    file = write(tmp_path, "Friends", head=HEAD + 'import {Words} from "./Words.sol";\n')
    file.write_text(file.read_text().replace('"NotAFriend"', "Words.NO"))
    assert compile_policy(file).name == "Friends"


def test_compile_policy__two_of_them__takes_the_one_with_the_files_name(tmp_path: Path) -> None:
    assert compile_policy(write(tmp_path, "Enemies", "Friends")).name == "Friends"


def test_compile_policy__one_named__takes_it(tmp_path: Path) -> None:
    assert compile_policy(write(tmp_path, "Enemies", "Friends"), "Enemies").name == "Enemies"


def test_compile_policy__two_of_other_names__says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotOneContract, match="Enemies, Friends") as caught:
        compile_policy(write(tmp_path, "Enemies", "Friends", file="People.sol"))
    assert caught.value.held == ("Enemies", "Friends")


def test_compile_policy__contract_that_is_no_policy__says_what_to_inherit(tmp_path: Path) -> None:
    file = tmp_path / "Friends.sol"
    file.write_text(f"// SPDX-License-Identifier: MIT\npragma solidity {RELEASE};\ncontract Friends {{}}\n")
    with pytest.raises(NotOneContract, match="inherit DataPolicy"):
        compile_policy(file)


def test_compile_policy__typing_error__shows_the_compilers_message(tmp_path: Path) -> None:
    file = write(tmp_path, "Friends")
    file.write_text(file.read_text().replace("request.requester", "request.requestor"))
    with pytest.raises(CompilationFailed, match=r"(?s)requestor.*Friends\.sol:15"):
        compile_policy(file)


def test_compile_policy__warning__is_kept(tmp_path: Path) -> None:
    file = write(tmp_path, "Friends")
    file.write_text(file.read_text().replace('return "Friends";', 'uint256 unused; return "Friends";'))
    [warning] = compile_policy(file).warnings
    assert "Unused local variable" in warning


def test_compile_policy__no_such_file__is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match=r"Friends\.sol"):
        compile_policy(tmp_path / "Friends.sol")


# -- which compiler --------------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder where py-solc-x looks, no compiler on the PATH, no way to download one; a folder for one."""
    import solcx

    (tmp_path / "solcx").mkdir()
    monkeypatch.setenv("SOLCX_BINARY_PATH", str(tmp_path / "solcx"))
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(shutil.which('node') or 'node').parent}")

    def refuse(release: str) -> None:
        raise OSError(f"no way to the net for {release}")

    monkeypatch.setattr(solcx, "install_solc", refuse)
    return tmp_path


def task() -> dict[str, Any]:
    source = {"A.sol": {"content": f"// SPDX-License-Identifier: MIT\npragma solidity {RELEASE};\ncontract A {{}}\n"}}
    return {"language": "Solidity", "sources": source, "settings": {"outputSelection": {"*": {"*": ["abi"]}}}}


def test_run_compiler__none_and_no_net__says_how_to_get_one(nothing_installed: Path) -> None:
    with pytest.raises(CompilerNotFound, match=r"no way to the net.*make setup"):
        compiler.run_compiler(RELEASE, task(), nothing_installed, nothing_installed)


def test_run_compiler__in_a_clone__takes_the_clones(nothing_installed: Path) -> None:
    output = compiler.run_compiler(RELEASE, task(), nothing_installed, Path(__file__).parents[3])
    assert "A" in output["contracts"]["A.sol"]


def test_run_compiler__of_that_release_on_the_path__takes_it(nothing_installed: Path) -> None:
    (nothing_installed / "solc").symlink_to(Path(__file__).parents[3] / compiler.SHIM)
    output = compiler.run_compiler(RELEASE, task(), nothing_installed, nothing_installed)
    assert "A" in output["contracts"]["A.sol"]


def test_run_compiler__of_another_release_on_the_path__leaves_it(nothing_installed: Path) -> None:
    solc = nothing_installed / "solc"
    solc.write_text("#!/bin/sh\necho 'Version: 0.8.30+commit.73712a01.Linux.g++'\n")
    solc.chmod(0o755)
    with pytest.raises(CompilerNotFound):
        compiler.run_compiler(RELEASE, task(), nothing_installed, nothing_installed)


def test_run_compiler__without_py_solc_x__names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "solcx", None)
    with pytest.raises(CompilerNotFound, match=r"walrus-chain\[policies\]"):
        compiler.run_compiler(RELEASE, task(), tmp_path, tmp_path)
