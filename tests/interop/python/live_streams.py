"""Begins or ends a media stream of a call with Twilio's helper library, and prints what it sees as a line of JSON."""

import argparse
import json

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from elsewhere import ElsewhereClient


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("account_sid")
    parser.add_argument("auth_token")
    parser.add_argument("call_sid")
    parser.add_argument("--start", help="the URL")
    parser.add_argument("--status-callback")
    parser.add_argument("--stop", help="a SID or a name")
    arguments = parser.parse_args()
    client = Client(arguments.account_sid, arguments.auth_token, http_client=ElsewhereClient(arguments.base))
    streams = client.calls(arguments.call_sid).streams
    try:
        if arguments.start:
            stream = streams.create(
                url=arguments.start,
                name="ear",
                track="both_tracks",
                status_callback=arguments.status_callback,
                parameter1_name="customer",
                parameter1_value="47 11",
            )
        else:
            stream = client.calls(arguments.call_sid).streams(arguments.stop).update(status="stopped")
        seen = {"sid": stream.sid, "name": stream.name, "status": stream.status, "call_sid": stream.call_sid}
    except TwilioRestException as error:
        seen = {"refused": error.status, "code": error.code}
    print(json.dumps(seen), flush=True)


main()
