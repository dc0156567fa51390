#!/usr/bin/env python3
"""Registers people by phone as `examples/plugins/laos-registration` does, as a web application that answers in TwiML.

Point a number's voice URL at http://127.0.0.1:8000/. Needs Twilio's library (`pip install twilio`). Where the line may be, and who may ask:

    JACKFIELD_URL=http://127.0.0.1:8080 ACCOUNT_SID=AC... AUTH_TOKEN=... ./app.py --gazetteer ../plugins/laos-registration/gazetteer.csv

Each step of a call is a URL of its own, so that nothing is remembered between two requests.
"""

import argparse
import base64
import csv
import json
import os
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

LANGUAGE = "lao"
FOLDER = "ews_laos_registration"
API = os.environ["JACKFIELD_URL"]
ACCOUNT, TOKEN = os.environ["ACCOUNT_SID"], os.environ["AUTH_TOKEN"]


class Gazetteer:
    def __init__(self, path):
        with open(path, newline="", encoding="utf-8") as file:
            self.places = list(csv.DictReader(file))

    def within(self, code):
        """The places of the level below, in the order of the menu."""
        return [place for place in self.places if len(place["code"]) == len(code) + 2 and place["code"].startswith(code)]

    def around(self, code):
        """A place and those that it lies in, the smallest first."""
        around = [place for place in self.places if code.startswith(place["code"])]
        return sorted(around, key=lambda place: -len(place["code"]))


class People:
    """The account's people over REST."""

    def __init__(self):
        credentials = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        self.headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    def ask(self, method, number, body=None):
        url = f"{API}/v1/Accounts/{ACCOUNT}/People/{quote(number, safe='')}"
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, data, self.headers, method=method)) as answer:
            return json.load(answer)

    def save(self, number, gazetteer, code):
        try:
            areas = self.ask("GET", number)["areas"]
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            areas = []
        around = gazetteer.around(code)
        fields = {
            "iso": around[-1]["iso"],
            "latest_area": code,
            "latest_address_en": ", ".join(place["name_en"] for place in around),
            "latest_address_local": ", ".join(place["name_local"] for place in around),
        }
        person = {"language": LANGUAGE, "areas": sorted({*areas, code}), "fields": fields}
        self.ask("PUT", number, person)


class Line:
    """The steps of a call. Each answers with TwiML."""

    def __init__(self, gazetteer, attempts):
        self.gazetteer, self.attempts, self.people = gazetteer, attempts, People()

    def introduction(self, _call):
        answer = VoiceResponse()
        answer.play(prompt("introduction"))
        answer.redirect("/ask?within=")
        return answer

    def ask(self, call):
        """Asks for a place within another; counts how often nothing was pressed."""
        answer = VoiceResponse()
        code, silences = call["within"], int(call.get("silences", 0))
        gather = Gather(action=f"/answer?within={code}&silences={silences}", action_on_empty_result=True)
        gather.play(prompt(code or "select_province"))
        answer.append(gather)
        return answer

    def answer(self, call):
        code, keys, silences = call["within"], call.get("Digits", ""), int(call["silences"])
        if not keys:
            return self.goodbye() if silences + 1 == self.attempts else self.ask({"within": code, "silences": silences + 1})
        if keys.startswith("*"):
            return self.ask({"within": ""})
        places = self.gazetteer.within(code)
        index = int(keys) - 1 if keys.isdigit() else -1
        if not 0 <= index < len(places):
            return self.ask({"within": code})
        chosen = places[index]["code"]
        if self.gazetteer.within(chosen):
            return self.ask({"within": chosen})
        number = call["From"] if call["Direction"] == "inbound" else call["To"]
        self.people.save(number, self.gazetteer, chosen)
        return self.farewell("registration_successful")

    def goodbye(self):
        return self.farewell("goodbye")

    def farewell(self, name):
        answer = VoiceResponse()
        answer.play(prompt(name))
        answer.hangup()
        return answer


def prompt(name):
    return f"/{FOLDER}/{name}-{LANGUAGE}.mp3"


def handler(line, prompts):
    validator = RequestValidator(TOKEN)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            form = {key: values[0] for key, values in parse_qs(self.rfile.read(length).decode(), keep_blank_values=True).items()}
            url = f"http://{self.headers['Host']}{self.path}"
            if not validator.validate(url, form, self.headers.get("X-Twilio-Signature", "")):
                return self.reply(403, "text/plain", b"the signature is not that of this account\n")
            parts = urlsplit(self.path)
            steps = {"/": line.introduction, "/ask": line.ask, "/answer": line.answer}
            if parts.path not in steps:
                return self.reply(404, "text/plain", b"no such step\n")
            query = {key: values[0] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            document = steps[parts.path]({**form, **query})
            return self.reply(200, "text/xml", str(document).encode())

        def do_GET(self):
            name = Path(urlsplit(self.path).path).name
            file = prompts / name if prompts else None
            if file is None or not file.is_file():
                return self.reply(404, "text/plain", b"no such prompt\n")
            return self.reply(200, "audio/mpeg", file.read_bytes())

        def reply(self, status, content_type, body):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass  # numbers do not belong into a log

    return Handler


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--port", type=int, default=8000, help="0 for any that is free")
    arguments.add_argument("--gazetteer", required=True)
    arguments.add_argument("--prompts", type=Path, help="the folder of the prompts' files")
    arguments.add_argument("--attempts", type=int, default=3, help="how often a question is asked of who presses nothing; 0: as often as it takes")
    given = arguments.parse_args()
    line = Line(Gazetteer(given.gazetteer), given.attempts)
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler(line, given.prompts))
    print(f"The registration line is at http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
