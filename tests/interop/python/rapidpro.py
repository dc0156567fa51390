"""A client as RapidPro is one, over HTTPS on both sides.

Its channel has a base URL, a SID and a token. It asks for calls as its mailroom does, takes calls, checks signatures over `https://` and the
path, writes the documents that mailroom writes, fetches what was recorded as `.mp3` with the channel's credentials, and makes of the one
status callback what it shows its users. Each thing that happens is a line of JSON. The flow: a menu, then a message, then good-bye; who
presses nothing is said good-bye to at once.
"""

import argparse
import base64
import hashlib
import hmac
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape, quoteattr

import requests

from lines import tell

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
# What mailroom makes of `CallStatus`: its own status, and its reason.
STATUSES = {
    "queued": ("wired", ""),
    "ringing": ("wired", ""),
    "in-progress": ("in-progress", ""),
    "initiated": ("in-progress", ""),
    "completed": ("completed", ""),
    "busy": ("errored", "busy"),
    "no-answer": ("errored", "no-answer"),
    "canceled": ("errored", "provider"),
    "failed": ("errored", "provider"),
}
LIMIT_S = 60


def show(event, **values):
    tell({"event": event, **values})


class Channel:
    def __init__(self, options):
        self.options = options
        self.calls = f"{options.base}/2010-04-01/Accounts/{options.account_sid}/Calls"
        self.api = requests.Session()
        self.api.auth = (options.account_sid, options.auth_token)
        self.api.verify = options.authority
        self.api.trust_env = False  # or the environment's authorities would stand in its place
        self.over = {}

    def post(self, url, form):
        return self.api.post(url, data=form, headers={"Accept": "application/json"}, timeout=LIMIT_S)

    def request_call(self, to, base, machine_detection):
        form = {"To": to, "From": self.options.number, "Url": f"{base}/handle?action=start", "StatusCallback": f"{base}/status"}
        if machine_detection:
            form["MachineDetection"] = "Enable"
        answer = self.post(f"{self.calls}.json", form)
        call = answer.json()
        show("requested", to=to, http=answer.status_code, failed=call["status"] == "failed")
        return call["sid"]

    def hang_up(self, sid):
        show("hung up", http=self.post(f"{self.calls}/{sid}.json", {"Status": "completed"}).status_code)

    def download(self, url):
        answer = self.api.get(url, timeout=LIMIT_S)
        is_mp3 = answer.content[:3] == b"ID3" or (answer.content[0] == 0xFF and answer.content[1] & 0xE0 == 0xE0)
        show("media", url=url, http=answer.status_code, type=answer.headers["Content-Type"], is_mp3=is_mp3)

    def is_signed(self, request, body):
        """As mailroom has it: the values of a name in the order in which they came."""
        text = f"https://{request.headers['Host']}{request.path}"
        form = parse_qs(body, keep_blank_values=True)
        text += "".join(name + "".join(form[name]) for name in sorted(form))
        expected = hmac.new(self.options.auth_token.encode(), text.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(base64.b64encode(expected).decode(), request.headers.get("X-Twilio-Signature", ""))

    def answer(self, path, form, base):
        """The document, and what was done."""
        resume = f"{base}/handle?action=resume&connection=1"
        if path == "/status":
            status, reason = STATUSES[form["CallStatus"]]
            show("status", told=form["CallStatus"], status=status, reason=reason, has_duration="CallDuration" in form)
            self.over[form["CallSid"]].set()
            return "<Response><!--call updated--></Response>"
        if path == "/incoming" or form["action"] == "start":
            by = form.get("AnsweredBy")
            show("started", caller=form["Caller"], answered_by=by)
            if by in ("machine_start", "fax"):
                return "<Response><!--call answered by machine--></Response>"
            if self.options.hang_up and form["To"] == self.options.call[-1]:
                threading.Thread(target=self.hang_up, args=[form["CallSid"]]).start()
            return gather(f"{resume}&wait_type=gather", self.options.gather_timeout)
        if form.get("timeout") == "true" or form.get("empty") == "true":
            show("resumed", input="")
            return hang_up()
        if form["wait_type"] == "gather":
            show("resumed", input=form["Digits"])
            return record(f"{resume}&wait_type=record")
        show("resumed", duration=form["RecordingDuration"])
        self.download(form["RecordingUrl"] + ".mp3")
        return hang_up()


def gather(action, timeout):
    menu = '\n    <Say language="en-US">Press one &amp; leave a message.</Say>\n  '
    return (
        f'<Response>\n  <Gather numDigits="1" timeout="{timeout}" action={quoteattr(action)}>{menu}</Gather>\n'
        f"  <Redirect>{escape(action)}&amp;timeout=true</Redirect>\n</Response>"
    )


def record(action):
    return (
        f'<Response>\n  <Record action={quoteattr(action)} maxLength="600"></Record>\n'
        f"  <Redirect>{escape(action)}&amp;empty=true</Redirect>\n</Response>"
    )


def hang_up():
    return "<Response>\n  <Hangup></Hangup>\n</Response>"


def app(channel, base):
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            url = urlsplit(self.path)
            if not channel.is_signed(self, body):
                show("not signed", path=self.path)
                return self.send_error(400)
            form = dict(parse_qsl(url.query) + parse_qsl(body))
            channel.over.setdefault(form["CallSid"], threading.Event())
            document = (HEAD + channel.answer(url.path.removeprefix("/c/1"), form, base())).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/xml; charset=utf-8")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            """What there is to say is printed already."""

    return Handler


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", required=True, help="of the API")
    parser.add_argument("--account-sid", required=True)
    parser.add_argument("--auth-token", required=True)
    parser.add_argument("--number", required=True)
    parser.add_argument("--authority", required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--gather-timeout", type=int, default=30)
    parser.add_argument("--call", action="append", default=[], help="whom to call, one after the other")
    parser.add_argument("--machine-detection", action="store_true")
    parser.add_argument("--hang-up", action="store_true", help="the last call, when it has begun")
    options = parser.parse_args()
    channel = Channel(options)
    base = f"https://127.0.0.1:{options.port}/c/1"
    server = ThreadingHTTPServer(("127.0.0.1", options.port), app(channel, lambda: base))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate, options.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    show("ready")
    for number in options.call:
        sid = channel.request_call(number, base, options.machine_detection)
        over = channel.over.setdefault(sid, threading.Event())
        if not over.wait(LIMIT_S):
            raise TimeoutError(f"no status of the call to {number}")
    show("done")
    threading.Event().wait()


main()
