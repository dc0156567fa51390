#!/usr/bin/env python3
"""An official who calls the line that records messages: types the PIN, speaks when asked to, hears what was said, and keeps it.

Knows what to do by ear: when it has sounded, and then was quiet for a while, it is the caller's turn. The PIN is read from the environment
(`PIN`). Prints how the call ended, as callers.py does.
"""

import argparse
import asyncio
import json
import os

import sound
from callers import PACKET, Caller, Stream

TURN = round(1.5 / PACKET)  # packets of silence after which a question is over


class Ears(asyncio.DatagramProtocol):
    """What has been heard since it was last asked."""

    def __init__(self):
        self.forget()

    def forget(self):
        self.has_sounded, self.quiet = False, 0

    def datagram_received(self, datagram, _source):
        if sound.is_loud(datagram[12:]):
            self.has_sounded, self.quiet = True, 0
        else:
            self.quiet += 1

    @property
    def is_asked(self):
        return self.has_sounded and self.quiet >= TURN


class Official(Caller):
    def __init__(self, given, pin, message):
        super().__init__(given.server, given.line, given.number, "", given)
        self.pin, self.message = pin, message
        self.ears = Ears()

    async def talk(self, media, target):
        stream = Stream(media, target)
        await self.asked(stream)
        for key in self.pin + "#":
            await stream.press(key)
        await self.asked(stream)
        for at in range(0, len(self.message), sound.FRAME):
            await stream.say(self.message[at : at + sound.FRAME])
        await stream.press("#")
        while True:
            # The message is heard back, and then the question what becomes of it.
            await self.asked(stream)
            await stream.press("1")

    async def asked(self, stream):
        self.ears.forget()
        while not self.ears.is_asked:
            await stream.silence()


async def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="127.0.0.1:5060")
    arguments.add_argument("--line", default="1295", help="the number that is called")
    arguments.add_argument("--number", required=True, help="the official's")
    arguments.add_argument("--from-host", default="127.0.0.1", help="where the official is")
    arguments.add_argument("--seconds", type=float, default=4.0, help="of the message")
    arguments.add_argument("--patience", type=float, default=180.0, help="seconds after which the official hangs up")
    given = arguments.parse_args()
    loop = asyncio.get_running_loop()
    make = lambda: Official(given, os.environ["PIN"], sound.voice(given.seconds))
    _, official = await loop.create_datagram_endpoint(make, (given.from_host, 0))
    print(json.dumps(await official.call()))


if __name__ == "__main__":
    asyncio.run(main())
