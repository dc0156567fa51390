"""The outbound queue of a running server: what `POST Calls` takes, how soon a killed server dials again, how fast it drains."""

import base64
import http.client
import json
import os
import signal
import subprocess
import threading
import time
import urllib.parse

import load
import measure

API = ("127.0.0.1", 5180)
ACCOUNT, TOKEN = "AC0000000000000000000000000000be4c", "only-for-the-benchmark"
CALL = {"From": "9", "To": f"sip:callee@127.0.0.1:{load.CALLEE_PORT}", "Twiml": "<Response><Hangup/></Response>"}
CONNECTIONS = (1, 8, 32, 128)


def request(connection, method, path, form=None):
    """What a request is answered; an error ends the benchmark."""
    login = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
    headers = {"Authorization": f"Basic {login}", "Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, path, urllib.parse.urlencode(form or {}), headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 300:
        raise SystemExit(f"{method} {path}: {answer.status} {body.decode()}")
    return json.loads(body)


def order(what=""):
    """Stops or resumes the account's queue; how many calls wait in it."""
    path = f"/v1/Accounts/{ACCOUNT}/OutboundQueue"
    connection = http.client.HTTPConnection(*API)
    told = request(connection, "POST" if what else "GET", f"{path}/{what}" if what else path)
    connection.close()
    return told


def accept(connections, seconds):
    """Calls that are on disk and answered with 201, over so many connections: how many, and in what time each, sorted."""
    times, threads, until = [], [], time.monotonic() + seconds

    def client():
        connection = http.client.HTTPConnection(*API)
        while time.monotonic() < until:
            began = time.monotonic()
            request(connection, "POST", f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json", CALL)
            times.append((time.monotonic() - began) * 1e3)
        connection.close()

    for _ in range(connections):
        threads.append(threading.Thread(target=client))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return sorted(times)


def accepted_ladder(server, seconds, row):
    """The server commits what waits together: more connections share one sync of the disk."""
    total = 0
    for connections in CONNECTIONS:
        used, began = measure.cpu_seconds(server.pid), time.monotonic()
        times = accept(connections, seconds)
        wall, used = time.monotonic() - began, measure.cpu_seconds(server.pid) - used
        total += len(times)
        median, late = (measure.percentile(times, share) for share in (0.5, 0.99))
        row(connections, round(len(times) / wall), f"{used / len(times) * 1e3:.3f}", f"{median:.1f}", f"{late:.1f}")
    return total


def kill_and_start(server):
    """SIGKILL, and the time from the start of the next process until it is ready: wall, and on a processor."""
    os.kill(server.pid, signal.SIGKILL)
    server.process.wait()
    began = time.monotonic()
    server.begin()
    return time.monotonic() - began, measure.cpu_seconds(server.pid)


def drain(server, waiting):
    """Lets the queue go: calls a second, and processor time a call. SIPp answers, the flow hangs up."""
    callees = load.Callees()
    used, began = measure.cpu_seconds(server.pid), time.monotonic()
    order("Resume")
    while order()["waiting"]:
        time.sleep(0.2)
    wall, used = time.monotonic() - began, measure.cpu_seconds(server.pid) - used
    time.sleep(3)
    callees.finish()
    return waiting / wall, used / waiting * 1e3
