#!/usr/bin/env python3
"""Registers people by phone as `examples/plugins/laos-registration` or, with `--line cambodia`, `cambodia-registration` does, as a web
application that answers in TwiML.

Point a number's voice URL at http://127.0.0.1:8000/. Needs Twilio's library (`pip install twilio`). Where the line may be, and who may ask:

    JACKFIELD_URL=http://127.0.0.1:8080 ACCOUNT_SID=AC... AUTH_TOKEN=... ./app.py --gazetteer ../plugins/laos-registration/gazetteer.csv

Each step of a call is a URL of its own, so that nothing is remembered between two requests.
"""

import argparse
import base64
import csv
import json
import os
import re
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import Gather, VoiceResponse

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

    def save(self, number, gazetteer, code, language):
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
            "latest_address_en": names(around, "name_en"),
            "latest_address_local": names(around, "name_local"),
        }
        person = {"language": language, "areas": sorted({*areas, code}), "fields": fields}
        self.ask("PUT", number, person)


def names(places, column):
    return ", ".join(place[column] for place in places if place[column])


def is_number(text):
    """What people are known by: E.164 with its plus, or a short code; neither `anonymous` nor a number in its country's own form."""
    return re.fullmatch(r"\+[1-9]\d{4,14}|\d{1,8}", text) is not None


class Laos:
    """Provinces and districts, in one language."""

    folder, ending = "ews_laos_registration", "mp3"
    languages = ["lao"]
    asks_language = False
    feedback_numbers = ()


class Cambodia:
    """A language first; on some numbers, whether to register or to speak."""

    folder, ending = "ews_registration", "wav"
    languages = ["khm", "cmo", "jra", "tpu", "krr"]
    asks_language = True

    def __init__(self, feedback_numbers):
        self.feedback_numbers = feedback_numbers


class Line:
    """The steps of a call. Each answers with TwiML; what is known of the call stands in the next step's URL."""

    def __init__(self, country, gazetteer, given):
        self.country, self.gazetteer, self.given, self.people = country, gazetteer, given, People()
        self.first = country.languages[0]

    def introduction(self, call):
        if call["To"] not in self.country.feedback_numbers and not is_number(caller(call)):
            return self.farewell("no_number", self.first)
        answer = VoiceResponse()
        answer.play(self.prompt("introduction", self.first))
        answer.redirect(step("/ask", {"menu": "main" if call["To"] in self.country.feedback_numbers else self.top()}))
        return answer

    def top(self):
        """Where a star leads back to."""
        return "language" if self.country.asks_language else "place"

    def ask(self, call):
        """Asks a question; counts how often nothing was pressed, and how often what is in no menu."""
        known = {
            "menu": call["menu"],
            "within": call.get("within", ""),
            "language": call.get("language", self.first),
            "silences": call.get("silences", 0),
            "invalid": call.get("invalid", 0),
        }
        question = {"main": "main_menu", "language": "select_language", "place": known["within"] or "select_province"}[known["menu"]]
        answer = VoiceResponse()
        gather = Gather(action=step("/answer", known), action_on_empty_result=True)
        gather.play(self.prompt(question, known["language"]))
        answer.append(gather)
        return answer

    def answer(self, call):
        keys, silences = call.get("Digits", ""), int(call["silences"])
        if call["menu"] == "main":
            return self.main_menu(call, keys)
        if not keys:
            return self.farewell("goodbye", call["language"]) if silences + 1 == self.given.attempts else self.ask({**call, "silences": silences + 1})
        if keys.startswith("*"):
            return self.ask({"menu": self.top(), "invalid": call["invalid"]})
        index = int(keys) - 1 if keys.isdigit() else -1
        if call["menu"] == "language":
            if not 0 <= index < len(self.country.languages):
                return self.again(call)
            return self.ask({"menu": "place", "language": self.country.languages[index], "invalid": call["invalid"]})
        places = self.gazetteer.within(call["within"])
        if not 0 <= index < len(places) or call["language"] not in (places[index]["languages"].split() or [call["language"]]):
            return self.again(call)
        chosen = places[index]["code"]
        if self.gazetteer.within(chosen):
            return self.ask({"menu": "place", "within": chosen, "language": call["language"], "invalid": call["invalid"]})
        self.people.save(caller(call), self.gazetteer, chosen, call["language"])
        return self.farewell("registration_successful", call["language"])

    def main_menu(self, call, keys):
        if keys in ("", "1"):
            is_known_by = is_number(caller(call))
            return self.ask({"menu": self.top(), "invalid": call["invalid"]}) if is_known_by else self.farewell("no_number", self.first)
        if keys != "2":
            return self.again(call)
        answer = VoiceResponse()
        answer.play(self.prompt("record_feedback_instructions", self.first))
        answer.record(action="/spoken")
        answer.redirect("/unspoken")  # where nobody spoke
        return answer

    def spoken(self, _call):
        return self.farewell("feedback_successful", self.first)

    def unspoken(self, _call):
        return self.farewell("goodbye", self.first)

    def again(self, call):
        invalid = int(call["invalid"]) + 1
        if invalid == self.given.invalid_attempts:
            return self.farewell("goodbye", call["language"])
        return self.ask({**call, "silences": 0, "invalid": invalid})

    def farewell(self, name, language):
        answer = VoiceResponse()
        answer.play(self.prompt(name, language))
        answer.hangup()
        return answer

    def prompt(self, name, language):
        return f"/{self.country.folder}/{name}-{language}.{self.country.ending}"


def caller(call):
    return call["From"] if call["Direction"] == "inbound" else call["To"]


def step(path, known):
    return f"{path}?{urlencode(known)}"


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
            steps = {"/": line.introduction, "/ask": line.ask, "/answer": line.answer, "/spoken": line.spoken, "/unspoken": line.unspoken}
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
            return self.reply(200, "audio/wav" if name.endswith(".wav") else "audio/mpeg", file.read_bytes())

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
    arguments.add_argument("--line", choices=["laos", "cambodia"], default="laos")
    arguments.add_argument("--gazetteer", required=True)
    arguments.add_argument("--prompts", type=Path, help="the folder of the prompts' files")
    arguments.add_argument("--attempts", type=int, default=3, help="how often a question is asked of who presses nothing; 0: until a hundred documents have passed without a key")
    arguments.add_argument("--invalid-attempts", type=int, help="how often in a call something may be pressed that is in no menu; without it as often as it takes")
    arguments.add_argument("--feedback-number", action="append", default=[], help="Cambodia: a called number that takes feedback")
    given = arguments.parse_args()
    country = Laos() if given.line == "laos" else Cambodia(given.feedback_number)
    line = Line(country, Gazetteer(given.gazetteer), given)
    server = ThreadingHTTPServer(("127.0.0.1", given.port), handler(line, given.prompts))
    print(f"The registration line is at http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
