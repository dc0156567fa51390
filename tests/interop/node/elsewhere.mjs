// Twilio's helper library for Node, speaking to a server that is not Twilio's: the documented way, through a request client of its own
// (https://www.twilio.com/docs/libraries/node/custom-http-client).

import { createRequire } from "node:module";

const HOSTS = ["https://api.twilio.com", "https://accounts.twilio.com"];

/** The library out of the folder `modules`, and a request client that sends what is meant for Twilio's hosts to `base`. */
export function elsewhere(modules, base, timeout = 10_000) {
  const twilio = createRequire(`${modules}/`)("twilio");
  class ElsewhereClient extends twilio.RequestClient {
    request(options) {
      const uri = HOSTS.reduce((uri, host) => uri.replace(host, base), options.uri);
      return super.request({ ...options, uri });
    }
  }
  return { twilio, httpClient: new ElsewhereClient({ timeout }) };
}
