"""What a process used, and what a packet capture says."""

import os
import re
import struct

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of a process so far."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_kib(pid):
    """Resident memory of a process."""
    with open(f"/proc/{pid}/smaps_rollup") as rollup:
        return next(int(line.split()[1]) for line in rollup if line.startswith("Rss:"))


def machine_busy_seconds():
    """CPU time that all processes of the machine used so far."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq = map(int, stat.readline().split()[1:8])
    return (user + nice + system + irq + softirq) / TICKS_PER_S


def percentile(values, share):
    """The value below which `share` of the sorted `values` lie."""
    return values[min(len(values) - 1, int(share * len(values)))]


def answer_times_ms(capture):
    """Milliseconds from each first INVITE to its first 200, sorted, from a pcap file of the loopback interface."""
    sent, times = {}, []
    for time, message in udp_payloads(capture):
        call_id = re.search(rb"\r\nCall-ID: *([^\r\n]+)", message)
        if not call_id:
            continue
        if message.startswith(b"INVITE "):
            sent.setdefault(call_id[1], time)
        elif message.startswith(b"SIP/2.0 200") and b"CSeq: 1 INVITE" in message and call_id[1] in sent:
            times.append((time - sent.pop(call_id[1])) * 1e3)
    return sorted(times)


def udp_payloads(capture):
    """(seconds, payload) of each packet: Ethernet, IPv4 without options, UDP."""
    with open(capture, "rb") as file:
        data = file.read()
    ethernet_ip_udp = 14 + 20 + 8
    position = 24
    while position + 16 <= len(data):
        seconds, micros, length, _original = struct.unpack("<IIII", data[position : position + 16])
        position += 16
        yield seconds + micros / 1e6, data[position + ethernet_ip_udp : position + length]
        position += length
