"""Around the handlers: the description matches the routes, limits hold, errors have answers, metrics count."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.routing import Route

from storage_agent.node import access_refusals, refusals
from storage_agent.serve import openapi, problems
from storage_agent.serve.services import ServeLimits
from tests.fakes.agents import ChainOfFacts, Node, make_blob, upload
from tests.unit.agent.conftest import StartNode
from walrus_chain.errors import AgentRefused


async def test_openapi__routes__the_same_both_ways(node: Node) -> None:
    routed = {
        (route.path, method.lower())
        for route in node.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    described = {(path, method) for path, item in openapi.document()["paths"].items() for method in item}

    assert described == routed


async def test_openapi__served__every_reference_leads_somewhere(node: Node) -> None:
    document = (await node.raw.get(node.url("/openapi.json"))).json()
    text = json.dumps(document)

    for reference in [part.partition('"')[0] for part in text.split('"$ref": "#/')[1:]]:
        found = document
        for step in reference.split("/"):
            found = found[step]


async def test_openapi__path_parameters__all_described(node: Node) -> None:
    document = openapi.document()
    for path, item in document["paths"].items():
        for operation in item.values():
            names = {
                document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]["name"]
                for parameter in operation.get("parameters", [])
            }
            assert {part[1:-1] for part in path.split("/") if part.startswith("{")} <= names


def test_problems__every_refusal_and_delay__has_a_status() -> None:
    kinds = [*refusals.Refusal.__subclasses__(), *refusals.Delay.__subclasses__()]

    assert len(kinds) > 10
    for kind in kinds:
        modules = (refusals.__name__, access_refusals.__name__)
        assert any(issubclass(kind, listed) for listed, _ in problems.STATUS if listed.__module__ in modules)


def test_problems__every_status__is_described() -> None:
    described = {int(name.removeprefix("Problem")) for name in openapi.document()["components"]["responses"]}

    assert {status for _, status in problems.STATUS} <= described


async def test_unknown_error__answered_without_details_and_logged(
    node: Node, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setattr(node.holdings, "metadata", broken)
    answer = await node.raw.get(node.url(f"/v1/blobs/{make_blob(1, 10).blob_id}/metadata"))

    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "InternalError"
    assert "42" not in answer.text
    assert "42" in caplog.text


async def test_unknown_route__json_like_all_errors(node: Node) -> None:
    missing = await node.raw.get(node.url("/v2/blobs"))
    wrong_method = await node.raw.delete(node.url(f"/v1/blobs/{make_blob(1, 10).blob_id}"))

    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "NoSuchRoute")
    assert (wrong_method.status_code, wrong_method.json()["error"]["code"]) == (405, "MethodNotAllowed")


async def test_rate_limit__one_address_too_fast__told_to_wait_but_health_answers(start_node: StartNode) -> None:
    node = await start_node(limits=ServeLimits(requests_per_second=0.5, burst=1))
    blob_id = make_blob(1, 10).blob_id
    await node.client.blob(blob_id)

    with pytest.raises(AgentRefused) as refusal:
        await node.client.blob(blob_id)

    assert (refusal.value.status, refusal.value.code, refusal.value.retry_after) == (429, "TooManyRequests", 2)
    assert (await node.client.health()).status == "ok"


async def test_concurrency__no_place_and_no_queue__turned_away(start_node: StartNode, chain: ChainOfFacts) -> None:
    node = await start_node(limits=ServeLimits(concurrency=1, queue=0))
    blob = make_blob(100, 10)
    chain.register(blob.metadata)
    answers = await asyncio.gather(*(upload(node, blob) for _ in range(3)), return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, AgentRefused)]
    assert len(refused) == 2
    assert {(refusal.status, refusal.code) for refusal in refused} == {(503, "TooBusy")}


async def test_metrics__after_an_upload__count_it(node: Node, chain: ChainOfFacts) -> None:
    blob = make_blob(100, 10)
    await upload(node, blob, chain.register(blob.metadata))
    text = (await node.raw.get(node.url("/metrics"))).text

    assert "walrus_agent_attestations_total 1.0" in text
    assert 'route="PUT /v1/blobs/{blob}/segments/{segment}",status="200"' in text
