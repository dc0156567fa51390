// The menu: 1 for sales, 2 for support. Asks up to three times, then says goodbye.

import { answer, hangUp, nextEvent, play, stopPlayback } from 'jackfield:call/control@0.1.0';

const MENU_WAITS_MS = 5_000;
const DEPARTMENTS = new Map([
  ['1', 'prompts/sales.wav'],
  ['2', 'prompts/support.wav'],
]);

// What the interface `story` of the world `call-flow` is. What is thrown here is the call-error that a command was refused with.
export const story = {
  run() {
    answer();
    for (let asked = 0; asked < 3; asked++) {
      const department = DEPARTMENTS.get(ask('prompts/menu.wav'));
      if (department === undefined) continue;
      playToItsEnd(department);
      return hangUp();
    }
    playToItsEnd('prompts/goodbye.wav');
    hangUp();
  },
};

/** Plays a question and gives the first key, which cuts it short; nothing when none came within 5 s of its end. */
function ask(file) {
  const playback = playFile(file);
  let timeoutMs;
  for (;;) {
    const event = next(timeoutMs);
    if (event === undefined) return undefined;
    if (event.tag === 'digit') {
      if (timeoutMs === undefined) stopPlayback(playback);
      return event.val;
    }
    if (hasEnded(event, playback)) timeoutMs = MENU_WAITS_MS;
  }
}

function playToItsEnd(file) {
  const playback = playFile(file);
  while (!hasEnded(next(), playback));
}

/** Plays a prompt of the account's media folder. */
function playFile(file) {
  return play({ tag: 'file', val: file }, 1);
}

function hasEnded(event, playback) {
  return event.tag === 'playback-ended' && event.val[0] === playback;
}

/** The next event; nothing when the time was over first. The end of the call ends the story. */
function next(timeoutMs) {
  const event = nextEvent(timeoutMs);
  if (event?.tag === 'hung-up') throw { tag: 'hung-up' };
  return event;
}
