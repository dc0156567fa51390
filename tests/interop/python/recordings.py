"""Lists the account's recordings with Twilio's helper library, fetches and deletes the newest, and prints what it sees as lines of JSON."""

import argparse
import json

from twilio.rest import Client

from elsewhere import ElsewhereClient


def show(**fields):
    print(json.dumps(fields), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("account_sid")
    parser.add_argument("auth_token")
    arguments = parser.parse_args()
    client = Client(arguments.account_sid, arguments.auth_token, http_client=ElsewhereClient(arguments.base))
    newest = client.recordings.list(limit=5)[0]
    recording = client.recordings(newest.sid).fetch()
    show(sid=recording.sid, status=recording.status, source=recording.source, duration=recording.duration)
    show(deleted=client.recordings(newest.sid).delete())
    show(left=len(client.recordings.list()))


if __name__ == "__main__":
    main()
