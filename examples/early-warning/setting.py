"""Where the story plays: the server's two files, the prompts, who has which number and lives where."""

import shutil
import subprocess
import wave
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
OPERATORS = ["856202", "856205", "856207", "856209", "85630"]
CALLING_CODE = "856"
TOKEN = "early-warning-example-token"
ACCOUNT = "AC000000000000000000000000000000e1"
HOST, CALLERS = "127.0.0.1", "127.0.0.2"
OFFICIAL, PIN = "+8562099999999", "71930462"
WARNING = "flood-lao.wav"
# The districts that the water comes to; who lives in Attapeu (17) is not called.
FLOODED = {"14": ("1", 8), "16": ("2", 10)}
ELSEWHERE = {"17": ("3", 4)}
# Of each operator's channels, kept for who registers during the emergency; and some of the trunk's for who calls before the last one is gone.
RESERVED, SPARE = 1, 3
# Seconds for which the server keeps the channels of calls that a kill has ended.
LOST_CALL = 20
PROMPTS = {
    "introduction": "Welcome to the early warning line.",
    "select_province": "For Salavan, press 1. For Champasak, press 2. For Attapeu, press 3. Then press hash.",
    "14": "You chose Salavan. Please type the number of your district, then press hash.",
    "16": "You chose Champasak. Please type the number of your district, then press hash.",
    "17": "You chose Attapeu. Please type the number of your district, then press hash.",
    "registration_successful": "Thank you. You are registered.",
    "goodbye": "Please call again. Goodbye.",
}
RECORDER = {
    "pin": "Please type your PIN, then press hash.",
    "wrong_pin": "That is not the PIN.",
    "locked": "Too many PINs were wrong. Goodbye.",
    "goodbye": "Goodbye.",
    "record": "Please speak after the tone, and press hash.",
    "silence": "We have heard nothing.",
    "menu": "To keep this message, press 1. To record it again, press 2. To give up, press 3.",
    "kept": "The message is kept.",
    "nothing_kept": "No message was kept.",
    "failed": "The message could not be kept.",
}


def speak(text, file):
    """Spoken by eSpeak NG or Flite where one is installed, else a tone of a length that fits the text."""
    for command in (["espeak-ng", "-w", file, text], ["flite", "-t", text, "-o", file]):
        if shutil.which(command[0]) and subprocess.run(command, capture_output=True).returncode == 0:
            return
    with wave.open(str(file), "wb") as tone:
        tone.setparams((1, 2, 8000, 0, "NONE", ""))
        second = b"".join(int(8000 * (-1) ** (n // 10)).to_bytes(2, "little", signed=True) for n in range(8000))
        tone.writeframes(second * max(1, len(text) // 15))


def prompts(media):
    """Both lines' prompts; how many seconds the introduction takes."""
    line, recorder = media / "ews_laos_registration", media / "recorder"
    line.mkdir(parents=True)
    recorder.mkdir()
    for name, text in PROMPTS.items():
        # The reference's names end with mp3; what a file is, is told by what is in it.
        speak(text, line / f"{name}-lao.mp3")
    for name, text in RECORDER.items():
        speak(text, recorder / f"{name}.wav")
    with wave.open(str(line / "introduction-lao.mp3")) as introduction:
        return introduction.getnframes() / introduction.getframerate()


def configure(work, components, given):
    """Writes jackfield.toml and tenants.toml."""
    registration, recorder = components
    gazetteer = (ROOT / "examples/plugins/laos-registration/gazetteer.csv").read_text(encoding="utf-8")
    channels = ", ".join(f'"+{prefix}" = {given.channels}' for prefix in OPERATORS)
    reserved = ", ".join(f'"+{prefix}" = {RESERVED}' for prefix in OPERATORS)
    known = "\n".join(f'[[operator]]\ncountry = "LA"\nname = "{prefix}"\nprefixes = ["+{prefix}"]\n' for prefix in OPERATORS)
    all_channels = given.channels * len(OPERATORS)
    (work / "jackfield.toml").write_text(
        f'data_dir = "{work}/data"\n[limits]\nlost_call_s = {LOST_CALL}\n[sip]\nbind = "{HOST}:{given.sip}"\n[api]\nbind = "{HOST}:{given.api}"\n'
        f'[rtp]\nbind = "{HOST}"\nport_min = {given.rtp}\nport_max = {given.rtp + 4 * all_channels + 200}\n'
    )
    (work / "tenants.toml").write_text(
        f'''[[carrier]]
id = "demo"
name = "Demo Telecom"

# What progress is counted by. Theirs have names.
{known}
[[account]]
carrier = "demo"
name = "warnings"
sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
media_dir = "media"
grants = {{ people = true, media = true, secrets = ["message-pin"] }}
secrets = {{ message-pin = "{PIN}" }}
outbound.allow = ["+856"]
outbound.max_channels = {all_channels + 50}
outbound.calls_per_second = {given.rate}
outbound.highest_priority = "emergency"

# The aggregator: one trunk, behind which are the lines of five operators, for calls out and in.
[[trunk]]
id = "aggregator"
carrier = "demo"
sources = ["{HOST}", "{CALLERS}"]
targets = ["{HOST}:{given.aggregator}"]
numbers.country = "LA"
max_channels = {all_channels}
calls_per_second = {given.rate}
channels_by_prefix = {{ {channels} }}
reserved_by_prefix = {{ {reserved} }}
reserved_for_inbound = {RESERVED * len(OPERATORS) + SPARE}

[[component]]
account = "warnings"
name = "laos-registration"
file = "{registration}"

[[component]]
account = "warnings"
name = "message-recorder"
file = "{recorder}"

[[number]]
number = "1294"
account = "warnings"
flow = "laos-registration"
settings.gazetteer = """
{gazetteer}"""

# Where the officials record what is said.
[[number]]
number = "1295"
account = "warnings"
flow = "message-recorder"
settings = {{ message = "flood", languages = "lao", prompts = "recorder" }}
''',
        encoding="utf-8",
    )


def numbers(count):
    """Spread over the operators, each with all that people do."""
    for index in range(count):
        prefix = OPERATORS[index % len(OPERATORS)]
        hundreds, last = divmod(index // len(OPERATORS), 100)
        # The last two digits tell what somebody does: not by turns, but each once in a hundred.
        yield f"+{prefix}{hundreds * 100 + last * 37 % 100:0{13 - len(prefix)}}"


def district(index, provinces):
    """A district of these provinces by turns: its keys and its code."""
    turn, which = divmod(index, len(provinces))
    province, (key, districts) = list(provinces.items())[which]
    place = turn % districts + 1
    return f"{key}#{place}#", f"{province}{place:02}"
