#!/usr/bin/env python3
"""Watches the wire between a broadcast and the aggregator, and says whether any limit was ever exceeded.

It shares nothing with either end: it reads the packets of the loopback device itself (a raw socket: root, or CAP_NET_RAW), or a capture
that tcpdump wrote (`--read FILE`, of the loopback device). Of SIP it looks at INVITE, its final response, and BYE.

A channel is held from the first INVITE of a call until its final response if that is a refusal, else until the response to its BYE. Where the far end
hangs up, its channel is free at once. With `--line` calls that come in at that port, from anybody else, hold channels as well: those of the operator of
their caller. Calls a second are first INVITEs to the aggregator: in any span of `w` seconds at most `1 + rate * (w + late)`, where `late` is how
late a call may come to the wire, whose predecessors were in time (`--late`, a quarter of a second: what two cores with other work need). Packets have the
time at which the kernel saw them, however late this program reads them.

Ends at SIGTERM, when the calls are over, or at the end of the capture; prints and writes its verdict. Exit status 1: a limit was exceeded.
"""

import argparse
import json
import re
import signal
import socket
import struct
import sys
import time
from collections import deque


# Seconds for which it watches on after SIGTERM at most, while calls are up.
LINGER = 5.0
# `SO_TIMESTAMPNS` of Linux, which `socket` does not name: seconds and nanoseconds come beside each packet.
WITH_TIME = 35


def from_wire(is_over):
    """Frames with their time, as they pass."""
    door = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    door.bind(("lo", 0))
    door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    door.setsockopt(socket.SOL_SOCKET, WITH_TIME, 1)
    door.settimeout(0.2)
    while not is_over():
        try:
            frame, beside, _, source = door.recvmsg(65535, socket.CMSG_SPACE(16))
        except TimeoutError:
            continue
        # The loopback device shows every packet twice: as it leaves, and as it arrives.
        if source[2] != socket.PACKET_OUTGOING:
            yield seen_at(beside), frame


def seen_at(beside):
    """The kernel's time of a packet, in seconds."""
    for level, what, told in beside:
        if (level, what) == (socket.SOL_SOCKET, WITH_TIME):
            seconds, nanoseconds = struct.unpack("qq", told[:16])
            return seconds + nanoseconds / 1e9
    return time.time()


def from_file(name):
    """The same from a capture in libpcap's format."""
    with open(name, "rb") as file:
        magic = file.read(24)[:4]
        order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
        fraction = 1e-9 if b"\x3c" in magic else 1e-6
        while header := file.read(16):
            seconds, part, length, _ = struct.unpack(order + "IIII", header)
            yield seconds + part * fraction, file.read(length)


def udp(frame):
    """Source port, destination port and payload of an Ethernet frame with IPv4 and UDP in it; none of another."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 17:
        return None
    start = 14 + (frame[14] & 15) * 4
    source, destination = struct.unpack("!HH", frame[start : start + 4])
    return source, destination, frame[start + 8 :]


def field(name, text):
    found = re.search(rf"^{name}\s*:\s*(.+?)\s*$", text, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else ""


class Watch:
    def __init__(self, given, operators):
        self.port, self.line, self.calling_code = given.port, given.line, given.calling_code
        self.operators, self.rate, self.late = operators, given.rate, given.late
        self.held = {}  # Call-ID: operator
        self.ended = set()
        self.most = dict.fromkeys(operators, 0)
        self.second, self.most_in_a_second = deque(), 0
        self.due = 0.0  # when the next call would come if all came at the rate
        self.calls, self.calls_in, self.refusals, self.exceeded = 0, 0, {}, []

    def packet(self, at, source, destination, payload):
        goes_out = self.port in (source, destination)
        if not payload[:1].isalpha() or not (goes_out or self.line in (source, destination)):
            return
        head = payload.split(b"\r\n\r\n")[0].decode("utf-8", "replace").replace("\r", "")
        start, call = head.partition("\n")[0], field("call-id", head)
        if start.startswith("INVITE "):
            if goes_out and destination == self.port:
                self.call_out(at, call, start)
            elif not goes_out and destination == self.line:
                self.call_in(at, call, field("from", head))
        elif start.startswith("BYE "):
            if source == self.port or not goes_out and destination == self.line:
                self.free(call)
        elif start.startswith("SIP/2.0 "):
            status, method = int(start.split()[1]), field("cseq", head).split()[-1]
            if method == "INVITE" and status >= 300:
                if call in self.held:
                    self.refusals[status] = self.refusals.get(status, 0) + 1
                self.free(call)
            elif method == "BYE" and status >= 200:
                self.free(call)

    def call_in(self, at, call, caller):
        if call in self.held or call in self.ended:
            return
        number = re.search(r"sips?:\+?(\d+)@", caller)
        number = number.group(1) if number else ""
        if self.calling_code and number.startswith("0"):
            number = self.calling_code + number[1:]
        self.calls_in += 1
        self.hold(at, call, number)

    def call_out(self, at, call, start):
        if call in self.held or call in self.ended:
            return
        number = re.match(r"INVITE sips?:\+?(\d+)", start)
        self.calls += 1
        self.hold(at, call, number.group(1) if number else "")
        self.second.append(at)
        while self.second[0] <= at - 1.0:
            self.second.popleft()
        self.most_in_a_second = max(self.most_in_a_second, len(self.second))
        if at < self.due - self.late - 1e-6:
            self.exceeded.append(f"{at:.3f}: {self.due - at:.3f} s too early at {self.rate} a second: {len(self.second)} calls within a second")
        self.due = max(self.due, at) + 1 / self.rate

    def hold(self, at, call, number):
        operator = next((prefix for prefix in self.operators if number.startswith(prefix)), "other")
        self.held[call] = operator
        up = sum(1 for own in self.held.values() if own == operator)
        self.most[operator] = max(self.most.get(operator, 0), up)
        if up > self.operators.get(operator, 0):
            self.exceeded.append(f"{at:.3f}: {up} channels of {operator}, which has {self.operators.get(operator, 0)}")

    def free(self, call):
        if self.held.pop(call, None) is not None:
            self.ended.add(call)

    def verdict(self):
        return {
            "calls": self.calls,
            "calls_in": self.calls_in,
            "most_channels": self.most,
            "most_in_a_second": self.most_in_a_second,
            "late": self.late,
            "allowed_in_w_seconds": f"1 + {self.rate:g} * (w + {self.late:g})",
            "refusals": {str(status): count for status, count in sorted(self.refusals.items())},
            "still_up": len(self.held),
            "exceeded": self.exceeded[:20],
            "times_exceeded": len(self.exceeded),
        }


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=5070, help="the aggregator's")
    arguments.add_argument("--line", type=int, help="the port at which calls come in")
    arguments.add_argument("--calling-code", help="of the country in which callers' numbers may be written without it, behind a 0")
    arguments.add_argument("--operator", action="append", required=True, metavar="PREFIX=CHANNELS")
    arguments.add_argument("--rate", type=float, required=True, help="calls a second")
    arguments.add_argument("--late", type=float, default=0.25, help="by how many seconds a call may be late on the wire")
    arguments.add_argument("--read", help="a capture in place of the wire")
    arguments.add_argument("--report", help="where the verdict is written, too")
    given = arguments.parse_args()
    pairs = (operator.split("=") for operator in given.operator)
    watch = Watch(given, {prefix: int(channels) for prefix, channels in pairs})
    stop = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.append(time.monotonic()))
    # The last packets may still be on their way here.
    is_over = lambda: stop and (not watch.held or time.monotonic() > stop[0] + LINGER)
    if not given.read:
        print("The observer watches", flush=True)
    for at, frame in from_file(given.read) if given.read else from_wire(is_over):
        packet = udp(frame)
        if packet:
            watch.packet(at, *packet)
    verdict = watch.verdict()
    print(json.dumps(verdict))
    if given.report:
        with open(given.report, "w", encoding="utf-8") as file:
            json.dump(verdict, file)
    sys.exit(1 if watch.exceeded else 0)


if __name__ == "__main__":
    main()
