"""The server under load, and what loads it: each on a core of its own."""

import csv
import json
import os
import shutil
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(f"{HERE}/../..")
RUN = f"{ROOT}/var/benchmark"
SERVER_CORE, LOAD_CORE = "0", "1"
SIP = "127.0.0.1:5100"
SINK_PORT, SINK_PORTS = 41000, 8
CHANNELS = 2_000  # of the trunk that the queue's calls go out by
CALLER_PORT, CALLEE_PORT = 5199, 5198
CODECS = {"PCMU": (0, "PCMU/8000"), "G722": (9, "G722/8000"), "opus": (111, "opus/48000/2")}


def on_core(core, *command):
    return ["taskset", "--cpu-list", core, *command]


def ended(process):
    """Ends a process of ours in order, and returns what it wrote."""
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    return output


class Server:
    """`jackfield serve` on its core, with a fresh data folder."""

    def __init__(self, binary):
        shutil.rmtree(f"{RUN}/data", ignore_errors=True)
        os.makedirs(RUN, exist_ok=True)
        config = ["--config", f"{HERE}/jackfield.toml"]
        subprocess.run([binary, "apply", *config, f"{HERE}/tenants.toml"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        self.command = on_core(SERVER_CORE, binary, "serve", *config)
        self.begin()

    def begin(self):
        """Starts it, and waits until it is ready."""
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=open(f"{RUN}/server.log", "w"), text=True
        )
        ready = self.process.stdout.readline()
        if not ready.startswith("ready"):
            raise SystemExit(f"the server is not ready: see {RUN}/server.log")
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        ended(self.process)


class Sink:
    """tools/rtp_sink on the load's core; with `reflect` it sends back what it gets, with `speak` it speaks by its own clock."""

    def __init__(self, *options):
        self.process = subprocess.Popen(
            on_core(LOAD_CORE, f"{RUN}/tools/rtp_sink", str(SINK_PORT), str(SINK_PORTS), *options), stdout=subprocess.PIPE, text=True
        )
        time.sleep(0.2)

    def count_anew(self):
        """Forgets what was counted so far: the calls are all up now."""
        self.process.send_signal(signal.SIGUSR1)

    def finish(self):
        return json.loads(ended(self.process))


class Callees:
    """SIPp as those who are dialled: they answer at once and stay. Their audio is rtp_sink's."""

    def __init__(self):
        self.process = sipp("answer", CALLEE_PORT, "-sf", f"{HERE}/scenarios/answer.xml")

    def finish(self):
        ended(self.process)


class Capture:
    """tcpdump of the SIP messages; what it wrote is in `path`."""

    path = f"{RUN}/sip.pcap"

    def __init__(self):
        self.process = subprocess.Popen(
            on_core(LOAD_CORE, "tcpdump", "-i", "lo", "-s", "700", "-B", "65536", "-w", self.path, "-q", f"udp port {CALLER_PORT}"),
            stderr=subprocess.DEVNULL,
        )
        time.sleep(0.5)

    def finish(self):
        time.sleep(1.5)  # what is still in the kernel's buffer
        ended(self.process)
        return self.path


def callers(scenario, number, rate, count, hold_s=0, codec="PCMU", source="127.0.0.1"):
    """Starts SIPp: `count` calls to `number`, `rate` of them begun in a second. Where `number` names none, calls take their turns
    at the numbers of ports.csv. By its `source` the server knows the trunk."""
    with open(f"{HERE}/scenarios/{scenario}.xml") as file:
        steps = file.read().replace("[service]", number or "[field1]")
    payload_type, encoding = CODECS[codec]
    steps = steps.replace("[payload_type]", str(payload_type)).replace("[encoding]", encoding)
    with open(f"{RUN}/scenario.xml", "w") as file:
        file.write(steps)
    return sipp(
        "callers", CALLER_PORT, "-sf", f"{RUN}/scenario.xml", SIP,
        "-r", str(rate), "-m", str(count), "-d", str(int(hold_s * 1000)),
        "-recv_timeout", "20000", "-timeout", f"{int(count / rate * 2 + hold_s + 40)}s", source=source,
    )


def sipp(name, port, *options, source="127.0.0.1"):
    """SIPp on the load's core, in a folder of its own name."""
    folder = f"{RUN}/{name}"
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    return subprocess.Popen(
        on_core(
            LOAD_CORE, "sipp", *options, "-i", source, "-p", str(port), "-inf", f"{HERE}/scenarios/ports.csv", "-l", "20000",
            "-nostdin", "-buff_size", "8388608", "-trace_stat", "-stf", "stat.csv", "-fd", "1",
        ),
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True,
    )


def outcome():
    """What SIPp counted in its last run as callers."""
    with open(f"{RUN}/callers/stat.csv") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    last = rows[-1]
    return {
        "ok": int(last["SuccessfulCall(C)"]),
        "failed": int(last["FailedCall(C)"]),
        "retransmitted": int(last["Retransmissions(C)"]),
        "at_once": max(int(row["CurrentCall"]) for row in rows),
    }
