#!/usr/bin/env python3
"""Makes the seeds of the media corpora: small files of each kind, whole and broken. Run it in this folder."""

import pathlib
import random
import struct

FILES = pathlib.Path("corpus/prompt_file")
PAYLOADS = pathlib.Path("corpus/codec_payload")


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wav(form, channels, rate, bits, data, extension=b"", block=None):
    block = block or channels * bits // 8
    head = struct.pack("<HHIIHH", form, channels, rate, rate * block, block, bits)
    if form != 1:
        head += struct.pack("<H", len(extension)) + extension
    body = b"WAVE" + chunk(b"fmt ", head) + chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def atom(name, data):
    return struct.pack(">I", 8 + len(data)) + name + data


def files():
    sound = bytes(random.randrange(256) for _ in range(320))
    yield "pcm-16", wav(1, 1, 8000, 16, sound)
    yield "pcm-8-stereo", wav(1, 2, 44100, 8, sound)
    yield "pcm-24", wav(1, 1, 48000, 24, sound[:318])
    yield "pcm-float", wav(3, 1, 16000, 32, bytes(320))
    yield "a-law", wav(6, 1, 8000, 8, sound)
    yield "mu-law", wav(7, 1, 8000, 8, sound)
    yield "adpcm-ima", wav(0x11, 1, 8000, 4, sound[:256], struct.pack("<H", 505), 256)
    yield "adpcm-ms", wav(2, 1, 8000, 4, sound[:256], struct.pack("<H", 500) + struct.pack("<H", 7) + bytes(28), 256)
    yield "gsm-610", wav(0x31, 1, 8000, 0, sound[:65], struct.pack("<H", 320), 65)
    yield "no-channels", wav(1, 0, 8000, 16, sound, block=2)
    yield "no-rate", wav(1, 1, 0, 16, sound)
    yield "many-channels", wav(1, 65535, 8000, 16, sound, block=2)
    yield "no-data", wav(1, 1, 8000, 16, b"")
    yield "endless-data", wav(1, 1, 8000, 16, sound)[:-324] + b"data\xff\xff\xff\xff" + sound
    yield "rf64", b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", struct.pack("<QQQI", 400, 320, 160, 0)) + wav(1, 1, 8000, 16, sound)[12:]
    yield "half-a-header", b"RIFF\x24\0\0\0WAVEfmt "
    yield "mp3-frames-of-zeros", (b"\xff\xfb\x90\xc4" + bytes(413)) * 4
    yield "mp3-free-rate", b"\xff\xfb\x00\xc4" + bytes(500)
    yield "id3-huge", b"ID3\x03\0\0\x7f\x7f\x7f\x7f" + bytes(64)
    yield "ogg-no-codec", b"OggS\0\x02" + bytes(8) + b"\1\0\0\0" + bytes(8) + b"\1\x1e\1vorbis" + bytes(23)
    yield "flac-no-frames", b"fLaC\x80\0\0\x22" + struct.pack(">HH", 4096, 4096) + bytes(6) + b"\x01\xf4\x00\xf0" + bytes(20)
    yield "flac-one-sample-blocks", b"fLaC\x80\0\0\x22" + struct.pack(">HH", 1, 1) + bytes(6) + b"\x01\xf4\x00\xf0" + bytes(20) + b"\xff\xf8\x69\x08" * 50
    yield "adts-frames-of-zeros", (b"\xff\xf1\x50\x40\x02\x1f\xfc" + bytes(9)) * 8
    yield "mp4-no-tracks", atom(b"ftyp", b"M4A \0\0\0\0M4A ") + atom(b"moov", atom(b"mvhd", bytes(100)))
    nested = b""
    for _ in range(64):
        nested = atom(b"moov", nested)
    yield "mp4-nested", atom(b"ftyp", b"M4A \0\0\0\0") + nested
    yield "mp4-atom-of-no-size", atom(b"ftyp", b"M4A \0\0\0\0") + b"\0\0\0\0moov\0\0\0\1free" + bytes(16)
    yield "mp4-atom-of-all-sizes", atom(b"ftyp", b"M4A \0\0\0\0") + b"\0\0\0\1mdat" + b"\xff" * 8 + bytes(32)
    yield "text", b"<html><body>404 Not Found</body></html>"
    yield "amr", b"#!AMR\n\x3c\x91\x17\x16\xbe\x66\x79\xe1\xe0\x01\xe7\xaf"


def payloads():
    for which, name in enumerate(["pcmu", "pcma", "g722", "opus"]):
        parts = [bytes(random.randrange(256) for _ in range(n)) for n in (80, 160, 240, 1, 0, 20, 255)]
        yield name, bytes([which]) + b"".join(bytes([len(part)]) + part for part in parts)
    # Opus: every configuration with every frame count, and lengths that lie.
    for code in range(4):
        parts = [bytes([config << 3 | code, 0x83, 200, 3, 1, 2, 3, 4]) for config in range(32)]
        yield f"opus-code-{code}", b"\3" + b"".join(bytes([len(part)]) + part for part in parts)
    yield "opus-no-audio", b"\3" + b"\1\x08" * 12
    yield "noise-of-all-levels", b"\0" + b"".join(bytes([4, level, 255, 0, 127]) for level in range(0, 256, 5))


def main():
    random.seed(4)
    for folder, seeds in ((FILES, files()), (PAYLOADS, payloads())):
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in seeds:
            (folder / name).write_bytes(data)


if __name__ == "__main__":
    main()
