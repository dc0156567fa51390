"""A server of media streams, by aiohttp: prints what it is told, a JSON object a line.

usage: stream_app.py AUTH_TOKEN

The first line says where it listens. What it does depends on the path:
  /listen  only listens
  /echo    says back what it hears; at the key `#` it sends the mark `end`; when that comes back, ten seconds of silence, the mark
           `never` and `clear`; when that mark comes back too, it closes
  /kill    cuts the connection after 25 frames
  /refuse  answers the handshake with 403
"""

import asyncio
import base64
import json
import sys

from aiohttp import WSMsgType, web
from twilio.request_validator import RequestValidator

VALIDATOR = RequestValidator(sys.argv[1])


def tell(**what):
    print(json.dumps(what), flush=True)


async def stream(request):
    path = request.path
    url = f"ws://{request.host}{request.path_qs}"
    signed = request.headers.get("X-Twilio-Signature", "")
    tell(path=path, event="handshake", signed=VALIDATOR.compute_signature(url, {}) == signed)
    if path == "/refuse":
        return web.Response(status=403)
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    frames = 0
    async for message in socket:
        if message.type != WSMsgType.TEXT:
            tell(path=path, event="odd", type=str(message.type))
            continue
        said = json.loads(message.data)
        tell(path=path, **said)
        event = said["event"]
        frames += event == "media"
        if path == "/kill" and frames == 25:
            request.transport.abort()
        if path == "/echo":
            await echo(socket, said)
    tell(path=path, event="closed", code=socket.close_code)
    return socket


async def echo(socket, said):
    async def send(event, **what):
        await socket.send_json({"event": event, "streamSid": said["streamSid"], **what})

    match said["event"]:
        case "media":
            await send("media", media={"payload": said["media"]["payload"]})
        case "dtmf" if said["dtmf"]["digit"] == "#":
            await send("mark", mark={"name": "end"})
        case "mark" if said["mark"]["name"] == "end":
            silence = base64.b64encode(b"\xff" * 80_000).decode()
            await send("media", media={"payload": silence})
            await send("mark", mark={"name": "never"})
            await send("clear")
        case "mark" if said["mark"]["name"] == "never":
            await socket.close()


async def main():
    app = web.Application()
    app.router.add_get("/{path:.*}", stream)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    tell(event="ready", port=runner.addresses[0][1])
    await asyncio.Event().wait()


asyncio.run(main())
