"""Sound as this example needs it: G.711 (PCMU, 8 kHz), what is loud in it, and whether one sound is in another."""

import math
import re
import struct
import wave
from bisect import bisect_left

RATE = 8000  # samples a second
FRAME = 160  # samples of a packet, 20 ms
PIECE = 800  # samples that are looked for as one, 100 ms
LOUD = 1500  # of 32,767


def _linear(code):
    """A code of PCMU as a sample of 16 bits (ITU-T G.711)."""
    code = ~code & 0xFF
    magnitude = (((code & 15) << 3) + 0x84 << (code >> 4 & 7)) - 0x84
    return -magnitude if code & 0x80 else magnitude


LINEAR = [_linear(code) for code in range(256)]
BYTES = [struct.pack("<h", sample) for sample in LINEAR]
CODES = sorted((sample, code) for code, sample in enumerate(LINEAR))
QUIET = bytes(code for code, sample in enumerate(LINEAR) if abs(sample) < 300)


def _samples(sound):
    return struct.unpack(f"<{len(sound) // 2}h", sound)


def encode(samples):
    """Samples of 16 bits as PCMU."""
    values = [sample for sample, _ in CODES]
    return bytes(CODES[min(bisect_left(values, sample), 255)][1] for sample in samples)


def decode(payload):
    """PCMU as samples of 16 bits, little-endian."""
    return b"".join(BYTES[code] for code in payload)


def is_loud(payload):
    """Whether a quarter of some PCMU is no silence."""
    return 4 * len(payload.translate(None, QUIET)) > len(payload)


def voice(seconds):
    """What is said, as PCMU: a tone of its own for each tenth of a second, so that each can be found again."""
    state, phase, samples = 1, 0.0, []
    for _ in range(round(seconds * 10)):
        state = (state * 1664525 + 1013904223) % (1 << 32)
        step = (300 + (state >> 8) % 2700) / RATE * math.tau
        for _ in range(RATE // 10):
            phase += step
            samples.append(round(8000 * math.sin(phase)))
    return encode(samples)


def loud_part(file):
    """A WAV file from its first loud frame to its last, as samples of 16 bits."""
    with wave.open(str(file)) as sound:
        if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE):
            raise SystemExit(f"{file} is not what a telephone sounds like: {sound.getparams()}")
        samples = sound.readframes(sound.getnframes())
    size = 2 * FRAME
    frames = [samples[at : at + size] for at in range(0, len(samples), size)]
    loud = [index for index, frame in enumerate(frames) if max(map(abs, _samples(frame))) >= 300]
    return b"".join(frames[loud[0] : loud[-1] + 1]) if loud else b""


def found(part, whole):
    """How many of a hundred pieces of a sound are in another: by the signs of those samples that are loud enough to keep theirs through a codec."""
    sign = lambda sample: "+" if sample > 0 else "-"
    heard = "".join(map(sign, _samples(whole)))
    samples = _samples(part)
    pieces = [samples[at : at + PIECE] for at in range(0, len(samples) - PIECE + 1, PIECE)]
    is_heard = lambda piece: re.search("".join(re.escape(sign(sample)) if abs(sample) > LOUD else "." for sample in piece), heard)
    return 100 * sum(1 for piece in pieces if is_heard(piece)) // max(1, len(pieces))
