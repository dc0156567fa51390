"""What a test is told of each step: a line of JSON on the standard output."""

import json

from twilio.base.exceptions import TwilioException, TwilioRestException


def show(step, *values):
    print(json.dumps({"step": step, "values": values}), flush=True)


def refused(step, ask):
    """Shows the library's exception of one request, or of a list."""
    try:
        ask()
    except TwilioRestException as refusal:
        show(step, refusal.status, refusal.code)
    except TwilioException as refusal:
        # Of lists the library tells no more than the answer.
        response = refusal.args[1]
        show(step, response.status_code, json.loads(response.text)["code"])
    else:
        show(step, "it was not refused")
