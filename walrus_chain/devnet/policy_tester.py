"""What `policy_tester` is in tests: people, policies, credentials, purchases and time on a throw-away chain.

    def test_stranger__is_denied(policy_tester):
        reader, stranger = policy_tester.account("reader"), policy_tester.account("stranger")
        policy = policy_tester.deploy("MyPolicy.sol", reader)
        policy.allows(reader)
        policy.denies(stranger, reason="NotTheReader")

A policy is asked as storage agents ask: by `BlobPolicies.judge`, about a certified object that it governs. So what it
costs in gas, what it returns and how it fails are judged as in a real network. Nothing here needs async.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

from eth_utils.crypto import keccak

from walrus_chain.chain.abi import Interface, interface, interface_of
from walrus_chain.chain.abi_codec import encode
from walrus_chain.chain.artifacts import artifact
from walrus_chain.chain.deployments import KINDS
from walrus_chain.chain.policy_code import SolidityCode, compile_contract, compile_policy
from walrus_chain.chain.policy_views import Price, Question, Verdict
from walrus_chain.chain.values import checksum_address
from walrus_chain.devnet.policy_chain import PolicyChain
from walrus_chain.errors import Rejected, WrongArguments
from walrus_chain.messages.access import Action
from walrus_chain.policies.evidence import evidence_for
from walrus_chain.policies.kinds import kind_named
from walrus_chain.types import NOBODY, Address, BlobObjectId, PoolId, Wei, format_amount, parse_amount

SCHEMA: Final = keccak(text="walrus policy tester: schema")
"""What credentials state unless another schema is named."""


class Use(TypedDict, total=False):
    """What is known of a use besides who wants it; what is left out is as in the first read."""

    action: Action
    program: bytes
    """keccak-256 of the program to run; zero for reads."""
    sequence: int
    """Which use by this reader of the object it is, from 0."""
    evidence: bytes
    """What the reader shows."""


class PolicyTester:
    """A network for one test. What happens in it is undone after the test, time included."""

    def __init__(self, chain: PolicyChain, folder: Path) -> None:
        """
        Args:
            folder: where Solidity files named by a relative path lie: beside the test.
        """
        self.chain = chain
        self._folder = folder

    # -- people and money --------------------------------------------------------------------------------------------

    def account(self, name: str) -> Address:
        """An account with money for transactions, always the same for a name. `owner` owns the objects."""
        return self.chain.account(name)

    def give(self, account: Address, amount: Wei | str) -> None:
        """Gives an account WAL, such as `12.5 WAL`."""
        self.chain.give_wal(account, parse_amount(amount) if isinstance(amount, str) else amount)

    def pool(self, *members: Address, nodes_bps: int = 0) -> PoolId:
        """A revenue pool that divides its income equally between members.

        Args:
            nodes_bps: what the storage nodes get, in hundredths of a percent.
        """
        shares = [(member, 1) for member in members]
        receipt = self.chain.send(members[0], "RevenuePools", "create", shares, nodes_bps)
        [(topics, _)] = self.chain.events(receipt, "RevenuePools", "PoolCreated")
        return PoolId(int.from_bytes(topics[1], "big"))

    def earned(self, pool: PoolId, member: Address) -> Wei:
        """What a member of a pool could claim now."""
        return Wei(self.chain.call("RevenuePools", "claimable", pool, member))

    # -- policies ----------------------------------------------------------------------------------------------------

    def deploy(self, file: str | Path, *arguments: Any, contract: str | None = None) -> PolicyUnderTest:
        """Compiles and deploys a policy.

        Args:
            file: Solidity; a relative path begins at the folder of the test.
            arguments: what its constructor takes; policies and contracts stand for their addresses.
            contract: which contract of the file, where it holds several policies.
        Raises: SourceUnreadable, CompilerNotFound, CompilationFailed, NotOneContract, WrongArguments.
        """
        code = _policy_in((self._folder / file).resolve(), contract)
        return PolicyUnderTest(self.chain, code.name, self._create(code, arguments), code.abi)

    def create(self, kind: str, **arguments: Any) -> PolicyUnderTest:
        """Creates a ready-made policy by the network's factory, such as `create("TimeWindow", until=...)`.

        Args:
            arguments: as `walrus policy list` names them; policies stand for their addresses.
        Raises:
            NoSuchKind, WrongArguments: there is no such kind, or it takes others.
            Rejected: the factory refused them.
        """
        values = {name: _plain(value) for name, value in arguments.items()}
        encoded = kind_named(kind).encode(values)
        word = kind.encode().ljust(32, b"\0")
        receipt = self.chain.send(self.account("owner"), "PolicyFactory", "create", word, encoded)
        [(topics, _)] = self.chain.events(receipt, "PolicyFactory", "PolicyCreated")
        address = checksum_address("0x" + topics[1][12:].hex())
        return PolicyUnderTest(self.chain, kind, address, artifact(KINDS[kind]).abi)

    def deploy_contract(self, file: str | Path, *arguments: Any, contract: str | None = None) -> ContractUnderTest:
        """Compiles and deploys any contract that a policy needs, such as a token. Arguments and errors as `deploy`."""
        code = _contract_in((self._folder / file).resolve(), contract)
        return ContractUnderTest(self.chain, code.name, self._create(code, arguments), code.abi)

    def _create(self, code: SolidityCode, arguments: Sequence[Any]) -> Address:
        types = [kind for _, kind in code.parameters]
        if len(types) != len(arguments):
            raise WrongArguments(code.name, code.parameters, f"{len(arguments)} are given")
        encoded = encode(types, [_plain(argument) for argument in arguments])
        receipt = self.chain.transact(self.account("owner"), None, code.bytecode + encoded)
        return checksum_address(receipt["contractAddress"])

    # -- credentials -------------------------------------------------------------------------------------------------

    def credential(
        self, recipient: Address, *, attester: Address, schema: bytes = SCHEMA, seconds: int | None = None
    ) -> bytes:
        """Gives somebody a credential of the network's registry; its uid, 32 bytes.

        Args:
            seconds: after which it expires; never when none.
        """
        expires = 0 if seconds is None else self.now + seconds
        receipt = self.chain.send(attester, "CredentialRegistry", "attest", schema, recipient, expires, b"")
        [(_, data)] = self.chain.events(receipt, "CredentialRegistry", "Attested")
        return data[:32]

    def revoke(self, uid: bytes, *, attester: Address) -> None:
        """Takes a credential back."""
        self.chain.send(attester, "CredentialRegistry", "revoke", uid)

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The chain's time, in seconds since 1970."""
        return self.chain.now

    def wait(self, seconds: int) -> None:
        """Lets that much time pass, at once."""
        self.chain.go_to(self.now + seconds)


class ContractUnderTest:
    """A contract that a test deployed."""

    def __init__(self, chain: PolicyChain, name: str, address: Address, abi: Sequence[dict[str, Any]]) -> None:
        self.name, self.address = name, address
        self._chain = chain
        self._interface: Interface = interface_of(name, abi)

    def call(self, function: str, *arguments: Any) -> Any:
        """What a view function returns; structs are tuples.

        Raises: Rejected: the contract reverted.
        """
        data = self._interface[function].call(*map(_plain, arguments))
        answer = self._chain.rpc("eth_call", {"to": self.address, "data": "0x" + data.hex()}, "latest")
        return self._interface[function].result(bytes.fromhex(answer[2:]))

    def send(self, function: str, *arguments: Any, sender: Address) -> None:
        """Calls a function as `sender`, in a transaction.

        Raises: Rejected: the contract reverted.
        """
        self._chain.transact(sender, self.address, self._interface[function].call(*map(_plain, arguments)))


class PolicyUnderTest(ContractUnderTest):
    """A policy, and objects that it governs."""

    def __init__(self, chain: PolicyChain, name: str, address: Address, abi: Sequence[dict[str, Any]]) -> None:
        super().__init__(chain, name, address, abi)
        self._governed: dict[bool, BlobObjectId] = {}

    @property
    def blob_object(self) -> BlobObjectId:
        """The object whose access policy it is."""
        return self._object(retention=False)

    @property
    def kept_object(self) -> BlobObjectId:
        """The object whose retention policy it is."""
        return self._object(retention=True)

    # -- access ------------------------------------------------------------------------------------------------------

    def judge(self, reader: Address, **use: Unpack[Use]) -> Verdict:
        """The network's decision on a use of the object's data."""
        return self._chain.judge(self._question(reader, use))

    def allows(self, reader: Address, **use: Unpack[Use]) -> Verdict:
        """Asserts that a use is allowed, once its price is paid; the decision."""
        __tracebackhide__ = True
        verdict = self.judge(reader, **use)
        if not verdict.allowed:
            raise AssertionError(f"{self.name} denies {reader}: {verdict.reason}")
        return verdict

    def denies(self, reader: Address, *, reason: str | None = None, **use: Unpack[Use]) -> Verdict:
        """Asserts that a use is denied, and for that reason when one is named; the decision."""
        __tracebackhide__ = True
        verdict = self.judge(reader, **use)
        if verdict.allowed:
            price = "for free" if verdict.free else f"for {format_amount(verdict.price)}"
            raise AssertionError(f"{self.name} allows {reader} {price}")
        if reason is not None and verdict.reason != reason:
            raise AssertionError(f"{self.name} denies {reader}: {verdict.reason}, not {reason}")
        return verdict

    def quote(self, reader: Address, **use: Unpack[Use]) -> Price:
        """What a use costs, and who is paid, whether it is allowed or not.

        Raises: Rejected: the policy names no price that the network takes.
        """
        return self._chain.quote_of(self._question(reader, use))

    def buy_reads(self, reader: Address, count: int = 1, *, evidence: bytes = b"") -> Wei:
        """Buys reads of the object for a reader, who gets the WAL for it first; what they cost.

        Raises: Rejected: they are free, or the policy names no price.
        """
        price = Wei(self.quote(reader, evidence=evidence).amount * count)
        self._chain.give_wal(reader, price)
        self._chain.send(reader, "Purchases", "buyReads", self.blob_object, count, reader, price, evidence)
        return price

    def subscribe(self, reader: Address, periods: int = 1) -> Wei:
        """Buys time under the policy for a reader, who gets the WAL for it first; what it costs.

        Raises: Rejected: the policy sells no time.
        """
        terms = interface("SubscriptionPolicy")["subscriptionTerms"]
        answer = self._chain.rpc("eth_call", {"to": self.address, "data": "0x" + terms.call().hex()}, "latest")
        price = Wei(terms.result(bytes.fromhex(answer[2:]))[0] * periods)
        self._chain.give_wal(reader, price)
        self._chain.send(reader, "Purchases", "subscribe", self.address, periods, reader, price)
        return price

    def evidence(self, shown: Mapping[PolicyUnderTest, bytes]) -> bytes:
        """What a reader shows to a policy that asks others, from what is shown to each of those.

        Raises: EvidenceTooLong: it is more than the network hands on.
        """
        tree = self._chain.tree_of(self.address)
        return evidence_for(tree, {policy.address: part for policy, part in shown.items()})

    # -- retention ---------------------------------------------------------------------------------------------------

    def lets_delete(self) -> bool:
        """Whether the owner may delete the object that it keeps, now."""
        return self._would_pass("BlobRegistry", "deleteBlob", self.kept_object)

    def lets_transfer(self, to: Address) -> bool:
        """Whether the object that it keeps may go to somebody else now."""
        return self._would_pass("BlobRegistry", "transferFrom", self._owner, to, self.kept_object)

    def lets_replace(self, access: Address = NOBODY, retention: Address = NOBODY) -> bool:
        """Whether other policies may be announced for the object that it keeps, now; none when none is named."""
        return self._would_pass("BlobPolicies", "announce", self.kept_object, (access, retention))

    def destroys_keys_at(self) -> int:
        """From when on no key of the object that it keeps is released, seconds since 1970; 0 for never."""
        return int(self._chain.call("BlobPolicies", "destroyAtOf", self.kept_object))

    # -- parts -------------------------------------------------------------------------------------------------------

    @property
    def _owner(self) -> Address:
        return self._chain.account("owner")

    def _object(self, *, retention: bool) -> BlobObjectId:
        if retention not in self._governed:
            blob_object = self._chain.certified_object(self._owner)
            policies = (NOBODY, self.address) if retention else (self.address, NOBODY)
            notice = self._chain.call("BlobPolicies", "minimumNotice")
            self._chain.send(self._owner, "BlobPolicies", "attach", blob_object, policies, notice, b"")
            self._governed[retention] = blob_object
        return self._governed[retention]

    def _question(self, reader: Address, use: Use) -> Question:
        return Question(
            requester=reader,
            blob_object=self.blob_object,
            action=use.get("action", Action.READ),
            program=use.get("program", bytes(32)),
            sequence=use.get("sequence", 0),
            evidence=use.get("evidence", b""),
        )

    def _would_pass(self, contract: str, function: str, *arguments: Any) -> bool:
        """Whether the owner could do something now; it is not done."""
        with self._chain.forgotten():
            try:
                self._chain.send(self._owner, contract, function, *arguments)
            except Rejected:
                return False
            return True


@cache
def _policy_in(file: Path, contract: str | None) -> SolidityCode:
    """Compiled once for all tests."""
    return compile_policy(file, contract)


@cache
def _contract_in(file: Path, contract: str | None) -> SolidityCode:
    """Compiled once for all tests."""
    return compile_contract(file, contract)


def _plain(value: Any) -> Any:
    """A value for the ABI: contracts stand for their addresses, also in lists."""
    if isinstance(value, ContractUnderTest):
        return value.address
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value
