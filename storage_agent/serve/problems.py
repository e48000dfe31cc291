"""What goes wrong, as an HTTP answer: status, a code that programs read, a message that people read, the evidence.

    {"error": {"code": "ForeignPair", "message": "...", "retryable": false, ...evidence}}

The code is the name of the error's class; evidence is its public attributes. An error that is not on the list is a bug
of the agent: it is logged with its trace and answered as 500 without details.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from storage_agent.node import access_refusals, refusals
from storage_agent.store import access
from walrus_chain import errors
from walrus_chain.types import BlobId

_log = logging.getLogger(__name__)

#: From the special to the general: the first that fits counts.
STATUS: Final[tuple[tuple[type[Exception], int], ...]] = (
    (refusals.MalformedRequest, 400),
    (refusals.ForeignPair, 421),
    (refusals.BodyTooLarge, 413),
    (refusals.WrongShape, 422),
    (refusals.EncodedWrongly, 422),
    (refusals.Consistent, 409),
    (refusals.BlobOver, 410),
    (refusals.UnknownBlob, 404),
    (refusals.UnknownOutput, 404),
    (refusals.NotRegisteredYet, 425),
    (refusals.MetadataNeeded, 409),
    (refusals.Incomplete, 409),
    (refusals.NotServing, 503),
    (refusals.ExaminationUnderWay, 503),
    (refusals.TooBusy, 503),
    (refusals.TooManyRequests, 429),
    (refusals.BodyTooSlow, 408),
    (refusals.Stopping, 503),
    (refusals.NoKeysHere, 503),
    (access_refusals.WrongSignature, 401),
    (errors.WrongNode, 401),
    (errors.GrantExpired, 401),
    (errors.RequestExpired, 401),
    (errors.OutsideScope, 401),
    (errors.WrongGrant, 401),
    (access_refusals.PaymentRequired, 402),
    (access_refusals.VoucherRefused, 402),
    (access_refusals.Denied, 403),
    (access_refusals.UnknownKey, 404),
    (access_refusals.UnknownObject, 404),
    (access_refusals.StaleKeyEpoch, 409),
    (access.NonceUsed, 409),
    (access_refusals.KeysDestroyed, 410),
    (access_refusals.BlockTooOld, 422),
    (access_refusals.BlockUnknown, 425),
    (access_refusals.PaymentUnconfirmed, 425),
    (access_refusals.ChainUnavailable, 503),
    (errors.PairNotHeld, 404),
    (errors.StoreFull, 507),
    (errors.RangeOutsideBlob, 400),
    (errors.UnsupportedGeometry, 400),
    (errors.Untrusted, 422),
    (errors.Retryable, 503),
)


def answer_error(request: Request, error: Exception) -> Response:
    """The answer to a request that failed with `error`."""
    if isinstance(error, HTTPException):
        return _answer(error.status_code, _http_code(error.status_code), str(error.detail), retryable=False)
    for kind, status in STATUS:
        if isinstance(error, kind):
            retryable = isinstance(error, errors.Retryable)
            headers = {"Retry-After": str(_retry_after(error))} if status in (425, 429, 503) else {}
            return _answer(status, type(error).__name__, str(error), retryable, _evidence(error), headers)
    _log.error("request failed", exc_info=error, extra={"method": request.method, "path": request.url.path})
    message = "the agent made a mistake; its log says which. Ask another node, and tell this node's operator"
    return _answer(500, "InternalError", message, retryable=True)


def _answer(
    status: int,
    code: str,
    message: str,
    retryable: bool,
    evidence: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    document = {"error": {**(evidence or {}), "code": code, "message": message, "retryable": retryable}}
    return JSONResponse(document, status, headers)


def _http_code(status: int) -> str:
    return {404: "NoSuchRoute", 405: "MethodNotAllowed"}.get(status, "HttpError")


def _retry_after(error: Exception) -> int:
    return max(1, math.ceil(getattr(error, "retry_after", 1.0)))


def _evidence(error: Exception) -> dict[str, object]:
    return {_camel(name): _plain(value) for name, value in vars(error).items() if not name.startswith("_")}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _plain(value: object) -> object:
    """`value` as JSON takes it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, BlobId):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return str(value)
