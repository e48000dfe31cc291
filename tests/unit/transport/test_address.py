"""What a hostile node may have registered as its address: others are led to a web server, or nowhere."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from walrus_chain.errors import AgentUnreachable
from walrus_chain.transport.address import UnusableAddress, base_of
from walrus_chain.transport.http import HttpAgents
from walrus_chain.types import BlobId

BLOB = BlobId(bytes(32))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:9185", "http://127.0.0.1:9185"),
        ("http://node-1", "http://node-1"),
        ("https://storage.example.org/", "https://storage.example.org"),
        ("https://example.org:8443/walrus/node-7/", "https://example.org:8443/walrus/node-7"),
        ("http://[2001:db8::7]:9185", "http://[2001:db8::7]:9185"),
        ("http://10.0.0.3:9185", "http://10.0.0.3:9185"),
        ("http://my_node.compose:1", "http://my_node.compose:1"),
        ("http://node/a/../b", "http://node/b"),
        ("HTTP://Example.ORG", "http://example.org"),
    ],
)
def test_base_of__web_server__as_it_is(url: str, base: str) -> None:
    assert base_of(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://",
        "file:///etc/passwd",
        "ftp://example.org",
        "unix:/run/docker.sock",
        "http+unix://%2Frun%2Fdocker.sock",
        "http://user:password@example.org",
        "http://example.org@evil.org",
        "http://internal/admin/delete?x=",
        "http://internal/admin/delete#",
        "http://internal/?",
        "http://internal/%2e%2e/b",
        "http://internal/a;b",
        "http://internal//b",
        "http://169.254.169.254/latest",
        "http://[::ffff:169.254.169.254]",
        "http://169.16689662",
        "http://2852039166",
        "http://0xa9fea9fe",
        "http://0xa9.254.169.0xfe",
        "http://[fe80::1]",
        "http://0.0.0.0:80",
        "http://[::]:80",
        "http://224.0.0.1",
        "http://a..b",
        "http://.",
        "http://*:1",
        "http://-a",
        "http://xn--a",
        "http://" + "a" * 64 + ".org",
        "http://" + "a." * 127 + "org",
        "http://127.0.0.1:99999",
        "http://127.0.0.1:0",
        "http://127.0.0.1:1\\@b",
        "http://a%00b",
        "http://[::1",
        "http://a\x1b[2J",
    ],
)
async def test_address_that_leads_elsewhere__nothing_is_sent(url: str) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, content=b"")

    with pytest.raises(UnusableAddress):
        base_of(url)
    async with HttpAgents(transport=httpx.MockTransport(answer)) as agents:
        with pytest.raises(AgentUnreachable) as error:
            await agents.at(url, "node").metadata(BLOB)

    assert sent == []
    assert str(error.value).isprintable()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=60))
def test_base_of__whatever_the_register_takes__a_plain_address_or_none(rest: str) -> None:
    try:
        base = base_of("http://" + rest)
    except UnusableAddress:
        return
    built = httpx.URL(base + "/v1/health?a=b")
    assert built.scheme == "http"
    assert (built.path.endswith("/v1/health"), built.query, built.userinfo, built.fragment) == (True, b"a=b", b"", "")
