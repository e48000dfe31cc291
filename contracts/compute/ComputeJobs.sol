// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IJobTriggers} from "../interfaces/IJobTriggers.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IPurchases} from "../interfaces/IPurchases.sol";
import {IRandomness} from "../interfaces/IRandomness.sol";
import {IRevenuePools} from "../interfaces/IRevenuePools.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {Amount} from "../types/Amount.sol";
import {Epoch} from "../types/Epoch.sol";
import {JobBook} from "./JobBook.sol";

/// @title ComputeJobs
/// @notice Jobs, and the triggers that request them.
/// @dev Glossary, flow and invariants: {IComputeJobs} and {IJobTriggers}; what becomes of a job: {JobBook}. Triggers are in one
/// contract with jobs since their balances lie in the same reserve, and their jobs are their owners'.
///
/// Invariant: a trigger's jobs in one epoch are at most what its terms say; an object, and each state of a reader's purchases,
/// fires one at most once.
contract ComputeJobs is JobBook, IJobTriggers {
    using SafeCast for uint256;

    /// @dev The first slot is all that changes by firing, but for the balance.
    struct TriggerState {
        address owner;
        uint48 firstObject;
        Epoch last;
        uint16 jobs;
        bytes32 terms;
        Amount balance;
    }

    uint256 private constant OBJECTS_IN_WORD = 256;

    IBlobRegistry private immutable _registry;
    IPurchases private immutable _purchases;

    /// @inheritdoc IJobTriggers
    uint256 public triggerCount;

    mapping(uint256 trigger => TriggerState) private _triggers;
    mapping(uint256 trigger => mapping(uint256 word => uint256)) private _computed;

    /// @inheritdoc IJobTriggers
    mapping(uint256 trigger => mapping(address reader => uint32)) public readsSeen;

    /// @notice Fixes partners and parameters for ever.
    /// @param vault Holds fees, charges and balances; this contract must be one of its modules.
    /// @param committee Gives the clock, and the members of whom panels are drawn.
    /// @param nodes Says who signs for a node, and who is paid.
    /// @param staking Must take this contract for one that slashes.
    /// @param randomness Where seeds of panels come from.
    /// @param policies Decides uses of data.
    /// @param pools Get the charges; must take this contract for one that credits.
    /// @param registry Knows which objects are certified, and whose.
    /// @param purchases Knows who bought reads.
    constructor(
        ITokenVault vault,
        ICommittee committee,
        INodeRegistry nodes,
        IStaking staking,
        IRandomness randomness,
        IBlobPolicies policies,
        IRevenuePools pools,
        IBlobRegistry registry,
        IPurchases purchases,
        Parameters memory parameters_
    ) JobBook(vault, committee, nodes, staking, randomness, policies, pools, parameters_) {
        _registry = registry;
        _purchases = purchases;
    }

    /// @inheritdoc IJobTriggers
    function createTrigger(Terms calldata terms) external returns (uint256 trigger) {
        // Check
        (uint256 fewest, uint256 most) = _inputsOf(terms.kind);
        _checkOrder(terms.order, fewest, most);
        bool clocked = terms.kind == Kind.EveryEpochs;
        _checkTerm("epochs", clocked ? 1 : 0, clocked ? type(uint32).max : 0, terms.epochs);
        _checkTerm("perEpoch", 1, terms.kind == Kind.OnCertify ? type(uint16).max : 1, terms.perEpoch);

        // Effect
        trigger = ++triggerCount;
        TriggerState storage state = _triggers[trigger];
        state.owner = msg.sender;
        state.firstObject = (_registry.objectCount() + 1).toUint48();
        state.terms = keccak256(abi.encode(terms));
        emit TriggerCreated(trigger, msg.sender, terms);
    }

    /// @inheritdoc IJobTriggers
    function fundTrigger(uint256 trigger, Amount amount) external {
        // Check
        TriggerState storage state = _known(trigger);
        if (amount.isZero()) revert JobTriggers_ZeroAmount();

        // Effect
        Amount balance = state.balance + amount;
        state.balance = balance;
        emit TriggerFunded(trigger, msg.sender, amount, balance);

        // Interaction
        _vault.collect(msg.sender, amount);
    }

    /// @inheritdoc IJobTriggers
    function withdrawTrigger(uint256 trigger, Amount amount, address to) external {
        // Check
        TriggerState storage state = _known(trigger);
        if (msg.sender != state.owner) revert JobTriggers_CallerNotOwner(trigger, state.owner, msg.sender);
        if (amount.isZero()) revert JobTriggers_ZeroAmount();

        // Effect
        _takeOut(trigger, state, amount);
        emit TriggerWithdrawn(trigger, to, amount);

        // Interaction
        _vault.pay(to, amount);
    }

    /// @inheritdoc IJobTriggers
    function fire(uint256 trigger, Terms calldata terms, uint256 subject, bytes[] calldata evidence)
        external
        returns (uint256 job)
    {
        // Check
        TriggerState storage state = _known(trigger);
        if (keccak256(abi.encode(terms)) != state.terms) revert JobTriggers_WrongTerms(trigger);

        // Effect: the balance lies in this contract's reserve already, so nothing moves.
        _countJob(trigger, state, terms);
        uint256[] memory inputs = _useReason(trigger, state, terms, subject);
        Amount paid;
        (job, paid) = _request(state.owner, terms.order, inputs, evidence, terms.maximum);
        Amount balance = _takeOut(trigger, state, paid);
        emit TriggerFired(trigger, job, subject, paid, balance);
    }

    /// @inheritdoc IJobTriggers
    function triggerOf(uint256 trigger) external view returns (Trigger memory) {
        TriggerState storage state = _known(trigger);
        return Trigger({
            owner: state.owner,
            terms: state.terms,
            firstObject: state.firstObject,
            last: state.last,
            jobs: state.jobs,
            balance: state.balance
        });
    }

    /// @inheritdoc IJobTriggers
    function isComputed(uint256 trigger, uint256 blobObject) external view returns (bool) {
        return _computed[trigger][blobObject / OBJECTS_IN_WORD] >> (blobObject % OBJECTS_IN_WORD) & 1 != 0;
    }

    /// @dev Counts one more job of the present epoch, if there may be one.
    function _countJob(uint256 trigger, TriggerState storage state, Terms calldata terms) private {
        // Check
        Epoch epoch = _committee.currentEpoch();
        Epoch last = state.last;
        uint16 jobs = last == epoch ? state.jobs : 0;
        Epoch from = jobs < terms.perEpoch ? epoch : epoch.plus(1);
        if (terms.kind == Kind.EveryEpochs && Epoch.unwrap(last) != 0) from = _later(last, terms.epochs);
        if (from > epoch) revert JobTriggers_NotDue(trigger, from, epoch);

        // Effect
        state.last = epoch;
        state.jobs = jobs + 1;
    }

    /// @dev Uses up the reason for which a trigger is fired.
    /// @return inputs Of the job.
    function _useReason(uint256 trigger, TriggerState storage state, Terms calldata terms, uint256 subject)
        private
        returns (uint256[] memory inputs)
    {
        inputs = terms.order.inputs;
        bool good;
        if (terms.kind == Kind.EveryEpochs) {
            good = subject == 0;
        } else if (terms.kind == Kind.OnCertify) {
            IBlobRegistry.BlobObject memory blob = _registry.blobOf(subject);
            uint256 computed = _computed[trigger][subject / OBJECTS_IN_WORD];
            uint256 bit = 1 << (subject % OBJECTS_IN_WORD);
            good = subject >= state.firstObject && blob.status == IBlobRegistry.Status.Certified
                && blob.owner == state.owner && !_registry.wasGiven(subject) && computed & bit == 0;
            _computed[trigger][subject / OBJECTS_IN_WORD] = computed | bit;
            inputs = new uint256[](1);
            inputs[0] = subject;
        } else if (subject <= type(uint160).max) {
            // Just compared. Only an account is ever bought for; other bits name nobody.
            // forge-lint: disable-next-line(unsafe-typecast)
            address reader = address(uint160(subject));
            uint32 reads = _purchases.readsOf(inputs[0], reader);
            good = reads > readsSeen[trigger][reader];
            readsSeen[trigger][reader] = reads;
        }
        if (!good) revert JobTriggers_NoReason(trigger, subject);
    }

    /// @dev Lowers a balance.
    function _takeOut(uint256 trigger, TriggerState storage state, Amount amount) private returns (Amount rest) {
        // Check
        Amount balance = state.balance;
        if (amount > balance) revert JobTriggers_BalanceTooSmall(trigger, amount, balance);

        // Effect
        rest = balance - amount;
        state.balance = rest;
    }

    function _known(uint256 trigger) private view returns (TriggerState storage state) {
        state = _triggers[trigger];
        if (state.owner == address(0)) revert JobTriggers_UnknownTrigger(trigger);
    }

    /// @dev The fewest and the most inputs that the order of a trigger names.
    function _inputsOf(Kind kind) private pure returns (uint256 fewest, uint256 most) {
        if (kind == Kind.OnCertify) return (0, 0);
        return (1, kind == Kind.EveryEpochs ? MAXIMUM_INPUTS : 1);
    }

    /// @dev The epoch `count` epochs later, or the last one there can be.
    function _later(Epoch epoch, uint32 count) private pure returns (Epoch) {
        uint32 left = type(uint32).max - Epoch.unwrap(epoch);
        return epoch.plus(count < left ? count : left);
    }

    function _checkTerm(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert JobTriggers_TermsOutOfBounds(field, minimum, maximum, actual);
        }
    }
}
