// Does everything to every resource that the API has with Twilio's helper library for Node, and prints what it sees as lines of JSON.
//
// resources.py takes the same steps with the library for Python. The last line has each kind of request that was made:
// docs/book/helper-libraries.md has the same list.

import { setTimeout } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";

import { elsewhere } from "./elsewhere.mjs";

const [modules, base, accountSid, authToken, givenJson] = process.argv.slice(2);
const given = JSON.parse(givenJson);
const { twilio, httpClient } = elsewhere(modules, base);

const LIMIT_MS = 60_000;
const FINAL = ["completed", "absent", "failed"];
const NOBODY = "0".repeat(32);
// What stands for one thing in a path: a SID, a country, a place in a queue, a label, a name, the current recording.
const ONE = /^([A-Z]{2}[0-9a-f]{32}|US|LA|Front|first|second|guest|ear|Twilio\.CURRENT)$/;

// Keeps the kind of each request: its method, and its path below the account.
const requests = [];
const send = httpClient.request.bind(httpClient);
httpClient.request = (options) => {
  const path = options.uri.split("?")[0].split("/2010-04-01/")[1].replace(".json", "");
  const parts = path.split("/").map((part) => (ONE.test(part) ? "{}" : part));
  requests.push(`${options.method.toUpperCase()} ${parts.join("/").replace(/^Accounts\/\{\}\//, "")}`);
  return send(options);
};

const client = twilio(accountSid, authToken, { httpClient });
const { to, from } = given;

const show = (step, ...values) => console.log(JSON.stringify({ step, values }));

/** The library's exception. */
async function refused(step, ask) {
  try {
    await ask();
  } catch (refusal) {
    if (!(refusal instanceof twilio.RestException)) throw refusal;
    return show(step, refusal.status, refusal.code);
  }
  show(step, "it was not refused");
}

async function until(what, probe) {
  const deadline = Date.now() + LIMIT_MS;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    await setTimeout(50);
  }
}

const idOf = (thing) =>
  thing.sid ?? thing.callSid ?? thing.phoneNumber ?? thing.countryCode ?? thing.request ?? [thing.category, thing.startDate];

/** How many things a list has, in how many requests, and whether they are those of one large page. */
async function pages(step, things, pageSize) {
  const made = requests.length;
  const found = await things.list({ pageSize });
  const count = requests.length - made;
  const whole = await things.list();
  show(step, found.length, count, isDeepStrictEqual(found.map(idOf), whole.map(idOf)));
  return found;
}

/** What `act` makes of each, one after the other. */
async function each(things, act) {
  const results = [];
  for (const thing of things) results.push(await act(thing));
  return results;
}

async function aCall() {
  const made = await client.calls.create({ to, from, url: given.voice, statusCallback: given.told });
  show("call created", made.direction, made.to === to);
  const call = client.calls(made.sid);
  await until("the call is up", async () => (await call.fetch()).status === "in-progress");
  await pages("calls", client.calls, 2);
  const first = await client.calls.page({ pageSize: 2 });
  const third = await (await first.nextPage()).nextPage();
  const back = await (await third.previousPage()).previousPage();
  show("two pages of calls on, and back", isDeepStrictEqual(back.instances.map(idOf), first.instances.map(idOf)));
  await refused("a call to nobody", () => client.calls.create({ to: "nobody", from, url: given.voice }));

  const one = await call.recordings.create({ recordingChannels: "dual" });
  show("recording of a call created", one.status, one.source, one.channels);
  const recording = call.recordings(one.sid);
  show("recording paused", (await recording.update({ status: "paused", pauseBehavior: "skip" })).status);
  show("recording resumed", (await recording.update({ status: "in-progress" })).status);
  await call.recordings("Twilio.CURRENT").update({ status: "stopped" });
  const two = await call.recordings.create();
  await call.recordings(two.sid).update({ status: "stopped" });
  for (const { sid } of [one, two]) {
    await until("the recording is over", async () => FINAL.includes((await call.recordings(sid).fetch()).status));
  }
  await pages("recordings of a call", call.recordings, 1);
  show("recording of a call deleted", await call.recordings(two.sid).remove());
  await refused("a deleted recording of a call", () => call.recordings(two.sid).fetch());
  await pages("recordings", client.recordings, 1);
  show("recording", (await client.recordings(one.sid).fetch()).callSid === made.sid);
  show("recording deleted", await client.recordings(one.sid).remove());
  await refused("a deleted recording", () => client.recordings(one.sid).fetch());

  const stream = await call.streams.create({ url: given.stream, name: "ear", track: "both_tracks" });
  show("stream created", stream.status, stream.name);
  show("stream stopped", (await call.streams("ear").update({ status: "stopped" })).status);
  await refused("a stream that is over", () => call.streams("ear").update({ status: "stopped" }));

  await call.update({ url: given.bye, method: "GET" });
  await until("the document ended the call", async () => (await call.fetch()).status === "completed");
  await until("its end was told", async () => (await call.events.list()).length === 3);
  await pages("events of a call", call.events, 1);
  const told = await pages("notifications of a call", call.notifications, 1);
  show("notification of a call", (await call.notifications(told[0].sid).fetch()).errorCode);
  await pages("notifications", client.notifications, 5);
  show("notification", (await client.notifications(told[0].sid).fetch()).callSid === made.sid);
  await refused("a notification of nothing", () => client.notifications(`NO${NOBODY}`).fetch());
  await refused("a call that is over", () => call.update({ status: "completed" }));
  show("call deleted", await call.remove());
  await refused("a deleted call", () => call.fetch());
}

async function conferences() {
  await pages("conferences", client.conferences, 1);
  const [weekly] = await client.conferences.list({ status: "in-progress" });
  const conference = client.conferences(weekly.sid);
  show("conference", (await conference.fetch()).friendlyName);
  await pages("participants", conference.participants, 1);
  const [first, second, guest] = ["first", "second", "guest"].map((label) => conference.participants(label));
  show("participant", (await first.fetch()).label, (await first.update({ muted: true })).muted);
  show("participant created", (await conference.participants.create({ from, to, label: "guest" })).label);
  const again = (more) => conference.participants.create({ from, to, ...more });
  await refused("a label that is taken", () => again({ label: "guest" }));
  await refused("a label with a slash", () => again({ label: "a/b" }));
  await refused("a coach of nobody", () => again({ callSidToCoach: `CA${NOBODY}` }));
  await until("the guest is in", async () => (await guest.fetch()).status === "connected");
  await pages("participants with a guest", conference.participants, 2);
  show("participant deleted", await second.remove());
  await refused("a participant who was removed", () => second.fetch());

  const [one] = await pages("recordings of a conference", conference.recordings, 1);
  const recording = conference.recordings(one.sid);
  const paused = await recording.update({ status: "paused", pauseBehavior: "skip" });
  show("recording of a conference paused", paused.status);
  await recording.update({ status: "stopped" });
  await until("the conference's recording is over", async () => FINAL.includes((await recording.fetch()).status));
  show("recording of a conference deleted", await recording.remove());
  await refused("a deleted recording of a conference", () => recording.fetch());
  show("conference ended", (await conference.update({ status: "completed" })).status);
  await refused("a participant of what is over", () => first.fetch());
}

async function queues() {
  const made = await each(["desk", "vip"], (friendlyName) => client.queues.create({ friendlyName, maxSize: 3 }));
  const found = await pages("queues", client.queues, 2);
  const support = found.find((one) => one.friendlyName === "support");
  const vip = client.queues(made[1].sid);
  const changed = await vip.update({ friendlyName: "gold", maxSize: 5 });
  show("queue", changed.friendlyName, (await vip.fetch()).maxSize);
  const { members } = client.queues(support.sid);
  const waiting = await pages("members", members, 1);
  const front = await members("Front").fetch();
  show("member", front.callSid === waiting[0].callSid, (await members(front.callSid).fetch()).position);
  await refused("a member who is not there", () => members(`CA${NOBODY}`).fetch());
  await members(waiting[0].callSid).update({ url: given.bye, method: "GET" });
  await until("one has left", async () => (await members.list()).length === 1);
  await members("Front").update({ url: given.bye, method: "GET" });
  await until("all have left", async () => (await members.list()).length === 0);
  for (const queue of made) show("queue deleted", await client.queues(queue.sid).remove());
  await refused("a deleted queue", () => vip.fetch());
}

async function applications() {
  const { applications } = client;
  const made = await each([0, 1, 2], (n) => applications.create({ friendlyName: `app ${n}`, voiceUrl: "http://a/" }));
  await pages("applications", applications, 2);
  const one = applications(made[0].sid);
  show("application", (await one.update({ voiceUrl: "http://b/" })).voiceUrl, (await one.fetch()).friendlyName);
  show("applications deleted", await each(made, ({ sid }) => applications(sid).remove()));
  await refused("a deleted application", () => one.fetch());
}

async function numbers() {
  const { availablePhoneNumbers: shop, incomingPhoneNumbers: numbers } = client;
  await pages("countries", shop, 1);
  show("country", (await shop("US").fetch()).countryCode);
  await pages("free local numbers", shop("US").local, 1);
  await pages("free mobile numbers", shop("LA").mobile, 1);
  await pages("free toll-free numbers", shop("US").tollFree, 1);
  const kinds = [numbers, numbers.local, numbers.mobile, numbers.tollFree];
  const made = await each(given.pool.keys(), (n) => kinds[n].create({ phoneNumber: given.pool[n] }));
  show("numbers created", isDeepStrictEqual(made.map((one) => one.phoneNumber), given.pool));
  await pages("numbers", numbers, 3);
  await pages("local numbers", numbers.local, 1);
  await pages("mobile numbers", numbers.mobile, 1);
  await pages("toll-free numbers", numbers.tollFree, 1);
  const one = numbers(made[0].sid);
  show("number", (await one.update({ friendlyName: "desk" })).friendlyName, (await one.fetch()).friendlyName);
  show("numbers deleted", await each(made, ({ sid }) => numbers(sid).remove()));
  await refused("a released number", () => one.fetch());
}

async function callerIds() {
  const { outgoingCallerIds } = client;
  const found = await pages("caller IDs", outgoingCallerIds, 2);
  const one = outgoingCallerIds(found[0].sid);
  show("caller ID", (await one.update({ friendlyName: "desk" })).friendlyName, (await one.fetch()).friendlyName);
  show("caller ID deleted", await one.remove());
  await refused("a deleted caller ID", () => one.fetch());
  await refused("a caller ID of one's own", () => client.validationRequests.create({ phoneNumber: to }));
}

async function keys() {
  const made = await each([0, 1], (n) => client.newKeys.create({ friendlyName: `key ${n}` }));
  await pages("keys", client.keys, 1);
  const one = client.keys(made[0].sid);
  show("key", (await one.update({ friendlyName: "shop" })).friendlyName, (await one.fetch()).friendlyName);
  show("keys deleted", await each(made, ({ sid }) => client.keys(sid).remove()));
  await refused("a deleted key", () => one.fetch());
}

async function messages() {
  show("message created", (await client.messages.create({ to, from, body: "Hello" })).status);
  await refused("a message that says nothing", () => client.messages.create({ to, from }));
}

async function usage() {
  const { records } = client.usage;
  await pages("usage", records, 1);
  for (const name of ["allTime", "daily", "lastMonth", "monthly", "thisMonth", "today", "yearly", "yesterday"]) {
    // How many there are is the calendar's to say.
    await records[name].list({ pageSize: 1, limit: 2 });
  }
  await refused("usage of nothing", () => records.list({ category: "sms" }));
}

async function accounts() {
  const { accounts } = client.api;
  const made = await each([0, 1], (n) => accounts.create({ friendlyName: `child ${n}` }));
  await pages("accounts", accounts, 1);
  const one = accounts(made[0].sid);
  show("account", (await one.update({ friendlyName: "shop" })).friendlyName, (await one.fetch()).friendlyName);
  show("accounts closed", await each(made, async ({ sid }) => (await accounts(sid).update({ status: "closed" })).status));
  await refused("a foreign account", () => accounts(`AC${"9".repeat(32)}`).fetch());
}

await aCall();
await conferences();
await queues();
await applications();
await numbers();
await callerIds();
await keys();
await messages();
await usage();
await accounts();
show("requests", ...[...new Set(requests)].sort());
