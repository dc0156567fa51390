"""Makes, lists, changes and deletes what an account has with Twilio's helper library, and prints what it sees as lines of JSON.

accounts.mjs takes the same steps with the library for Node.
"""

import argparse

from twilio.rest import Client

from elsewhere import ElsewhereClient
from steps import refused, show


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("account_sid")
    parser.add_argument("auth_token")
    parser.add_argument("pool_number")
    arguments = parser.parse_args()

    def user(name, secret, account=None):
        return Client(name, secret, account, http_client=ElsewhereClient(arguments.base))

    client = user(arguments.account_sid, arguments.auth_token)

    # Applications, over three pages.
    made = [client.applications.create(friendly_name=f"app {n}", voice_url=f"http://a/{n}") for n in range(5)]
    names = [one.friendly_name for one in client.applications.list(page_size=2)]
    show("applications", len(made), sorted(names))
    one = client.applications(made[0].sid).update(voice_url="http://b/", voice_method="GET")
    show("application", one.friendly_name, one.voice_url, one.voice_method)
    for application in made:
        client.applications(application.sid).delete()
    show("no applications", len(client.applications.list()))
    refused("a deleted application", lambda: client.applications(made[0].sid).fetch())
    refused("a wrong URL", lambda: client.applications.create(voice_url="nonsense"))

    # A number out of the carrier's pool.
    shop = client.available_phone_numbers
    show("countries", [one.country_code for one in shop.list()])
    show("country", shop("US").fetch().subresource_uris["local"].endswith("/US/Local.json"))
    free = shop("US").local.list(contains=arguments.pool_number[-7:], area_code=500, voice_enabled=True)
    show("free numbers", [one.phone_number for one in free], [one.capabilities["voice"] for one in free])
    show("free mobile numbers", len(shop("US").mobile.list()), len(shop("US").toll_free.list()))
    refused("numbers of no country", lambda: shop("ZZ").local.list())
    number = client.incoming_phone_numbers.create(phone_number=arguments.pool_number, voice_url="http://a/")
    show("number", number.phone_number, number.voice_url, number.capabilities["voice"])
    number = client.incoming_phone_numbers(number.sid).update(friendly_name="desk", voice_url="http://c/")
    show("changed number", number.friendly_name, number.voice_url)
    found = client.incoming_phone_numbers.list(phone_number=arguments.pool_number)
    show("listed number", [one.sid == number.sid for one in found])
    refused("a taken number", lambda: client.incoming_phone_numbers.create(phone_number=arguments.pool_number))
    show("free no more", len(shop("US").local.list()))
    show("released", client.incoming_phone_numbers(number.sid).delete())
    refused("a released number", lambda: client.incoming_phone_numbers(number.sid).fetch())
    show("caller IDs", len(client.outgoing_caller_ids.list()))

    # A refusal of each family.
    number = arguments.pool_number
    refused("a call without a document", lambda: client.calls.create(to=number, from_=number))
    refused("a call by nobody", lambda: client.calls.create(to=number, from_="nobody", twiml="x"))
    refused("an unknown application", lambda: client.calls.create(to=number, from_=number, application_sid="AP1"))
    refused("a wrong callback", lambda: client.calls.create(to=number, from_=number, twiml="x", status_callback="a"))
    refused("no such call", lambda: client.calls("CA" + 32 * "0").update(status="completed"))
    refused("a stream of no call", lambda: client.calls("CA" + 32 * "0").streams.create(url="wss://a/"))
    refused("no such conference", lambda: client.conferences("CF" + 32 * "0").participants.list())
    refused("no such recording", lambda: client.recordings("RE" + 32 * "0").delete())
    queue = client.queues.create(friendly_name=f"queue of {number}")
    refused("a queue of the same name", lambda: client.queues.create(friendly_name=queue.friendly_name))
    refused("a queue for nobody", lambda: client.queues(queue.sid).update(max_size=0))
    refused("unknown usage", lambda: client.usage.records.list(category="sms"))
    show("usage", len(client.usage.records.this_month.list()), len(client.usage.records.monthly.list()))

    # Keys.
    key = client.new_keys.create(friendly_name="shop")
    by_key = user(key.sid, key.secret, arguments.account_sid)
    show("calls by key", len(by_key.calls.list(limit=1)))
    refused("keys by key", lambda: by_key.keys.list())
    show("renamed key", client.keys(key.sid).update(friendly_name="counter").friendly_name)
    show("keys", [one.friendly_name for one in client.keys.list()])
    client.keys(key.sid).delete()
    refused("a deleted key", lambda: by_key.calls.list(limit=1))

    # A subaccount.
    child = client.api.accounts.create(friendly_name=f"child of {arguments.pool_number}")
    by_child = user(child.sid, child.auth_token)
    show("subaccount", child.status, child.owner_account_sid == arguments.account_sid)
    show("accounts", sorted(one.status for one in client.api.accounts.list(page_size=1)))
    show("own account", by_child.api.accounts(child.sid).fetch().friendly_name == child.friendly_name)
    show("its calls, by its parent", len(client.api.accounts(child.sid).calls.list()))
    refused("its parent, by itself", lambda: by_child.api.accounts(arguments.account_sid).fetch())
    show("suspended", client.api.accounts(child.sid).update(status="suspended").status)
    refused("a suspended account", lambda: by_child.calls.list())
    client.api.accounts(child.sid).update(status="active")

    # Its tokens.
    second = by_child.accounts.v1.secondary_auth_token().create().secondary_auth_token
    promoted = user(child.sid, second).accounts.v1.auth_token_promotion().update()
    show("promoted", promoted.auth_token == second)
    refused("the old token", lambda: by_child.calls.list())
    show("closed", client.api.accounts(child.sid).update(status="closed").status)


main()
