// Sends texts with Twilio's helper library for Node, and prints what becomes of each as a line of JSON.
//
// messages.py does the same with the library for Python, and takes the same arguments.

import { createRequire } from "node:module";
import { parseArgs } from "node:util";

const [modules, base, accountSid, authToken, ...rest] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const twilio = require("twilio");

/** Sends what is meant for Twilio's host to `base`. */
class ElsewhereClient extends twilio.RequestClient {
  request(options) {
    return super.request({ ...options, uri: options.uri.replace("https://api.twilio.com", base) });
  }
}

const { values, positionals } = parseArgs({
  args: rest,
  allowPositionals: true,
  options: { from: { type: "string" }, to: { type: "string" }, "status-callback": { type: "string" } },
});
const client = twilio(accountSid, authToken, { httpClient: new ElsewhereClient({ timeout: 30_000 }) });
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
