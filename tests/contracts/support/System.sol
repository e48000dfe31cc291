// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlobAttributes} from "../../../contracts/blobs/BlobAttributes.sol";
import {BlobRegistry} from "../../../contracts/blobs/BlobRegistry.sol";
import {StorageFees} from "../../../contracts/blobs/StorageFees.sol";
import {Committee} from "../../../contracts/committee/Committee.sol";
import {Prices} from "../../../contracts/committee/Prices.sol";
import {ComputeJobs} from "../../../contracts/compute/ComputeJobs.sol";
import {CustodyChallenges} from "../../../contracts/custody/CustodyChallenges.sol";
import {IBlobPolicies} from "../../../contracts/interfaces/IBlobPolicies.sol";
import {IBlobRegistry} from "../../../contracts/interfaces/IBlobRegistry.sol";
import {ICommittee} from "../../../contracts/interfaces/ICommittee.sol";
import {IComputeJobs} from "../../../contracts/interfaces/IComputeJobs.sol";
import {ICustodyChallenges} from "../../../contracts/interfaces/ICustodyChallenges.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IRevenuePools} from "../../../contracts/interfaces/IRevenuePools.sol";
import {IRewards} from "../../../contracts/interfaces/IRewards.sol";
import {IStaking} from "../../../contracts/interfaces/IStaking.sol";
import {DutyLens} from "../../../contracts/lens/DutyLens.sol";
import {NetworkLens} from "../../../contracts/lens/NetworkLens.sol";
import {FixedRandomness} from "../../../contracts/mocks/FixedRandomness.sol";
import {Purchases} from "../../../contracts/payments/Purchases.sol";
import {ReadChannels} from "../../../contracts/payments/ReadChannels.sol";
import {Renewals} from "../../../contracts/payments/Renewals.sol";
import {RevenuePools} from "../../../contracts/payments/RevenuePools.sol";
import {BlobPolicies} from "../../../contracts/policies/BlobPolicies.sol";
import {CredentialRegistry} from "../../../contracts/policies/CredentialRegistry.sol";
import {PolicyFactory} from "../../../contracts/policies/PolicyFactory.sol";
import {ReceiptLog} from "../../../contracts/policies/ReceiptLog.sol";
import {SignatureJudge} from "../../../contracts/policies/SignatureJudge.sol";
import {AllOfPolicy} from "../../../contracts/policies/kinds/AllOfPolicy.sol";
import {AllowListPolicy} from "../../../contracts/policies/kinds/AllowListPolicy.sol";
import {AnyOfPolicy} from "../../../contracts/policies/kinds/AnyOfPolicy.sol";
import {CredentialPolicy} from "../../../contracts/policies/kinds/CredentialPolicy.sol";
import {DeleteAfterPolicy} from "../../../contracts/policies/kinds/DeleteAfterPolicy.sol";
import {DenyListPolicy} from "../../../contracts/policies/kinds/DenyListPolicy.sol";
import {Erc1155HolderPolicy} from "../../../contracts/policies/kinds/Erc1155HolderPolicy.sol";
import {Erc20HolderPolicy} from "../../../contracts/policies/kinds/Erc20HolderPolicy.sol";
import {Erc721HolderPolicy} from "../../../contracts/policies/kinds/Erc721HolderPolicy.sol";
import {FixedTermPolicy} from "../../../contracts/policies/kinds/FixedTermPolicy.sol";
import {KOfNPolicy} from "../../../contracts/policies/kinds/KOfNPolicy.sol";
import {LegalHoldPolicy} from "../../../contracts/policies/kinds/LegalHoldPolicy.sol";
import {MerkleAllowListPolicy} from "../../../contracts/policies/kinds/MerkleAllowListPolicy.sol";
import {NotPolicy} from "../../../contracts/policies/kinds/NotPolicy.sol";
import {OwnerPolicy} from "../../../contracts/policies/kinds/OwnerPolicy.sol";
import {PayPerReadPolicy} from "../../../contracts/policies/kinds/PayPerReadPolicy.sol";
import {ProgramsPolicy} from "../../../contracts/policies/kinds/ProgramsPolicy.sol";
import {ReadQuotaPolicy} from "../../../contracts/policies/kinds/ReadQuotaPolicy.sol";
import {SubscriptionPolicy} from "../../../contracts/policies/kinds/SubscriptionPolicy.sol";
import {TimeWindowPolicy} from "../../../contracts/policies/kinds/TimeWindowPolicy.sol";
import {WriteOncePolicy} from "../../../contracts/policies/kinds/WriteOncePolicy.sol";
import {NodeRegistry} from "../../../contracts/staking/NodeRegistry.sol";
import {Rewards} from "../../../contracts/staking/Rewards.sol";
import {Staking} from "../../../contracts/staking/Staking.sol";
import {WAL} from "../../../contracts/token/WAL.sol";
import {Amount} from "../../../contracts/types/Amount.sol";
import {BlobId} from "../../../contracts/types/BlobId.sol";
import {Epoch} from "../../../contracts/types/Epoch.sol";
import {NodeId} from "../../../contracts/types/NodeId.sol";
import {Timestamp} from "../../../contracts/types/Timestamp.sol";
import {TokenVault} from "../../../contracts/vault/TokenVault.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// @title System
/// @notice The whole system, deployed as `walrus network deploy` does it, with nodes in office and helpers to drive it.
/// @dev A test calls {deploySystem} and, when it needs certificates, {formCommittee}. Each test then changes one thing.
abstract contract System is Test {
    /// @notice What a deployment fixes.
    struct Parameters {
        uint16 shards;
        uint64 epochSeconds;
        uint64 syncSeconds;
        IStaking.Parameters staking;
        uint32 unitBytes;
        Amount unitPrice;
        Amount writeFee;
        uint32 maximumEpochs;
        uint16 burnBps;
        ICustodyChallenges.Parameters custody;
        IBlobPolicies.Limits policies;
        uint16 protocolBps;
        uint64 closeDelay;
        uint16 tipBps;
        IComputeJobs.Parameters jobs;
    }

    /// @notice The contracts in the order of their creation.
    enum Place {
        WAL,
        TokenVault,
        NodeRegistry,
        Committee,
        Staking,
        StorageFees,
        Prices,
        Rewards,
        BlobRegistry,
        BlobAttributes,
        Randomness,
        CustodyChallenges,
        BlobPolicies,
        RevenuePools,
        Purchases,
        ReadChannels,
        Renewals,
        ComputeJobs,
        ReceiptLog,
        CredentialRegistry,
        SignatureJudge,
        NetworkLens,
        DutyLens
    }

    uint256 internal constant SUPPLY = 1_000_000_000e18;

    WAL internal token;
    TokenVault internal vault;
    NodeRegistry internal nodeRegistry;
    Committee internal committee;
    Staking internal staking;
    StorageFees internal fees;
    Prices internal prices;
    Rewards internal rewards;
    BlobRegistry internal registry;
    BlobAttributes internal attributes;
    FixedRandomness internal randomness;
    CustodyChallenges internal custody;
    NetworkLens internal lens;
    DutyLens internal dutyLens;
    BlobPolicies internal policies;
    RevenuePools internal revenuePools;
    Purchases internal purchases;
    ReadChannels internal channels;
    Renewals internal renewals;
    ComputeJobs internal jobs;
    ReceiptLog internal receiptLog;
    CredentialRegistry internal credentials;
    SignatureJudge internal signatureJudge;
    PolicyFactory internal policyFactory;

    uint64 private _firstNonce;

    /// @notice Deploys everything with `parameters`; this test holds the supply and is the genesis account.
    function deploySystem(Parameters memory parameters) internal {
        _firstNonce = vm.getNonce(address(this));
        _deployCore(parameters);
        _deployPayments(parameters);
        lens = new NetworkLens(registry, fees, committee, nodeRegistry, staking, custody);
        dutyLens = new DutyLens(committee, staking, prices, rewards, custody, randomness);

        require(address(dutyLens) == placeOf(Place.DutyLens), "System: addresses moved");
    }

    /// @notice Where a contract of the system is, or will be.
    function placeOf(Place place) internal view returns (address) {
        return vm.computeCreateAddress(address(this), _firstNonce + uint64(place));
    }

    function _deployCore(Parameters memory parameters) private {
        address[] memory modules = new address[](6);
        (modules[0], modules[1]) = (placeOf(Place.Staking), placeOf(Place.StorageFees));
        modules[2] = placeOf(Place.RevenuePools);
        (modules[3], modules[4]) = (placeOf(Place.ReadChannels), placeOf(Place.Renewals));
        modules[5] = placeOf(Place.ComputeJobs);
        ICustodyChallenges challenges = ICustodyChallenges(placeOf(Place.CustodyChallenges));

        token = new WAL(address(this), SUPPLY);
        vault = new TokenVault(token, modules);
        nodeRegistry = new NodeRegistry(2 * parameters.epochSeconds);
        committee = new Committee(
            nodeRegistry,
            IStaking(placeOf(Place.Staking)),
            challenges,
            parameters.shards,
            parameters.epochSeconds,
            parameters.syncSeconds,
            address(this)
        );
        staking = new Staking(
            vault,
            nodeRegistry,
            committee,
            IRewards(placeOf(Place.Rewards)),
            address(challenges),
            placeOf(Place.ComputeJobs),
            parameters.staking
        );
        fees = new StorageFees(
            vault,
            committee,
            placeOf(Place.BlobRegistry),
            placeOf(Place.Prices),
            placeOf(Place.Rewards),
            placeOf(Place.RevenuePools),
            parameters.unitBytes,
            parameters.unitPrice,
            parameters.writeFee,
            parameters.maximumEpochs
        );
        prices = new Prices(nodeRegistry, committee, fees);
        rewards = new Rewards(staking, fees, committee, challenges, parameters.burnBps);
        registry = new BlobRegistry(committee, fees, challenges, IBlobPolicies(placeOf(Place.BlobPolicies)));
        attributes = new BlobAttributes(registry);
        randomness = new FixedRandomness();
        custody = new CustodyChallenges(committee, registry, staking, randomness, parameters.custody);
    }

    function _deployPayments(Parameters memory parameters) private {
        policies = new BlobPolicies(
            registry, placeOf(Place.Purchases), IRevenuePools(placeOf(Place.RevenuePools)), token, parameters.policies
        );
        revenuePools = new RevenuePools(
            vault,
            fees,
            placeOf(Place.Purchases),
            placeOf(Place.ReadChannels),
            placeOf(Place.ComputeJobs),
            parameters.protocolBps
        );
        purchases = new Purchases(policies, revenuePools);
        channels = new ReadChannels(vault, revenuePools, nodeRegistry, parameters.closeDelay, parameters.tipBps);
        renewals = new Renewals(vault, token, registry, fees, committee);
        jobs = deployJobs(_windowsFor(parameters.jobs, parameters.epochSeconds));
        receiptLog = new ReceiptLog(nodeRegistry, committee);
        credentials = new CredentialRegistry();
        signatureJudge = new SignatureJudge();
    }

    /// @dev Its arguments are more than the compiler can keep on the stack; each is of fixed size, so what is encoded in parts is the
    /// whole.
    function deployJobs(IComputeJobs.Parameters memory parameters) internal returns (ComputeJobs) {
        bytes memory arguments = bytes.concat(
            abi.encode(vault, committee, nodeRegistry, staking),
            abi.encode(randomness, policies, revenuePools),
            abi.encode(registry, purchases),
            abi.encode(parameters)
        );
        return ComputeJobs(vm.deployCode("ComputeJobs.sol:ComputeJobs", arguments));
    }

    /// @dev Windows of jobs fit into two epochs, as `walrus network deploy` chooses them: half an epoch each at most.
    function _windowsFor(IComputeJobs.Parameters memory parameters, uint64 epochSeconds)
        private
        pure
        returns (IComputeJobs.Parameters memory)
    {
        uint32 half = uint32(bound(epochSeconds / 2, 1, type(uint32).max));
        if (parameters.drawSeconds > half) parameters.drawSeconds = half;
        if (parameters.commitSeconds > half) parameters.commitSeconds = half;
        if (parameters.revealSeconds > half) parameters.revealSeconds = half;
        return parameters;
    }

    /// @notice Deploys the ready-made kinds of policies and the factory that makes them. Not part of {deploySystem}, since few
    /// tests need them.
    function deployPolicyFactory() internal {
        PolicyFactory.Kind[] memory kinds = new PolicyFactory.Kind[](21);
        kinds[0] = PolicyFactory.Kind("Owner", address(new OwnerPolicy()));
        kinds[1] = PolicyFactory.Kind("AllowList", address(new AllowListPolicy()));
        kinds[2] = PolicyFactory.Kind("MerkleAllowList", address(new MerkleAllowListPolicy()));
        kinds[3] = PolicyFactory.Kind("DenyList", address(new DenyListPolicy()));
        kinds[4] = PolicyFactory.Kind("Erc20Holder", address(new Erc20HolderPolicy()));
        kinds[5] = PolicyFactory.Kind("Erc721Holder", address(new Erc721HolderPolicy()));
        kinds[6] = PolicyFactory.Kind("Erc1155Holder", address(new Erc1155HolderPolicy()));
        kinds[7] = PolicyFactory.Kind("Credential", address(new CredentialPolicy()));
        kinds[8] = PolicyFactory.Kind("TimeWindow", address(new TimeWindowPolicy()));
        kinds[9] = PolicyFactory.Kind("PayPerRead", address(new PayPerReadPolicy(token, revenuePools)));
        kinds[10] = PolicyFactory.Kind("ReadQuota", address(new ReadQuotaPolicy()));
        kinds[11] = PolicyFactory.Kind("Subscription", address(new SubscriptionPolicy(purchases, revenuePools)));
        kinds[12] = PolicyFactory.Kind("AllOf", address(new AllOfPolicy()));
        kinds[13] = PolicyFactory.Kind("AnyOf", address(new AnyOfPolicy()));
        kinds[14] = PolicyFactory.Kind("Not", address(new NotPolicy()));
        kinds[15] = PolicyFactory.Kind("KOfN", address(new KOfNPolicy()));
        kinds[16] = PolicyFactory.Kind("FixedTerm", address(new FixedTermPolicy(committee)));
        kinds[17] = PolicyFactory.Kind("WriteOnce", address(new WriteOncePolicy()));
        kinds[18] = PolicyFactory.Kind("LegalHold", address(new LegalHoldPolicy()));
        kinds[19] = PolicyFactory.Kind("DeleteAfter", address(new DeleteAfterPolicy()));
        kinds[20] = PolicyFactory.Kind("Programs", address(new ProgramsPolicy()));
        policyFactory = new PolicyFactory(kinds);
    }

    /// @notice The parameters that tests start from: n = 10 (f = 3), a unit of 64 KiB, epochs of a day.
    function defaultParameters() internal pure returns (Parameters memory) {
        return Parameters({
            shards: 10,
            epochSeconds: 1 days,
            syncSeconds: 1 days,
            staking: IStaking.Parameters({
                minimumStake: Amount.wrap(1e18), unbondingEpochs: 7, maximumCommissionBps: 5000
            }),
            unitBytes: 64 * 1024,
            unitPrice: Amount.wrap(1000),
            writeFee: Amount.wrap(77),
            maximumEpochs: 50,
            burnBps: 1000,
            custody: ICustodyChallenges.Parameters({
                samples: 5, firstSlashBps: 100, maximumSlashBps: 1600, missesToJail: 3, jailEpochs: 14, bountyBps: 1000
            }),
            policies: IBlobPolicies.Limits({maximumRequestAge: 120, minimumNotice: 1 days}),
            protocolBps: 250,
            closeDelay: 1 days,
            tipBps: 100,
            jobs: IComputeJobs.Parameters({
                drawSeconds: 10 minutes,
                commitSeconds: 10 minutes,
                revealSeconds: 5 minutes,
                windowBlocks: 10,
                wrongBps: 500,
                absentBps: 20,
                minimumFee: Amount.wrap(0)
            })
        });
    }

    /// @notice Registers `count` nodes in `regions` regions with equal stakes and puts them in office.
    function formCommittee(uint256 count, uint256 regions) internal {
        for (uint256 i = 0; i < count; ++i) {
            joinNode(i, regions);
        }
        committee.form();
    }

    /// @notice Registers the node of place `i`, with stake of its operator, as a candidate; its signer is {signerAccount}.
    function joinNode(uint256 i, uint256 regions) internal returns (NodeId nodeId) {
        Account memory operator = makeAccount(string.concat("operator ", vm.toString(i)));
        Account memory signer = signerAccount(i);
        INodeRegistry.NodeDetails memory details = INodeRegistry.NodeDetails({
            name: string.concat("Node ", vm.toString(i)),
            url: string.concat("http://node-", vm.toString(i), ".example:9000"),
            region: string.concat("region-", vm.toString(i % regions)),
            signer: signer.addr,
            encryptionKey: abi.encode(signer.addr)
        });
        bytes memory proof = nodeKeysProof(signer, operator.addr, details.encryptionKey);

        giveTokens(operator.addr, 100e18);
        vm.startPrank(operator.addr);
        nodeId = nodeRegistry.register(details, proof);
        staking.delegate(nodeId, Amount.wrap(100e18));
        vm.stopPrank();
        staking.stand(nodeId);
    }

    /// @notice The signer's consent to be a node's key, as {INodeRegistry-register} wants it.
    function nodeKeysProof(Account memory signer, address operator, bytes memory encryptionKey)
        internal
        view
        returns (bytes memory)
    {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Walrus Chain Node Registry"),
                keccak256("1"),
                block.chainid,
                address(nodeRegistry)
            )
        );
        bytes32 message = keccak256(
            abi.encode(
                keccak256("NodeKeys(address operator,address signer,bytes encryptionKey)"),
                operator,
                signer.addr,
                keccak256(encryptionKey)
            )
        );
        return sign(signer.key, keccak256(abi.encodePacked(hex"1901", domain, message)));
    }

    /// @notice The account that signs for the node of place `i`. Nodes join in this order, so it is also the member index.
    function signerAccount(uint256 i) internal returns (Account memory) {
        return makeAccount(string.concat("signer ", vm.toString(i)));
    }

    /// @notice Hands tokens to an account that approved the vault without limit.
    function giveTokens(address account, uint256 amount) internal {
        assertTrue(token.transfer(account, amount));
        vm.prank(account);
        assertTrue(token.approve(address(vault), type(uint256).max));
    }

    /// @notice The bitmap of members first .. first + count - 1.
    function bitmap(uint256 first, uint256 count) internal pure returns (uint256) {
        return ((1 << count) - 1) << first;
    }

    /// @notice The signatures of the members in a bitmap over a digest, in the order {ICommittee-verify} wants.
    function signaturesOf(bytes32 digest, uint256 signers) internal returns (bytes memory signatures) {
        for (uint256 i = 0; i < 256; ++i) {
            if (signers >> i & 1 == 1) signatures = bytes.concat(signatures, sign(signerAccount(i).key, digest));
        }
    }

    /// @notice What the members in a bitmap sign to attest an object.
    function attestations(uint256 blobObject, uint256 signers) internal returns (bytes memory) {
        IBlobRegistry.BlobObject memory blob = registry.blobOf(blobObject);
        return
            signaturesOf(
                registry.attestationDigest(blob.blobId, blobObject, committee.epoch(), blob.deletable), signers
            );
    }

    /// @notice A registration of a deletable blob of 1 MiB for five epochs.
    function defaultRegistration() internal pure returns (IBlobRegistry.Registration memory) {
        return IBlobRegistry.Registration({blobId: blobId("default"), size: 2 ** 20, epochs: 5, deletable: true});
    }

    function blobId(string memory name) internal pure returns (BlobId) {
        return BlobId.wrap(keccak256(bytes(name)));
    }

    /// @notice Moves the clock to the beginning of an epoch.
    function warpTo(uint32 epoch) internal {
        vm.warp(Timestamp.unwrap(committee.startOf(Epoch.wrap(epoch))));
    }

    /// @notice The price that {IStorageFees-charge} takes for a blob.
    function priceOf(uint64 size, uint32 epochs) internal view returns (uint256) {
        (Amount total,,) = fees.quote(size, epochs);
        return Amount.unwrap(total);
    }

    /// @notice The epoch of the clock.
    function currentEpoch() internal view returns (uint32) {
        return Epoch.unwrap(committee.currentEpoch());
    }
}
