"""Every error of Walrus Chain, split first by what the caller can do about it.

    WalrusError
    |-- Retryable      the same call may succeed later, or elsewhere: a node is down, the chain lags
    |-- Rejected       the chain said no; the decoded reason says why (`walrus_chain.chain.reverts`)
    |-- Untrusted      a peer sent bytes that do not verify; route around it
    |-- Misuse         the request cannot work as asked; change it
    `-- Bug            this program broke a promise to itself; please report

Each error carries its evidence as attributes, and a message that says what happened, to what, and what to do next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class WalrusError(Exception):
    """Root of all errors raised on purpose by Walrus Chain."""


class Retryable(WalrusError):
    """The same call may succeed later, or at another node."""


class Rejected(WalrusError):
    """The chain refused a call; subclasses carry the decoded custom error."""


class Untrusted(WalrusError):
    """A peer sent something that does not verify."""


class Misuse(WalrusError):
    """The request cannot work as asked."""


class Bug(WalrusError):
    """An internal promise was broken."""


# -- words that people type ------------------------------------------------------------------------------------------


class MalformedBlobId(Misuse):
    """A text that should name a blob does not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not a blob id ({why}); a blob id is 43 base64url characters or 64 hex digits")
        self.text, self.why = text, why


class MalformedAmount(Misuse):
    """A text that should be an amount of WAL is not."""

    def __init__(self, text: str, why: str) -> None:
        super().__init__(f"{text!r} is not an amount: {why}")
        self.text, self.why = text, why


# -- codec: encoding, commitment, decoding ---------------------------------------------------------------------------


class UnsupportedGeometry(Misuse):
    """A number of shards or a size that the encoding does not take."""

    def __init__(self, what: str) -> None:
        super().__init__(f"cannot encode {what}")
        self.what = what


class RangeOutsideBlob(Misuse):
    """A byte, range or segment that the blob does not have."""

    def __init__(self, what: str) -> None:
        super().__init__(f"there is no {what}")
        self.what = what


class NotEnoughSlivers(Retryable):
    """Fewer verified slivers than a segment needs; ask more nodes and decode again."""

    def __init__(self, have: int, needed: int) -> None:
        super().__init__(f"{have} slivers of one axis at hand, {needed} are needed to decode a segment; ask more")
        self.have, self.needed = have, needed


class NotEnoughSymbols(Retryable):
    """Fewer symbols (or byte runs) than a rebuild needs; ask more nodes and rebuild again."""

    def __init__(self, have: int, needed: int) -> None:
        super().__init__(f"{have} payloads at hand, {needed} are needed to rebuild what is lost; ask more nodes")
        self.have, self.needed = have, needed


class CommitmentMismatch(Untrusted):
    """Bytes that do not hash to what the blob's commitment says; drop them and ask another node."""

    def __init__(self, what: str, expected: bytes, actual: bytes) -> None:
        super().__init__(f"{what} does not match the commitment: expected {expected.hex()}, got {actual.hex()}")
        self.what, self.expected, self.actual = what, expected, actual


class WrongLength(Untrusted):
    """A sliver, symbol, chunk run or path of the wrong length; drop it and ask another node."""

    def __init__(self, what: str, expected: int, actual: int) -> None:
        super().__init__(f"{what} has {actual} bytes, {expected} are expected")
        self.what, self.expected, self.actual = what, expected, actual


class MalformedMetadata(Untrusted):
    """Bytes that are not the metadata of a blob; drop them and ask another node."""

    def __init__(self, why: str) -> None:
        super().__init__(f"these bytes are not blob metadata: {why}")
        self.why = why


class InconsistentEncoding(Untrusted):
    """The blob's slivers verify but do not belong to one matrix: who stored it encoded it wrongly.

    Nobody can repair that; all readers are refused alike, and the nodes invalidate the blob on chain when asked to.
    """

    def __init__(self, blob_id: object, what: str) -> None:
        super().__init__(
            f"blob {blob_id} was encoded wrongly: {what}; it cannot be read, store the data again. "
            f"`walrus invalidate {blob_id}` has the nodes examine it and marks it invalid on chain"
        )
        self.blob_id, self.what = blob_id, what


# -- contracts: compiling them and carrying the result ---------------------------------------------------------------


class NotAContractsProject(Misuse):
    """A folder that should hold the Solidity sources and their settings does not."""

    def __init__(self, folder: object, why: str) -> None:
        super().__init__(f"{folder} is no contracts project: {why}; run this in a clone of the repository")
        self.folder, self.why = folder, why


class CompilerNotFound(Misuse):
    """There is no Solidity compiler, and none could be installed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"no Solidity compiler: {why}; `make setup` in a clone of the repository provides one")
        self.why = why


class CompilationFailed(Misuse):
    """The Solidity compiler refused the sources; the message is the compiler's."""

    def __init__(self, messages: str) -> None:
        super().__init__(f"the contracts do not compile:\n{messages}")
        self.messages = messages


# -- messages: attestations, keys, certificates ----------------------------------------------------------------------


class MalformedPrivateKey(Misuse):
    """Bytes that are no private key. The message never holds the key."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is not a private key: {why}")
        self.why = why


class MalformedSignature(Untrusted):
    """Bytes that are not a signature in the one form that the contracts take."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is not a signature: {why}; it must be r ‖ s ‖ v, 65 bytes, low s, v 27 or 28")
        self.why = why


class WrongSigner(Untrusted):
    """A good signature, but by another key, or over other words."""

    def __init__(self, expected: object, actual: object) -> None:
        super().__init__(f"the signature is not by {expected}: it recovers to {actual}")
        self.expected, self.actual = expected, actual


class NotAMember(Untrusted):
    """A signature by somebody who has no place in the serving committee."""

    def __init__(self, signer: object) -> None:
        super().__init__(f"{signer} signs for no member of the serving committee; its signature does not count")
        self.signer = signer


class AttestationMismatch(Untrusted):
    """A node attested something else than it was asked for."""

    def __init__(self, signer: object, expected: object, actual: object) -> None:
        super().__init__(f"{signer} attested {actual}, but {expected} was asked for")
        self.signer, self.expected, self.actual = signer, expected, actual


class QuorumNotReached(Retryable):
    """The attestations collected so far do not make a certificate; collect more."""

    def __init__(self, blob_id: object, required: int, weight: int) -> None:
        super().__init__(f"blob {blob_id}: {required} shards are required, {weight} attested; ask more nodes")
        self.blob_id, self.required, self.weight = blob_id, required, weight


class MalformedCommittee(Bug):
    """A committee that breaks its own rules: a shard with no owner or two, a signer twice."""

    def __init__(self, why: str) -> None:
        super().__init__(f"that is not a committee: {why}")
        self.why = why


# -- chain: endpoints, deployments, transactions. What contracts refuse is in `walrus_chain.chain.rejections` --------


class RpcUnavailable(Retryable):
    """No RPC endpoint of the chain answered; each one's reason is in `failures`."""

    def __init__(self, method: str, failures: Mapping[str, str]) -> None:
        reasons = "; ".join(f"{endpoint}: {why}" for endpoint, why in failures.items())
        super().__init__(f"no RPC endpoint answered {method} ({reasons}); check the endpoints or try again")
        self.method, self.failures = method, dict(failures)


class RpcRefused(Retryable):
    """An RPC endpoint answered with an error that is not a contract's refusal."""

    def __init__(self, endpoint: str, method: str, code: int, message: str) -> None:
        super().__init__(f"{endpoint} refused {method}: {message} (code {code})")
        self.endpoint, self.method, self.code, self.rpc_message = endpoint, method, code, message


class BlockUnknown(Retryable):
    """No endpoint knows the block yet, or it was reorganised away: try again."""

    def __init__(self, block: object) -> None:
        super().__init__(f"block {block} is not known: the endpoints lag, or the chain was reorganised; try again")
        self.block = block


class NoEndpoint(Misuse):
    """No usable RPC URL of a chain was given."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; name an RPC endpoint such as http://127.0.0.1:8545")
        self.why = why


class WrongChain(Misuse):
    """An endpoint serves another chain than the deployment is on."""

    def __init__(self, endpoint: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{endpoint} serves chain {actual}, but the network is on chain {expected}; name another endpoint"
        )
        self.endpoint, self.expected, self.actual = endpoint, expected, actual


class MalformedDeployment(Misuse):
    """A file that should name a network's contracts does not."""

    def __init__(self, source: object, why: str) -> None:
        super().__init__(f"{source} is not a deployment file: {why}; `walrus network deploy` writes one")
        self.source, self.why = source, why


class ContractMissing(Misuse):
    """A deployment that does not name a contract, or an address at which the chain has no code."""

    def __init__(self, deployment: str, contract: str, why: str) -> None:
        super().__init__(
            f"network {deployment} has no {contract}: {why}; check the deployment file and the RPC endpoint"
        )
        self.deployment, self.contract, self.why = deployment, contract, why


class ArtifactMissing(Bug):
    """The package lacks a contract's ABI and bytecode."""

    def __init__(self, contract: str) -> None:
        super().__init__(f"this installation has no artifact of contract {contract}; `make contracts` writes them")
        self.contract = contract


class ParameterOutOfBounds(Misuse):
    """A parameter of a new network that the contracts would refuse."""

    def __init__(self, parameter: str, bounds: str, actual: object) -> None:
        super().__init__(f"{parameter} must be {bounds}; it is {actual}")
        self.parameter, self.bounds, self.actual = parameter, bounds, actual


class UnexpectedAddress(Retryable):
    """A contract landed at another address than planned: the deployer sent other transactions meanwhile."""

    def __init__(self, contract: str, expected: object, actual: object) -> None:
        super().__init__(
            f"{contract} was created at {actual} instead of {expected}: the deployer's account sent other transactions "
            "meanwhile; deploy again from an account that nobody else uses"
        )
        self.contract, self.expected, self.actual = contract, expected, actual


class NotEnoughGasMoney(Misuse):
    """An account cannot pay the chain for a transaction."""

    def __init__(self, account: object, why: str) -> None:
        super().__init__(
            f"{account} cannot pay the chain's fee for the transaction ({why}); send it some native currency"
        )
        self.account, self.why = account, why


class TransactionPending(Retryable):
    """A transaction was sent but is in no block yet; it may still be mined."""

    def __init__(self, transaction: str, seconds: float) -> None:
        super().__init__(f"transaction {transaction} is in no block after {seconds:.0f} s; it may still get there")
        self.transaction, self.seconds = transaction, seconds


class TransactionDisplaced(Retryable):
    """Another transaction of the same account took the place of ours, so ours never happened."""

    def __init__(self, transaction: str, account: object, nonce: int) -> None:
        super().__init__(
            f"transaction {transaction} did not happen: {account} sent another one with nonce {nonce} from elsewhere; "
            "send it again"
        )
        self.transaction, self.account, self.nonce = transaction, account, nonce


class UnknownEvent(Misuse):
    """A contract logged something that this version of the software does not know."""

    def __init__(self, contract: str, topics: Sequence[str]) -> None:
        super().__init__(
            f"{contract} logged an event that this software does not know (topics {', '.join(topics) or 'none'}); "
            "update walrus-chain, or name the deployment file that belongs to these contracts"
        )
        self.contract, self.topics = contract, tuple(topics)


class UnexpectedAnswer(Untrusted):
    """An RPC endpoint answered something that is not what the standard says."""

    def __init__(self, endpoint: str, method: str, why: str) -> None:
        super().__init__(f"{endpoint} answered {method} with nonsense: {why}; use another endpoint")
        self.endpoint, self.method, self.why = endpoint, method, why


class AnvilMissing(Misuse):
    """A local chain was asked for, but anvil is not installed."""

    def __init__(self, searched: Sequence[str]) -> None:
        super().__init__(
            f"anvil, which runs the local chain, was not found in: {', '.join(searched)}. Install it with "
            "`npm install @foundry-rs/anvil` in this folder (`make setup` does it in a clone of the repository), "
            "or from getfoundry.sh, then try again"
        )
        self.searched = tuple(searched)


class AnvilFailed(Retryable):
    """Anvil started but did not become ready, or ended by itself; `output` is what it said last."""

    def __init__(self, why: str, output: str) -> None:
        super().__init__(f"anvil {why}" + (f"; it said:\n{output}" if output else ""))
        self.why, self.output = why, output


# -- transport: talking with storage agents --------------------------------------------------------------------------


class AgentUnreachable(Retryable):
    """No answer from an agent: it is down, its address is wrong, or the connection broke."""

    def __init__(self, agent: str, why: str) -> None:
        super().__init__(f"{agent} cannot be reached: {why}")
        self.agent, self.why = agent, why


class AgentTimedOut(Retryable):
    """An agent took longer than it was given."""

    def __init__(self, agent: str, what: str) -> None:
        super().__init__(f"{agent} took too long: {what}")
        self.agent, self.what = agent, what


class AgentRefused(Retryable):
    """An agent understood the request and said no; `.code` and `.message` are its words.

    `retryable` is the agent's own word on whether the same request may succeed at this agent later; another agent may
    say yes in any case.
    """

    def __init__(
        self,
        agent: str,
        status: int,
        code: str,
        message: str,
        *,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{agent} refused ({status} {code}): {message}")
        self.agent, self.status, self.code, self.message = agent, status, code, message
        self.retryable, self.retry_after = retryable, retry_after


class AgentIncomplete(AgentRefused):
    """An agent does not attest because it misses sliver pairs; `.missing` names (segment, pair), the first hundred."""

    def __init__(self, agent: str, message: str, missing: tuple[tuple[int, int], ...]) -> None:
        super().__init__(agent, 409, "Incomplete", message)
        self.missing = missing


class AgentMisbehaved(Untrusted):
    """An agent's answer is not what the protocol promises; ask another one."""

    def __init__(self, agent: str, what: str) -> None:
        super().__init__(f"{agent} broke the protocol: {what}")
        self.agent, self.what = agent, what


class IpfsUnavailable(Retryable):
    """The IPFS daemon did not answer, or answered with an error."""

    def __init__(self, address: str, why: str) -> None:
        super().__init__(
            f"the IPFS daemon at {address} failed: {why}; check that it runs and that this is its API port"
        )
        self.address, self.why = address, why


class IpfsContentMissing(Retryable):
    """The IPFS daemon does not have a content id, nor could it find it in time."""

    def __init__(self, address: str, cid: str) -> None:
        super().__init__(f"the IPFS daemon at {address} does not have {cid}")
        self.address, self.cid = address, cid


# -- committee: from stake to shards ---------------------------------------------------------------------------------


class UnfitCandidates(Misuse):
    """A list of candidates from which no committee can be formed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"these candidates form no committee: {why}")
        self.why = why


# -- fees: what storage costs ----------------------------------------------------------------------------------------


class WrongTerm(Misuse):
    """A term without epochs, or one that reaches further than epochs can be paid ahead."""

    def __init__(self, epochs: int, maximum: int) -> None:
        why = f"ask for 1 to {maximum}" if maximum > 0 else "no more can be paid ahead now; try in a later epoch"
        super().__init__(f"{epochs} epochs cannot be paid: {why}")
        self.epochs, self.maximum = epochs, maximum


class TermOver(Misuse):
    """A term that is to be extended or refunded has ended."""

    def __init__(self, end: int, current: int) -> None:
        super().__init__(f"the term ended with epoch {end - 1}, it is epoch {current}; register the blob again")
        self.end, self.current = end, current


# -- client: storing and reading -------------------------------------------------------------------------------------


def _reasons(reasons: Mapping[str, str]) -> str:
    return "".join(f"\n  {node}: {why}" for node, why in reasons.items())


class NoWallet(Misuse):
    """Something that has to be signed was asked of a client without a wallet."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} needs a wallet, and this client has none; `walrus wallet new` makes one")
        self.what = what


class BlobNotFound(Misuse):
    """A blob, or an object of it, that this network does not have (any more)."""

    def __init__(self, what: object, why: str) -> None:
        super().__init__(f"{what} cannot be found: {why}")
        self.what, self.why = what, why


class AmbiguousBlob(Misuse):
    """A blob id where one of several objects has to be named."""

    def __init__(self, blob_id: object, objects: Sequence[int]) -> None:
        super().__init__(
            f"you have several objects of blob {blob_id}: {', '.join(map(str, objects))}; name one by its number"
        )
        self.blob_id, self.objects = blob_id, tuple(objects)


class BlobUnreachable(Retryable):
    """The network should have the blob, but too few nodes gave verified slivers; `reasons` says why, node by node."""

    def __init__(
        self, blob_id: object, segment: int | None, have: int, needed: int, reasons: Mapping[str, str]
    ) -> None:
        part = "its metadata" if segment is None else f"segment {segment}"
        super().__init__(
            f"blob {blob_id}: {part} cannot be read now, {have} of {needed} verified pieces came; "
            f"try again later. What the nodes said:{_reasons(reasons)}"
        )
        self.blob_id, self.segment, self.have, self.needed, self.reasons = blob_id, segment, have, needed, dict(reasons)


class QuorumUnreachable(Retryable):
    """A blob was registered and paid, but too few nodes stored it; storing it again goes on where this stopped."""

    def __init__(
        self, blob_id: object, blob_object: int, required: int, weight: int, reasons: Mapping[str, str]
    ) -> None:
        super().__init__(
            f"blob {blob_id} (object {blob_object}) is registered but not certified: {weight} shards attested, "
            f"{required} are required. Store it again to go on without paying twice. "
            f"What the nodes said:{_reasons(reasons)}"
        )
        self.blob_id, self.blob_object, self.required, self.weight = blob_id, blob_object, required, weight
        self.reasons = dict(reasons)


class BlobIsConsistent(Misuse):
    """A blob that should be invalidated encodes to its id, say enough nodes that one of them must be honest."""

    def __init__(self, blob_id: object, weight: int) -> None:
        super().__init__(
            f"blob {blob_id} is in order: nodes with {weight} shards examined it, and it encodes to its id; "
            "there is nothing to invalidate"
        )
        self.blob_id, self.weight = blob_id, weight


class BlobNotInvalidated(Retryable):
    """Too few nodes attest that a blob does not encode to its id; `reasons` says why, node by node."""

    def __init__(self, blob_id: object, required: int, weight: int, reasons: Mapping[str, str]) -> None:
        super().__init__(
            f"blob {blob_id} stays as it is: {weight} shards attest that it does not encode to its id, {required} are "
            f"required. Ask again later; nodes remember what they found. What the others said:{_reasons(reasons)}"
        )
        self.blob_id, self.required, self.weight, self.reasons = blob_id, required, weight, dict(reasons)


class SourceUnreadable(Misuse):
    """What should be stored cannot be read."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source} cannot be read: {why}")
        self.source, self.why = source, why


class TargetUnwritable(Misuse):
    """Where a blob should be written to cannot be written to."""

    def __init__(self, target: str, why: str) -> None:
        super().__init__(f"{target} cannot be written: {why}")
        self.target, self.why = target, why


class SourceChanged(Misuse):
    """A file changed while it was being stored, so its slivers do not belong to its blob id."""

    def __init__(self, source: str) -> None:
        super().__init__(
            f"{source} changed while it was being stored; wait until nobody writes to it and store it again"
        )
        self.source = source


# -- storage agent: following the chain, keeping bytes ---------------------------------------------------------------


class FactsMissing(Retryable):
    """The chain's events do not fit together: an endpoint left some out. They are asked for again."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the chain endpoint left events out ({what}); they are read again from the last sure block")
        self.what = what


class ForksDisagree(Retryable):
    """Two answers about the chain are from different forks; asking again settles it."""

    def __init__(self, block: int, one: bytes, other: bytes) -> None:
        super().__init__(
            f"the chain endpoints disagree about block {block}: 0x{one.hex()} or 0x{other.hex()}; asking again"
        )
        self.block, self.one, self.other = block, one, other


class OtherChain(Misuse):
    """The chain at the configured endpoint is not the one that the agent followed so far."""

    def __init__(self, block: int, block_hash: bytes) -> None:
        super().__init__(
            f"the chain's block {block} is not 0x{block_hash.hex()}, from which this agent started: the RPC address "
            "leads to another chain, or the chain was started afresh; correct the address, or give the agent an empty "
            "data directory"
        )
        self.block, self.block_hash = block, block_hash


class SliverMissing(Retryable):
    """A store does not have what was put under a key; the network can give it back."""

    def __init__(self, key: str) -> None:
        super().__init__(f"nothing is stored under {key}; it will be healed from the other nodes")
        self.key = key


class PairNotHeld(Retryable):
    """This node does not hold a sliver pair (yet, or any more); ask other nodes."""

    def __init__(self, blob_id: object, segment: int, pair: int) -> None:
        super().__init__(f"blob {blob_id}: pair {pair} of segment {segment} is not here; ask other nodes")
        self.blob_id, self.segment, self.pair = blob_id, segment, pair


class StoreFull(Retryable):
    """There is no room for more bytes; the node answers for what it has, and takes nothing new."""

    def __init__(self, where: str, needed: int, free: int | None) -> None:
        room = "" if free is None else f", {free} are free"
        super().__init__(f"{where} has no room for {needed} bytes{room}; add space, or move the store")
        self.where, self.needed, self.free = where, needed, free


class StoreUnavailable(Retryable):
    """The place where slivers are kept does not answer as it should."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"the sliver store {where} failed: {why}; see that it can be reached and written to")
        self.where, self.why = where, why


class UnknownStore(Misuse):
    """An address of a sliver store that nothing here speaks to."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"cannot keep slivers at {url!r}: {why}; give a directory, or an address that begins with file://, s3://, "
            "gs://, az:// or ipfs+http://"
        )
        self.url, self.why = url, why


class CatalogueInUse(Misuse):
    """Another process has the catalogue open for writing."""

    def __init__(self, path: object) -> None:
        super().__init__(f"another agent is running on {path}; stop it first, or use another data directory")
        self.path = path


class CatalogueOfOtherNetwork(Misuse):
    """A catalogue was written for another network or another node."""

    def __init__(self, path: object, expected: str, actual: str) -> None:
        super().__init__(f"{path} belongs to {actual}, this agent serves {expected}; use another data directory")
        self.path, self.expected, self.actual = path, expected, actual


class CatalogueTooNew(Misuse):
    """A catalogue was written by a newer version of this software."""

    def __init__(self, path: object, newest: int, actual: int) -> None:
        super().__init__(
            f"{path} has schema {actual}, this version knows schemas up to {newest}; install the newer version again"
        )
        self.path, self.newest, self.actual = path, newest, actual


class CatalogueBroken(Bug):
    """The catalogue cannot be read or written, and not for want of space."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(
            f"the catalogue {path} failed: {why}; check the disk. An empty data directory makes the agent start over: "
            "it follows the chain again and heals what it should hold"
        )
        self.path, self.why = path, why


class WrongSetting(Misuse):
    """A setting of the agent that is missing or makes no sense."""

    def __init__(self, source: str, key: str, expected: str, actual: object = None) -> None:
        found = "it is missing" if actual is None else f"it is {actual!r}"
        super().__init__(f"{source}: {key} must be {expected}; {found}")
        self.source, self.key, self.expected, self.actual = source, key, expected, actual


# -- home: networks and wallets of a person --------------------------------------------------------------------------


class UnknownNetwork(Misuse):
    """A network that this computer knows nothing of, or none where one has to be named."""

    def __init__(self, name: str | None, known: Sequence[str]) -> None:
        what = "no network is chosen" if name is None else f"there is no network {name!r}"
        choice = (
            f"known are {', '.join(known)}; `walrus network use NAME` chooses one"
            if known
            else ("`walrus network add` makes one known, `walrus devnet up` starts a local one")
        )
        super().__init__(f"{what}: {choice}")
        self.name, self.known = name, tuple(known)


class UnknownWallet(Misuse):
    """A wallet that this computer does not have, or none where one has to be named."""

    def __init__(self, name: str | None, known: Sequence[str]) -> None:
        what = "no wallet is chosen" if name is None else f"there is no wallet {name!r}"
        choice = f"there are {', '.join(known)}; name one by --wallet" if known else "`walrus wallet new` makes one"
        super().__init__(f"{what}: {choice}")
        self.name, self.known = name, tuple(known)


class NameTaken(Misuse):
    """A network or wallet of that name exists; nothing is overwritten."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"there is a {kind} {name!r} already; choose another name")
        self.kind, self.name = kind, name


class MalformedName(Misuse):
    """A name that cannot be the name of a file."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{name!r} cannot name a {kind}: use letters, digits, hyphen, underscore and dot, 64 at most")
        self.kind, self.name = kind, name


class HomeUnreadable(Misuse):
    """A file of a person's settings is damaged."""

    def __init__(self, path: object, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}; mend or remove it")
        self.path, self.why = path, why


class WrongPassword(Misuse):
    """A password that does not open a keystore."""

    def __init__(self, wallet: str) -> None:
        super().__init__(f"that password does not open wallet {wallet!r}; try again")
        self.wallet = wallet


class PasswordMissing(Misuse):
    """A keystore has to be opened and nobody is there to type its password."""

    def __init__(self, wallet: str) -> None:
        super().__init__(
            f"wallet {wallet!r} needs its password: type it at a terminal, or name a file that "
            "holds it by --password-file"
        )
        self.wallet = wallet


class MalformedArgument(Misuse):
    """Something typed that does not have the form it must have."""

    def __init__(self, what: str, text: str, form: str) -> None:
        super().__init__(f"{text!r} is not {what}: {form}")
        self.what, self.text, self.form = what, text, form
