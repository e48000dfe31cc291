// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobRegistry} from "../../../contracts/blobs/BlobRegistry.sol";
import {StorageFees} from "../../../contracts/blobs/StorageFees.sol";
import {Committee} from "../../../contracts/committee/Committee.sol";
import {IBlobPolicies} from "../../../contracts/interfaces/IBlobPolicies.sol";
import {ICommittee} from "../../../contracts/interfaces/ICommittee.sol";
import {ICustodyChallenges} from "../../../contracts/interfaces/ICustodyChallenges.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IReadChannels} from "../../../contracts/interfaces/IReadChannels.sol";
import {IRevenuePools} from "../../../contracts/interfaces/IRevenuePools.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {Purchases} from "../../../contracts/payments/Purchases.sol";
import {ReadChannels} from "../../../contracts/payments/ReadChannels.sol";
import {Renewals} from "../../../contracts/payments/Renewals.sol";
import {RevenuePools} from "../../../contracts/payments/RevenuePools.sol";
import {NodeRegistry} from "../../../contracts/staking/NodeRegistry.sol";
import {WAL} from "../../../contracts/token/WAL.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {BlobId} from "../../../contracts/types/BlobId.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {PoolId} from "../../../contracts/types/PoolId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {TokenVault} from "../../../contracts/vault/TokenVault.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @title PaymentsFixture
/// @notice Pools, purchases, channels and renewals on a real vault, fees and registry, and this contract in the place of the object
/// policies: it names the price of a read. Nodes get 1,000 and the protocol 250 of 10,000.
abstract contract PaymentsFixture is Test {
    uint16 internal constant NODES_BPS = 1000;
    uint16 internal constant PROTOCOL_BPS = 250;
    uint16 internal constant TIP_BPS = 100;
    uint64 internal constant CLOSE_DELAY = 1 days;
    uint32 internal constant MAXIMUM_EPOCHS = 50;
    uint256 internal constant BALANCE = 1_000_000e18;

    WAL internal token;
    TokenVault internal vault;
    NodeRegistry internal nodes;
    Committee internal committee;
    StorageFees internal fees;
    BlobRegistry internal registry;
    RevenuePools internal pools;
    Purchases internal purchases;
    ReadChannels internal channels;
    Renewals internal renewals;
    address internal rewards;

    address internal alice;
    address internal bob;
    address internal carol;
    /// @dev Pays, and signs vouchers.
    Account internal payer;
    /// @dev Signs for a registered node.
    Account internal agent;

    Amount internal priceOfRead;
    PoolId internal poolOfRead;

    /// @notice Deploys all, with a supply of which the payer and the agent get {BALANCE}; this contract keeps the rest.
    function deployPayments(uint256 supply) internal {
        uint256 nonce = vm.getNonce(address(this));
        address[10] memory places;
        for (uint256 i = 0; i < places.length; ++i) {
            places[i] = vm.computeCreateAddress(address(this), nonce + i);
        }
        address[] memory modules = new address[](4);
        (modules[0], modules[1], modules[2], modules[3]) = (places[4], places[6], places[8], places[9]);
        rewards = makeAddr("rewards");

        token = new WAL(address(this), supply);
        vault = new TokenVault(token, modules);
        nodes = new NodeRegistry(1 days);
        committee =
            new Committee(nodes, IStaking(address(1)), ICustodyChallenges(address(1)), 10, 1 days, 1 days, address(1));
        fees = new StorageFees(
            vault,
            ICommittee(committee),
            places[5],
            address(1),
            rewards,
            places[6],
            64 * 1024,
            Amount.wrap(1000),
            Amount.wrap(77),
            MAXIMUM_EPOCHS
        );
        registry = new BlobRegistry(committee, fees, ICustodyChallenges(address(this)), IBlobPolicies(address(this)));
        pools = new RevenuePools(vault, fees, places[7], places[8], address(0), PROTOCOL_BPS);
        purchases = new Purchases(IBlobPolicies(address(this)), pools);
        channels = new ReadChannels(vault, pools, nodes, CLOSE_DELAY, TIP_BPS);
        renewals = new Renewals(vault, token, registry, fees, committee);
        require(address(renewals) == places[9], "PaymentsFixture: addresses moved");

        alice = makeAddr("alice");
        bob = makeAddr("bob");
        carol = makeAddr("carol");
        payer = makeAccount("payer");
        agent = makeAccount("agent");
        giveTokens(payer.addr, BALANCE);
        giveTokens(agent.addr, BALANCE);
        assertTrue(token.approve(address(vault), type(uint256).max));
        registerNode(agent);
    }

    // What {Purchases} asks the object policies.

    function accessOf(uint256) external view virtual returns (address, uint8) {
        return (address(0), 4);
    }

    function quoteOf(IBlobPolicies.Question calldata) external view virtual returns (Amount, PoolId) {
        return (priceOfRead, poolOfRead);
    }

    function notifyRead(uint256, address, uint32, Amount) external virtual {}

    // What tests do.

    /// @notice Hands tokens to an account that approved the vault without limit.
    function giveTokens(address account, uint256 amount) internal {
        assertTrue(token.transfer(account, amount));
        vm.prank(account);
        assertTrue(token.approve(address(vault), type(uint256).max));
    }

    /// @notice Registers a node whose operator and signer are the same account.
    function registerNode(Account memory signer) internal {
        bytes memory encryptionKey = abi.encode(signer.addr);
        bytes32 message = keccak256(
            abi.encode(
                keccak256("NodeKeys(address operator,address signer,bytes encryptionKey)"),
                signer.addr,
                signer.addr,
                keccak256(encryptionKey)
            )
        );
        bytes memory proof = sign(signer.key, typedDigest("Walrus Chain Node Registry", address(nodes), message));
        vm.prank(signer.addr);
        nodes.register(
            INodeRegistry.NodeDetails("node", "http://node.example", "region", signer.addr, encryptionKey), proof
        );
    }

    function typedDigest(string memory name, address verifier, bytes32 message) internal view returns (bytes32) {
        return typedDigestOn(block.chainid, name, verifier, message);
    }

    function typedDigestOn(uint256 chain, string memory name, address verifier, bytes32 message)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256(bytes(name)),
                keccak256("1"),
                chain,
                verifier
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, message));
    }

    // Pools

    /// @notice A pool of alice with 5 units, bob with 3 and carol with 2.
    function createPool() internal returns (PoolId) {
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](3);
        shares[0] = IRevenuePools.Share(alice, 5);
        shares[1] = IRevenuePools.Share(bob, 3);
        shares[2] = IRevenuePools.Share(carol, 2);
        return pools.create(shares, NODES_BPS);
    }

    /// @notice A pool of `count` members with 1, 2, 3 ... units, of whom alice is the first.
    function createPoolOf(uint256 count) internal returns (PoolId) {
        IRevenuePools.Share[] memory shares = new IRevenuePools.Share[](count);
        for (uint256 i = 0; i < count; ++i) {
            shares[i] = IRevenuePools.Share(memberAt(i), uint64(i + 1));
        }
        return pools.create(shares, NODES_BPS);
    }

    /// @notice The member of place `i` in {createPoolOf} and {treeOf}: alice is the first.
    function memberAt(uint256 i) internal view returns (address) {
        return i == 0 ? alice : address(uint160(1_000_000 + i));
    }

    function distribute(PoolId pool, uint256 amount) internal {
        vm.prank(payer.addr);
        pools.distribute(pool, Amount.wrap(uint128(amount)));
    }

    function claim(PoolId pool, address account) internal returns (uint256) {
        vm.prank(account);
        return Amount.unwrap(pools.claim(pool, account));
    }

    function claimable(PoolId pool, address account) internal view returns (uint256) {
        return Amount.unwrap(pools.claimable(pool, account));
    }

    // Trees of units

    /// @notice All levels of a tree, the leaves first; a level with an odd number of nodes is not filled up here.
    struct Tree {
        bytes32[][] hashes;
        uint64[][] units;
        bytes32 root;
    }

    /// @notice The tree of {createPoolOf}'s members.
    function treeOf(uint256 count) internal view returns (Tree memory) {
        address[] memory accounts = new address[](count);
        uint64[] memory units = new uint64[](count);
        for (uint256 i = 0; i < count; ++i) {
            (accounts[i], units[i]) = (memberAt(i), uint64(i + 1));
        }
        return treeOf(accounts, units);
    }

    function treeOf(address[] memory accounts, uint64[] memory units) internal pure returns (Tree memory tree) {
        uint256 levels = 1;
        for (uint256 width = accounts.length; width > 1; width = (width + 1) / 2) {
            ++levels;
        }
        tree.hashes = new bytes32[][](levels);
        tree.units = new uint64[][](levels);
        tree.units[0] = units;
        tree.hashes[0] = new bytes32[](accounts.length);
        for (uint256 i = 0; i < accounts.length; ++i) {
            tree.hashes[0][i] = keccak256(abi.encodePacked(bytes1(0x10), accounts[i], units[i]));
        }
        for (uint256 level = 1; level < levels; ++level) {
            uint256 width = (tree.hashes[level - 1].length + 1) / 2;
            tree.hashes[level] = new bytes32[](width);
            tree.units[level] = new uint64[](width);
            for (uint256 i = 0; i < width; ++i) {
                setNode(tree, level, i);
            }
        }
        setRoot(tree);
    }

    /// @notice Computes a node from its children as they are.
    function setNode(Tree memory tree, uint256 level, uint256 i) internal pure {
        (bytes32 left, uint64 leftUnits) = nodeAt(tree, level - 1, 2 * i);
        (bytes32 right, uint64 rightUnits) = nodeAt(tree, level - 1, 2 * i + 1);
        tree.hashes[level][i] = keccak256(abi.encodePacked(bytes1(0x11), left, leftUnits, right, rightUnits));
        tree.units[level][i] = leftUnits + rightUnits;
    }

    function setRoot(Tree memory tree) internal pure {
        uint256 top = tree.hashes.length - 1;
        tree.root = keccak256(
            abi.encodePacked(bytes1(0x12), tree.hashes[top][0], tree.units[top][0], uint64(tree.hashes[0].length))
        );
    }

    /// @notice A node, or the missing one that fills a level up.
    function nodeAt(Tree memory tree, uint256 level, uint256 i) internal pure returns (bytes32, uint64) {
        if (i >= tree.hashes[level].length) return (0, 0);
        return (tree.hashes[level][i], tree.units[level][i]);
    }

    function proofOf(Tree memory tree, uint256 index) internal pure returns (bytes memory proof) {
        proof = abi.encodePacked(uint64(tree.hashes[0].length));
        for (uint256 level = 0; level + 1 < tree.hashes.length; ++level) {
            (bytes32 sibling, uint64 units) = nodeAt(tree, level, index ^ 1);
            proof = abi.encodePacked(proof, sibling, units);
            index >>= 1;
        }
    }

    function totalOf(Tree memory tree) internal pure returns (uint64) {
        return tree.units[tree.units.length - 1][0];
    }

    function createFrom(Tree memory tree) internal returns (PoolId) {
        return pools.createFromRoot(tree.root, totalOf(tree), NODES_BPS, BlobId.wrap(bytes32("list")));
    }

    // Channels

    function openChannel(PoolId pool, uint256 deposit) internal returns (uint256) {
        vm.prank(payer.addr);
        return channels.open(pool, payer.addr, Amount.wrap(uint128(deposit)));
    }

    /// @notice A voucher that pays the use `purpose` with `amount`, after which the channel has promised `cumulative`.
    function voucherOf(uint256 channel, uint256 cumulative, uint256 amount, bytes32 purpose)
        internal
        pure
        returns (IReadChannels.Voucher memory)
    {
        return IReadChannels.Voucher(channel, Amount.wrap(uint128(cumulative)), Amount.wrap(uint128(amount)), purpose);
    }

    /// @dev Computed here, so that nothing is called between an expectation and what it is about.
    function signed(Account memory signer, IReadChannels.Voucher memory voucher) internal view returns (bytes memory) {
        return sign(signer.key, typedDigest("Walrus Chain Read Channels", address(channels), structHashOf(voucher)));
    }

    function structHashOf(IReadChannels.Voucher memory voucher) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("Voucher(uint256 channel,uint128 cumulative,uint128 amount,bytes32 purpose)"),
                voucher.channel,
                voucher.cumulative,
                voucher.amount,
                voucher.purpose
            )
        );
    }

    function listOf(IReadChannels.Voucher memory voucher)
        internal
        pure
        returns (IReadChannels.Voucher[] memory vouchers)
    {
        vouchers = new IReadChannels.Voucher[](1);
        vouchers[0] = voucher;
    }

    /// @notice Redeems one voucher of the payer by the agent.
    function redeem(uint256 channel, uint256 cumulative) internal returns (uint256) {
        IReadChannels.Voucher memory voucher = voucherOf(channel, cumulative, 1, bytes32(cumulative));
        bytes memory signature = signed(payer, voucher);
        vm.prank(agent.addr);
        return Amount.unwrap(channels.redeem(listOf(voucher), signature));
    }

    // Time and books

    function warpTo(uint32 epoch) internal {
        vm.warp(Timestamp.unwrap(committee.startOf(Epoch.wrap(epoch))));
    }

    function currentEpoch() internal view returns (uint32) {
        return Epoch.unwrap(committee.currentEpoch());
    }

    function reserveOf(address module) internal view returns (uint256) {
        return Amount.unwrap(vault.reserveOf(module));
    }
}
