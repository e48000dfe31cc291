"""All that releases keys in one agent, put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from storage_agent.config import AccessSettings, KeySettings
from storage_agent.keys.erasable import ErasableKeys
from storage_agent.keys.files import load_master_keys, read_password
from storage_agent.keys.jobs import JobFactSource, JobReleaser
from storage_agent.keys.journal import Journal
from storage_agent.keys.release import Releaser, ReleaseRules
from storage_agent.keys.ring import KeyRing
from storage_agent.keys.till import Till, TillRules
from storage_agent.observe import Metrics
from storage_agent.store.ledger import Ledger
from storage_agent.watch.access import AccessChain
from walrus_chain.chain.network import Chain
from walrus_chain.chain.views import NetworkParameters
from walrus_chain.messages.domain import access_domain, channels_domain
from walrus_chain.messages.signing import Signer
from walrus_chain.types import WAL_DECIMALS, NodeId, Wei


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """Who releases keys, who keeps the record, and who keeps the keys that can be destroyed."""

    releaser: Releaser | None
    """None where the operator releases no keys."""
    job_releaser: JobReleaser | None
    """None there, too."""
    journal: Journal
    erasable: ErasableKeys


def access_wei(amount: float) -> Wei:
    """An amount of the settings, which are in WAL."""
    return Wei(int(amount * 10**WAL_DECIMALS))


async def make_desk(
    access: AccessSettings,
    keys: KeySettings,
    chain: Chain,
    source: AccessChain,
    job_source: JobFactSource,
    parameters: NetworkParameters,
    node_id: NodeId,
    signer: Signer,
    ledger: Ledger,
    metrics: Metrics,
    clock: Callable[[], float],
    random: Callable[[int], bytes],
) -> KeyDesk:
    """The desk of one node.

    Args:
        signer: the node's key.
        clock: seconds since 1970, not before the newest block that was seen.
        random: gives as many unpredictable bytes as it is asked for.
    Raises: UnusableKey: the master keys do not open; and what endpoints raise.
    """
    chain_id, deployment = chain.deployment.chain_id, chain.deployment
    domain = access_domain(chain_id, deployment.address("BlobPolicies"))
    channels = channels_domain(chain_id, deployment.address("ReadChannels"))
    journal = Journal(ledger, node_id, signer, domain, clock, parameters.epoch_at)
    erasable = ErasableKeys(keys.erasable, ledger, node_id, signer, domain, random, clock)
    if not access.enabled:
        return KeyDesk(None, None, journal, erasable)
    maximum_age = (await chain.policies.rules()).maximum_request_age
    rules = ReleaseRules(node_id, domain, channels, maximum_age)
    ring = KeyRing(load_master_keys(keys.encryption, read_password(keys.password_file)))
    releaser = Releaser(
        rules,
        source,
        Till(source, TillRules(access.confirmations, access_wei(access.finality_above)), channels),
        journal,
        ring,
        erasable,
        metrics,
        clock,
    )
    job_releaser = JobReleaser(rules, job_source, journal, ring, erasable, metrics, clock)
    return KeyDesk(releaser, job_releaser, journal, erasable)
