// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRevenuePools} from "../../contracts/interfaces/IRevenuePools.sol";
import {Amount} from "../../contracts/types/Amount.sol";
import {Epoch} from "../../contracts/types/Epoch.sol";
import {PoolId} from "../../contracts/types/PoolId.sol";
import {InvariantTest} from "../contracts/support/InvariantTest.sol";
import {PaymentsFixture} from "../contracts/support/PaymentsFixture.sol";
import {vm} from "../contracts/support/Vm.sol";

/// @dev Pools from lists and from trees, incomes of every kind and size, members who enter, claim and hand units on, in every order;
/// nodes and protocol get their parts. Beside the contract it keeps what each pool received and paid.
contract PoolsHandler is PaymentsFixture {
    uint256 private constant MAXIMUM_POOLS = 6;
    uint256 private constant PLACES = 5;

    struct Ledger {
        uint256 received;
        uint256 paid;
        uint256 toNodes;
        uint256 burned;
        uint256 shownUnits;
    }

    uint256 public poolCount;
    mapping(uint256 pool => Ledger) public ledgers;
    mapping(uint256 pool => bool) public fromRoot;
    mapping(uint256 pool => mapping(uint256 place => bool)) public shown;
    mapping(address account => uint256) public paidTo;
    mapping(uint32 epoch => uint256) public earned;
    uint256 public transfers;
    uint256 public supply;

    constructor() {
        supply = type(uint128).max;
        deployPayments(supply);
        giveTokens(payer.addr, supply / 4);
        giveTokens(agent.addr, supply / 4);
        create(0, 1000);
        createFromTree();
    }

    function create(uint64 seed, uint16 nodesBps) public {
        if (poolCount >= MAXIMUM_POOLS) return;
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](1 + seed % PLACES);
        for (uint256 i = 0; i < shares.length; ++i) {
            // Sometimes few units, sometimes as many as there can be.
            uint256 units = uint256(keccak256(abi.encode(seed, i))) % (seed % 3 == 0 ? 10 : 2 ** 37);
            shares[i] = IRevenuePools.Share(memberAt(i), uint64(units + 1));
        }
        poolCount = PoolId.unwrap(pools.create(shares, nodesBps % 5001));
    }

    function createFromTree() public {
        if (poolCount >= MAXIMUM_POOLS) return;
        poolCount = PoolId.unwrap(createFrom(treeOf(PLACES)));
        fromRoot[poolCount] = true;
    }

    /// @dev Of any size, or of a few units.
    function distribute(uint256 pool, uint128 amount, bool small) external {
        amount = small ? amount % 1e6 + 1 : uint128(bound(amount, 1, token.balanceOf(payer.addr)));
        pool = chosen(pool);
        distribute(PoolId.wrap(uint64(pool)), amount);
        ledgers[pool].received += amount;
        refill();
    }

    function collect(uint256 pool, uint128 amount) external {
        amount = uint128(bound(amount, 1, token.balanceOf(agent.addr)));
        pool = chosen(pool);
        vm.prank(address(purchases));
        pools.collect(PoolId.wrap(uint64(pool)), agent.addr, Amount.wrap(amount), "read");
        ledgers[pool].received += amount;
        refill();
    }

    /// @dev As the channels do it: the money comes first.
    function credit(uint256 pool, uint128 amount) external {
        amount = uint128(bound(amount, 1, token.balanceOf(payer.addr)));
        pool = chosen(pool);
        vm.startPrank(address(channels));
        vault.collect(payer.addr, Amount.wrap(amount));
        vault.move(address(pools), Amount.wrap(amount));
        pools.credit(PoolId.wrap(uint64(pool)), payer.addr, Amount.wrap(amount), "voucher");
        vm.stopPrank();
        ledgers[pool].received += amount;
        refill();
    }

    function claim(uint256 pool, uint256 who) external {
        pool = chosen(pool);
        address account = memberAt(who % PLACES);
        if (claimable(PoolId.wrap(uint64(pool)), account) == 0) return;
        notePaid(pool, account, claim(PoolId.wrap(uint64(pool)), account));
    }

    /// @dev With a claim at once, or without.
    function enter(uint256 pool, uint256 place, bool claimToo) external {
        pool = chosen(pool);
        place = place % PLACES;
        if (!fromRoot[pool] || shown[pool][place]) return;
        PoolId id = PoolId.wrap(uint64(pool));
        address account = memberAt(place);
        uint64 units = uint64(place + 1);
        bytes memory proof = proofOf(treeOf(PLACES), place);
        uint256 due = Amount.unwrap(pools.claimableFromRoot(id, units)) + claimable(id, account);
        if (claimToo && due != 0) {
            vm.prank(account);
            uint256 amount = Amount.unwrap(pools.claimFromRoot(id, units, place, proof, account));
            assertEq(amount, due);
            notePaid(pool, account, amount);
        } else {
            pools.enter(id, account, units, place, proof);
            assertEq(claimable(id, account), due);
        }
        shown[pool][place] = true;
        ledgers[pool].shownUnits += units;
    }

    function transferUnits(uint256 pool, uint256 from, uint256 to, uint64 units) external {
        pool = chosen(pool);
        PoolId id = PoolId.wrap(uint64(pool));
        (address giver, address receiver) = (memberAt(from % PLACES), memberAt(to % PLACES));
        uint64 held = pools.memberOf(id, giver).units;
        if (held == 0 || giver == receiver) return;
        (uint256 before, uint256 receiverBefore) = (claimable(id, giver), claimable(id, receiver));
        vm.prank(giver);
        pools.transferUnits(id, receiver, uint64(bound(units, 1, held)));
        // It changes only what is earned from now on.
        assertEq(claimable(id, giver), before);
        assertEq(claimable(id, receiver), receiverBefore);
        ++transfers;
    }

    function settle(uint256 pool) external {
        pool = chosen(pool);
        (Amount toNodes, Amount burned) = pools.settle(PoolId.wrap(uint64(pool)));
        ledgers[pool].toNodes += Amount.unwrap(toNodes);
        ledgers[pool].burned += Amount.unwrap(burned);
        earned[currentEpoch()] += Amount.unwrap(toNodes);
    }

    function wait(uint32 time) external {
        if (currentEpoch() < 20) skip(bound(time, 1, 2 days));
    }

    /// @notice What members, nodes and protocol could get of a pool now; of a tree also what waits for places nobody has shown.
    function owed(uint256 pool) external view returns (uint256 sum) {
        PoolId id = PoolId.wrap(uint64(pool));
        for (uint256 i = 0; i < PLACES; ++i) {
            sum += claimable(id, memberAt(i));
            if (fromRoot[pool] && !shown[pool][i]) sum += Amount.unwrap(pools.claimableFromRoot(id, uint64(i + 1)));
        }
        (Amount toNodes, Amount burned) = pools.settleable(id);
        sum += Amount.unwrap(toNodes) + Amount.unwrap(burned);
    }

    function unitsHeld(uint256 pool) external view returns (uint256 sum) {
        for (uint256 i = 0; i < PLACES; ++i) {
            sum += pools.memberOf(PoolId.wrap(uint64(pool)), memberAt(i)).units;
        }
    }

    function poolAt(uint256 pool) external view returns (IRevenuePools.Pool memory) {
        return pools.poolOf(PoolId.wrap(uint64(pool)));
    }

    function reserves() external view returns (uint256 ofPools, uint256 ofFees, uint256 ofChannels) {
        return (reserveOf(address(pools)), reserveOf(address(fees)), reserveOf(address(channels)));
    }

    function books() external view returns (uint256 held, uint256 free, uint256 supply_) {
        return (token.balanceOf(address(vault)), Amount.unwrap(vault.free()), token.totalSupply());
    }

    function incomeOf(uint32 epoch) external view returns (uint256) {
        return Amount.unwrap(fees.incomeOf(Epoch.wrap(epoch)));
    }

    function now_() external view returns (uint32) {
        return currentEpoch();
    }

    function memberOfPlace(uint256 place) external view returns (address) {
        return memberAt(place);
    }

    function balanceOf(address account) external view returns (uint256) {
        return token.balanceOf(account);
    }

    function chosen(uint256 pool) private view returns (uint256) {
        return 1 + pool % poolCount;
    }

    function notePaid(uint256 pool, address account, uint256 amount) private {
        ledgers[pool].paid += amount;
        paidTo[account] += amount;
    }

    /// @dev So that who pays always has a unit at least.
    function refill() private {
        if (token.balanceOf(payer.addr) == 0) assertTrue(token.transfer(payer.addr, 1e30));
        if (token.balanceOf(agent.addr) == 0) assertTrue(token.transfer(agent.addr, 1e30));
    }
}

/// @dev Handlers never revert by accident.
/// forge-config: default.invariant.fail_on_revert = true
contract PoolsInvariants is InvariantTest {
    uint256 private constant WEIGHTS_PER_UNIT = 10_000;
    uint256 private constant PROTOCOL_BPS = 250;

    PoolsHandler private handler;

    function setUp() external {
        handler = new PoolsHandler();
        bytes4[] memory actions = new bytes4[](10);
        actions[0] = PoolsHandler.create.selector;
        actions[1] = PoolsHandler.createFromTree.selector;
        actions[2] = bytes4(keccak256("distribute(uint256,uint128,bool)"));
        actions[3] = PoolsHandler.collect.selector;
        actions[4] = PoolsHandler.credit.selector;
        actions[5] = bytes4(keccak256("claim(uint256,uint256)"));
        actions[6] = PoolsHandler.enter.selector;
        actions[7] = PoolsHandler.transferUnits.selector;
        actions[8] = PoolsHandler.settle.selector;
        actions[9] = PoolsHandler.wait.selector;
        targetContract(address(handler));
        targetSelector(address(handler), actions);
    }

    /// @dev To the unit, for each pool; the reserve is what all pools owe, and their dust. Units stay what they were, and what a weight
    /// earned is bounded by the supply: why no pool can ever be full, see {RevenuePools}.
    function invariant_I10_paid_and_owed_and_dust_are_what_was_received() external view {
        uint256 reserve = 0;
        for (uint256 pool = 1; pool <= handler.poolCount(); ++pool) {
            (uint256 received, uint256 paid, uint256 toNodes, uint256 burned, uint256 shownUnits) =
                handler.ledgers(pool);
            IRevenuePools.Pool memory kept = handler.poolAt(pool);
            uint256 held = handler.owed(pool) + kept.dust;
            assertEq(paid + toNodes + burned + held, received);
            assertLt(kept.dust, kept.units * WEIGHTS_PER_UNIT);
            reserve += held;

            uint256 units = handler.fromRoot(pool) ? shownUnits : kept.units;
            assertEq(handler.unitsHeld(pool), units);
            assertLe(units, kept.units);
            assertLe(uint256(Amount.unwrap(kept.earnedPerWeight)), handler.supply() / kept.units / PROTOCOL_BPS);
        }
        (uint256 ofPools,,) = handler.reserves();
        assertEq(ofPools, reserve);
    }

    /// @dev The vault holds the reserves and nothing else; what is burned is gone, what nodes get is income of its epoch, and members
    /// hold what they were paid.
    function invariant_I1_every_wei_is_where_it_belongs() external view {
        uint256 toNodes = 0;
        uint256 burned = 0;
        for (uint256 pool = 1; pool <= handler.poolCount(); ++pool) {
            (,, uint256 nodesPart, uint256 burnedPart,) = handler.ledgers(pool);
            toNodes += nodesPart;
            burned += burnedPart;
        }
        (uint256 ofPools, uint256 ofFees, uint256 ofChannels) = handler.reserves();
        (uint256 held, uint256 free, uint256 supply) = handler.books();
        assertEq(held, ofPools + ofFees);
        assertEq(ofChannels + free, 0);
        assertEq(ofFees, toNodes);
        assertEq(supply + burned, handler.supply());
        for (uint32 epoch = 1; epoch <= handler.now_(); ++epoch) {
            assertEq(handler.incomeOf(epoch), handler.earned(epoch));
        }
        for (uint256 place = 0; place < 5; ++place) {
            address account = handler.memberOfPlace(place);
            assertEq(handler.balanceOf(account), handler.paidTo(account));
        }
    }

    /// @dev The handlers do something.
    function test_handler__after_some_calls__reached_every_kind() external {
        handler.create(4, 300);
        handler.createFromTree();
        handler.distribute(0, 1e18, false);
        handler.distribute(1, 1e18, true);
        handler.collect(1, 1e18);
        handler.credit(1, 1e18);
        handler.enter(1, 4, true);
        handler.enter(1, 2, false);
        handler.transferUnits(1, 4, 2, 3);
        handler.transferUnits(1, 2, 0, 1);
        handler.enter(1, 0, false);
        handler.claim(1, 2);
        handler.wait(2 days);
        handler.settle(1);
        (, uint256 paid, uint256 toNodes, uint256 burned, uint256 shownUnits) = handler.ledgers(2);
        assertGt(paid, 0);
        assertGt(toNodes, 0);
        assertGt(burned, 0);
        assertEq(shownUnits, 9);
        assertEq(handler.transfers(), 2);
        assertEq(handler.poolCount(), 4);
        assertGt(handler.earned(handler.now_()), 0);
    }
}
