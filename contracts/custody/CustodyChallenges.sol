// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {IBlobRegistry} from "../interfaces/IBlobRegistry.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../interfaces/ICustodyChallenges.sol";
import {IRandomness} from "../interfaces/IRandomness.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Bitmap} from "../libraries/Bitmap.sol";
import {EpochClock} from "../libraries/EpochClock.sol";
import {RedStuffMath} from "../libraries/RedStuffMath.sol";
import {Samples} from "../libraries/Samples.sol";
import {SliverProof} from "../libraries/SliverProof.sol";
import {Amount} from "../types/Amount.sol";
import {BlobId} from "../types/BlobId.sol";
import {Epoch} from "../types/Epoch.sol";
import {NodeId} from "../types/NodeId.sol";
import {Timestamp} from "../types/Timestamp.sol";
import {BlobSampler} from "./BlobSampler.sol";

/// @title CustodyChallenges
/// @notice Asks every node once an epoch for bytes that nobody could foresee, and punishes silence.
/// @dev What a node is asked is a function of the window and the registry alone: seed, frozen lengths, the seat of the
/// node in the frozen committee, the shards that were not due. While a window is open nothing of that can be changed:
/// entries are only appended, committees stay, deleted objects are answered for until the epoch is over. The one
/// exception is a blob that f + 1 shards declare invalid: its draws become void, and the next attempt counts.
///
/// Where the chain reorganises across a window, seed, proofs and reports are those of the blocks that stay: nothing
/// here comes from anywhere else, so a proof for a seed that is gone fails and is made anew.
///
/// Invariants: I6 and I7, see {ICustodyChallenges}; only this contract's reports slash.
contract CustodyChallenges is BlobSampler, ICustodyChallenges {
    using SafeCast for uint256;
    using Samples for Samples.Draw;

    /// @dev The window of an epoch. The first five fields share a slot, so a proof reads three words of it.
    /// `frozenWords`: which words of the frozen lengths hold entries, see {BlobSampler}; none when there is nothing to
    /// ask.
    /// `exempts`: whether `exempt` is not zero.
    struct WindowState {
        Epoch committeeEpoch;
        uint64 ticket;
        uint8 frozenWords;
        bool exempts;
        bytes32 seed;
        uint256 exempt;
        uint256 proved;
        uint256 reported;
    }

    /// @dev What one node is asked. Up to `code` all samples have it in common; the rest is written anew for each, so
    /// that a proof of many samples takes memory once.
    struct Round {
        Epoch epoch;
        uint256 due;
        uint256 dueCount;
        FrozenSet set;
        Samples.Code code;
        Samples.Draw draw;
        uint256 shard;
        SliverProof.Blob blob;
        SliverProof.Place place;
        SliverProof.Shape shape;
    }

    uint256 private constant MAXIMUM_SAMPLES = 16;
    uint256 private constant MAXIMUM_SLASH_BPS = 5000;
    uint256 private constant MAXIMUM_BOUNTY_BPS = 5000;
    uint256 private constant MAXIMUM_MISSES = 100;
    uint256 private constant MAXIMUM_JAIL_EPOCHS = 1000;
    /// @dev Draws of a blob after which a sample is blank.
    uint256 private constant ATTEMPTS = 4;

    ICommittee private immutable _committee;
    IStaking private immutable _staking;
    IRandomness private immutable _randomness;
    Timestamp private immutable _genesis;
    uint64 private immutable _epochSeconds;
    uint16 private immutable _shards;

    uint16 private immutable _samples;
    uint16 private immutable _firstSlashBps;
    uint16 private immutable _maximumSlashBps;
    uint16 private immutable _missesToJail;
    uint32 private immutable _jailEpochs;
    uint16 private immutable _bountyBps;

    /// @dev The epoch whose window the frozen lengths belong to.
    Epoch private _lastOpened;
    mapping(Epoch epoch => WindowState) private _windows;
    mapping(NodeId nodeId => Record) private _records;

    /// @notice Fixes partners and parameters for ever.
    /// @param committee Gives the clock, the seats and the shards that are on their way.
    /// @param registry Adds the objects that it certified.
    /// @param staking Must take this contract for the one that slashes.
    /// @param randomness Where seeds come from. Its draws must happen well before a quarter of an epoch is over; a draw that
    /// comes too late makes the window void.
    constructor(
        ICommittee committee,
        IBlobRegistry registry,
        IStaking staking,
        IRandomness randomness,
        Parameters memory parameters_
    ) BlobSampler(registry) {
        _checkBounds("samples", 1, MAXIMUM_SAMPLES, parameters_.samples);
        _checkBounds("maximumSlashBps", 1, MAXIMUM_SLASH_BPS, parameters_.maximumSlashBps);
        _checkBounds("firstSlashBps", 1, parameters_.maximumSlashBps, parameters_.firstSlashBps);
        _checkBounds("missesToJail", 1, MAXIMUM_MISSES, parameters_.missesToJail);
        _checkBounds("jailEpochs", 1, MAXIMUM_JAIL_EPOCHS, parameters_.jailEpochs);
        _checkBounds("bountyBps", 0, MAXIMUM_BOUNTY_BPS, parameters_.bountyBps);

        _committee = committee;
        _staking = staking;
        _randomness = randomness;
        _genesis = committee.startOf(Epoch.wrap(1));
        _epochSeconds = committee.epochSeconds();
        _shards = committee.shards();
        _samples = parameters_.samples;
        _firstSlashBps = parameters_.firstSlashBps;
        _maximumSlashBps = parameters_.maximumSlashBps;
        _missesToJail = parameters_.missesToJail;
        _jailEpochs = parameters_.jailEpochs;
        _bountyBps = parameters_.bountyBps;
    }

    /// @inheritdoc ICustodyChallenges
    function openWindow() external {
        // Check
        Epoch epoch = _currentEpoch();
        (Timestamp from, Timestamp until,) = timesOf(epoch);
        Timestamp time = _now();
        if (time < from || !(time < until)) revert CustodyChallenges_NotOpeningTime(epoch, from, until);
        WindowState storage window = _windows[epoch];
        if (_exists(window)) revert CustodyChallenges_AlreadyOpened(epoch);
        Epoch committeeEpoch = _committee.epoch();
        if (Epoch.unwrap(committeeEpoch) == 0) revert ICommittee.Committee_NotFormed();

        // Effect
        uint256 exempt = _exemptIn(epoch, committeeEpoch);
        uint64 ticket = _randomness.nextTicket().toUint64();
        uint8 frozenWords = _freeze();
        _lastOpened = epoch;
        window.committeeEpoch = committeeEpoch;
        window.ticket = ticket;
        window.frozenWords = frozenWords;
        window.exempts = exempt != 0;
        if (exempt != 0) window.exempt = exempt;
        emit WindowOpened(epoch, committeeEpoch, ticket, exempt, frozenWords == 0);
    }

    /// @inheritdoc ICustodyChallenges
    function captureSeed(Epoch epoch) external returns (bytes32 seed) {
        // Check: it is kept already, or there is still time to answer.
        WindowState storage window = _windowOf(epoch);
        seed = window.seed;
        if (seed != 0) return seed;
        _checkOpen(epoch);

        // Effect
        seed = _captureSeed(epoch, window);
    }

    /// @inheritdoc ICustodyChallenges
    function prove(NodeId nodeId, bytes calldata proofs) external {
        // Check: the window is open for this node.
        Epoch epoch = _currentEpoch();
        WindowState storage window = _windowOf(epoch);
        _checkOpen(epoch);
        (uint256 member, uint256 due) = _seatOf(epoch, window, nodeId);
        uint256 proved = window.proved;
        if (_passed(window, proved, member)) revert CustodyChallenges_AlreadyProved(epoch, nodeId);

        // Effect
        bytes32 seed = _captureSeed(epoch, window);

        // Check: the proofs are of the places that this seed asks for.
        _check(_roundOf(epoch, window, seed, nodeId, due), proofs);

        // Effect
        window.proved = proved | 1 << member;
        emit CustodyProved(epoch, nodeId, msg.sender);
    }

    /// @inheritdoc ICustodyChallenges
    function reportMiss(Epoch epoch, NodeId nodeId) external returns (Amount slashed) {
        // Check
        WindowState storage window = _windowOf(epoch);
        (,, Timestamp from) = timesOf(epoch);
        Timestamp until = EpochClock.startOf(_genesis, _epochSeconds, epoch.plus(2));
        Timestamp time = _now();
        if (time < from || !(time < until)) revert CustodyChallenges_NotReportingTime(epoch, from, until);
        (uint256 member,) = _seatOf(epoch, window, nodeId);
        if (_passed(window, window.proved, member)) revert CustodyChallenges_AlreadyProved(epoch, nodeId);
        if (window.seed == 0) revert CustodyChallenges_SeedNotCaptured(epoch);
        uint256 reported = window.reported;
        if (reported >> member & 1 != 0) revert CustodyChallenges_AlreadyReported(epoch, nodeId);

        // Effect
        window.reported = reported | 1 << member;
        uint32 row = _countMiss(epoch, nodeId);

        // Interaction
        uint16 bps = slashBpsFor(row);
        Epoch jailUntil = row < _missesToJail ? Epoch.wrap(0) : _currentEpoch().plus(_jailEpochs);
        slashed = _staking.slash(nodeId, bps, _bountyBps, msg.sender, jailUntil);
        emit CustodyMissed(epoch, nodeId, msg.sender, row, bps, slashed);
    }

    /// @inheritdoc ICustodyChallenges
    function samplesOf(Epoch epoch, NodeId nodeId) external view returns (Sample[] memory samples) {
        // Only the last window's lengths are kept.
        WindowState storage window = _windowOf(epoch);
        if (!(epoch == _lastOpened)) revert CustodyChallenges_NoWindow(epoch);

        bytes32 seed = window.seed;
        if (seed == 0) seed = _randomness.reveal(window.ticket);
        (, uint256 due) = _seatOf(epoch, window, nodeId);
        Round memory round = _roundOf(epoch, window, seed, nodeId, due);
        samples = new Sample[](_samples);
        for (uint256 i = 0; i < samples.length; ++i) {
            uint256 blobObject = _ask(round, i);
            if (blobObject == 0) continue;
            samples[i] = Sample({
                blobObject: blobObject,
                blobId: round.blob.blobId,
                size: round.blob.size,
                // Shards are below 255.
                // forge-lint: disable-next-line(unsafe-typecast)
                shard: uint16(round.shard),
                pair: round.place.pair,
                segment: round.place.segment,
                secondary: round.place.secondary,
                chunk: round.place.chunk
            });
        }
    }

    /// @inheritdoc ICustodyChallenges
    function passedShards(Epoch epoch, NodeId nodeId) external view returns (uint256) {
        WindowState storage window = _windows[epoch];
        if (!_exists(window)) return 0;
        (uint256 member, uint256 seat) = _committee.seatOf(window.committeeEpoch, nodeId);
        uint256 due = seat & ~window.exempt;
        return due != 0 && _passed(window, window.proved, member) ? Bitmap.count(due) : 0;
    }

    /// @inheritdoc ICustodyChallenges
    function totalPassedShards(Epoch epoch) external view returns (uint256 total) {
        WindowState storage window = _windows[epoch];
        if (!_exists(window)) return 0;
        bytes memory assignment = _committee.assignmentOf(window.committeeEpoch);
        uint256 exempt = window.exempt;
        uint256 proved = window.proved;
        for (uint256 shard = 0; shard < assignment.length; ++shard) {
            if (exempt >> shard & 1 == 0 && _passed(window, proved, uint8(assignment[shard]))) ++total;
        }
    }

    /// @inheritdoc ICustodyChallenges
    function windowOf(Epoch epoch) external view returns (Window memory) {
        WindowState storage window = _windows[epoch];
        return Window({
            committeeEpoch: window.committeeEpoch,
            ticket: window.ticket,
            seed: window.seed,
            exempt: window.exempt,
            proved: window.proved,
            reported: window.reported,
            empty: _exists(window) && window.frozenWords == 0
        });
    }

    /// @inheritdoc ICustodyChallenges
    function recordOf(NodeId nodeId) external view returns (Record memory) {
        return _records[nodeId];
    }

    /// @inheritdoc ICustodyChallenges
    function parameters() external view returns (Parameters memory) {
        return Parameters({
            samples: _samples,
            firstSlashBps: _firstSlashBps,
            maximumSlashBps: _maximumSlashBps,
            missesToJail: _missesToJail,
            jailEpochs: _jailEpochs,
            bountyBps: _bountyBps
        });
    }

    /// @inheritdoc ICustodyChallenges
    function isOpen() public view override(BlobSampler, ICustodyChallenges) returns (bool) {
        Epoch epoch = _currentEpoch();
        (,, Timestamp closes) = timesOf(epoch);
        return _now() < closes && _exists(_windows[epoch]);
    }

    /// @inheritdoc ICustodyChallenges
    function timesOf(Epoch epoch) public view returns (Timestamp from, Timestamp until, Timestamp closes) {
        Timestamp start = EpochClock.startOf(_genesis, _epochSeconds, epoch);
        from = start.plusSeconds(_epochSeconds / 4);
        until = start.plusSeconds(_epochSeconds / 2);
        closes = start.plusSeconds(_epochSeconds * 3 / 4);
    }

    /// @inheritdoc ICustodyChallenges
    function slashBpsFor(uint32 row) public view returns (uint16) {
        if (row == 0) return 0;
        // A slash that was doubled 13 times is above every limit. What is below the limit has 16 bits.
        uint256 bps = uint256(_firstSlashBps) << Math.min(row - 1, 13);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint16(Math.min(bps, _maximumSlashBps));
    }

    /// @dev Shards on their way are excused in the epoch in which they came; where the committee took office so late that this
    /// window had its time already, in the next one too. After that, who did not signal them answers for them.
    function _exemptIn(Epoch epoch, Epoch committeeEpoch) private view returns (uint256 exempt) {
        exempt = _committee.pendingShards();
        if (exempt == 0 || committeeEpoch == epoch) return exempt;
        (Timestamp from,,) = timesOf(committeeEpoch);
        bool late = committeeEpoch.plus(1) == epoch && !(_committee.servingSince() < from);
        return late ? exempt : 0;
    }

    /// @dev Reads and keeps the seed when that did not happen yet. Only while the window is open.
    function _captureSeed(Epoch epoch, WindowState storage window) private returns (bytes32 seed) {
        seed = window.seed;
        if (seed != 0) return seed;
        seed = _randomness.reveal(window.ticket);
        window.seed = seed;
        emit SeedCaptured(epoch, seed);
    }

    /// @dev Counts a miss and says which one in a row it is. Misses of neighbouring epochs may be reported in
    /// either order.
    function _countMiss(Epoch epoch, NodeId nodeId) private returns (uint32 row) {
        Record storage record = _records[nodeId];
        Epoch last = record.last;
        bool neighbours = last.plus(1) == epoch || epoch.plus(1) == last;
        row = Epoch.unwrap(last) != 0 && neighbours ? record.row + 1 : 1;
        record.last = last < epoch ? epoch : last;
        record.row = row;
    }

    /// @dev Reverts unless `proofs` are those of the samples, in order, and nothing else.
    function _check(Round memory round, bytes calldata proofs) private view {
        uint256 used = 0;
        for (uint256 i = 0; i < _samples; ++i) {
            if (_ask(round, i) == 0) continue;
            bytes calldata run = proofs[used:];
            uint256 length = SliverProof.bytesOf(round.shape);
            if (run.length < length) revert CustodyChallenges_ProofTooShort(i, length, run.length);
            // Unchecked: stays within the proofs.
            unchecked {
                used += SliverProof.checkRun(round.blob, round.place, round.shape, run);
            }
        }
        if (used != proofs.length) revert CustodyChallenges_TrailingBytes(used, proofs.length);
    }

    /// @dev Writes the `i`-th place that a node is asked for.
    /// @return blobObject Zero when no attempt finds an object that is answered for; the rest means nothing then.
    function _ask(Round memory round, uint256 i) private view returns (uint256 blobObject) {
        if (round.set.weight == 0) return 0;
        Samples.Draw memory draw = round.draw;
        draw.sample = i;
        for (uint256 attempt = 0; attempt < ATTEMPTS; ++attempt) {
            blobObject = _draw(round.set, draw.word(Samples.BLOB, attempt));
            (BlobId blobId, uint64 size, Epoch until) = _registry.custodyOf(blobObject);
            if (until <= round.epoch) continue;

            uint256 shard = Bitmap.nth(round.due, draw.word(Samples.SHARD, 0) % round.dueCount);
            round.shard = shard;
            round.blob.blobId = blobId;
            round.blob.size = size;
            // Pairs are below 255.
            // forge-lint: disable-next-line(unsafe-typecast)
            round.place.pair = uint16(RedStuffMath.pairOnShard(blobId, shard, _shards));
            Samples.find(round.code, size, draw.word(Samples.CHUNK, 0), round.place, round.shape);
            return blobObject;
        }
        return 0;
    }

    /// @dev Only for the window that was opened last.
    function _roundOf(Epoch epoch, WindowState storage window, bytes32 seed, NodeId nodeId, uint256 due)
        private
        view
        returns (Round memory round)
    {
        round.epoch = epoch;
        round.due = due;
        round.dueCount = Bitmap.count(due);
        round.set = _frozenSet(window.frozenWords);
        round.code = Samples.codeOf(_shards);
        round.blob.shards = _shards;
        round.draw.seed = seed;
        round.draw.nodeId = nodeId;
    }

    /// @dev The place of a node in the frozen committee and its due shards, of which there is one at least.
    function _seatOf(Epoch epoch, WindowState storage window, NodeId nodeId)
        private
        view
        returns (uint256 member, uint256 due)
    {
        (member, due) = _committee.seatOf(window.committeeEpoch, nodeId);
        if (window.exempts) due &= ~window.exempt;
        if (due == 0) revert CustodyChallenges_NothingDue(epoch, nodeId);
    }

    /// @dev Of an epoch that has a window.
    function _checkOpen(Epoch epoch) private view {
        (,, Timestamp closes) = timesOf(epoch);
        if (!(_now() < closes)) revert CustodyChallenges_WindowClosed(epoch, closes);
    }

    function _windowOf(Epoch epoch) private view returns (WindowState storage window) {
        window = _windows[epoch];
        if (!_exists(window)) revert CustodyChallenges_NoWindow(epoch);
    }

    function _exists(WindowState storage window) private view returns (bool) {
        return Epoch.unwrap(window.committeeEpoch) != 0;
    }

    /// @dev Where there was nothing to ask, everybody passes. Without a seed nobody can have proved.
    function _passed(WindowState storage window, uint256 proved, uint256 member) private view returns (bool) {
        return proved >> member & 1 != 0 || window.frozenWords == 0;
    }

    function _currentEpoch() internal view override returns (Epoch) {
        return EpochClock.current(_genesis, _epochSeconds);
    }

    function _now() private view returns (Timestamp) {
        return Timestamp.wrap(uint64(block.timestamp));
    }

    function _checkBounds(bytes32 parameter, uint256 minimum, uint256 maximum, uint256 actual) private pure {
        if (actual < minimum || actual > maximum) {
            revert CustodyChallenges_ParameterOutOfBounds(parameter, minimum, maximum, actual);
        }
    }
}
