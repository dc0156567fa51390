// Makes build/component.wasm of flow.js: an engine for JavaScript with the flow in it.

import { mkdir, writeFile } from 'node:fs/promises';
import { componentize } from '@bytecodealliance/componentize-js';

const { component } = await componentize({
  sourcePath: 'flow.js',
  witPath: 'wit',
  worldName: 'call-flow',
  // HTTP is asked of the host, with `sendRequest`.
  disableFeatures: ['http', 'fetch-event'],
});
await mkdir('build', { recursive: true });
await writeFile('build/component.wasm', component);
