"""A thousand pages that are open at once, in one process of uvicorn."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from tests.clients.conftest import Shop

STREAMS = 1000
PATIENCE = 60  # seconds


def ask(shop: Shop) -> dict[str, object]:
    """Ask for all flags, as each page does."""
    request = Request(
        f"{shop.address}/ofrep/v1/evaluate/flags",
        b'{"context": {}}',
        {"Authorization": f"Bearer {shop.secrets['client']}", "Content-Type": "application/json"},
    )
    with urlopen(request, timeout=PATIENCE) as response:
        document: dict[str, object] = json.load(response)
    return document


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    request = f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n"
    writer.write(request.encode())
    await asyncio.wait_for(reader.readuntil(b"retry: 2000\n\n"), PATIENCE)
    return reader, writer


async def hear(reader: asyncio.StreamReader) -> None:
    await reader.readuntil(b"refetchEvaluation")


def test_a_thousand_streams_hear_of_a_change_and_others_are_still_answered(asgi_shop):
    async def all_hear(url: str) -> None:
        streams = [await connect(url) for _ in range(STREAMS)]
        await asyncio.to_thread(ask, asgi_shop)
        hearing = asyncio.gather(*(hear(reader) for reader, _writer in streams))
        await asyncio.to_thread(asgi_shop.flags, "enable", "flip")
        await asyncio.wait_for(hearing, PATIENCE)
        await asyncio.to_thread(ask, asgi_shop)
        for _reader, writer in streams:
            writer.close()

    asyncio.run(all_hear(ask(asgi_shop)["eventStreams"][0]["url"]))
    asgi_shop.flags("disable", "flip")
