// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title AnsweringMock
/// @notice Answers every call as it was told to: for tests of who asks tokens and registries; never deployed.
contract AnsweringMock {
    /// @notice What it does when it is asked.
    enum Behaviour {
        Answer,
        Revert,
        BurnGas,
        Megabyte
    }

    /// @notice What it does now.
    Behaviour public behaviour;

    bytes private _answer;

    /// @notice Answers these bytes from now on.
    function answer(bytes calldata bytes_) external {
        (behaviour, _answer) = (Behaviour.Answer, bytes_);
    }

    /// @notice Does something else than answer from now on.
    function behave(Behaviour behaviour_) external {
        behaviour = behaviour_;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        if (behaviour == Behaviour.Revert) revert("no answer");
        if (behaviour == Behaviour.BurnGas) while (true) {}
        if (behaviour == Behaviour.Megabyte) {
            // Its first words are larger than any minimum.
            bytes memory many = new bytes(2 ** 20);
            for (uint256 i = 0; i < 96; ++i) {
                many[i] = 0xff;
            }
            return many;
        }
        return _answer;
    }
}
