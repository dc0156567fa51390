"""The menu: 1 for sales, 2 for support. Asks up to three times, then says goodbye."""

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import control

MENU_WAITS_MS = 5_000
DEPARTMENTS = {"1": "prompts/sales.wav", "2": "prompts/support.wav"}


class Story(exports.Story):
    """What the interface `story` of the world `call-flow` is."""

    def run(self) -> None:
        """Runs one call. An `Err` that is raised here is the error that a command was refused with."""
        control.answer()
        for _ in range(3):
            department = DEPARTMENTS.get(ask("prompts/menu.wav"))
            if department is None:
                continue
            play_to_its_end(department)
            control.hang_up()
            return
        play_to_its_end("prompts/goodbye.wav")
        control.hang_up()


def ask(file: str) -> str | None:
    """Plays a question and gives the first key, which cuts it short; none when none came within 5 s of its end."""
    playback = play_file(file)
    timeout_ms = None
    while (event := next_event(timeout_ms)) is not None:
        if isinstance(event, control.Event_Digit):
            if timeout_ms is None:
                control.stop_playback(playback)
            return event.value
        if has_ended(event, playback):
            timeout_ms = MENU_WAITS_MS
    return None


def play_to_its_end(file: str) -> None:
    playback = play_file(file)
    while not has_ended(next_event(None), playback):
        pass


def play_file(file: str) -> int:
    """Plays a prompt of the account's media folder."""
    return control.play(control.MediaSource_File(file), 1)


def has_ended(event: control.Event | None, playback: int) -> bool:
    return isinstance(event, control.Event_PlaybackEnded) and event.value[0] == playback


def next_event(timeout_ms: int | None) -> control.Event | None:
    """The next event; none when the time was over first. The end of the call ends the story."""
    event = control.next_event(timeout_ms)
    if isinstance(event, control.Event_HungUp):
        raise Err(control.CallError_HungUp())
    return event
