"""The files that `walrus policy new` writes: a policy that works, and its test. Pure."""

from __future__ import annotations

import re
from string import Template
from typing import Final

from walrus_chain.errors import MalformedArgument

_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,31}")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SOLIDITY: Final = Template(
    """\
// SPDX-License-Identifier: MIT
pragma solidity $release;

import {AccessRequest, Action} from "walrus/interfaces/IDataPolicy.sol";
import {DataPolicy} from "walrus/policies/kinds/DataPolicy.sol";

/// @notice Lets one account read, for free.
contract $name is DataPolicy {
    address public immutable READER;

    constructor(address reader) {
        READER = reader;
    }

    /// @dev Zero allows; anything else denies, and is the reason that the reader is told. A revert denies, too.
    function _decide(AccessRequest calldata request) internal view override returns (bytes32 reason) {
        if (request.action != Action.Read) return "OnlyReads";
        if (request.requester != READER) return "NotTheReader";
        return 0;
    }

    function kind() external pure override returns (bytes32) {
        return "$name";
    }
}
"""
)
_TEST: Final = Template(
    '''\
"""What $name allows and denies, asked as the network asks, on a chain that is gone after the test."""

import pytest

from walrus_chain.messages.access import Action


@pytest.fixture
def reader(policy_tester):
    return policy_tester.account("reader")


@pytest.fixture
def policy(policy_tester, reader):
    return policy_tester.deploy("$name.sol", reader)


def test_reader__reads_for_free(policy, reader):
    policy.allows(reader)
    assert policy.quote(reader).amount == 0


def test_stranger__is_denied(policy, policy_tester):
    policy.denies(policy_tester.account("stranger"), reason="NotTheReader")


def test_reader__may_not_compute(policy, reader):
    policy.denies(reader, action=Action.COMPUTE, reason="OnlyReads")
'''
)


def skeleton(name: str, release: str) -> dict[str, str]:
    """The files of a new policy, text by file name.

    Args:
        name: of the contract; also what kind of policy it says it is.
        release: the compiler's.
    Raises: MalformedArgument: no name for a contract.
    """
    if not _NAME.fullmatch(name):
        raise MalformedArgument(
            "a name for a policy", name, "write a capital letter, then letters and digits, 32 at most, like MembersOnly"
        )
    return {
        f"{name}.sol": _SOLIDITY.substitute(name=name, release=release),
        f"test_{_WORD.sub('_', name).lower()}.py": _TEST.substitute(name=name),
    }
