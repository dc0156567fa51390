#!/usr/bin/env python3
"""People who call the registration line: each over SIP from a number of their own, pressing keys as RFC 4733 has them.

Reads numbers and keys from a table (`number,keys`), such as `+8562055500023,2#4#`: the answers to one question after the other, each pressed
when a question should be heard, and all of them again where the call goes on after that. Each operator carries as many calls at once as `--operator`
says, and with `--calling-code` half of the callers show the number that is dialled at home, as networks write it: `020…` for `+85620…`. Prints one
line of JSON at the end: how many calls the line ended, and how many ended otherwise.
"""

import argparse
import asyncio
import csv
import json
import random
import struct
import time

import sip

PACKET = 0.02  # seconds of a packet of RTP
KEY = 5  # packets that a key is held
GAP = 4  # packets between two keys
KEYS = "0123456789*#"
FAREWELL = 8  # seconds after the last key in which the line should have ended the call
SILENCE = bytes([0xFF]) * 160  # 20 ms of PCMU


class Caller(asyncio.DatagramProtocol):
    def __init__(self, server, line, number, keys, times):
        self.server, self.line, self.number = server, line, number
        # Each answer with its hash.
        self.answers = [part + "#" for part in keys.split("#") if part]
        self.times = times
        self.answered, self.over = asyncio.Event(), asyncio.Event()
        self.status = None
        self.call_id, self.tag, self.to = sip.new_id(), sip.new_id(), None
        self.ears = asyncio.DatagramProtocol()  # hears nothing

    def connection_made(self, transport):
        self.transport = transport
        host, port = transport.get_extra_info("sockname")
        self.contact = f"{host}:{port}"

    def send(self, message):
        self.transport.sendto(message.to_bytes(), sip.address(self.server))

    def request(self, method, cseq, branch, body=""):
        to = self.to or f"<sip:{self.line}@{self.server}>"
        headers = [
            ("via", f"SIP/2.0/UDP {self.contact};rport;branch=z9hG4bK{branch}"),
            ("max-forwards", "70"),
            ("from", f"<sip:{self.number}@{self.contact}>;tag={self.tag}"),
            ("to", to),
            ("call-id", self.call_id),
            ("cseq", f"{cseq} {method}"),
            ("contact", f"<sip:{self.number}@{self.contact}>"),
        ]
        if body:
            headers.append(("content-type", "application/sdp"))
        return sip.Message(f"{method} sip:{self.line}@{self.server} SIP/2.0", headers, body)

    def datagram_received(self, datagram, source):
        message = sip.Message.read(datagram)
        if message.is_request:
            self.transport.sendto(sip.respond(message, 200, "OK", f"<sip:{self.contact}>").to_bytes(), source)
            if message.method == "BYE":
                self.over.set()
            return
        if message.method != "INVITE" or message.status < 180:
            return
        if message.status < 200:
            return
        self.to = message.get("to")
        branch = self.branch if message.status >= 300 else sip.new_id()
        self.send(self.request("ACK", 1, branch))
        if self.status is None:
            self.status = message.status
            self.body = message.body
            self.answered.set()

    async def call(self):
        loop = asyncio.get_running_loop()
        media, _ = await loop.create_datagram_endpoint(lambda: self.ears, (self.times.from_host, 0))
        try:
            return await self.conversation(media)
        finally:
            media.close()
            self.transport.close()

    async def conversation(self, media):
        self.branch = sip.new_id()
        port = media.get_extra_info("sockname")[1]
        invite = self.request("INVITE", 1, self.branch, sip.sdp(self.times.from_host, port))
        for wait in (0.5, 1, 2, 4, 8, 16):
            self.send(invite)
            try:
                await asyncio.wait_for(self.answered.wait(), wait)
                break
            except TimeoutError:
                pass
        if self.status != 200:
            return "not answered"
        talking = asyncio.create_task(self.talk(media, sip.media_of(self.body)))
        try:
            await asyncio.wait_for(self.over.wait(), self.times.patience)
        except TimeoutError:
            self.send(self.request("BYE", 2, sip.new_id()))
            return "gave up"
        finally:
            talking.cancel()
        return "ended by the line"

    async def talk(self, media, target):
        """Silence, and the keys in their time."""
        stream = Stream(media, target)
        await stream.silent_for(self.times.introduction)
        answers = self.answers
        while True:
            for answer in answers:
                await stream.silent_for(self.times.reaction)
                for key in answer:
                    await stream.press(key)
            # Who hears no farewell has pressed too early: a star leads back to the first question.
            await stream.silent_for(FAREWELL)
            answers = ["*#", *self.answers]


class Stream:
    def __init__(self, media, target):
        self.media, self.target = media, target
        self.sequence, self.timestamp = random.randrange(1 << 15), random.randrange(1 << 31)
        self.ssrc = random.randrange(1 << 32)
        self.next = time.monotonic()

    def packet(self, payload_type, payload, timestamp, marker=False):
        first = 0x80, payload_type | (0x80 if marker else 0)
        header = struct.pack("!BBHII", *first, self.sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.ssrc)
        self.media.sendto(header + payload, self.target)
        self.sequence += 1

    async def pace(self):
        self.timestamp += 160
        self.next += PACKET
        await asyncio.sleep(max(0, self.next - time.monotonic()))

    async def say(self, payload):
        self.packet(0, payload, self.timestamp)
        await self.pace()

    async def silence(self):
        await self.say(SILENCE)

    async def silent_for(self, seconds):
        for _ in range(round(seconds / PACKET)):
            await self.silence()

    async def press(self, key):
        began = self.timestamp
        for held in range(1, KEY + 1):
            event = struct.pack("!BBH", KEYS.index(key), 10, held * 160)
            self.packet(101, event, began, marker=held == 1)
            await self.pace()
        end = struct.pack("!BBH", KEYS.index(key), 0x80 | 10, KEY * 160)
        for _ in range(3):
            self.packet(101, end, began)
        for _ in range(GAP):
            await self.silence()


async def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--server", default="127.0.0.1:5060")
    arguments.add_argument("--line", default="1294", help="the number that is called")
    arguments.add_argument("--people", required=True, help="the table of numbers and keys")
    arguments.add_argument("--from-host", default="127.0.0.1", help="where the callers are")
    arguments.add_argument("--operator", action="append", required=True, metavar="PREFIX=CALLS", help="calls at once of numbers that begin so")
    arguments.add_argument("--calling-code", help="of the country where half of the callers show their number as it is dialled at home")
    arguments.add_argument("--introduction", type=float, default=2.0, help="seconds that the introduction takes")
    arguments.add_argument("--reaction", type=float, default=1.0, help="seconds into a question until a key is pressed")
    arguments.add_argument("--patience", type=float, default=60.0, help="seconds after which a caller hangs up")
    given = arguments.parse_args()
    with open(given.people, newline="", encoding="utf-8") as file:
        people = list(csv.DictReader(file))
    pairs = (operator.split("=") for operator in given.operator)
    lines = {prefix: asyncio.Semaphore(int(calls)) for prefix, calls in pairs}

    async def one(index, person):
        number = person["number"].lstrip("+")
        shown = person["number"]
        if given.calling_code and index % 2:
            shown = "0" + number.removeprefix(given.calling_code)
        async with next(line for prefix, line in lines.items() if number.startswith(prefix)):
            loop = asyncio.get_running_loop()
            make = lambda: Caller(given.server, given.line, shown, person["keys"], given)
            _, caller = await loop.create_datagram_endpoint(make, (given.from_host, 0))
            return await caller.call()

    ends = await asyncio.gather(*(one(index, person) for index, person in enumerate(people)))
    print(json.dumps({end: ends.count(end) for end in sorted(set(ends))}))


if __name__ == "__main__":
    asyncio.run(main())
