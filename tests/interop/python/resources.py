"""Does everything to every resource that the API has with Twilio's helper library, and prints what it sees as lines of JSON.

resources.mjs takes the same steps with the library for Node. The last line has each kind of request that was made: `docs/book/helper-libraries.md`
has the same list.
"""

import argparse
import json
import re
import time

from elsewhere import ElsewhereClient
from steps import refused, show
from twilio.rest import Client

LIMIT_S = 60
FINAL = ("completed", "absent", "failed")
# What stands for one thing in a path: a SID, a country, a place in a queue, a label, a name, the current recording.
ONE = re.compile(r"^([A-Z]{2}[0-9a-f]{32}|US|LA|Front|first|second|guest|ear|Twilio\.CURRENT)$")


class CountingClient(ElsewhereClient):
    """Keeps the kind of each request: its method, and its path below the account."""

    def __init__(self, base):
        super().__init__(base)
        self.requests = []

    def request(self, method, url, *args, **kwargs):
        path = url.split("?")[0].split("/2010-04-01/")[1].replace(".json", "")
        path = "/".join("{}" if ONE.match(part) else part for part in path.split("/"))
        self.requests.append(f"{method.upper()} {path.removeprefix('Accounts/{}/')}")
        return super().request(method, url, *args, **kwargs)


def until(what, probe):
    deadline = time.monotonic() + LIMIT_S
    while not probe():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {LIMIT_S} s: {what}")
        time.sleep(0.05)


def id_of(thing):
    for name in ("sid", "call_sid", "phone_number", "country_code", "request"):
        value = getattr(thing, name, None)
        if value:
            return value
    return [thing.category, str(thing.start_date)]


class Walk:
    def __init__(self, client, given):
        self.client = client
        self.given = given

    def pages(self, step, things, size):
        """How many things a list has, in how many requests, and whether they are those of one large page."""
        made = len(self.client.http_client.requests)
        found = things.list(page_size=size)
        requests = len(self.client.http_client.requests) - made
        whole = things.list()
        show(step, len(found), requests, [id_of(one) for one in found] == [id_of(one) for one in whole])
        return found

    def a_call(self):
        client, given = self.client, self.given
        made = client.calls.create(to=given["to"], from_=given["from"], url=given["voice"], status_callback=given["told"])
        show("call created", made.direction, made.to == given["to"])
        call = client.calls(made.sid)
        until("the call is up", lambda: call.fetch().status == "in-progress")
        self.pages("calls", client.calls, 2)
        first = client.calls.page(page_size=2)
        third = first.next_page().next_page()
        back = third.previous_page().previous_page()
        show("two pages of calls on, and back", [id_of(one) for one in back] == [id_of(one) for one in first])
        refused("a call to nobody", lambda: client.calls.create(to="nobody", from_=given["from"], url=given["voice"]))

        one = call.recordings.create(recording_channels="dual")
        show("recording of a call created", one.status, one.source, one.channels)
        recording = call.recordings(one.sid)
        show("recording paused", recording.update(status="paused", pause_behavior="skip").status)
        show("recording resumed", recording.update(status="in-progress").status)
        call.recordings("Twilio.CURRENT").update(status="stopped")
        two = call.recordings.create()
        call.recordings(two.sid).update(status="stopped")
        for sid in (one.sid, two.sid):
            until("the recording is over", lambda: call.recordings(sid).fetch().status in FINAL)
        self.pages("recordings of a call", call.recordings, 1)
        show("recording of a call deleted", call.recordings(two.sid).delete())
        refused("a deleted recording of a call", lambda: call.recordings(two.sid).fetch())
        self.pages("recordings", client.recordings, 1)
        show("recording", client.recordings(one.sid).fetch().call_sid == made.sid)
        show("recording deleted", client.recordings(one.sid).delete())
        refused("a deleted recording", lambda: client.recordings(one.sid).fetch())

        stream = call.streams.create(url=given["stream"], name="ear", track="both_tracks")
        show("stream created", stream.status, stream.name)
        show("stream stopped", call.streams("ear").update(status="stopped").status)
        refused("a stream that is over", lambda: call.streams("ear").update(status="stopped"))

        call.update(url=given["bye"], method="GET")
        until("the document ended the call", lambda: call.fetch().status == "completed")
        until("its end was told", lambda: len(call.events.list()) == 3)
        self.pages("events of a call", call.events, 1)
        told = self.pages("notifications of a call", call.notifications, 1)
        show("notification of a call", call.notifications(told[0].sid).fetch().error_code)
        self.pages("notifications", client.notifications, 5)
        show("notification", client.notifications(told[0].sid).fetch().call_sid == made.sid)
        refused("a notification of nothing", lambda: client.notifications("NO" + 32 * "0").fetch())
        refused("a call that is over", lambda: call.update(status="completed"))
        show("call deleted", call.delete())
        refused("a deleted call", lambda: call.fetch())

    def conferences(self):
        client, given = self.client, self.given
        self.pages("conferences", client.conferences, 1)
        weekly = client.conferences.list(status="in-progress")[0]
        conference = client.conferences(weekly.sid)
        show("conference", conference.fetch().friendly_name)
        self.pages("participants", conference.participants, 1)
        first, second = conference.participants("first"), conference.participants("second")
        show("participant", first.fetch().label, first.update(muted=True).muted)
        guest = conference.participants.create(from_=given["from"], to=given["to"], label="guest")
        show("participant created", guest.label)
        again = lambda **more: conference.participants.create(from_=given["from"], to=given["to"], **more)
        refused("a label that is taken", lambda: again(label="guest"))
        refused("a label with a slash", lambda: again(label="a/b"))
        refused("a coach of nobody", lambda: again(call_sid_to_coach="CA" + 32 * "0"))
        until("the guest is in", lambda: conference.participants("guest").fetch().status == "connected")
        self.pages("participants with a guest", conference.participants, 2)
        show("participant deleted", second.delete())
        refused("a participant who was removed", lambda: second.fetch())

        one = self.pages("recordings of a conference", conference.recordings, 1)[0]
        recording = conference.recordings(one.sid)
        show("recording of a conference paused", recording.update(status="paused", pause_behavior="skip").status)
        recording.update(status="stopped")
        until("the conference's recording is over", lambda: recording.fetch().status in FINAL)
        show("recording of a conference deleted", recording.delete())
        refused("a deleted recording of a conference", lambda: recording.fetch())
        show("conference ended", conference.update(status="completed").status)
        refused("a participant of what is over", lambda: first.fetch())

    def queues(self):
        client, given = self.client, self.given
        made = [client.queues.create(friendly_name=name, max_size=3) for name in ("desk", "vip")]
        found = self.pages("queues", client.queues, 2)
        support = next(one for one in found if one.friendly_name == "support")
        vip = client.queues(made[1].sid)
        changed = vip.update(friendly_name="gold", max_size=5)
        show("queue", changed.friendly_name, vip.fetch().max_size)
        members = client.queues(support.sid).members
        waiting = self.pages("members", members, 1)
        show("member", members("Front").fetch().call_sid == waiting[0].call_sid, members(waiting[0].call_sid).fetch().position)
        refused("a member who is not there", lambda: members("CA" + 32 * "0").fetch())
        members(waiting[0].call_sid).update(url=given["bye"], method="GET")
        until("one has left", lambda: len(members.list()) == 1)
        members("Front").update(url=given["bye"], method="GET")
        until("all have left", lambda: not members.list())
        for queue in made:
            show("queue deleted", client.queues(queue.sid).delete())
        refused("a deleted queue", lambda: vip.fetch())

    def applications(self):
        applications = self.client.applications
        made = [applications.create(friendly_name=f"app {n}", voice_url="http://a/") for n in range(3)]
        self.pages("applications", applications, 2)
        one = applications(made[0].sid)
        show("application", one.update(voice_url="http://b/").voice_url, one.fetch().friendly_name)
        show("applications deleted", [applications(each.sid).delete() for each in made])
        refused("a deleted application", lambda: one.fetch())

    def numbers(self):
        shop, numbers = self.client.available_phone_numbers, self.client.incoming_phone_numbers
        self.pages("countries", shop, 1)
        show("country", shop("US").fetch().country_code)
        self.pages("free local numbers", shop("US").local, 1)
        self.pages("free mobile numbers", shop("LA").mobile, 1)
        self.pages("free toll-free numbers", shop("US").toll_free, 1)
        kinds = [numbers, numbers.local, numbers.mobile, numbers.toll_free]
        made = [kind.create(phone_number=number) for kind, number in zip(kinds, self.given["pool"])]
        show("numbers created", [one.phone_number for one in made] == self.given["pool"])
        self.pages("numbers", numbers, 3)
        self.pages("local numbers", numbers.local, 1)
        self.pages("mobile numbers", numbers.mobile, 1)
        self.pages("toll-free numbers", numbers.toll_free, 1)
        one = numbers(made[0].sid)
        show("number", one.update(friendly_name="desk").friendly_name, one.fetch().friendly_name)
        show("numbers deleted", [numbers(each.sid).delete() for each in made])
        refused("a released number", lambda: one.fetch())

    def caller_ids(self):
        caller_ids = self.client.outgoing_caller_ids
        found = self.pages("caller IDs", caller_ids, 2)
        one = caller_ids(found[0].sid)
        show("caller ID", one.update(friendly_name="desk").friendly_name, one.fetch().friendly_name)
        show("caller ID deleted", one.delete())
        refused("a deleted caller ID", lambda: one.fetch())
        number = self.given["to"]
        refused("a caller ID of one's own", lambda: self.client.validation_requests.create(phone_number=number))

    def keys(self):
        keys = self.client.keys
        made = [self.client.new_keys.create(friendly_name=f"key {n}") for n in range(2)]
        self.pages("keys", keys, 1)
        one = keys(made[0].sid)
        show("key", one.update(friendly_name="shop").friendly_name, one.fetch().friendly_name)
        show("keys deleted", [keys(each.sid).delete() for each in made])
        refused("a deleted key", lambda: one.fetch())

    def messages(self):
        message = {"to": self.given["to"], "from_": self.given["from"]}
        show("message created", self.client.messages.create(body="Hello", **message).status)
        refused("a message that says nothing", lambda: self.client.messages.create(**message))

    def usage(self):
        records = self.client.usage.records
        self.pages("usage", records, 1)
        for name in ("all_time", "daily", "last_month", "monthly", "this_month", "today", "yearly", "yesterday"):
            # How many there are is the calendar's to say.
            getattr(records, name).list(page_size=1, limit=2)
        refused("usage of nothing", lambda: records.list(category="sms"))

    def accounts(self):
        accounts = self.client.api.accounts
        made = [accounts.create(friendly_name=f"child {n}") for n in range(2)]
        self.pages("accounts", accounts, 1)
        one = accounts(made[0].sid)
        show("account", one.update(friendly_name="shop").friendly_name, one.fetch().friendly_name)
        show("accounts closed", [accounts(each.sid).update(status="closed").status for each in made])
        refused("a foreign account", lambda: accounts("AC" + 32 * "9").fetch())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("account_sid")
    parser.add_argument("auth_token")
    parser.add_argument("given", type=json.loads, help="URLs and numbers, as JSON")
    arguments = parser.parse_args()
    http_client = CountingClient(arguments.base)
    walk = Walk(Client(arguments.account_sid, arguments.auth_token, http_client=http_client), arguments.given)
    walk.a_call()
    walk.conferences()
    walk.queues()
    walk.applications()
    walk.numbers()
    walk.caller_ids()
    walk.keys()
    walk.messages()
    walk.usage()
    walk.accounts()
    show("requests", *sorted(set(http_client.requests)))


main()
