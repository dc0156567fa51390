// Runs Flite's WebAssembly module with the WASI of Node: node flite.mjs FLITE.WASM [flite's arguments].
// Paths among the arguments are relative to the working directory, the only folder it sees.
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [wasm, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: ["flite", ...args],
  preopens: { ".": process.cwd() },
});
const module = await WebAssembly.compile(await readFile(wasm));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
