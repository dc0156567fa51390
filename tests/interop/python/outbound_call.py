"""Places a call with Twilio's helper library, follows it to its end, and prints each status as a line of JSON."""

import argparse
import json
import sys
import time

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from elsewhere import ElsewhereClient

FINAL = {"completed", "busy", "no-answer", "canceled", "failed"}
LIMIT_S = 60


def show(**fields):
    print(json.dumps(fields), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("account_sid")
    parser.add_argument("auth_token")
    parser.add_argument("--to", required=True)
    parser.add_argument("--from", dest="caller", required=True)
    parser.add_argument("--twiml")
    parser.add_argument("--url")
    parser.add_argument("--hang-up-at", metavar="STATUS", help="end the call once it has this status")
    options = parser.parse_args()

    client = Client(options.account_sid, options.auth_token, http_client=ElsewhereClient(options.base))
    document = {"twiml": options.twiml} if options.twiml else {"url": options.url}
    try:
        call = client.calls.create(to=options.to, from_=options.caller, **document)
    except TwilioRestException as refusal:
        show(refused=refusal.status, code=refusal.code, message=refusal.msg)
        return
    show(sid=call.sid, status=call.status, direction=call.direction, to=call.to)

    status = call.status
    deadline = time.monotonic() + LIMIT_S
    while status not in FINAL:
        if time.monotonic() > deadline:
            sys.exit(f"the call is still {status} after {LIMIT_S} s")
        if status == options.hang_up_at:
            client.calls(call.sid).update(status="completed")
            options.hang_up_at = None
        time.sleep(0.05)
        now = client.calls(call.sid).fetch()
        if now.status != status:
            status = now.status
            show(sid=now.sid, status=status, duration=now.duration)


main()
