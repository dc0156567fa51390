// Sends texts with Twilio's helper library for Node, and prints what becomes of each as a line of JSON.
//
// messages.py does the same with the library for Python, and takes the same arguments.

import { parseArgs } from "node:util";

import { elsewhere } from "./elsewhere.mjs";

const [modules, base, accountSid, authToken, ...rest] = process.argv.slice(2);
const { twilio, httpClient } = elsewhere(modules, base, 30_000);

const { values, positionals } = parseArgs({
  args: rest,
  allowPositionals: true,
  options: { from: { type: "string" }, to: { type: "string" }, "status-callback": { type: "string" } },
});
const client = twilio(accountSid, authToken, { httpClient });
for (const body of positionals) {
  try {
    const text = { to: values.to, from: values.from, body, statusCallback: values["status-callback"] };
    const message = await client.messages.create(text);
    const { sid, status, errorCode } = message;
    console.log(JSON.stringify({ sid, status, error_code: errorCode, body: message.body }));
  } catch (refusal) {
    if (!(refusal instanceof twilio.RestException)) throw refusal;
    console.log(JSON.stringify({ refused: refusal.status, code: refusal.code }));
  }
}
