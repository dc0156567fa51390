// Begins or ends a media stream of a call with Twilio's helper library for Node, and prints what it sees as a line of JSON.
//
// live_streams.py does the same with the library for Python, and takes the same arguments.

import { parseArgs } from "node:util";

import { elsewhere } from "./elsewhere.mjs";

const [modules, base, accountSid, authToken, callSid, ...rest] = process.argv.slice(2);
const { twilio, httpClient } = elsewhere(modules, base);

const { values } = parseArgs({
  args: rest,
  options: { start: { type: "string" }, "status-callback": { type: "string" }, stop: { type: "string" } },
});
const client = twilio(accountSid, authToken, { httpClient });
const streams = client.calls(callSid).streams;

const begin = () =>
  streams.create({
    url: values.start,
    name: "ear",
    track: "both_tracks",
    statusCallback: values["status-callback"],
    "parameter1.name": "customer",
    "parameter1.value": "47 11",
  });

try {
  const stream = values.start ? await begin() : await streams(values.stop).update({ status: "stopped" });
  const { sid, name, status } = stream;
  console.log(JSON.stringify({ sid, name, status, call_sid: stream.callSid }));
} catch (refusal) {
  if (!(refusal instanceof twilio.RestException)) throw refusal;
  console.log(JSON.stringify({ refused: refusal.status, code: refusal.code }));
}
