// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, IDataPolicy} from "../../interfaces/IDataPolicy.sol";
import {PolicyAnswers} from "../../libraries/PolicyAnswers.sol";
import {PolicyDefaults} from "./PolicyDefaults.sol";

/// @dev For how long a requester may rely on an answer that allows.
uint32 constant TTL_SECONDS = 60;

/// @title DataPolicy
/// @notice The base of every policy that decides by itself. Write your own by overriding one function:
/// ```
/// contract OnlyOnSundays is DataPolicy {
///     function _decide(AccessRequest calldata) internal view override returns (bytes32 reason) {
///         if ((block.timestamp / 1 days + 4) % 7 != 0) return "NotSunday";
///     }
/// }
/// ```
/// @dev Override also, where the defaults of {PolicyDefaults} do not fit: `quote` for a price; `canDelete`, `canTransfer`,
/// `canReplace`, `minimumEndEpoch`, `destroyAt` for retention; `hooks` and the hooks; `kind` for a name; `readsEvidence` to say
/// that the evidence does not matter, so that the policy may stand below a `Not`.
///
/// A revert denies, and more safely than a reason does: below a `Not` a reason lets in, a revert never does. So revert when
/// something cannot be found out, and give a reason when the answer is no.
abstract contract DataPolicy is PolicyDefaults {
    /// @inheritdoc IDataPolicy
    function evaluate(AccessRequest calldata request)
        external
        view
        virtual
        returns (bytes4 answer, uint32 ttlSeconds, bytes32 reason)
    {
        reason = _decide(request);
        return reason == 0 ? (PolicyAnswers.ALLOW, TTL_SECONDS, reason) : (PolicyAnswers.DENY, 0, reason);
    }

    /// @dev Decides a use of the data.
    /// @return reason Zero allows it. Else why not, in up to 32 ASCII characters.
    function _decide(AccessRequest calldata request) internal view virtual returns (bytes32 reason);
}
