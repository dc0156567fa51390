// Makes, lists, changes and deletes what an account has with Twilio's helper library for Node, and prints what it sees as lines of JSON.
//
// accounts.py takes the same steps with the library for Python.

import { elsewhere } from "./elsewhere.mjs";

const [modules, base, accountSid, authToken, poolNumber] = process.argv.slice(2);
const { twilio, httpClient } = elsewhere(modules, base);

const user = (name, secret, options = {}) =>
  twilio(name, secret, { ...options, httpClient });

const show = (step, ...values) => console.log(JSON.stringify({ step, values }));

async function refused(step, ask) {
  try {
    await ask();
  } catch (refusal) {
    if (!(refusal instanceof twilio.RestException)) throw refusal;
    return show(step, refusal.status, refusal.code);
  }
  show(step, "it was not refused");
}

const client = user(accountSid, authToken);

// Applications, over three pages.
const made = [];
for (let n = 0; n < 5; n++) {
  made.push(await client.applications.create({ friendlyName: `app ${n}`, voiceUrl: `http://a/${n}` }));
}
const names = (await client.applications.list({ pageSize: 2 })).map((one) => one.friendlyName);
show("applications", made.length, names.sort());
const one = await client.applications(made[0].sid).update({ voiceUrl: "http://b/", voiceMethod: "GET" });
show("application", one.friendlyName, one.voiceUrl, one.voiceMethod);
for (const application of made) {
  await client.applications(application.sid).remove();
}
show("no applications", (await client.applications.list()).length);
await refused("a deleted application", () => client.applications(made[0].sid).fetch());
await refused("a wrong URL", () => client.applications.create({ voiceUrl: "nonsense" }));

// A number out of the carrier's pool.
const shop = client.availablePhoneNumbers;
show("countries", (await shop.list()).map((one) => one.countryCode));
show("country", (await shop("US").fetch()).subresourceUris.local.endsWith("/US/Local.json"));
const free = await shop("US").local.list({ contains: poolNumber.slice(-7), areaCode: 500, voiceEnabled: true });
show("free numbers", free.map((one) => one.phoneNumber), free.map((one) => one.capabilities.voice));
show("free mobile numbers", (await shop("US").mobile.list()).length, (await shop("US").tollFree.list()).length);
await refused("numbers of no country", () => shop("ZZ").local.list());
let number = await client.incomingPhoneNumbers.create({ phoneNumber: poolNumber, voiceUrl: "http://a/" });
show("number", number.phoneNumber, number.voiceUrl, number.capabilities.voice);
number = await client.incomingPhoneNumbers(number.sid).update({ friendlyName: "desk", voiceUrl: "http://c/" });
show("changed number", number.friendlyName, number.voiceUrl);
const found = await client.incomingPhoneNumbers.list({ phoneNumber: poolNumber });
show("listed number", found.map((one) => one.sid === number.sid));
await refused("a taken number", () => client.incomingPhoneNumbers.create({ phoneNumber: poolNumber }));
show("free no more", (await shop("US").local.list()).length);
show("released", await client.incomingPhoneNumbers(number.sid).remove());
await refused("a released number", () => client.incomingPhoneNumbers(number.sid).fetch());
show("caller IDs", (await client.outgoingCallerIds.list()).length);

// A refusal of each family.
const to = poolNumber;
const from = poolNumber;
await refused("a call without a document", () => client.calls.create({ to, from }));
await refused("a call by nobody", () => client.calls.create({ to, from: "nobody", twiml: "x" }));
await refused("an unknown application", () => client.calls.create({ to, from, applicationSid: "AP1" }));
await refused("a wrong callback", () => client.calls.create({ to, from, twiml: "x", statusCallback: "a" }));
await refused("no such call", () => client.calls(`CA${"0".repeat(32)}`).update({ status: "completed" }));
await refused("a stream of no call", () => client.calls(`CA${"0".repeat(32)}`).streams.create({ url: "wss://a/" }));
await refused("no such conference", () => client.conferences(`CF${"0".repeat(32)}`).participants.list());
await refused("no such recording", () => client.recordings(`RE${"0".repeat(32)}`).remove());
const queue = await client.queues.create({ friendlyName: `queue of ${poolNumber}` });
await refused("a queue of the same name", () => client.queues.create({ friendlyName: queue.friendlyName }));
await refused("a queue for nobody", () => client.queues(queue.sid).update({ maxSize: 0 }));
await refused("unknown usage", () => client.usage.records.list({ category: "sms" }));
show("usage", (await client.usage.records.thisMonth.list()).length, (await client.usage.records.monthly.list()).length);

// Keys.
const key = await client.newKeys.create({ friendlyName: "shop" });
const byKey = user(key.sid, key.secret, { accountSid });
show("calls by key", (await byKey.calls.list({ limit: 1 })).length);
await refused("keys by key", () => byKey.keys.list());
show("renamed key", (await client.keys(key.sid).update({ friendlyName: "counter" })).friendlyName);
show("keys", (await client.keys.list()).map((one) => one.friendlyName));
await client.keys(key.sid).remove();
await refused("a deleted key", () => byKey.calls.list({ limit: 1 }));

// A subaccount.
const child = await client.api.accounts.create({ friendlyName: `child of ${poolNumber}` });
const byChild = user(child.sid, child.authToken);
show("subaccount", child.status, child.ownerAccountSid === accountSid);
show("accounts", (await client.api.accounts.list({ pageSize: 1 })).map((one) => one.status).sort());
show("own account", (await byChild.api.accounts(child.sid).fetch()).friendlyName === child.friendlyName);
show("its calls, by its parent", (await client.api.accounts(child.sid).calls.list()).length);
await refused("its parent, by itself", () => byChild.api.accounts(accountSid).fetch());
show("suspended", (await client.api.accounts(child.sid).update({ status: "suspended" })).status);
await refused("a suspended account", () => byChild.calls.list());
await client.api.accounts(child.sid).update({ status: "active" });

// Its tokens.
const second = (await byChild.accounts.v1.secondaryAuthToken().create()).secondaryAuthToken;
const promoted = await user(child.sid, second).accounts.v1.authTokenPromotion().update();
show("promoted", promoted.authToken === second);
await refused("the old token", () => byChild.calls.list());
show("closed", (await client.api.accounts(child.sid).update({ status: "closed" })).status);
