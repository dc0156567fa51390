"""A tenant's web application that believes no request but those that Twilio's library for Python does.

It prints its port, then of each request whether the library's validator takes it, as lines of JSON. webhook_app.mjs does the same with the
library for Node.
"""

import argparse
import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

from lines import tell

FORM = "application/x-www-form-urlencoded"


class Parameters(dict):
    """A form in which a name may come several times, as web frameworks have it."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs

    def getall(self, name):
        return [value for candidate, value in self.pairs if candidate == name]


def app(scheme, validator, pages):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            url = f"{scheme}://{self.headers['Host']}{self.path}"
            is_form = (self.headers.get("Content-Type") or "").startswith(FORM)
            pairs = parse_qsl(body, keep_blank_values=True) if is_form else []
            given = Parameters(pairs) if is_form or not body else body
            signature = self.headers.get("X-Twilio-Signature", "")
            path, _, query = self.path.partition("?")
            request = {
                "method": self.command,
                "path": path,
                "query": query,
                "parameters": pairs,
                "valid": validator.validate(url, given, signature),
                # With one character more of the URL nothing is.
                "valid_elsewhere": validator.validate(url + "x", given, signature),
                "authorization": self.headers.get("Authorization"),
            }
            tell(request)
            answer = pages.get(path, "").encode()
            self.send_response(200 if path in pages else 404)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = answer

        def log_message(self, *_):
            """What there is to say is printed already."""

    return Handler


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("auth_token")
    parser.add_argument("pages", type=json.loads, help="the document of each path, as JSON")
    parser.add_argument("certificate", nargs="?", help="PEM; without it the application speaks no TLS")
    parser.add_argument("key", nargs="?")
    arguments = parser.parse_args()
    scheme = "https" if arguments.certificate else "http"
    handler = app(scheme, RequestValidator(arguments.auth_token), arguments.pages)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    tell({"ready": f"{scheme}://127.0.0.1:{server.server_port}"})
    server.serve_forever()


main()
