"""Sends texts with Twilio's helper library, and prints what becomes of each as a line of JSON."""

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
    parser.add_argument("--from", dest="own")
    parser.add_argument("--to")
    parser.add_argument("--status-callback")
    parser.add_argument("texts", nargs="+")
    arguments = parser.parse_args()
    client = Client(arguments.account_sid, arguments.auth_token, http_client=ElsewhereClient(arguments.base, timeout=30))
    for text in arguments.texts:
        try:
            message = client.messages.create(
                to=arguments.to, from_=arguments.own, body=text, status_callback=arguments.status_callback
            )
            seen = {"sid": message.sid, "status": message.status, "error_code": message.error_code, "body": message.body}
        except TwilioRestException as error:
            seen = {"refused": error.status, "code": error.code}
        print(json.dumps(seen), flush=True)


main()
