// A tenant's web application that believes no request but those that Twilio's library for Node does.
//
// It prints its port, then of each request whether the library's validator takes it, as lines of JSON. webhook_app.py does the same with the
// library for Python.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createServer as createSecureServer } from "node:https";

const [modules, authToken, pagesJson, certificate, key] = process.argv.slice(2);
const { validateRequest, validateRequestWithBody } = createRequire(`${modules}/`)("twilio");
const pages = JSON.parse(pagesJson);
const scheme = certificate ? "https" : "http";
const FORM = "application/x-www-form-urlencoded";

/** A form as web frameworks have it: a name that comes several times has a list. */
function named(pairs) {
  const form = {};
  for (const [name, value] of pairs) {
    if (!(name in form)) form[name] = value;
    else form[name] = [form[name], value].flat();
  }
  return form;
}

async function answer(request, response) {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  const body = Buffer.concat(pieces).toString();
  const url = `${scheme}://${request.headers.host}${request.url}`;
  const isForm = (request.headers["content-type"] ?? "").startsWith(FORM);
  const pairs = isForm ? [...new URLSearchParams(body)] : [];
  const signature = request.headers["x-twilio-signature"] ?? "";
  const validate = (url) =>
    isForm || !body
      ? validateRequest(authToken, signature, url, named(pairs))
      : validateRequestWithBody(authToken, signature, url, body);
  const [path, query = ""] = request.url.split("?");
  const seen = {
    method: request.method,
    path,
    query,
    parameters: pairs,
    valid: validate(url),
    // With one character more of the URL nothing is.
    valid_elsewhere: validate(`${url}x`),
    authorization: request.headers.authorization ?? null,
  };
  console.log(JSON.stringify(seen));
  response.writeHead(path in pages ? 200 : 404, { "Content-Type": "text/xml" });
  response.end(pages[path] ?? "");
}

const server = certificate
  ? createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) }, answer)
  : createServer(answer);
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ ready: `${scheme}://127.0.0.1:${server.address().port}` })));
