"""What must add up in the end: the results of the broadcast, what the aggregator has seen, and what the observer has."""

import json

import sound
from farm import behaviour
from setting import OPERATORS


def reconcile(story, results, farm, verdict, exceeded, hit):
    """`hit`: who was being called when the server was killed."""
    check, given = story.check, story.given
    print(f"  the farm: {json.dumps({key: farm[key] for key in ('most', 'strays', 'still_up')})}")
    print(f"  the observer: {json.dumps(verdict)}")
    seen = {}
    for call in farm["calls"]:
        seen.setdefault("+" + call["number"], []).append(call)
    outcomes = {number: [call["outcome"] for call in calls] for number, calls in seen.items()}
    ours = {row["number"]: int(row["attempts"]) for row in results}
    check("people in the results", (len(results), len(ours)), (given.people, given.people))
    check("of these, who lives where no water comes", set(ours) - set(story.warned), set())
    check("who was called, by the results and by the farm", set(ours) - hit == set(seen) - hit, True)
    others = {number for number in ours if number not in hit and ours[number] != len(seen.get(number, []))}
    check("calls by the results that the farm did not see, or the other way", others, set())
    reached = {row["number"] for row in results if row["state"] == "reached"}
    for prefix in OPERATORS:
        told = next((counts for name, counts in story.by_operator.items() if prefix in name), {})
        theirs = {number for number in ours if number.startswith("+" + prefix)}
        check(f"recipients and reached of {prefix}", (told.get("recipients"), told.get("reached")), (len(theirs), len(theirs & reached)))
    answered = {number for number in outcomes if outcomes[number][-1] == "answered"}
    if not hit:
        check("reached by the results", len(reached), len(answered))
    check("reached by one of both alone", (reached ^ answered) - hit, set())
    expected = {row["number"] for row in results if "answers" in [behaviour(row["number"], earlier) for earlier in (0, 1)]}
    check("reached, by what people do", len(reached - hit), len(expected - hit))
    full = sum(1 for call in farm["calls"] if call["outcome"] == "full")
    check("refused for want of a channel", full, 0)
    check("channels held in the end", (farm["still_up"], verdict["still_up"]), (0, 0))
    check("calls by the observer", verdict["calls"], len(farm["calls"]))
    check("calls that came in, by the observer", verdict["calls_in"], story.calls_in)
    check("limits exceeded, by the observer", (verdict["times_exceeded"], exceeded), (0, 0))
    soon = {number for number, calls in seen.items() if any(two["at"] - one["at"] < story.gap for one, two in zip(calls, calls[1:]))}
    check("called again within the gap", soon, set())
    often = {number for number, calls in seen.items() if len(calls) > story.attempts}
    check("called more often than was ordered", often, set())
    if given.kills:
        reconcile_hit(check, results, outcomes, ours, hit)
    if story.paused:
        began, ended = story.paused
        check("calls while it paused", sum(1 for call in farm["calls"] if began < call["at"] < ended), 0)


def reconcile_hit(check, results, outcomes, ours, hit):
    """A call that a kill has broken off counts as one, whether it has come to the wire or not; nobody has two for one."""
    print(f"  {len(hit)} people were being called as the server was killed")
    unseen = {number for number in hit if ours[number] < len(outcomes.get(number, []))}
    check("of these, called more often than is kept", unseen, set())
    unheard = {row["number"] for row in results if row["number"] in hit and row["state"] == "reached"}
    unheard -= {number for number in unheard if "answered" in outcomes.get(number, [])}
    check("of these, reached by the results alone", unheard, set())


def listen(story, farm, report, hit):
    """Everybody who answered has heard the official's message to its end: by its length, and by the sound of one of each operator."""
    message = sound.loud_part(story.message)
    seconds = len(message) / 2 / sound.RATE
    calls = [call for call in farm["calls"] if call["outcome"] == "answered" and "+" + call["number"] not in hit]
    short = [call["heard_s"] for call in calls if call["heard_s"] < seconds - story.given.cut]
    story.check(f"answered, and did not hear {seconds - story.given.cut:.1f} s of the {seconds:.1f} s", sorted(short), [])
    alike = {}
    for operator in OPERATORS:
        file = report.with_suffix(f".{operator}.ulaw")
        alike[operator] = sound.found(message, sound.decode(file.read_bytes())) if file.is_file() else 0
    story.check("operators where the message is what is heard", sum(share >= 50 for share in alike.values()), len(OPERATORS))
    print(f"  of the message was heard, in hundredths: {json.dumps(alike)}")
