mod speech_input;
mod vocabulary;

use jackfield_guest::Digits;

use super::*;
use crate::parse::parse;

fn read_inner(inner: &str) -> (Vec<Verb>, Vec<String>) {
    let document = format!("<Response>{inner}</Response>");
    let (verbs, warnings) = read(&parse(document.as_bytes()).unwrap()).unwrap();
    (verbs, warnings.iter().map(ToString::to_string).collect())
}

/// One verb, and what is odd about it.
#[track_caller]
pub(super) fn check(inner: &str, expected: Verb, warnings: &[&str]) {
    let (verbs, warned) = read_inner(inner);
    assert_eq!(verbs, [expected], "{inner}");
    assert_eq!(warned, warnings, "{inner}");
}

/// No verb at all, but a warning.
#[track_caller]
pub(super) fn check_ignored(inner: &str, warnings: &[&str]) {
    let (verbs, warned) = read_inner(inner);
    assert_eq!(verbs, [], "{inner}");
    assert_eq!(warned, warnings, "{inner}");
}

fn say(speech: impl Into<Speech>, loops: u32) -> Verb {
    Verb::Prompt(Prompt::Say {
        speech: speech.into(),
        loops,
    })
}

fn play(url: &str, loops: u32) -> Verb {
    Verb::Prompt(Prompt::Play {
        url: url.to_owned(),
        loops,
    })
}

fn pause(seconds: u64) -> Verb {
    Verb::Prompt(Prompt::Pause(Duration::from_secs(seconds)))
}

fn link(url: &str, method: HttpMethod) -> Link {
    Link {
        url: url.to_owned(),
        method,
    }
}

fn gather() -> Gather {
    Gather {
        prompts: Vec::new(),
        action: link("", HttpMethod::Post),
        timeout: Duration::from_secs(5),
        digits: Digits::any().until('#'),
        speech: None,
        action_on_empty_result: false,
        barge_in: true,
    }
}

#[test]
fn the_root_is_a_response() {
    for (document, code) in [
        ("<Say/>", 12102),
        ("<response/>", 12102),
        ("<html><body/></html>", 12102),
    ] {
        assert_eq!(
            read(&parse(document.as_bytes()).unwrap()).unwrap_err().code,
            code,
            "{document}"
        );
    }
    assert_eq!(read_inner(""), (vec![], vec![]));
    check_ignored(" hello ", &["12200 text outside of a verb is ignored"]);
    let root = parse(b"<Response xmlns:xsi='x' xsi:a='b' xmlns='c' version='1'/>").unwrap();
    let (_, warnings) = read(&root).unwrap();
    assert_eq!(
        warnings,
        [Fault::new(
            12200,
            "Response: the attribute version is unknown"
        )]
    );
}

#[test]
fn reads_say() {
    check("<Say>Hi</Say>", say("Hi", 1), &[]);
    check(
        "<Say>\n  Hi,\n  you \t there </Say>",
        say("Hi, you there", 1),
        &[],
    );
    check("<Say loop='3'>Hi</Say>", say("Hi", 3), &[]);
    check("<Say loop='0'>Hi</Say>", say("Hi", 1_000), &[]);
    check("<Say loop='1000'>Hi</Say>", say("Hi", 1_000), &[]);
    for odd in ["1001", "-1", "x", "", "1.5"] {
        let warning = format!("13510 Say: invalid loop {odd:?}: the default is used");
        check(
            &format!("<Say loop='{odd}'>Hi</Say>"),
            say("Hi", 1),
            &[&warning],
        );
    }
    check(
        "<Say Loop='3'>Hi</Say>",
        say("Hi", 1),
        &["12200 Say: the attribute Loop is unknown"],
    );
    check_ignored("<Say/>", &["13520 Say: there is no text in it"]);
    check_ignored(
        "<Say> <!-- x --> </Say>",
        &["13520 Say: there is no text in it"],
    );
}

#[test]
fn say_with_a_voice() {
    let rows = [
        ("man", Some("man")),
        ("alice", Some("alice")),
        ("Polly.Joanna-Neural", Some("Polly.Joanna-Neural")),
        ("Google.en-US-Wavenet-A", Some("Google.en-US-Wavenet-A")),
        ("Basic.Kal", Some("kal")),
        ("rms", Some("rms")),
    ];
    for (voice, expected) in rows {
        let speech = Speech {
            voice: expected.map(str::to_owned),
            ..Speech::new("Hi")
        };
        check(
            &format!("<Say voice='{voice}'>Hi</Say>"),
            say(speech, 1),
            &[],
        );
    }
    check(
        "<Say voice=''>Hi</Say>",
        say("Hi", 1),
        &["13511 Say: invalid voice \"\": the default is used"],
    );
    check(
        "<Say language='km-KH'>Hi</Say>",
        say(Speech::new("Hi").language("km-KH"), 1),
        &[],
    );
    for odd in ["english (us)", "en_US", "", "en-"] {
        let warning = format!("13512 Say: invalid language {odd:?}: the default is used");
        check(
            &format!("<Say language='{odd}'>Hi</Say>"),
            say("Hi", 1),
            &[&warning],
        );
    }
}

#[test]
fn say_with_ssml() {
    let unknown = "12200 <b> in <Say> is no SSML";
    for (inside, expected, warnings) in [
        (
            "One<break time='1s'/>two",
            "One<break time=\"1s\"></break>two",
            &[][..],
        ),
        (
            "\n  <p>A\n <emphasis level='strong'>b</emphasis> </p>\n<p>c</p> ",
            "<p>A <emphasis level=\"strong\">b</emphasis> </p> <p>c</p>",
            &[],
        ),
        (
            "The <sub alias='World &quot;Wide&quot; Web'>WWW</sub>",
            "The <sub alias=\"World &quot;Wide&quot; Web\">WWW</sub>",
            &[],
        ),
        (
            "<say-as interpret-as='date' format='dmy'>1/2/26</say-as> &lt;b&gt; &amp;amp;",
            "<say-as interpret-as=\"date\" format=\"dmy\">1/2/26</say-as> &lt;b&gt; &amp;amp;",
            &[],
        ),
        (
            "<prosody rate='slow'><lang xml:lang='fr-FR'>oui</lang></prosody>",
            "<prosody rate=\"slow\"><lang xml:lang=\"fr-FR\">oui</lang></prosody>",
            &[],
        ),
        ("a<b>c</b>d", "a c d", &[unknown]),
        (
            "<break time='1s' lenght='2'/>",
            "<break time=\"1s\"></break>",
            &["12200 break: the attribute lenght is unknown"],
        ),
        ("&lt;speak&gt;x", "&lt;speak&gt;x", &[]),
        (
            "<![CDATA[<speak>x</speak>]]>",
            "&lt;speak&gt;x&lt;/speak&gt;",
            &[],
        ),
    ] {
        let speech = format!("<speak>{expected}</speak>");
        check(
            &format!("<Say>{inside}</Say>"),
            say(speech.as_str(), 1),
            warnings,
        );
    }
    let nothing = "13520 Say: there is no text in it";
    check_ignored("<Say><p> </p></Say>", &[nothing]);
    check_ignored("<Say><b/></Say>", &[unknown, nothing]);
}

#[test]
fn say_too_much() {
    let cut = "13521 Say: only the first 4096 characters are spoken";
    let long = "é".repeat(4_096);
    check(&format!("<Say>{long}</Say>"), say(long.as_str(), 1), &[]);
    check(
        &format!("<Say>{long}x</Say>"),
        say(long.as_str(), 1),
        &[cut],
    );
    let ssml = format!("<speak><s>{long}</s></speak>");
    check(
        &format!("<Say><s>{long}</s></Say>"),
        say(ssml.as_str(), 1),
        &[],
    );
    check(
        &format!("<Say><s>{long}<w>&lt;</w></s></Say>"),
        {
            let ssml = format!("<speak><s>{long}<w></w></s></speak>");
            say(ssml.as_str(), 1)
        },
        &[cut],
    );
}

#[test]
fn reads_play() {
    check("<Play>a.wav</Play>", play("a.wav", 1), &[]);
    check(
        "<Play>\n http://a/b.mp3?x=1&amp;y=2 \n</Play>",
        play("http://a/b.mp3?x=1&y=2", 1),
        &[],
    );
    check("<Play loop='0'>a.wav</Play>", play("a.wav", 1_000), &[]);
    let warning = "13410 Play: invalid loop \"twice\": the default is used";
    check(
        "<Play loop='twice'>a.wav</Play>",
        play("a.wav", 1),
        &[warning],
    );
    let keys = |keys: &str| Verb::Prompt(Prompt::Keys(keys.to_owned()));
    check("<Play digits='W1w2AD*#'/>", keys("W1w2AD*#"), &[]);
    check("<Play digits='12'>a.wav</Play>", keys("12"), &[]);
    for wrong in ["", "1,2", "e", &"1".repeat(65)] {
        let warning = format!(
            "13430 Play: invalid digits {wrong:?}: none are sent; give 1 to 64 of 0-9, A-D, *, #, w, W"
        );
        check_ignored(&format!("<Play digits='{wrong}'/>"), &[&warning]);
    }
    check_ignored("<Play/>", &["12200 Play: there is no URL in it"]);
    check(
        "<Play>a<b/></Play>",
        play("a", 1),
        &["12200 <b> in <Play> is ignored"],
    );
}

#[test]
fn reads_pause() {
    check("<Pause/>", pause(1), &[]);
    check("<Pause length='10'/>", pause(10), &[]);
    check("<Pause length=' 10 '/>", pause(10), &[]);
    for odd in ["0", "-1", "1.5", "long", ""] {
        let warning = format!("13910 Pause: invalid length {odd:?}: the default is used");
        check(&format!("<Pause length='{odd}'/>"), pause(1), &[&warning]);
    }
}

#[test]
fn reads_redirect() {
    let redirect = |url, method| Verb::Redirect(link(url, method));
    check(
        "<Redirect>../b</Redirect>",
        redirect("../b", HttpMethod::Post),
        &[],
    );
    check(
        "<Redirect method='GET'> b </Redirect>",
        redirect("b", HttpMethod::Get),
        &[],
    );
    check(
        "<Redirect method='get'>b</Redirect>",
        redirect("b", HttpMethod::Get),
        &[],
    );
    check("<Redirect/>", redirect("", HttpMethod::Post), &[]);
    let warning = "13710 Redirect: invalid method \"PUT\": the default is used";
    check(
        "<Redirect method='PUT'>b</Redirect>",
        redirect("b", HttpMethod::Post),
        &[warning],
    );
}

#[test]
fn reads_ends() {
    check("<Hangup/>", Verb::Hangup, &[]);
    check(
        "<Hangup reason='x'/>",
        Verb::Hangup,
        &["12200 Hangup: the attribute reason is unknown"],
    );
    check("<Reject/>", Verb::Reject(RejectReason::Declined), &[]);
    check(
        "<Reject reason='rejected'/>",
        Verb::Reject(RejectReason::Declined),
        &[],
    );
    check(
        "<Reject reason='busy'/>",
        Verb::Reject(RejectReason::Busy),
        &[],
    );
    let warning = "13810 Reject: invalid reason \"Busy\": the default is used";
    check(
        "<Reject reason='Busy'/>",
        Verb::Reject(RejectReason::Declined),
        &[warning],
    );
}

#[test]
fn gather_with_its_defaults_and_options() {
    let verb = |gather| Verb::Gather(gather);
    check("<Gather/>", verb(gather()), &[]);
    check("<Gather input='dtmf'/>", verb(gather()), &[]);
    let action = link("/a?b=1", HttpMethod::Get);
    check(
        "<Gather action='/a?b=1' method='GET'/>",
        verb(Gather { action, ..gather() }),
        &[],
    );
    let timeout = Duration::from_secs(10);
    check(
        "<Gather timeout='10'/>",
        verb(Gather {
            timeout,
            ..gather()
        }),
        &[],
    );
    let keys = |digits| verb(Gather { digits, ..gather() });
    check(
        "<Gather numDigits='4'/>",
        keys(Digits::up_to(4).until('#')),
        &[],
    );
    check("<Gather finishOnKey=''/>", keys(Digits::any()), &[]);
    check(
        "<Gather finishOnKey='*'/>",
        keys(Digits::any().until('*')),
        &[],
    );
    check(
        "<Gather finishOnKey='1*'/>",
        keys(Digits::any().until('1').until('*')),
        &[],
    );
    check(
        "<Gather numDigits='1' finishOnKey=''/>",
        keys(Digits::up_to(1)),
        &[],
    );
    let action_on_empty_result = true;
    let expected = verb(Gather {
        action_on_empty_result,
        ..gather()
    });
    check("<Gather actionOnEmptyResult='true'/>", expected, &[]);
    check(
        "<Gather bargeIn='false'/>",
        verb(Gather {
            barge_in: false,
            ..gather()
        }),
        &[],
    );
    check(
        "<Gather hints='a,b' speechTimeout='auto' language='en-US'/>",
        verb(gather()),
        &[],
    );
}

#[test]
fn gather_with_values_that_do_not_fit() {
    let rows = [
        ("timeout", "auto", 13313),
        ("timeout", "0", 13313),
        ("timeout", "-5", 13313),
        ("numDigits", "0", 13314),
        ("numDigits", "four", 13314),
        ("finishOnKey", "#A", 13310),
        ("finishOnKey", "hash", 13310),
        ("method", "DELETE", 13312),
        ("actionOnEmptyResult", "yes", 13338),
        ("bargeIn", "1", 13332),
        ("input", "voice", 13326),
        ("input", "", 13326),
    ];
    for (name, value, code) in rows {
        let warning = format!("{code} Gather: invalid {name} {value:?}: the default is used");
        check(
            &format!("<Gather {name}='{value}'/>"),
            Verb::Gather(gather()),
            &[&warning],
        );
    }
    check(
        "<Gather numdigits='1'/>",
        Verb::Gather(gather()),
        &["12200 Gather: the attribute numdigits is unknown"],
    );
}

#[test]
fn gather_holds_prompts_and_nothing_else() {
    let prompts = |prompts: Vec<Verb>| {
        let prompts = prompts.into_iter().map(|verb| match verb {
            Verb::Prompt(prompt) => prompt,
            other => panic!("{other:?} is no prompt"),
        });
        Verb::Gather(Gather {
            prompts: prompts.collect(),
            ..gather()
        })
    };
    check(
        "<Gather><Say loop='2'>Hi</Say><Pause/><Play>a</Play></Gather>",
        prompts(vec![say("Hi", 2), pause(1), play("a", 1)]),
        &[],
    );
    check(
        "<Gather>press<Say>Hi</Say><Redirect>b</Redirect><Gather/><Say/></Gather>",
        prompts(vec![say("Hi", 1)]),
        &[
            "12200 Gather: text outside of a verb is ignored",
            "13320 Gather: <Redirect> cannot be in it, and is ignored",
            "13320 Gather: <Gather> cannot be in it, and is ignored",
            "13520 Say: there is no text in it",
        ],
    );
}

#[test]
fn verbs_that_are_not_there_are_kept_and_others_ignored() {
    for name in UNSUPPORTED {
        check(
            &format!("<{name} to='x'>y</{name}>"),
            Verb::Unsupported(name.to_owned()),
            &[],
        );
    }
    for name in ["say", "Foo", "tw:Say", "Number"] {
        check_ignored(
            &format!("<{name}>x</{name}>"),
            &[&format!("12200 <{name}> is not a verb, and is ignored")],
        );
    }
}

/// The verbs of a document, and the codes of what is odd about them.
fn verbs_and_codes(twiml: &str) -> (Vec<Verb>, Vec<u16>) {
    let document = format!("<Response>{twiml}</Response>");
    let (verbs, warnings) = read(&crate::parse::parse(document.as_bytes()).unwrap()).unwrap();
    (verbs, warnings.iter().map(|warning| warning.code).collect())
}

fn conference(twiml: &str) -> (jackfield_guest::ConferenceOptions, Wait, Vec<u16>) {
    let (verbs, codes) = verbs_and_codes(&format!("<Dial>{twiml}</Dial>"));
    let [Verb::Room(RoomDial { room, .. })] = &verbs[..] else {
        panic!("{verbs:?}");
    };
    let Room::Conference { options, wait, .. } = room else {
        panic!("{room:?}");
    };
    ((**options).clone(), wait.clone(), codes)
}

#[test]
fn a_conference_is_recorded_as_its_attributes_say() {
    use jackfield_guest::{ConferenceTerms, RecordingTurn};
    let terms = |attributes: &str| {
        let twiml = format!("<Dial><Conference {attributes}>a</Conference></Dial>");
        let (verbs, codes) = verbs_and_codes(&twiml);
        let [
            Verb::Room(RoomDial {
                room: Room::Conference { terms, .. },
                ..
            }),
        ] = &verbs[..]
        else {
            panic!("{verbs:?}");
        };
        ((**terms).clone(), codes)
    };
    let nothing = ConferenceTerms::default();
    for attributes in [
        "record='do-not-record'",
        "trim='trim-silence' recordingStatusCallback='/r'",
        "statusCallbackEvent='speaker'",
    ] {
        assert_eq!(terms(attributes), (nothing.clone(), vec![]), "{attributes}");
    }
    assert_eq!(terms("record='yes'"), (nothing.clone(), vec![12_200]));
    let trimmed = ConferenceTerms::default().recorded(None);
    assert_eq!(terms("record='record-from-start'"), (trimmed, vec![]));
    let (told, codes) = terms(
        "record='true' trim='do-not-trim' recordingStatusCallback='/r' recordingStatusCallbackEvent='in-progress absent' \
         eventCallbackUrl='/e'",
    );
    assert_eq!(codes, [0; 0]);
    let recording = told.recording.unwrap();
    assert!(!recording.trim_silence);
    let callback = recording.status_callback.unwrap();
    assert_eq!(callback.to.url, "/r");
    assert_eq!(
        callback.turns,
        [RecordingTurn::InProgress, RecordingTurn::Absent]
    );
    let (earlier, _) = terms("record='record-from-start' eventCallbackUrl='/e'");
    let callback = earlier.recording.unwrap().status_callback.unwrap();
    assert_eq!(
        (&*callback.to.url, &callback.turns[..]),
        ("/e", &[RecordingTurn::Completed][..])
    );
    let (speakers, codes) = terms("statusCallback='/told' statusCallbackEvent='speaker'");
    assert!(speakers.speakers);
    assert_eq!(codes, [0; 0]);
}

#[test]
fn a_conference_is_as_its_attributes_say() {
    use jackfield_guest::{Beep, ConferenceOptions, WaitSound};
    let (options, wait, codes) = conference("<Conference>weekly</Conference>");
    assert_eq!((options, wait), (ConferenceOptions::default(), Wait::Music));
    assert_eq!(codes, [0; 0]);
    let (options, wait, codes) = conference(
        "<Conference muted='true' beep='onExit' startConferenceOnEnter='false' endConferenceOnExit='true' \
         waitUrl='' maxParticipants='5' coach='CA1' participantLabel='chair'>weekly</Conference>",
    );
    let expected = ConferenceOptions {
        muted: true,
        beep: Beep::OnExit,
        start_on_enter: false,
        end_on_exit: true,
        wait_sound: WaitSound::Silence,
        coach: Some("CA1".to_owned()),
        max_participants: Some(5),
        label: Some("chair".to_owned()),
        status_callback: None,
    };
    assert_eq!((options, wait), (expected, Wait::Silence));
    assert_eq!(codes, [0; 0]);
}

#[test]
fn who_is_told_of_a_conference_is_told_of_its_two_ends_unless_more_is_said() {
    use jackfield_guest::ConferenceTopic::{End, Join, Leave, Start};
    for (attributes, topics) in [
        ("", vec![Start, End]),
        ("statusCallbackEvent='join leave join'", vec![Join, Leave]),
    ] {
        let (options, _, codes) = conference(&format!(
            "<Conference statusCallback=' /told ' statusCallbackMethod='GET' {attributes}>a</Conference>"
        ));
        let callback = options.status_callback.unwrap();
        assert_eq!(callback.topics, topics, "{attributes}");
        assert_eq!(callback.to.url, "/told");
        assert_eq!(callback.to.method, jackfield_guest::HttpMethod::Get);
        assert_eq!(codes, [0; 0]);
    }
}

#[test]
fn what_is_odd_about_a_conference_is_warned_of_and_left_out() {
    for (attributes, code) in [
        ("muted='yes'", 13230),
        ("endConferenceOnExit='1'", 13231),
        ("startConferenceOnEnter='no'", 13232),
        ("waitMethod='PUT'", 13234),
        ("beep='loud'", 12200),
        ("maxParticipants='251'", 12200),
        ("maxParticipants='1'", 12200),
        ("record='loud'", 12200),
        ("statusCallback='/x' statusCallbackEvent='shout'", 12200),
        ("statusCallbackMethod='PUT'", 12200),
        ("colour='red'", 12200),
    ] {
        let (options, _, codes) = conference(&format!("<Conference {attributes}>a</Conference>"));
        assert_eq!(codes, [code], "{attributes}");
        assert_eq!(options, Default::default(), "{attributes}");
    }
    assert_eq!(
        verbs_and_codes("<Dial><Conference/></Dial><Enqueue/>"),
        (Vec::new(), vec![12200, 12200]),
        "without a name"
    );
}

#[test]
fn what_stands_beside_a_conference_or_a_queue_is_warned_of() {
    for (inside, expected) in [
        ("<Conference>a</Conference> ", vec![]),
        (
            "+1 <Conference>a</Conference><Number>+2</Number>",
            vec![13215, 13215],
        ),
        ("<Conference>a</Conference><Queue>b</Queue>", vec![13215]),
        ("<Queue>b</Queue><Conference>a</Conference>", vec![13215]),
        ("<Queue>b<Foo/></Queue>", vec![12200]),
        ("<Conference>a<Foo/></Conference>", vec![12200]),
    ] {
        let (verbs, codes) = verbs_and_codes(&format!("<Dial>{inside}</Dial>"));
        assert_eq!(codes, expected, "{inside}");
        assert!(matches!(verbs[..], [Verb::Room(_)]), "{inside}: {verbs:?}");
    }
}

#[test]
fn a_queue_is_dialled_and_waited_at() {
    let (verbs, codes) = verbs_and_codes(
        "<Dial timeout='9' hangupOnStar='true' action='/done'><Queue url='/first' method='GET'>support</Queue></Dial>\
         <Enqueue waitUrl='/wait' waitUrlMethod='GET' maxQueueSize='7'>support</Enqueue><Leave/>",
    );
    let link = |url: &str, method| Link {
        url: url.to_owned(),
        method,
    };
    let expected = [
        Verb::Room(RoomDial {
            room: Room::Queue {
                name: "support".to_owned(),
                whisper: Some(link("/first", HttpMethod::Get)),
            },
            action: Some(link("/done", HttpMethod::Post)),
            hangup_on_star: true,
            timeout: Duration::from_secs(9),
            limit: Duration::from_secs(14_400),
            recording: None,
        }),
        Verb::Enqueue(Enqueue {
            name: "support".to_owned(),
            action: None,
            wait: Wait::Url(link("/wait", HttpMethod::Get)),
            max_size: Some(7),
        }),
        Verb::Leave,
    ];
    assert_eq!(verbs, expected);
    assert_eq!(codes, [0; 0]);
}

fn stream(request: jackfield_guest::StreamRequest) -> Stream {
    Stream {
        request,
        status_callback: None,
    }
}

#[test]
fn streams_are_started_stopped_and_connected() {
    use jackfield_guest::{StreamRequest, StreamTracks};
    let plain = || StreamRequest::to("wss://a.example/x");
    check(
        "<Start><Stream url=' wss://a.example/x '/></Start>",
        Verb::StartStream(stream(plain())),
        &[],
    );
    let full = plain()
        .tracks(StreamTracks::Both)
        .named("ear")
        .parameter("a", "1")
        .parameter("b", "");
    check(
        "<Start><Stream url='wss://a.example/x' name='ear' track='both_tracks' statusCallback='/s' statusCallbackMethod='get'>
         <Parameter name='a' value='1'/><Parameter name='b'/></Stream></Start>",
        Verb::StartStream(Stream {
            request: full,
            status_callback: Some(link("/s", HttpMethod::Get)),
        }),
        &[],
    );
    check(
        "<Stop><Stream name='ear'/></Stop>",
        Verb::StopStream("ear".to_owned()),
        &[],
    );
    check(
        "<Connect action='/next' method='GET'><Stream url='wss://a.example/x'/></Connect>",
        Verb::Connect {
            stream: stream(plain().both_ways()),
            action: Some(link("/next", HttpMethod::Get)),
        },
        &[],
    );
    check(
        "<Connect><Stream url='wss://a.example/x' track='both_tracks'/><Stream url='wss://b'/></Connect>",
        Verb::Connect {
            stream: stream(plain().both_ways()),
            action: None,
        },
        &[
            "12200 <Stream> in <Connect> is ignored: one is enough",
            "12200 Stream: invalid track \"both_tracks\": the default is used",
        ],
    );
    check_ignored("<Start/>", &["12200 Start: there is nothing in it"]);
    check_ignored(
        "<Stop><Stream/></Stop>",
        &["12200 Stop: the stream has no name"],
    );
    for (verb, noun) in [("Start", "Siprec"), ("Stop", "Siprec"), ("Connect", "Room")] {
        check(
            &format!("<{verb}><{noun}/></{verb}>"),
            Verb::Unsupported(format!("{verb}><{noun}")),
            &[],
        );
    }
}

#[test]
fn a_record_has_twilios_defaults_and_its_own_values() {
    use jackfield_guest::RecordingOptions;
    let record = |options, url: &str, method| {
        Verb::Record(Record {
            options,
            action: link(url, method),
        })
    };
    let message = RecordingOptions::of_message;
    check("<Record/>", record(message(), "", HttpMethod::Post), &[]);
    let own = message()
        .until_silence(None)
        .at_most(Duration::from_secs(30))
        .until_keys("#")
        .beep(false)
        .trim_silence(false);
    check(
        "<Record action='/a' method='GET' timeout='0' maxLength='30' finishOnKey='#' playBeep='false' trim='do-not-trim'/>",
        record(own, "/a", HttpMethod::Get),
        &[],
    );
    for (attribute, warning) in [
        (
            "timeout='-1'",
            "13611 Record: invalid timeout \"-1\": the default is used",
        ),
        (
            "maxLength='0'",
            "13612 Record: invalid maxLength \"0\": the default is used",
        ),
        (
            "finishOnKey='a'",
            "13613 Record: invalid finishOnKey \"a\": the default is used",
        ),
        (
            "playBeep='no'",
            "13616 Record: invalid playBeep \"no\": the default is used",
        ),
        (
            "trim='no'",
            "12200 Record: invalid trim \"no\": the default is used",
        ),
        (
            "transcribe='true'",
            "13614 Record: transcribe has no effect: recordings are not transcribed yet",
        ),
        (
            "recordingStatusCallbackEvent='absent'",
            "12200 Record: recordingStatusCallbackEvent has no effect without recordingStatusCallback",
        ),
    ] {
        check(
            &format!("<Record {attribute}/>"),
            record(message(), "", HttpMethod::Post),
            &[warning],
        );
    }
}

#[test]
fn a_recording_of_the_call_has_its_values() {
    use jackfield_guest::{
        RecordingChannels, RecordingOptions, RecordingTracks, RecordingTurn, StatusCallback,
    };
    let whole = RecordingOptions::of_call;
    let started = Verb::StartRecording;
    check("<Start><Recording/></Start>", started(whole()), &[]);
    let told = StatusCallback {
        url: "/r".to_owned(),
        method: HttpMethod::Get,
    };
    let own = RecordingOptions {
        channels: RecordingChannels::Mono,
        tracks: RecordingTracks::Caller,
        ..whole()
            .trim_silence(true)
            .status_callback(told, [RecordingTurn::Completed])
    };
    check(
        "<Start><Recording channels='mono' track='inbound' trim='trim-silence' recordingStatusCallback='/r' recordingStatusCallbackMethod='GET'/></Start>",
        started(own),
        &[],
    );
    check(
        "<Start><Recording channels='three'/></Start>",
        started(whole()),
        &["12200 Recording: invalid channels \"three\": the default is used"],
    );
    check("<Stop><Recording/></Stop>", Verb::StopRecording, &[]);
}
