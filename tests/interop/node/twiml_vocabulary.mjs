// Writes every verb, noun and attribute of TwiML that Twilio's library for Node knows, in the form of ../python/twiml_vocabulary.py.
// `tests/vectors/twiml-vocabulary-node.txt` is what this prints. Elements are asked of the library; its types alone know the attributes.
//
// usage: twiml_vocabulary.mjs NODE_MODULES

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const folder = `${process.argv[2]}/twilio`;
const require = createRequire(resolve(folder, "index.js"));
const VoiceResponse = require("twilio/lib/twiml/VoiceResponse.js");
const types = readFileSync(`${folder}/lib/twiml/VoiceResponse.d.ts`, "utf8").replace(/\/\*[^]*?\*\//g, "");

// An interface that is declared several times is all of them together.
const interfaces = {};
for (const [, name, body] of types.matchAll(/export interface (\w+) \{([^}]*)\}/g)) {
  const names = [...body.matchAll(/^\s*"?([\w:-]+)"?\??:/gm)].map(([, attribute]) => attribute);
  interfaces[name] = [...new Set([...(interfaces[name] ?? []), ...names])];
}

// What the methods of each class take as attributes.
const attributesOf = {};
for (const [, name, body] of types.matchAll(/class (\w+) extends TwiML \{([^]*?)\n {0,4}\}/g)) {
  for (const [, method, type] of body.matchAll(/(\w+)\(attributes\??: (?:VoiceResponse\.)?(\w+)/g)) {
    attributesOf[`${name}.${method}`] = interfaces[type] ?? [];
  }
}

const seen = new Map();

function walk(parent, path) {
  const kind = parent.constructor;
  for (const method of Object.getOwnPropertyNames(kind.prototype)) {
    const attributes = attributesOf[`${kind.name}.${method}`];
    if (!attributes) continue;
    const child = parent[method]({}, "x");
    const name = child[child._propertyName].name;
    const row = [...path, name].join("/");
    const isSsml = child.constructor.name.startsWith("Ssml");
    if (seen.has(row) || (isSsml && path.join("/") !== "Response/Say")) continue;
    seen.set(row, [...attributes].sort());
    if (!isSsml && !path.includes(name)) walk(child, [...path, name]);
  }
}

walk(new VoiceResponse(), ["Response"]);
console.log(`# twilio ${require("twilio/package.json").version} for Node`);
for (const row of [...seen.keys()].sort()) {
  console.log([row, ...seen.get(row)].join(" "));
}
