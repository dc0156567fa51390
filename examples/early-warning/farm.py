#!/usr/bin/env python3
"""An aggregator with the channels of several operators: takes the calls of a broadcast, and answers as people do.

Each operator is known by the beginning of its numbers. A call beyond its channels gets 503. What else becomes of a call depends on its
number alone, and on how often it was called before, so that everybody can be asked afterwards what should have come of them:

    last two digits   first call         later calls
    00 to 09          486 busy           answered
    10 to 16          rings, no answer   answered
    17 to 19          rings, no answer   the same
    20 to 22          603 declined       the same
    23 to 99          answered           answered

With `--lost-after` a caller who sends no audio for so many seconds, or lets it ring for so long, is taken for lost, as networks do it: the call is hung
up, and its channel is free.

Ends at SIGTERM and then writes its report, as JSON: by operator how many calls were up at most, and every call with its number, its outcome, and the
seconds from the first sound that was heard to the last. What the one who heard most of each operator heard is written beside it, as PCMU.
"""

import argparse
import asyncio
import json
import signal
import socket
import time
from pathlib import Path

import sip
import sound

RINGS = 0.05  # seconds from the INVITE to 180
PICKS_UP = 0.3  # from there to the answer


def behaviour(number, earlier):
    """What becomes of a call to `number` that was called `earlier` times before."""
    last = int(number[-2:])
    if last <= 9:
        return "answers" if earlier else "busy"
    if last <= 19:
        return "answers" if earlier and last <= 16 else "rings"
    return "declines" if last <= 22 else "answers"


class Call:
    def __init__(self, invite, number, operator):
        self.invite, self.number, self.operator = invite, number, operator
        self.at = time.time()
        self.tag = sip.new_id()
        self.outcome = None  # until it has one
        self.final = None  # the final response, sent again when the INVITE comes again or the ACK does not
        self.acked = False
        self.holds_channel = False
        self.sound = bytearray()  # what was heard, as PCMU
        self.first, self.last = None, None  # timestamps of the first and the last RTP packet with sound in it

    def hear(self):
        """Takes what has come; how many packets."""
        packets = [packet for packet, _ in waiting(self.media)]
        for packet in packets:
            payload = packet[12:]
            self.sound += payload
            if sound.is_loud(payload):
                timestamp = int.from_bytes(packet[4:8])
                self.first = timestamp if self.first is None else self.first
                self.last = timestamp
        return len(packets)

    @property
    def heard_s(self):
        """Seconds from the first sound to the last."""
        if self.first is None:
            return 0.0
        return ((self.last - self.first) % (1 << 32) + sound.FRAME) / sound.RATE


class Farm:
    def __init__(self, door, contact, operators, lost_after):
        self.door, self.contact, self.lost_after = door, contact, lost_after
        self.channels = operators
        self.up = dict.fromkeys(operators, 0)
        self.most = dict.fromkeys(operators, 0)
        self.calls = {}
        self.times_called = {}
        self.strays = 0
        self.best = {}  # by operator who heard most
        self.tasks = set()

    def take(self):
        """Everything that has come, not one datagram a turn of the loop."""
        for datagram, source in waiting(self.door):
            self.datagram(datagram, source)

    def datagram(self, datagram, source):
        message = sip.Message.read(datagram)
        if not message.is_request:
            return
        answer = {"INVITE": self.invite, "ACK": self.ack, "BYE": self.bye, "CANCEL": self.cancel}
        answer.get(message.method, self.other)(message, source)

    def send(self, message, source):
        self.door.sendto(message.to_bytes(), source)

    def reply(self, request, source, status, reason, call=None, body=""):
        tag = call.tag if call else sip.new_id()
        response = sip.respond(request, status, reason, f"<sip:{self.contact}>", tag, body)
        self.send(response, source)
        return response

    def other(self, request, source):
        self.reply(request, source, 200, "OK")

    def invite(self, request, source):
        known = self.calls.get(request.get("call-id"))
        if known:
            if known.final:
                self.send(known.final, source)
            return
        number = request.user().lstrip("+")
        operator = next((prefix for prefix in self.channels if number.startswith(prefix)), None)
        call = Call(request, number, operator)
        self.calls[request.get("call-id")] = call
        if operator is None:
            self.strays += 1
            self.end(call, source, 404, "Not Found", "unknown-operator")
            return
        if self.up[operator] >= self.channels[operator]:
            self.end(call, source, 503, "Service Unavailable", "full")
            return
        call.holds_channel = True
        self.up[operator] += 1
        self.most[operator] = max(self.most[operator], self.up[operator])
        self.begin(self.treat(call, source))

    def begin(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def treat(self, call, source):
        earlier = self.times_called.get(call.number, 0)
        self.times_called[call.number] = earlier + 1
        await asyncio.sleep(RINGS)
        if call.outcome:
            return
        does = behaviour(call.number, earlier)
        if does == "busy":
            self.end(call, source, 486, "Busy Here", "busy")
            return
        self.reply(call.invite, source, 180, "Ringing", call)
        if does == "rings":
            await self.until_cancelled(call, source)
            return
        await asyncio.sleep(PICKS_UP)
        if call.outcome:
            return
        if does == "declines":
            self.end(call, source, 603, "Decline", "declined")
            return
        call.outcome = "answered"
        # What is heard waits in the socket for a second: 160 calls are 8,000 packets a second, which one by one would hold up the signalling.
        call.media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        call.media.setblocking(False)
        call.media.bind(("127.0.0.1", 0))
        port = call.media.getsockname()[1]
        call.final = self.reply(call.invite, source, 200, "OK", call, sip.sdp("127.0.0.1", port))
        self.begin(self.listen(call, source))
        await self.until_acked(call, source)

    async def until_cancelled(self, call, source):
        if self.lost_after:
            await asyncio.sleep(self.lost_after)
            if not call.outcome:
                self.end(call, source, 480, "Temporarily Unavailable", "no-answer")

    async def listen(self, call, source):
        """Hears what is said; with `lost_after` hangs up where nothing comes any more."""
        silent_for = 0
        while True:
            await asyncio.sleep(1)
            if not call.holds_channel:
                return
            silent_for = 0 if call.hear() else silent_for + 1
            if self.lost_after and silent_for >= self.lost_after:
                call.outcome = "lost"
                self.send(self.own_bye(call), source)
                call.media.close()
                self.release(call)
                return

    def own_bye(self, call):
        uri = call.invite.get("contact").partition("<")[2].partition(">")[0]
        headers = [("via", f"SIP/2.0/UDP {self.contact};branch=z9hG4bK{sip.new_id()}"), ("max-forwards", "70")]
        headers += [("from", f"{call.invite.get('to')};tag={call.tag}"), ("to", call.invite.get("from"))]
        headers += [("call-id", call.invite.get("call-id")), ("cseq", "1 BYE")]
        return sip.Message(f"BYE {uri} SIP/2.0", headers)

    async def until_acked(self, call, source):
        wait = 0.5
        while not call.acked and wait < 32:
            await asyncio.sleep(wait)
            if not call.acked:
                self.send(call.final, source)
            wait *= 2

    def end(self, call, source, status, reason, outcome):
        call.outcome = outcome
        call.final = self.reply(call.invite, source, status, reason, call)
        self.release(call)
        self.begin(self.until_acked(call, source))

    def release(self, call):
        if call.holds_channel:
            call.holds_channel = False
            self.up[call.operator] -= 1

    def ack(self, request, _source):
        call = self.calls.get(request.get("call-id"))
        if call:
            call.acked = True

    def bye(self, request, source):
        self.reply(request, source, 200, "OK")
        call = self.calls.get(request.get("call-id"))
        if call and call.holds_channel:
            call.hear()
            call.media.close()
            self.release(call)
            best = self.best.get(call.operator)
            if best is None or call.heard_s > best.heard_s:
                self.best[call.operator] = call
            else:
                call.sound = None

    def cancel(self, request, source):
        self.reply(request, source, 200, "OK")
        call = self.calls.get(request.get("call-id"))
        if call and call.outcome is None:
            self.end(call, source, 487, "Request Terminated", "no-answer")

    def report(self):
        calls = [
            {"at": call.at, "number": call.number, "operator": call.operator, "outcome": call.outcome, "heard_s": call.heard_s}
            for call in self.calls.values()
        ]
        return {"channels": self.channels, "most": self.most, "strays": self.strays, "still_up": sum(self.up.values()), "calls": calls}


def waiting(door):
    """The datagrams that wait in a socket, and where they are from."""
    while True:
        try:
            yield door.recvfrom(65535)
        except BlockingIOError:
            return


async def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--bind", default="127.0.0.1:5070")
    arguments.add_argument("--operator", action="append", required=True, metavar="PREFIX=CHANNELS")
    arguments.add_argument("--report", required=True, help="the file for the report")
    arguments.add_argument("--lost-after", type=int, default=0, metavar="SECONDS", help="without it nobody is taken for lost")
    given = arguments.parse_args()
    pairs = (operator.split("=") for operator in given.operator)
    operators = {prefix: int(channels) for prefix, channels in pairs}
    # A burst of answers must not be lost between two turns of the loop.
    door = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    door.bind(sip.address(given.bind))
    door.setblocking(False)
    farm = Farm(door, given.bind, operators, given.lost_after)
    loop = asyncio.get_running_loop()
    loop.add_reader(door, farm.take)
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    print(f"The aggregator takes calls at {given.bind}", flush=True)
    await stop.wait()
    with open(given.report, "w", encoding="utf-8") as file:
        json.dump(farm.report(), file)
    for operator, call in farm.best.items():
        Path(given.report).with_suffix(f".{operator}.ulaw").write_bytes(call.sound)


if __name__ == "__main__":
    asyncio.run(main())
