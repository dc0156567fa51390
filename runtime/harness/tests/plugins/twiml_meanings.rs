//! What the TwiML component does with the elements and attributes that it takes, in words, for `docs/book/twiml-table.md`.

/// An element that is taken, by the elements around it.
pub(crate) struct Meaning {
    pub(crate) row: &'static str,
    /// What the element does here.
    pub(crate) does: &'static str,
    /// The attributes that do here what they do at Twilio.
    pub(crate) as_twilio: &'static str,
    /// The others, each with what it does here.
    pub(crate) own: &'static [(&'static str, &'static str)],
}

const AS_TWILIO: &str = "as Twilio";

const fn all(row: &'static str, as_twilio: &'static str) -> Meaning {
    meaning(row, AS_TWILIO, as_twilio, &[])
}

const fn meaning(
    row: &'static str,
    does: &'static str,
    as_twilio: &'static str,
    own: &'static [(&'static str, &'static str)],
) -> Meaning {
    Meaning {
        row,
        does,
        as_twilio,
        own,
    }
}

const PAUSE: &str = "as Twilio; as the first verb it delays the answer";
const PLAY: &[(&str, &str)] = &[("digits", "as Twilio, 64 at most, in place of a URL")];
const SAY: &[(&str, &str)] = &[
    (
        "language",
        "as Twilio, where a voice of the server speaks it; else the nearest one does, and the log says so",
    ),
    (
        "voice",
        "a voice of the server; another speaks in place of one that is not here, and the log says so",
    ),
];
const DETECTED: &str = "amdStatusCallback amdStatusCallbackMethod machineDetection machineDetectionSilenceTimeout machineDetectionSpeechEndThreshold machineDetectionSpeechThreshold machineDetectionTimeout method sendDigits statusCallback statusCallbackEvent statusCallbackMethod url";
const SIP: &str = "amdStatusCallback amdStatusCallbackMethod machineDetection machineDetectionSilenceTimeout machineDetectionSpeechEndThreshold machineDetectionSpeechThreshold machineDetectionTimeout method password statusCallback statusCallbackEvent statusCallbackMethod url username";

/// In the order of the page.
pub(crate) const MEANINGS: &[Meaning] = &[
    meaning(
        "Connect",
        "as Twilio, with `<Stream>`",
        "action method",
        &[],
    ),
    meaning(
        "Connect/Stream",
        "goes both ways, and the document waits until it ends, as at Twilio",
        "name statusCallback statusCallbackMethod track url",
        &[],
    ),
    all("Connect/Stream/Parameter", "name value"),
    meaning(
        "Dial",
        AS_TWILIO,
        "action answerOnBridge hangupOnStar method record recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod recordingTrack referMethod referUrl sequential trim",
        &[
            (
                "callerId",
                "as Twilio: a number of the account, or one of its caller IDs",
            ),
            (
                "ringTone",
                "as Twilio; of a country whose tone is not here there is a warning, and the usual one is heard",
            ),
            (
                "timeLimit",
                "as Twilio; a prompt that is heard while waiting for a conference is heard out first",
            ),
            ("timeout", "as Twilio, without the 5 s that are added there"),
        ],
    ),
    meaning(
        "Dial/Application",
        "as Twilio, of the same account",
        "copyParentTo customerId statusCallback statusCallbackEvent statusCallbackMethod",
        &[],
    ),
    all("Dial/Application/ApplicationSid", ""),
    all("Dial/Application/Parameter", "name value"),
    meaning(
        "Dial/Client",
        "a device of the account that has registered with one of its carrier's trunks",
        "method statusCallback statusCallbackEvent statusCallbackMethod url",
        &[],
    ),
    all("Dial/Client/Identity", ""),
    meaning(
        "Dial/Client/Parameter",
        "a header field `X-name` of the INVITE",
        "name value",
        &[],
    ),
    meaning(
        "Dial/Conference",
        AS_TWILIO,
        "beep coach endConferenceOnExit maxParticipants muted participantLabel record recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod startConferenceOnEnter statusCallback statusCallbackEvent statusCallbackMethod trim waitMethod waitUrl",
        &[(
            "eventCallbackUrl",
            "is told of the recording's end, where there is no `recordingStatusCallback`",
        )],
    ),
    all("Dial/Number", DETECTED),
    meaning(
        "Dial/Queue",
        "as Twilio: the one who waits there longest",
        "method url",
        &[],
    ),
    meaning(
        "Dial/Sip",
        "as Twilio, where a trunk of the carrier has that address or may call that host; `edge` is refused",
        SIP,
        &[],
    ),
    all("Dial/Sip/Headers", ""),
    meaning(
        "Dial/Sip/Headers/Header",
        "as Twilio, with a name that begins with `X-`, or `User-to-User`",
        "name value",
        &[],
    ),
    meaning(
        "Dial/Sip/Uri",
        "as Twilio: one after the other is tried",
        "password username",
        &[
            ("priority", "the smallest is tried first"),
            ("weight", "of one priority the greatest is tried first"),
        ],
    ),
    all("Echo", ""),
    all(
        "Enqueue",
        "action maxQueueSize method waitUrl waitUrlMethod",
    ),
    meaning(
        "Gather",
        "as Twilio; words are an answer where the server has a recogniser",
        "action actionOnEmptyResult bargeIn finishOnKey input method numDigits partialResultCallback partialResultCallbackMethod speechTimeout timeout",
        &[
            (
                "hints",
                "as Twilio, 500 of 100 characters; with PocketSphinx they are all that is understood",
            ),
            ("language", "one that a recogniser of the server knows"),
            ("maxSpeechTime", "as Twilio, 60 s at most"),
            (
                "profanityFilter",
                "handed to a recogniser that knows of it; PocketSphinx does not",
            ),
            (
                "speechModel",
                "handed to a recogniser that knows of it; PocketSphinx does not",
            ),
        ],
    ),
    all("Gather/Pause", "length"),
    meaning("Gather/Play", AS_TWILIO, "loop", PLAY),
    meaning("Gather/Say", AS_TWILIO, "loop", SAY),
    all("Hangup", ""),
    meaning(
        "Leave",
        "as Twilio: away from the queue, in a document of its `waitUrl`",
        "",
        &[],
    ),
    meaning("Pause", PAUSE, "length", &[]),
    meaning("Play", AS_TWILIO, "loop", PLAY),
    meaning(
        "Record",
        AS_TWILIO,
        "action finishOnKey maxLength method playBeep recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod timeout trim",
        &[],
    ),
    meaning(
        "Redirect",
        "as Twilio; `plugin:NAME` hands the call to a component",
        "method",
        &[],
    ),
    meaning(
        "Refer",
        "as Twilio, where the other side knows REFER",
        "action method",
        &[],
    ),
    all("Refer/Sip", ""),
    all("Reject", "reason"),
    meaning("Say", AS_TWILIO, "loop", SAY),
    meaning("Say/break", "as Twilio, at most 10 s", "strength time", &[]),
    meaning(
        "Say/emphasis",
        "slower and louder, or the reverse",
        "level",
        &[],
    ),
    meaning(
        "Say/lang",
        "as Twilio, by a voice of the server that speaks it",
        "xml:lang",
        &[],
    ),
    all("Say/p", ""),
    meaning(
        "Say/phoneme",
        "its text is spoken, and the log says so",
        "",
        &[
            ("alphabet", "the text is spoken, and the log says so"),
            ("ph", "the text is spoken, and the log says so"),
        ],
    ),
    meaning(
        "Say/prosody",
        AS_TWILIO,
        "volume",
        &[
            ("pitch", "by Flite, eSpeak NG and services that take it"),
            ("rate", "by Flite, eSpeak NG and services that take it"),
        ],
    ),
    all("Say/s", ""),
    meaning(
        "Say/say-as",
        "as Twilio in English; in Khmer, Lao and Somali numbers, amounts and days; else as the voice reads it",
        "format interpret-as",
        &[],
    ),
    all("Say/sub", "alias"),
    meaning("Say/w", "its text is spoken", "", &[]),
    meaning(
        "Sms",
        "as Twilio, over the account's connector",
        "action from method statusCallback to",
        &[],
    ),
    meaning(
        "Start",
        "as Twilio, with `<Stream>` and `<Recording>`",
        "",
        &[],
    ),
    all(
        "Start/Recording",
        "channels recordingStatusCallback recordingStatusCallbackEvent recordingStatusCallbackMethod track trim",
    ),
    all(
        "Start/Stream",
        "name statusCallback statusCallbackMethod track url",
    ),
    all("Start/Stream/Parameter", "name value"),
    meaning(
        "Stop",
        "as Twilio, with `<Stream>`; with `<Recording>` the latest one ends",
        "",
        &[],
    ),
    all("Stop/Stream", "name"),
];
