"""As much of SIP (RFC 3261) as the two ends of this example speak: messages over UDP, and an SDP for G.711."""

import secrets


class Message:
    """A request or a response: its first line, its header fields in order, its body."""

    def __init__(self, start, headers, body=""):
        self.start, self.headers, self.body = start, headers, body

    @classmethod
    def read(cls, datagram):
        head, _, body = datagram.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return cls(start, [(name.strip().lower(), value.strip()) for name, value in pairs], body)

    def all(self, name):
        return [value for key, value in self.headers if key == name]

    def get(self, name):
        return next(iter(self.all(name)), "")

    @property
    def is_request(self):
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        return self.start.split(" ", 1)[0] if self.is_request else self.get("cseq").split()[-1]

    @property
    def status(self):
        return int(self.start.split(" ")[1])

    def user(self):
        """The user of the request's URI: the number that is called."""
        return self.start.split(" ")[1].partition(":")[2].partition("@")[0].partition(";")[0]

    def tag(self, name):
        return self.get(name).partition(";tag=")[2].partition(";")[0]

    def to_bytes(self):
        body = self.body.encode()
        lines = [self.start] + [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


def respond(request, status, reason, contact, tag=None, body=""):
    """A response to a request, with everything that it has to repeat."""
    to = request.get("to")
    if tag and ";tag=" not in to:
        to += f";tag={tag}"
    headers = [("via", via) for via in request.all("via")]
    headers += [("record-route", route) for route in request.all("record-route")]
    headers += [("from", request.get("from")), ("to", to), ("call-id", request.get("call-id"))]
    headers += [("cseq", request.get("cseq")), ("contact", contact)]
    if body:
        headers.append(("content-type", "application/sdp"))
    return Message(f"SIP/2.0 {status} {reason}", headers, body)


def sdp(host, port):
    """G.711 and keys as RFC 4733 has them."""
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
        "a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\n"
    )


def media_of(body):
    """Where the other side wants its audio: host and port."""
    lines = body.replace("\r", "").split("\n")
    host = next(line.split()[2] for line in lines if line.startswith("c="))
    port = next(int(line.split()[1]) for line in lines if line.startswith("m=audio"))
    return host, port


def new_id():
    return secrets.token_hex(8)


def address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)
