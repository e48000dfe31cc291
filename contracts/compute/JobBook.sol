// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBlobPolicies} from "../interfaces/IBlobPolicies.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IComputeJobs} from "../interfaces/IComputeJobs.sol";
import {Action} from "../interfaces/IDataPolicy.sol";
import {INodeRegistry} from "../interfaces/INodeRegistry.sol";
import {IRandomness} from "../interfaces/IRandomness.sol";
import {IRevenuePools} from "../interfaces/IRevenuePools.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {ITokenVault} from "../interfaces/ITokenVault.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {JobAnswers} from "./JobAnswers.sol";
import {JobDraw} from "./JobDraw.sol";
import {JobPanel, newJobPanel} from "./JobPanel.sol";

/// @title JobBook
/// @notice Jobs from their request to their end: what is kept of them, who may do what and when, and where the money goes.
/// @dev Flow: see {IComputeJobs}. One word is kept of a job that was requested, one more once it is drawn, one for each answer; all
/// are cleared when it is over. The first is the hash of the request, and whoever draws or ends a job shows that again.
///
/// Policies are anybody's code, but asked by STATICCALL, so they change nothing while they are asked. All other calls go to contracts
/// fixed at construction, which call nobody else; so no account gets control inside a call.
///
/// Who is drawn depends on nothing that anybody chooses after the randomness is known: job, replicas and committee are fixed at the
/// request. Who does not like a panel may hope that nobody draws it until the job can be cancelled; but anybody may draw, and the
/// panel's nodes, which earn by it, will.
///
/// Of all jobs that were drawn in one epoch, whenever those are settled, a node is slashed for one in which it was absent, and for one
/// in which it lied: whoever sees that a node is down cannot ruin it with many jobs, nor can a league that has the majority of some
/// panels ruin those who do not agree with it. A node that left the committee since it was drawn is excused for being absent; it may
/// still answer, and when it lies it is not. Who commits and then keeps still chose to, and pays for each job: else it would cost
/// nothing to guess, see what the others show, and keep still when the guess was wrong.
///
/// Invariants:
/// - The vault's reserve of this contract is the sum of fee and charges over all jobs that are not over, and of the balances of
///   triggers.
/// - I7: a job slashes each node of its panel once at most, and none but those; for lies no node more than once an epoch of draw.
abstract contract JobBook is IComputeJobs {
    using SafeCast for uint256;

    uint256 internal constant MAXIMUM_INPUTS = 16;
    uint256 private constant MAXIMUM_ARGUMENTS = 1024;
    uint256 private constant MAXIMUM_FUEL = 10 ** 12;
    uint256 private constant MAXIMUM_OUTPUT = 16 * 2 ** 20;
    uint256 private constant MAXIMUM_REPLICAS = 7;
    uint256 private constant MAXIMUM_SLASH_BPS = 5000;
    uint256 private constant MAXIMUM_WINDOW_BLOCKS = 50_000;
    /// @dev A thousand WAL.
    uint256 private constant MAXIMUM_MINIMUM_FEE = 1000 * 10 ** 18;
    /// @dev All windows of a job together, in epochs: stake on its way out is in reach for three at least.
    uint256 private constant MAXIMUM_WINDOWS = 2;
    /// @dev What {IBlobPolicies-judge} says of an object without policies, to all but its owner.
    bytes32 private constant NOT_OWNER = "NotOwner";

    /// @inheritdoc IComputeJobs
    uint32 public constant engine = 1;

    ITokenVault internal immutable _vault;
    ICommittee internal immutable _committee;
    INodeRegistry private immutable _nodes;
    IStaking private immutable _staking;
    IRandomness private immutable _randomness;
    IBlobPolicies private immutable _policies;
    IRevenuePools private immutable _pools;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;

    uint32 private immutable _drawSeconds;
    uint32 private immutable _commitSeconds;
    uint32 private immutable _revealSeconds;
    uint32 private immutable _windowBlocks;
    uint16 private immutable _wrongBps;
    uint16 private immutable _absentBps;
    Amount private immutable _minimumFee;

    /// @inheritdoc IComputeJobs
    uint256 public jobCount;

    /// @dev keccak256 of the request. Zero once a job is over.
    mapping(uint256 job => bytes32) private _termsOf;
    mapping(uint256 job => JobPanel) private _panelOf;
    mapping(uint256 job => mapping(uint256 place => uint256)) private _answers;

    /// @inheritdoc IComputeJobs
    mapping(uint256 blobObject => mapping(address requester => uint64)) public jobsOn;

    /// @inheritdoc IComputeJobs
    mapping(NodeId nodeId => mapping(Epoch epoch => bool)) public wasAbsent;

    /// @inheritdoc IComputeJobs
    mapping(NodeId nodeId => mapping(Epoch epoch => bool)) public hasLied;

    /// @dev Partners and parameters as {ComputeJobs} says.
    constructor(
        ITokenVault vault,
        ICommittee committee,
        INodeRegistry nodes,
        IStaking staking,
        IRandomness randomness,
        IBlobPolicies policies,
        IRevenuePools pools,
        Parameters memory parameters_
    ) {
        uint256 windows = uint256(parameters_.drawSeconds) + parameters_.commitSeconds
            + uint256(parameters_.revealSeconds);
        _checkParameter("drawSeconds", 1, type(uint32).max, parameters_.drawSeconds);
        _checkParameter("commitSeconds", 1, type(uint32).max, parameters_.commitSeconds);
        _checkParameter("revealSeconds", 1, type(uint32).max, parameters_.revealSeconds);
        _checkParameter("windows", 3, MAXIMUM_WINDOWS * committee.epochSeconds(), windows);
        _checkParameter("windowBlocks", 1, MAXIMUM_WINDOW_BLOCKS, parameters_.windowBlocks);
        _checkParameter("wrongBps", 1, MAXIMUM_SLASH_BPS, parameters_.wrongBps);
        _checkParameter("absentBps", 0, parameters_.wrongBps, parameters_.absentBps);
        _checkParameter("minimumFee", 0, MAXIMUM_MINIMUM_FEE, Amount.unwrap(parameters_.minimumFee));

        _vault = vault;
        _committee = committee;
        _nodes = nodes;
        _staking = staking;
        _randomness = randomness;
        _policies = policies;
        _pools = pools;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
        _drawSeconds = parameters_.drawSeconds;
        _commitSeconds = parameters_.commitSeconds;
        _revealSeconds = parameters_.revealSeconds;
        _windowBlocks = parameters_.windowBlocks;
        _wrongBps = parameters_.wrongBps;
        _absentBps = parameters_.absentBps;
        _minimumFee = parameters_.minimumFee;
    }

    /// @inheritdoc IComputeJobs
    function request(Order calldata order, bytes[] calldata evidence, Amount maximum) external returns (uint256 job) {
        // Check and effect
        Amount total;
        (job, total) = _request(msg.sender, order, order.inputs, evidence, maximum);

        // Interaction
        if (!total.isZero()) _vault.collect(msg.sender, total);
    }

    /// @inheritdoc IComputeJobs
    function draw(uint256 job, Request calldata requested) external returns (NodeId[] memory nodes) {
        // Check
        _checkTerms(job, requested);
        if (!_panelOf[job].isNone()) revert ComputeJobs_AlreadyDrawn(job);
        Timestamp until = requested.since.plusSeconds(_drawSeconds);
        if (!(_now() < until)) revert ComputeJobs_DrawOver(job, until);
        bytes32 seed = _randomness.reveal(requested.ticket);

        // Effect
        nodes = JobDraw.panel(
            seed,
            job,
            requested.order.replicas,
            _committee.membersOf(requested.office),
            _committee.assignmentOf(requested.office)
        );
        JobPanel panel = newJobPanel(nodes);
        _panelOf[job] = panel;
        emit JobDrawn(job, nodes, _commitUntil(panel), _revealUntil(panel));
    }

    /// @inheritdoc IComputeJobs
    function commit(uint256 job, uint8 place, bytes32 terms, bytes32 commitment) external {
        // Check
        NodeId nodeId = _checkTurn(job, place);
        if (_termsOf[job] != terms) revert ComputeJobs_WrongTerms(job);

        // Effect
        _answers[job][place] = JobAnswers.word(Answer.Committed, commitment);
        emit ResultCommitted(job, nodeId, place, commitment);
    }

    /// @inheritdoc IComputeJobs
    function decline(uint256 job, uint8 place) external {
        // Check
        NodeId nodeId = _checkTurn(job, place);

        // Effect
        _answers[job][place] = JobAnswers.word(Answer.Declined, 0);
        emit JobDeclined(job, nodeId, place);
    }

    /// @inheritdoc IComputeJobs
    function reveal(uint256 job, uint8 place, bytes32 resultHash, uint64 outputSize, bytes32 salt) external {
        // Check
        JobPanel panel = _drawn(job);
        NodeId nodeId = _checkSigner(job, place, panel);
        if (_isRevealOver(panel)) revert ComputeJobs_RevealOver(job, _revealUntil(panel));
        if (!_isCommitOver(panel) && !_allAnswered(job, panel.sizeOf())) {
            revert ComputeJobs_CommitOpen(job, _commitUntil(panel));
        }
        uint256 answer = _answers[job][place];
        if (JobAnswers.kindOf(answer) != Answer.Committed) revert ComputeJobs_NotCommitted(job, place);
        bytes32 commitment = commitmentOf(job, nodeId, resultHash, outputSize, salt);
        if (answer != JobAnswers.word(Answer.Committed, commitment)) revert ComputeJobs_WrongReveal(job, place);

        // Effect
        _answers[job][place] = JobAnswers.word(Answer.Revealed, keccak256(abi.encode(resultHash, outputSize)));
        emit ResultRevealed(job, nodeId, place, resultHash, outputSize);
    }

    /// @inheritdoc IComputeJobs
    function settle(uint256 job, Request calldata requested) external returns (Outcome memory outcome) {
        // Check
        _checkTerms(job, requested);
        JobPanel panel = _drawn(job);
        uint256[] memory answers = _answersOf(job, panel.sizeOf());
        (Status status, Timestamp until) = _turnOf(panel, answers);
        if (status != Status.Settleable) revert ComputeJobs_StillOpen(job, until);
        JobAnswers.Count memory counted = JobAnswers.count(answers);

        // Effect
        _end(job, answers.length);
        (outcome.agreeing, outcome.lying) = (counted.agreeing, counted.lying);
        outcome.absent = counted.absent | counted.silent;
        Amount paid;
        if (outcome.agreeing != 0) {
            // At most seven.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint128 winners = uint128(Bitmap.count(outcome.agreeing));
            outcome.charged = _sumOf(requested.charges);
            outcome.feeEach = Amount.wrap(Amount.unwrap(requested.order.fee) / winners);
            paid = outcome.feeEach.times(winners) + outcome.charged;
        }
        outcome.refunded = requested.order.fee + _sumOf(requested.charges) - paid;
        emit JobSettled(
            job,
            requested.requester,
            outcome.agreeing,
            outcome.lying,
            outcome.absent,
            outcome.charged,
            outcome.feeEach,
            outcome.refunded
        );

        // Interaction: nobody is called who could refuse, and nobody gets control.
        _payOut(job, requested, panel, outcome);
        _slash(job, panel, counted);
    }

    /// @inheritdoc IComputeJobs
    function cancel(uint256 job, Request calldata requested) external returns (Amount refunded) {
        // Check
        _checkTerms(job, requested);
        if (!_panelOf[job].isNone()) revert ComputeJobs_AlreadyDrawn(job);
        Timestamp until = requested.since.plusSeconds(_drawSeconds);
        if (_now() < until) revert ComputeJobs_DrawOpen(job, until);

        // Effect
        _end(job, 0);
        refunded = requested.order.fee + _sumOf(requested.charges);
        emit JobCancelled(job, requested.requester, refunded);

        // Interaction
        if (!refunded.isZero()) _vault.release(requested.requester, refunded);
    }

    /// @inheritdoc IComputeJobs
    function jobOf(uint256 job) external view returns (Job memory found) {
        found.status = statusOf(job);
        found.terms = _termsOf[job];
        JobPanel panel = _panelOf[job];
        (found.drawnAt, found.drawnBlock) = (panel.drawnAt(), panel.drawnBlock());
        uint256 size = panel.sizeOf();
        (found.nodes, found.answers) = (new NodeId[](size), new Answer[](size));
        for (uint256 place = 0; place < size; ++place) {
            found.nodes[place] = panel.nodeAt(place);
            found.answers[place] = JobAnswers.kindOf(_answers[job][place]);
        }
    }

    /// @inheritdoc IComputeJobs
    function parameters() external view returns (Parameters memory) {
        return Parameters({
            drawSeconds: _drawSeconds,
            commitSeconds: _commitSeconds,
            revealSeconds: _revealSeconds,
            windowBlocks: _windowBlocks,
            wrongBps: _wrongBps,
            absentBps: _absentBps,
            minimumFee: _minimumFee
        });
    }

    /// @inheritdoc IComputeJobs
    function statusOf(uint256 job) public view returns (Status status) {
        if (job == 0 || job > jobCount) return Status.Unknown;
        if (_termsOf[job] == 0) return Status.Over;
        JobPanel panel = _panelOf[job];
        if (panel.isNone()) return Status.Requested;
        (status,) = _turnOf(panel, _answersOf(job, panel.sizeOf()));
    }

    /// @inheritdoc IComputeJobs
    function commitmentOf(uint256 job, NodeId nodeId, bytes32 resultHash, uint64 outputSize, bytes32 salt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(job, nodeId, resultHash, outputSize, salt));
    }

    /// @dev Judges and keeps a job of `requester` on `inputs`, which need not be those of the order; whoever calls sees to the money.
    function _request(
        address requester,
        Order memory order,
        uint256[] memory inputs,
        bytes[] calldata evidence,
        Amount maximum
    ) internal returns (uint256 job, Amount total) {
        // Check
        order.inputs = inputs;
        _checkOrder(order, 1, MAXIMUM_INPUTS);
        if (evidence.length != inputs.length) revert ComputeJobs_WrongEvidenceCount(inputs.length, evidence.length);
        uint256 members = _committee.memberCount();
        if (order.replicas > members) revert ComputeJobs_TooFewMembers(members, order.replicas);
        Request memory requested;
        uint64[] memory sequences;
        (requested.charges, sequences) = _judge(requester, order, evidence);
        total = _checkedTotal(order.fee, requested.charges, maximum);

        // Effect
        job = ++jobCount;
        (requested.requester, requested.order) = (requester, order);
        requested.ticket = _randomness.nextTicket().toUint64();
        requested.office = _committee.epoch();
        requested.since = _now();
        bytes32 terms = keccak256(abi.encode(requested));
        _termsOf[job] = terms;
        emit JobRequested(job, requester, order.program, requested, sequences, terms);
    }

    /// @dev Reverts unless the order keeps its bounds, with `minimum` to `maximum` inputs.
    function _checkOrder(Order memory order, uint256 minimum, uint256 maximum) internal view {
        _checkField("inputs", minimum, maximum, order.inputs.length);
        if (order.program.isNone()) revert ComputeJobs_NoProgram();
        _checkField("arguments", 0, MAXIMUM_ARGUMENTS, order.arguments.length);
        _checkField("fuel", 1, MAXIMUM_FUEL, order.fuel);
        _checkField("outputLimit", 0, MAXIMUM_OUTPUT, order.outputLimit);
        if (order.replicas > MAXIMUM_REPLICAS || order.replicas % 2 == 0) {
            revert ComputeJobs_WrongReplicas(order.replicas);
        }
        _checkField("fee", Amount.unwrap(_minimumFee) * order.replicas, type(uint128).max, Amount.unwrap(order.fee));
        if (order.engine != engine) revert ComputeJobs_WrongEngine(engine, order.engine);
    }

    /// @dev What each input costs, if all may be used. Counts the job for each input that has a policy.
    function _judge(address requester, Order memory order, bytes[] calldata evidence)
        private
        returns (Charge[] memory charges, uint64[] memory sequences)
    {
        uint256 count = order.inputs.length;
        charges = new Charge[](count);
        sequences = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 blobObject = order.inputs[i];
            sequences[i] = jobsOn[blobObject][requester];
            IBlobPolicies.Verdict memory verdict = _policies.judge(
                IBlobPolicies.Question({
                    requester: requester,
                    blobObject: blobObject,
                    action: uint8(Action.Compute),
                    program: BlobId.unwrap(order.program),
                    sequence: sequences[i],
                    evidence: evidence[i]
                })
            );
            bool isPublic = verdict.keyEpoch == 0 && verdict.reason == NOT_OWNER;
            if (!verdict.allowed && !isPublic) revert ComputeJobs_Denied(blobObject, verdict.reason);
            if (verdict.policy != address(0)) jobsOn[blobObject][requester] = sequences[i] + 1;
            charges[i] = Charge({blobId: verdict.blobId, pool: verdict.pool, price: verdict.price});
        }
    }

    /// @dev Forgets a job; of `places` places there are answers.
    function _end(uint256 job, uint256 places) private {
        delete _termsOf[job];
        _panelOf[job] = JobPanel.wrap(0);
        for (uint256 place = 0; place < places; ++place) {
            delete _answers[job][place];
        }
    }

    /// @dev Hands on what was paid for a job, all of it.
    function _payOut(uint256 job, Request calldata requested, JobPanel panel, Outcome memory outcome) private {
        if (!outcome.charged.isZero()) {
            _vault.move(address(_pools), outcome.charged);
            for (uint256 i = 0; i < requested.charges.length; ++i) {
                Charge calldata charge = requested.charges[i];
                if (charge.price.isZero()) continue;
                _pools.credit(charge.pool, requested.requester, charge.price, bytes32(job));
            }
        }
        if (!outcome.feeEach.isZero()) {
            for (uint256 place = 0; outcome.agreeing >> place != 0; ++place) {
                if (outcome.agreeing >> place & 1 == 0) continue;
                _vault.release(_nodes.operatorOf(panel.nodeAt(place)), outcome.feeEach);
            }
        }
        if (!outcome.refunded.isZero()) _vault.release(requested.requester, outcome.refunded);
    }

    /// @dev Slashes those who lied, kept still, or were absent.
    function _slash(uint256 job, JobPanel panel, JobAnswers.Count memory counted) private {
        uint256 faulty = counted.lying | counted.silent | counted.absent;
        if (faulty == 0) return;
        Epoch epoch = EpochClock.epochAt(_genesis, _epochSeconds, panel.drawnAt());
        for (uint256 place = 0; faulty >> place != 0; ++place) {
            if (faulty >> place & 1 == 0) continue;
            NodeId nodeId = panel.nodeAt(place);
            bool lied = counted.lying >> place & 1 != 0;
            uint16 bps = lied ? _wrongBps : _absentBps;
            if (lied) {
                if (hasLied[nodeId][epoch]) bps = 0;
                else hasLied[nodeId][epoch] = true;
            } else if (counted.absent >> place & 1 != 0) {
                if (wasAbsent[nodeId][epoch] || _committee.weightOf(nodeId) == 0) bps = 0;
                else wasAbsent[nodeId][epoch] = true;
            }
            emit NodeFaulted(job, nodeId, lied, bps);
            if (bps != 0) _staking.slash(nodeId, bps, 0, msg.sender, Epoch.wrap(0));
        }
    }

    /// @dev The node at a place that has not answered yet, in time, and whose signer calls.
    function _checkTurn(uint256 job, uint8 place) private view returns (NodeId nodeId) {
        JobPanel panel = _drawn(job);
        nodeId = _checkSigner(job, place, panel);
        if (_answers[job][place] != 0) revert ComputeJobs_AlreadyAnswered(job, place);
        if (_isCommitOver(panel)) revert ComputeJobs_CommitOver(job, _commitUntil(panel));
    }

    function _checkSigner(uint256 job, uint8 place, JobPanel panel) private view returns (NodeId nodeId) {
        nodeId = panel.nodeAt(place);
        if (nodeId.isNobody()) revert ComputeJobs_UnknownPlace(job, place);
        address signer = _nodes.signerOf(nodeId);
        if (msg.sender != signer) revert ComputeJobs_CallerNotSigner(job, place, signer, msg.sender);
    }

    /// @dev Reverts unless this is the request of a job that is not over.
    function _checkTerms(uint256 job, Request calldata requested) private view {
        bytes32 terms = _termsOf[job];
        if (terms == 0) _revertNotLive(job);
        if (keccak256(abi.encode(requested)) != terms) revert ComputeJobs_WrongTerms(job);
    }

    /// @dev The panel of a job that is not over.
    function _drawn(uint256 job) private view returns (JobPanel panel) {
        panel = _panelOf[job];
        if (!panel.isNone()) return panel;
        if (_termsOf[job] == 0) _revertNotLive(job);
        revert ComputeJobs_NotDrawn(job);
    }

    function _revertNotLive(uint256 job) private view {
        if (job == 0 || job > jobCount) revert ComputeJobs_UnknownJob(job);
        revert ComputeJobs_Over(job);
    }

    /// @dev Whose turn it is in a drawn job, and until when at the earliest.
    function _turnOf(JobPanel panel, uint256[] memory answers) private view returns (Status status, Timestamp until) {
        bool waiting = false;
        bool committed = false;
        for (uint256 place = 0; place < answers.length; ++place) {
            Answer kind = JobAnswers.kindOf(answers[place]);
            waiting = waiting || kind == Answer.None;
            committed = committed || kind == Answer.Committed;
        }
        if (waiting && !_isCommitOver(panel)) return (Status.Committing, _commitUntil(panel));
        if (committed && !_isRevealOver(panel)) return (Status.Revealing, _revealUntil(panel));
        return (Status.Settleable, _revealUntil(panel));
    }

    function _commitUntil(JobPanel panel) private view returns (Timestamp) {
        return panel.drawnAt().plusSeconds(_commitSeconds);
    }

    function _revealUntil(JobPanel panel) private view returns (Timestamp) {
        return _commitUntil(panel).plusSeconds(_revealSeconds);
    }

    function _isCommitOver(JobPanel panel) private view returns (bool) {
        return _haveBlocksPassed(panel, 1) && !(_now() < _commitUntil(panel));
    }

    function _isRevealOver(JobPanel panel) private view returns (bool) {
        return _haveBlocksPassed(panel, 2) && !(_now() < _revealUntil(panel));
    }

    /// @dev Whether so many windows had their blocks since a job was drawn.
    function _haveBlocksPassed(JobPanel panel, uint256 windows) private view returns (bool) {
        return block.number - panel.drawnBlock() >= windows * _windowBlocks;
    }

    function _answersOf(uint256 job, uint256 replicas) private view returns (uint256[] memory answers) {
        answers = new uint256[](replicas);
        for (uint256 place = 0; place < replicas; ++place) {
            answers[place] = _answers[job][place];
        }
    }

    function _allAnswered(uint256 job, uint256 replicas) private view returns (bool) {
        for (uint256 place = 0; place < replicas; ++place) {
            if (_answers[job][place] == 0) return false;
        }
        return true;
    }

    /// @dev Fee and charges together, if that is no more than `maximum`.
    function _checkedTotal(Amount fee, Charge[] memory charges, Amount maximum) private pure returns (Amount) {
        uint256 total = Amount.unwrap(fee);
        for (uint256 i = 0; i < charges.length; ++i) {
            total += Amount.unwrap(charges[i].price);
        }
        if (total > Amount.unwrap(maximum)) {
            // What does not fit an amount is shown as the largest one.
            // forge-lint: disable-next-line(unsafe-typecast)
            revert ComputeJobs_TooExpensive(maximum, Amount.wrap(uint128(Math.min(total, type(uint128).max))));
        }
        // It is at most `maximum`.
        // forge-lint: disable-next-line(unsafe-typecast)
        return Amount.wrap(uint128(total));
    }

    function _sumOf(Charge[] calldata charges) private pure returns (Amount sum) {
        for (uint256 i = 0; i < charges.length; ++i) {
            sum = sum + charges[i].price;
        }
    }

    function _now() private view returns (Timestamp) {
        return Timestamp.wrap(uint64(block.timestamp));
    }

    function _checkField(bytes32 field, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert ComputeJobs_OrderOutOfBounds(field, minimum, maximum, actual);
        }
    }

    function _checkParameter(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert ComputeJobs_ParameterOutOfBounds(parameter, minimum, maximum, actual);
        }
    }
}
