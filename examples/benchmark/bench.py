#!/usr/bin/env python3
"""Loads a release build and prints figures with their method. `./run` builds what this needs and starts it."""

import argparse
import dataclasses
import json
import os
import platform
import shutil
import subprocess
import time

import load
import measure
import queue_load

SETUP_RATES = [250, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000]
PLAYING_CALLS = [500, 1000, 2000, 2500, 3000, 3500, 4000]
BRIDGED_CALLS = [250, 500, 750, 1000, 1250]
CONFERENCE_CALLS = [160, 320, 640, 960, 1280, 1600]  # spread over 8 conferences
COST_CALLS = 300  # that a cost a call is measured with
CLEAN = 0.01  # at most this share of calls failed or needed a retransmission
EVEN_GAP_MS = 25.0  # the 99th percentile of packet spacing that counts as clean; 20 would be perfect
# A relayed packet waits for the tick of its leg: two may go in one, and none in the next.
RELAYED_GAP_MS = 45.0


@dataclasses.dataclass
class Load:
    """What is called, and who is at the far end."""

    number: str
    sink: tuple = ()  # how rtp_sink answers: not at all, "reflect" or "speak"
    codec: str = "PCMU"
    source: str = "127.0.0.1"
    dials: bool = False  # each call dials another
    gap_ms: float = EVEN_GAP_MS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("--seconds", type=int, default=8, help="of each step (8)")
    parser.add_argument("--only", choices=["bounds", "setup", "play", "bridge", "conference", "costs", "queue"], help="one part in place of all")
    parser.add_argument("--build", default="release", help="what BINARY is: release, or development")
    options = parser.parse_args()
    parts = {"bounds": bounds, "setup": setup_ladder, "play": play_ladder, "bridge": bridge_ladder, "conference": conference_ladder, "costs": costs, "queue": queue}
    describe(options)
    for name, part in parts.items():
        if options.only in (None, name):
            part(options)


def describe(options):
    """The method, printed with the figures."""
    with open("/proc/cpuinfo") as cpuinfo:
        model = next(line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name"))
    version = subprocess.run([options.binary, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    sipp = subprocess.run(["sipp", "-v"], capture_output=True, text=True).stdout.split("SIPp ")[1].split()[0]
    print(f"# {version}, {options.build} build, {time.strftime('%Y-%m-%d')}\n")
    print(f"Machine: {os.cpu_count()} cores, {model}, Linux {platform.release()}; all traffic on loopback.")
    print(f"The server is pinned to core {load.SERVER_CORE}, SIPp {sipp.rstrip('.')} and rtp_sink to core {load.LOAD_CORE}.")
    print("CPU is user and system time of the server's process alone; `others` is what else the machine did, in cores")
    print("(the load generator is in it: about 1.0 means that the generator, not the server, was the limit).\n")


def bounds(_options):
    """What the machine does with nothing between."""
    print("## Bounds: the same traffic without a server\n")
    ping = json.loads(subprocess.run([f"{load.RUN}/tools/udp_ping", "3"], capture_output=True, text=True, check=True).stdout)
    print(f"UDP request and response: {ping['requests_per_s']:,} a second, {ping['server_cpu_us_per_request']} us of the server each.\n")
    table("calls", "calls a core", "us a packet", "p50", "p99", "p99.9", "max ms", "lost")
    for calls in (1000, 2000, 4000):
        sink = load.Sink()
        blast = load.on_core(load.SERVER_CORE, f"{load.RUN}/tools/rtp_blast", str(calls), "4", str(load.SINK_PORT), str(load.SINK_PORTS))
        sent = json.loads(subprocess.run(blast, capture_output=True, text=True, check=True).stdout)
        rtp = sink.finish()
        row(calls, sent["calls_per_core"], sent["cpu_us_per_packet"], *spacing(rtp))
    print()


def setup_ladder(options):
    """Calls a second until they are no longer clean, then the answer time at half of that."""
    print(f"## Call set-up with a flow in the loop: INVITE, 200, ACK, BYE at once, {options.seconds} s a step\n")
    table("calls/s", "ok", "failed", "retransmitted", "CPU ms a call", "others", "clean")
    best = 0
    for rate in SETUP_RATES:
        with load.Server(options.binary) as server:
            clean = setup_step(server, rate, options.seconds)
        if not clean:
            break
        best = rate
    print(f"\nMost calls a second with under {CLEAN:.0%} failed or retransmitted: **{best}**.\n")
    if best and shutil.which("tcpdump"):
        answer_times(options, best // 2)
    elif best:
        print("(tcpdump is not installed, so no answer times: SIPp's own clock is too coarse, 4 ms.)\n")


def setup_step(server, rate, seconds):
    warm_up()
    used, busy, began = measure.cpu_seconds(server.pid), measure.machine_busy_seconds(), time.monotonic()
    load.callers("setup", "1", rate, rate * seconds).wait()
    wall = time.monotonic() - began
    used = measure.cpu_seconds(server.pid) - used
    others = (measure.machine_busy_seconds() - busy - used) / wall
    seen = load.outcome()
    clean = seen["failed"] + seen["retransmitted"] <= CLEAN * rate * seconds
    row(rate, seen["ok"], seen["failed"], seen["retransmitted"], f"{used / max(1, seen['ok']) * 1e3:.3f}", f"{others:.2f}", clean)
    return clean


def answer_times(options, rate):
    with load.Server(options.binary):
        warm_up()
        capture = load.Capture()
        load.callers("setup", "1", rate, rate * options.seconds).wait()
        times = measure.answer_times_ms(capture.finish())
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    values = ", ".join(f"{name} {measure.percentile(times, share):.2f} ms" for name, share in shares.items())
    print(f"INVITE to 200 at {rate} calls/s, from a packet capture of {len(times)} calls: {values}, longest {times[-1]:.2f} ms.\n")


def play_ladder(options):
    """Calls that hear one prompt over and over, until the spacing is no longer even."""
    print(f"## Calls at a time that play a prompt one way, {options.seconds} s with all of them up\n")
    up_ladder(options, PLAYING_CALLS, Load("2"))


def bridge_ladder(options):
    """Calls joined to another each, both legs speaking, until the spacing is no longer even."""
    print(f"## Bridged calls (two legs each, the same codec), RTP both ways, {options.seconds} s with all of them up\n")
    up_ladder(options, BRIDGED_CALLS, Load("4", sink=("speak",), dials=True, gap_ms=RELAYED_GAP_MS))


def conference_ladder(options):
    """Participants who all speak, in 8 conferences, until the spacing is no longer even."""
    print(f"## Participants of 8 conferences, RTP both ways, {options.seconds} s with all of them in\n")
    up_ladder(options, CONFERENCE_CALLS, Load("", sink=("reflect",)))


def costs(options):
    """What one call costs of a core, by what is done in it."""
    print(f"## What a call costs, measured with {COST_CALLS} at a time, {options.seconds} s with all of them up\n")
    table("call", "core share", "% of a core a call", "KiB a call", "p99", "lost", "failed", "others")
    spoken_to = {"sink": ("speak",)}
    loads = {
        "hears a prompt, PCMU": Load("2"),
        "hears a prompt, G.722": Load("2", codec="G722"),
        "hears a prompt, Opus": Load("2", codec="opus"),
        "is listened to, digits by RFC 4733": Load("5", **spoken_to),
        "is listened to, digits in-band": Load("5", source="127.0.0.2", **spoken_to),
        "is recorded": Load("6", **spoken_to),
    }
    for name, what in loads.items():
        with load.Server(options.binary) as server:
            seen = up(server, COST_CALLS, options.seconds, what)
        part = f"{100 * seen.share / COST_CALLS:.4f}"
        row(name, f"{seen.share:.3f}", part, f"{seen.kib:.1f}", seen.rtp["gap_p99_ms"], seen.rtp["lost"], seen.failed, f"{seen.others:.2f}")
    print()


def queue(options):
    """Calls that are ordered, wait on disk, outlive a kill, and go out."""
    print(f"## The queue of outbound calls: POST Calls, {options.seconds} s a step, each answered when it is on disk\n")
    os.sched_setaffinity(0, {int(load.LOAD_CORE)})
    with load.Server(options.binary) as server:
        queue_load.order("Stop")
        table("connections", "accepted/s", "CPU ms a call", "p50 ms", "p99 ms")
        waiting = queue_load.accepted_ladder(server, options.seconds, row)
        wall, cpu = queue_load.kill_and_start(server)
        kept = queue_load.order()["waiting"]
        print(f"\nKilled and started again with {waiting:,} calls accepted: ready after {wall:.2f} s ({cpu:.2f} s on a processor), {kept:,} wait.")
        rate, cost = queue_load.drain(server, kept)
        print(f"Then they go, over a trunk with {load.CHANNELS:,} channels: {rate:,.0f} calls a second with a flow each, {cost:.3f} ms on a processor a call.\n")


def up_ladder(options, ladder, what):
    table("calls", "core share", "calls a core", "KiB a call", "p50", "p99", "p99.9", "max ms", "lost", "failed", "others", "clean")
    best = 0
    for calls in ladder:
        with load.Server(options.binary) as server:
            seen = up(server, calls, options.seconds, what)
        legs = calls * (2 if what.dials else 1)
        clean = seen.rtp["gap_p99_ms"] < what.gap_ms and not seen.failed and seen.rtp["sources"] == legs
        row(
            calls, f"{seen.share:.3f}", round(calls / seen.share), f"{seen.kib:.1f}", *spacing(seen.rtp), seen.failed, f"{seen.others:.2f}", clean
        )
        if not clean:
            break
        best = calls
    print(f"\nMost calls with a 99th percentile under {what.gap_ms} ms and none failed: **{best}**.\n")


@dataclasses.dataclass
class Seen:
    """What was measured with all calls up."""

    share: float  # of a core, by the server
    others: float  # cores that everything else used
    kib: float  # resident memory a call
    rtp: dict
    failed: int


def up(server, calls, seconds, what):
    """Brings up `calls` calls, measures while they are all up, and lets them end."""
    warm_up()
    before_kib = measure.resident_kib(server.pid)
    rate = min(250, calls / 2)
    ramp = calls / rate
    sink = load.Sink(*what.sink)
    callees = load.Callees() if what.dials else None
    callers = load.callers("hold", what.number, rate, calls, hold_s=ramp + seconds + 3, codec=what.codec, source=what.source)
    time.sleep(ramp + 1.5)
    sink.count_anew()
    used, busy, began = measure.cpu_seconds(server.pid), measure.machine_busy_seconds(), time.monotonic()
    time.sleep(seconds)
    wall = time.monotonic() - began
    used = measure.cpu_seconds(server.pid) - used
    others = (measure.machine_busy_seconds() - busy - used) / wall
    kib = (measure.resident_kib(server.pid) - before_kib) / calls
    rtp = sink.finish()
    callers.wait()
    if callees:
        callees.finish()
    return Seen(used / wall, others, kib, rtp, load.outcome()["failed"])


def warm_up():
    """Compiles what is compiled at first use."""
    load.callers("setup", "1", 20, 20).wait()
    load.callers("hold", "2", 20, 5, hold_s=1).wait()


def spacing(rtp):
    return [rtp["gap_p50_ms"], rtp["gap_p99_ms"], rtp["gap_p999_ms"], rtp["gap_max_ms"], rtp["lost"]]


def table(*names):
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}", flush=True)


def row(*values):
    text = ["yes" if value is True else "no" if value is False else f"{value:,}" if isinstance(value, int) else str(value) for value in values]
    print(f"| {' | '.join(text)} |", flush=True)


if __name__ == "__main__":
    main()
