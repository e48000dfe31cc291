// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";

/// @title IStaking
/// @notice The WAL that stands behind each node: delegation pools that earn together and are slashed together.
/// @dev Glossary: a *pool* belongs to one node. Its *active* stake is divided into *shares*; rewards raise what a share is
/// worth, slashing lowers it. A deposit *waits* until the epoch from which it counts. What leaves is *unbonding*: it earns
/// nothing, and is slashed like active stake until it is withdrawn. *Own stake* is what the node's operator delegated to it.
///
/// Flow: {delegate} -> the deposit counts from {activationEpoch} on -> each epoch {settle} brings the reward ->
/// {claimRewards} takes the gain out, or it compounds -> {undelegate} -> {withdrawUnbonded} after {unbondingEpochs}.
/// A node with {minimumStake} of its operator's own may {stand} for the committee.
///
/// Settling: a pool is settled up to an epoch p when all rewards of epochs before p are in it and all deposits that count
/// from p on have their shares. Calls that need a settled pool settle up to 32 epochs by themselves.
///
/// Invariant I1: the vault's reserve of this contract is the sum over all pools of active + waiting + unbonding stake and
/// commission.
/// Invariant I2: nobody gets more out than was deposited and earned, less what was slashed.
/// Invariant I7: a slash takes at most the stake that is active or unbonding.
interface IStaking {
    /// @notice What a deployment fixes.
    /// @param minimumStake Own stake that a node needs to be eligible; above zero.
    /// @param unbondingEpochs Epochs between {undelegate} and {withdrawUnbonded}: 3 to 100. Three cover the epoch in which
    /// the stake still counts, the one after it for which a committee was selected already, and the time to report.
    /// @param maximumCommissionBps The most that an operator may keep of a reward: up to 10,000.
    struct Parameters {
        Amount minimumStake;
        uint32 unbondingEpochs;
        uint16 maximumCommissionBps;
    }

    /// @notice A pool as it is kept; not settled up to now.
    /// @param settled The epoch up to which the pool is settled.
    /// @param active WAL that earns and is slashed.
    /// @param shares Into which `active` is divided.
    /// @param waiting Deposits that have no shares yet.
    /// @param unbonding WAL on its way out.
    /// @param unbondingShares Into which `unbonding` is divided.
    /// @param commission What the operator may claim.
    /// @param commissionBps What the operator keeps of each reward now.
    /// @param nextCommissionBps What it keeps from `nextCommissionFrom` on.
    /// @param jailedUntil The epoch from which on the operator may call {unjail}; zero when the node is not jailed.
    struct Pool {
        Epoch settled;
        Amount active;
        uint128 shares;
        Amount waiting;
        Amount unbonding;
        uint128 unbondingShares;
        Amount commission;
        uint16 commissionBps;
        uint16 nextCommissionBps;
        Epoch nextCommissionFrom;
        Epoch jailedUntil;
        bool standing;
    }

    /// @notice What an account has in a pool, as if the pool were settled no further than it is.
    /// @param active What its shares are worth.
    /// @param principal What of it was paid in; the rest is gain, or loss.
    /// @param waiting Deposits that have no shares yet.
    /// @param waitingUntil The epoch from which on the last of them counts; zero when there is none.
    /// @param shares Of the pool.
    struct Delegation {
        Amount active;
        Amount principal;
        Amount waiting;
        Epoch waitingUntil;
        uint128 shares;
    }

    /// @notice Stake on its way out.
    /// @param amount What it is worth now.
    /// @param release The epoch from which on it may be withdrawn.
    struct Unbonding {
        Amount amount;
        Epoch release;
    }

    /// @notice Emitted when stake was added to a pool.
    /// @param activeFrom The epoch from which on it counts.
    event Delegated(NodeId indexed nodeId, address indexed delegator, Amount amount, Epoch activeFrom);

    /// @notice Emitted when active stake began to leave a pool.
    event Undelegated(NodeId indexed nodeId, address indexed delegator, Amount amount, Epoch release);

    /// @notice Emitted when stake that had left became a claim in the vault.
    event UnbondedWithdrawn(NodeId indexed nodeId, address indexed delegator, Amount amount);

    /// @notice Emitted when a delegator's gain became a claim in the vault.
    event RewardsClaimed(NodeId indexed nodeId, address indexed delegator, Amount amount);

    /// @notice Emitted when an operator's commission became a claim in the vault.
    event CommissionClaimed(NodeId indexed nodeId, address indexed operator, Amount amount);

    /// @notice Emitted when an operator changed what it keeps of rewards, from an epoch on.
    event CommissionChanged(NodeId indexed nodeId, uint16 oldBps, uint16 newBps, Epoch from);

    /// @notice Emitted for each epoch whose reward reached a pool, also when it is zero.
    /// @param epoch The epoch that was earned in; zero for the step that brings in what was deposited before epoch 1.
    /// @param reward What the node earned, commission included.
    /// @param commission What of it the operator keeps.
    /// @param active The pool's active stake afterwards, with the deposits that count from the next epoch on.
    event PoolSettled(NodeId indexed nodeId, Epoch indexed epoch, Amount reward, Amount commission, Amount active);

    /// @notice Emitted when a pool was slashed.
    /// @param active What was taken of the active stake.
    /// @param unbonding What was taken of the stake on its way out.
    /// @param bounty What of both went to the reporter; the rest was burned.
    event Slashed(NodeId indexed nodeId, address indexed reporter, Amount active, Amount unbonding, Amount bounty);

    /// @notice Emitted when a node was jailed.
    /// @param until The epoch from which on the operator may call {unjail}.
    event Jailed(NodeId indexed nodeId, Epoch until);

    /// @notice Emitted when a node was let out.
    event Unjailed(NodeId indexed nodeId);

    /// @notice Emitted when a node became a candidate.
    event CandidateEntered(NodeId indexed nodeId);

    /// @notice Emitted when a node stopped being a candidate.
    event CandidateLeft(NodeId indexed nodeId);

    /// @notice Thrown when the caller is not the node's operator.
    error Staking_CallerNotOperator(NodeId nodeId, address operator, address caller);

    /// @notice Thrown when the caller is not the contract that may do this; `expected` is the first, where two may.
    error Staking_CallerNotAllowed(address expected, address caller);

    /// @notice Thrown at construction, or by {slash}, when a parameter is outside its bounds. `parameter` is its name.
    error Staking_ParameterOutOfBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual);

    /// @notice Thrown when the amount is zero.
    error Staking_ZeroAmount(NodeId nodeId);

    /// @notice Thrown when more is taken out than is active.
    error Staking_StakeTooSmall(NodeId nodeId, Amount requested, Amount active);

    /// @notice Thrown when a pool is worth so little for each share that new stake would be rounded away.
    error Staking_PoolExhausted(NodeId nodeId, Amount active, uint128 shares);

    /// @notice Thrown when a share of a pool is worth so much that a deposit could be rounded away; its holders must leave.
    error Staking_PoolInflated(NodeId nodeId, Amount active, uint128 shares);

    /// @notice Thrown when a pool is further behind than a call may settle by itself; call {settle} first.
    error Staking_PoolBehind(NodeId nodeId, Epoch settled, Epoch currentEpoch);

    /// @notice Thrown when an account has as many entries on their way out as it may; withdraw what is due first.
    error Staking_TooManyUnbondings(NodeId nodeId, address delegator, uint256 maximum);

    /// @notice Thrown when nothing that is on its way out may be withdrawn yet.
    /// @param release When the first entry may be; zero when there is none.
    error Staking_NothingDue(NodeId nodeId, Epoch release, Epoch currentEpoch);

    /// @notice Thrown when there is no gain, or no commission, to claim.
    error Staking_NothingEarned(NodeId nodeId);

    /// @notice Thrown when the operator of a node that serves takes out what its own stake must hold.
    error Staking_NodeServing(NodeId nodeId, uint16 shards);

    /// @notice Thrown when a commission is above the limit.
    error Staking_CommissionTooHigh(NodeId nodeId, uint16 maximum, uint16 commissionBps);

    /// @notice Thrown when a node that stands is not eligible.
    error Staking_NotEligible(NodeId nodeId, Amount minimumStake, Amount ownStake, Epoch jailedUntil);

    /// @notice Thrown when a node that is dismissed is eligible.
    error Staking_Eligible(NodeId nodeId);

    /// @notice Thrown when all places of the candidates are taken by nodes with at least as much stake.
    error Staking_CandidatesFull(NodeId nodeId, Amount needed, Amount stake);

    /// @notice Thrown when a node is not jailed, or not long enough yet.
    error Staking_StillJailed(NodeId nodeId, Epoch until, Epoch currentEpoch);

    /// @notice Adds `amount` of the caller's WAL to the node's pool.
    /// @dev Emits {Delegated}. It counts from {activationEpoch} on, cannot be slashed before, and cannot be taken out before.
    /// Requirements:
    /// - The node must be registered, the amount above zero, and the caller have approved the vault.
    function delegate(NodeId nodeId, Amount amount) external;

    /// @notice Begins to take `amount` of the caller's active stake out; the greatest number means all of it.
    /// @dev Emits {Undelegated}. It stops earning at once and is slashed with the pool until it is withdrawn.
    /// Notes:
    /// - Works before the first committee takes office as well, should it never do so.
    /// Requirements:
    /// - The caller's active stake must be at least `amount`.
    function undelegate(NodeId nodeId, Amount amount) external;

    /// @notice Turns what is due of the caller's stake on its way out into its claim in the vault.
    /// @dev Emits {UnbondedWithdrawn}.
    /// Requirements:
    /// - Something must be due.
    /// - The operator of a node that serves must still have the minimum as own stake.
    function withdrawUnbonded(NodeId nodeId) external returns (Amount amount);

    /// @notice Turns the caller's gain, active stake above what it paid in, into its claim in the vault.
    /// @dev Emits {RewardsClaimed}.
    /// Requirements:
    /// - The caller must have a gain.
    /// - The operator of a node that serves must still have the minimum as own stake afterwards.
    function claimRewards(NodeId nodeId) external returns (Amount amount);

    /// @notice Turns the operator's commission into its claim in the vault.
    /// @dev Emits {CommissionClaimed}. Only the operator.
    function claimCommission(NodeId nodeId) external returns (Amount amount);

    /// @notice Changes what the operator keeps of rewards, from two epochs later on, so that delegators can leave before.
    /// @dev Emits {CommissionChanged}. Only the operator. A change that does not count yet is replaced.
    function setCommission(NodeId nodeId, uint16 commissionBps) external;

    /// @notice Settles at most `maximum` epochs of a pool. Anyone may call.
    /// @dev Emits {PoolSettled} for each.
    /// @return settled Up to where the pool is settled afterwards.
    function settle(NodeId nodeId, uint32 maximum) external returns (Epoch settled);

    /// @notice Makes a node that is eligible a candidate. Anyone may call.
    /// @dev Emits {CandidateEntered}. When all places are taken the weakest candidate gives way ({CandidateLeft}).
    function stand(NodeId nodeId) external;

    /// @notice Takes a node that is not eligible from the candidates. Anyone may call.
    /// @dev Emits {CandidateLeft}.
    function dismiss(NodeId nodeId) external;

    /// @notice Lets a node out that was jailed long enough; it must {stand} again if it was dismissed.
    /// @dev Emits {Unjailed}. Only the operator.
    function unjail(NodeId nodeId) external;

    /// @notice Takes `bps` of the active and of the unbonding stake of a node. Only {ICustodyChallenges} and {IComputeJobs}.
    /// @dev Emits {Slashed}, and {Jailed} when `jailUntil` is not zero. Rounds down. Of what is taken of the least own stake,
    /// {minimumStake}, `bountyBps` become the reporter's claim in the vault; all the rest is burned.
    /// @param bps 0 to 5,000.
    /// @param jailUntil Zero when the node is not to be jailed.
    /// @return slashed What was taken.
    function slash(NodeId nodeId, uint16 bps, uint16 bountyBps, address reporter, Epoch jailUntil)
        external
        returns (Amount slashed);

    /// @notice Told by the committee that the first one took office: deposits before it count at once, later ones wait.
    function begin() external;

    /// @notice The eligible candidates with the stake that stands behind them in `epoch`: active, and deposits that count
    /// by then. In no particular order.
    /// @dev Eligible: not jailed, and own stake in `epoch` of at least {minimumStake}.
    function candidatesAt(Epoch epoch) external view returns (NodeId[] memory nodeIds, uint256[] memory stakes);

    /// @notice The pool of a node, as it is kept.
    function poolOf(NodeId nodeId) external view returns (Pool memory);

    /// @notice What an account has in the pool of a node.
    function delegationOf(NodeId nodeId, address delegator) external view returns (Delegation memory);

    /// @notice What an account has on its way out of a pool, oldest first.
    function unbondingOf(NodeId nodeId, address delegator) external view returns (Unbonding[] memory);

    /// @notice The own stake of a node's operator in `epoch`.
    function ownStakeAt(NodeId nodeId, Epoch epoch) external view returns (Amount);

    /// @notice The stake behind a node in `epoch`: active, and deposits that count by then.
    function stakeAt(NodeId nodeId, Epoch epoch) external view returns (Amount);

    /// @notice All WAL in all pools, commission included: the vault's reserve of this contract.
    function totalStake() external view returns (Amount);

    /// @notice The epoch from which on a deposit made now counts.
    /// @dev Until the first committee takes office 1; but in a pool that somebody left since, the one after it is settled to.
    function activationEpoch() external view returns (Epoch);

    /// @notice Whether a node is a candidate, eligible or not.
    function isCandidate(NodeId nodeId) external view returns (bool);

    /// @notice Own stake that a node needs to be eligible.
    function minimumStake() external view returns (Amount);

    /// @notice Epochs between {undelegate} and {withdrawUnbonded}.
    function unbondingEpochs() external view returns (uint32);

    /// @notice The most that an operator may keep of a reward, in hundredths of a percent.
    function maximumCommissionBps() external view returns (uint16);
}
