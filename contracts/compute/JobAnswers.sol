// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IComputeJobs} from "../interfaces/IComputeJobs.sol";

/// @title JobAnswers
/// @notice What a node of a panel did, in one word: a digest whose last two bits say what it is of. Zero: nothing yet.
/// @dev Two bits less leave 254 of a hash, so two different results have the same word for nobody.
library JobAnswers {
    uint256 private constant KINDS = 3;

    /// @notice What the word of each place counts for.
    /// @param absent Who never answered.
    /// @param silent Who committed and did not reveal, although a result could have counted.
    struct Count {
        uint256 majority;
        uint8 agreeing;
        uint8 lying;
        uint8 absent;
        uint8 silent;
    }

    /// @notice The word of an answer.
    function word(IComputeJobs.Answer kind, bytes32 digest) internal pure returns (uint256) {
        return uint256(digest) & ~KINDS | uint256(kind);
    }

    /// @notice What an answer is.
    function kindOf(uint256 answer) internal pure returns (IComputeJobs.Answer) {
        return IComputeJobs.Answer(answer & KINDS);
    }

    /// @notice The answers that more than half of all places have in common, and who stands where.
    function count(uint256[] memory answers) internal pure returns (Count memory counted) {
        uint256 declined;
        // At most seven places.
        // forge-lint: disable-next-item(unsafe-typecast)
        for (uint256 i = 0; i < answers.length; ++i) {
            IComputeJobs.Answer kind = kindOf(answers[i]);
            if (kind == IComputeJobs.Answer.None) counted.absent |= uint8(1 << i);
            else if (kind == IComputeJobs.Answer.Committed) counted.silent |= uint8(1 << i);
            else if (kind == IComputeJobs.Answer.Declined) ++declined;
            if (kind != IComputeJobs.Answer.Revealed || counted.majority != 0) continue;
            if (2 * _same(answers, answers[i]) > answers.length) counted.majority = answers[i];
        }
        // Whoever shows a result that cannot count any more works for nothing, so nobody has to.
        if (2 * declined >= answers.length) counted.silent = 0;
        if (counted.majority == 0) return counted;
        // forge-lint: disable-next-item(unsafe-typecast)
        for (uint256 i = 0; i < answers.length; ++i) {
            if (answers[i] == counted.majority) counted.agreeing |= uint8(1 << i);
            else if (kindOf(answers[i]) == IComputeJobs.Answer.Revealed) counted.lying |= uint8(1 << i);
        }
    }

    function _same(uint256[] memory answers, uint256 answer) private pure returns (uint256 total) {
        for (uint256 i = 0; i < answers.length; ++i) {
            if (answers[i] == answer) ++total;
        }
    }
}
