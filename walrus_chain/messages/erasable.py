"""Keys that a node makes for one object, and destroys when the object's data is to be unreadable for good.

Source: docs/spec/13-access.md; vectors in tests/vectors/access.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from walrus_chain.messages.typed import TypedMessage
from walrus_chain.types import BlobObjectId, NodeId


@dataclass(frozen=True, slots=True)
class ErasableKey(TypedMessage):
    """Says: I made this key for this object, and destroy it when its policy says so. Signed by the node's signer."""

    TYPE: ClassVar[str] = "ErasableKey(uint32 node,uint256 blobObject,bytes publicKey)"

    node: NodeId
    blob_object: BlobObjectId
    public_key: bytes
    """96 bytes (`walrus_chain.crypto.node_key.PublicKey`)."""
