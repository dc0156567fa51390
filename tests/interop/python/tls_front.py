"""What stands in front of the API and speaks TLS: hands on what it decrypts, and back what it is answered."""

import argparse
import asyncio
import ssl


async def hand_on(reader, writer):
    try:
        while piece := await reader.read(64 << 10):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass  # whoever went away has its answer, or wants none
    finally:
        writer.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("api", help="HOST:PORT")
    parser.add_argument("certificate")
    parser.add_argument("key")
    arguments = parser.parse_args()
    host, port = arguments.api.rsplit(":", 1)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(arguments.certificate, arguments.key)

    async def connected(reader, writer):
        api_reader, api_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(hand_on(reader, api_writer), hand_on(api_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", arguments.port, ssl=context)
    print("ready", flush=True)
    await server.serve_forever()


asyncio.run(main())
