"""The request of a job as bytes: `keccak256(abi.encode(request))` are the job's terms, all that the chain keeps of it.

Source: contracts/interfaces/IComputeJobs.sol; docs/spec/18-jobs.md.
"""

from __future__ import annotations

from typing import Final

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from eth_utils.crypto import keccak

from walrus_chain.chain.compute_views import JobRequest, TriggerTerms
from walrus_chain.errors import MalformedMessage

#: Bytes of an encoded request: sixteen inputs and 1,024 bytes of arguments take less.
MAXIMUM_REQUEST_BYTES: Final = 8 * 1024
_ORDER: Final = "(uint256[],bytes32,bytes,uint64,uint32,uint8,uint32,bytes32,uint128)"
_REQUEST: Final = f"(address,{_ORDER},(bytes32,uint64,uint128)[],uint64,uint32,uint64)"
_TRIGGER: Final = f"(uint8,uint32,uint16,uint128,{_ORDER})"


def request_to_bytes(request: JobRequest) -> bytes:
    """A request as the contract encodes it."""
    return bytes(encode([_REQUEST], [request.row]))


def request_from_bytes(data: bytes) -> JobRequest:
    """The request that was encoded.

    Raises: MalformedMessage: not the one encoding of a request.
    """
    try:
        [row] = decode([_REQUEST], data)
        request = JobRequest.from_row(row)
        same = request_to_bytes(request) == data
    except (DecodingError, OverflowError, ValueError) as error:
        raise MalformedMessage("terms", str(error)) from None
    if not same or len(request.order.inputs) != len(request.charges):
        raise MalformedMessage("terms", "they are not encoded as the contract does it")
    return request


def terms_of(request: JobRequest) -> bytes:
    """The hash that the chain keeps of a request, 32 bytes."""
    return bytes(keccak(request_to_bytes(request)))


def trigger_terms_of(terms: TriggerTerms) -> bytes:
    """The hash that the chain keeps of what a trigger does, 32 bytes."""
    return bytes(keccak(encode([_TRIGGER], [terms.row])))
