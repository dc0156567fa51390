// The menu: 1 for sales, 2 for support. Asks up to three times, then says goodbye.
#include "call_flow.h"

#define MENU_WAITS_MS 5000

// What the bindings call jackfield_call_control_…
#define CONTROL(name) jackfield_call_control_##name
typedef CONTROL(call_error_t) call_error;

// Why a story ends early, if it does: a command was refused, or the call is over. What `run` gives back.
#define TRY(command)                                                                                                                                 \
    if (!(command)) return false

// Plays a prompt of the account's media folder.
static bool play(const char *file, uint32_t *playback, call_error *error) {
    CONTROL(media_source_t) source = {.tag = JACKFIELD_CALL_CONTROL_MEDIA_SOURCE_FILE};
    call_flow_string_set(&source.val.file, file);
    return CONTROL(play)(&source, 1, playback, error);
}

// Waits for the next event. False when the call is over; `*came` is false when the time was over first.
static bool next_event(uint32_t *timeout_ms, bool *came, CONTROL(event_t) * event, call_error *error) {
    *came = CONTROL(next_event)(timeout_ms, event);
    if (*came && event->tag == JACKFIELD_CALL_CONTROL_EVENT_HUNG_UP) {
        error->tag = JACKFIELD_CALL_CONTROL_CALL_ERROR_HUNG_UP;
        return false;
    }
    return true;
}

static bool has_ended(const CONTROL(event_t) * event, uint32_t playback) {
    return event->tag == JACKFIELD_CALL_CONTROL_EVENT_PLAYBACK_ENDED && event->val.playback_ended.f0 == playback;
}

static bool play_to_its_end(const char *file, call_error *error) {
    uint32_t playback;
    TRY(play(file, &playback, error));
    for (bool ended = false; !ended;) {
        CONTROL(event_t) event;
        bool came;
        TRY(next_event(NULL, &came, &event, error));
        ended = came && has_ended(&event, playback);
        if (came) CONTROL(event_free)(&event);
    }
    return true;
}

// Plays a question and gives the first key, which cuts it short; 0 when none came within 5 s of its end.
static bool ask(const char *file, uint32_t *key, call_error *error) {
    uint32_t playback, patience_ms = MENU_WAITS_MS, *timeout_ms = NULL;
    TRY(play(file, &playback, error));
    for (;;) {
        CONTROL(event_t) event;
        bool came;
        TRY(next_event(timeout_ms, &came, &event, error));
        *key = came && event.tag == JACKFIELD_CALL_CONTROL_EVENT_DIGIT ? event.val.digit : 0;
        if (*key != 0 && timeout_ms == NULL) return CONTROL(stop_playback)(playback, error);
        if (*key != 0 || !came) return true;
        if (has_ended(&event, playback)) timeout_ms = &patience_ms;
        CONTROL(event_free)(&event);
    }
}

bool exports_jackfield_call_story_run(call_error *error) {
    TRY(CONTROL(answer)(error));
    for (int asked = 0; asked < 3; asked++) {
        uint32_t key;
        TRY(ask("prompts/menu.wav", &key, error));
        const char *department = key == '1' ? "prompts/sales.wav" : key == '2' ? "prompts/support.wav" : NULL;
        if (department == NULL) continue;
        TRY(play_to_its_end(department, error));
        return CONTROL(hang_up)(error);
    }
    TRY(play_to_its_end("prompts/goodbye.wav", error));
    return CONTROL(hang_up)(error);
}
