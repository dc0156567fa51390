"""Does what its argument says to the account's newest conference with Twilio's helper library, and prints what it sees as lines of JSON."""

import argparse
import json
import time

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from elsewhere import ElsewhereClient


def show(**fields):
    print(json.dumps(fields), flush=True)


def show_participant(participant):
    show(
        call_sid=participant.call_sid,
        label=participant.label,
        muted=participant.muted,
        hold=participant.hold,
        status=participant.status,
    )


def moderate(client):
    """Who is in it; the first one is muted, held and taken off, the second one removed; then it is ended."""
    conference = client.conferences.list(status="in-progress", limit=5)[0]
    show(sid=conference.sid, name=conference.friendly_name, status=conference.status)
    participants = conference.participants.list()
    show(participants=sorted(participant.label for participant in participants))
    first = client.conferences(conference.sid).participants("first")
    show_participant(first.update(muted=True))
    show_participant(first.update(hold=True, hold_url="https://example.org/hold.mp3"))
    show_participant(first.update(hold=False, muted=False))
    show(muted=len(conference.participants.list(muted=True)))
    second = client.conferences(conference.sid).participants("second")
    show(removed=second.delete())
    try:
        second.fetch()
    except TwilioRestException as error:
        show(refused=error.status, code=error.code)
    ended = client.conferences(conference.sid).update(status="completed")
    show(status=ended.status, reason=ended.reason_conference_ended)
    show(left=len(conference.participants.list()))


def invite(client):
    """Somebody is called into a conference that begins with them; it is ended when they are in it."""
    created = client.conferences("weekly").participants.create(from_="1000", to="+15005550100", label="guest")
    show_participant(created)
    participant = client.conferences(created.conference_sid).participants("guest")
    for _ in range(300):
        seen = participant.fetch()
        if seen.status == "connected":
            break
        time.sleep(0.1)
    show_participant(seen)
    conference = client.conferences(created.conference_sid).fetch()
    show(name=conference.friendly_name, status=conference.status)
    ended = conference.update(status="completed")
    show(status=ended.status, reason=ended.reason_conference_ended)


def queues(client):
    """Who waits at the one queue; the one in front is sent on, and the queue is deleted when nobody is at it."""
    queue = client.queues.list()[0]
    show(name=queue.friendly_name, size=queue.current_size, max_size=queue.max_size)
    show(positions=[member.position for member in queue.members.list()])
    front = client.queues(queue.sid).members("Front").fetch()
    show(front=front.call_sid, wait_time=front.wait_time)
    client.queues(queue.sid).members("Front").update(url="http://" + EXTRA[0] + "/next", method="GET")
    for _ in range(300):
        left = queue.members.list()
        if len(left) == 1:
            break
        time.sleep(0.1)
    show(left=[member.position for member in left], sent_on=front.call_sid not in [member.call_sid for member in left])
    try:
        client.queues(queue.sid).delete()
    except TwilioRestException as error:
        show(refused=error.status, code=error.code)
    client.queues(queue.sid).members("Front").update(url="http://" + EXTRA[0] + "/next", method="GET")
    for _ in range(300):
        if not queue.members.list():
            break
        time.sleep(0.1)
    for _ in range(300):
        try:
            show(deleted=client.queues(queue.sid).delete())
            break
        except TwilioRestException:
            time.sleep(0.1)
    made = client.queues.create("vip", max_size=3)
    show(name=made.friendly_name, max_size=made.max_size, size=made.current_size)
    show(queues=[queue.friendly_name for queue in client.queues.list()])


EXTRA = []


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("account_sid")
    parser.add_argument("auth_token")
    parser.add_argument("deed", choices=["moderate", "invite", "queues"])
    parser.add_argument("extra", nargs="*")
    arguments = parser.parse_args()
    EXTRA.extend(arguments.extra)
    client = Client(arguments.account_sid, arguments.auth_token, http_client=ElsewhereClient(arguments.base))
    {"moderate": moderate, "invite": invite, "queues": queues}[arguments.deed](client)


if __name__ == "__main__":
    main()
