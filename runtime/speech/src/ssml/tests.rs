use std::time::Duration;

use super::*;
use crate::{Part, Prosody, Word};

/// Parts as one reads them: silences in ms, runs as `[language rate pitch dB] words`, `say-as` in its debug form.
fn shown(utterance: &Utterance) -> Vec<String> {
    let part = |part: &Part| match part {
        Part::Silence(length) => format!("{} ms", length.as_millis()),
        Part::Run(run) => {
            let words = run.words.iter().map(|word| match word {
                Word::Text(text) => text.clone(),
                Word::SayAs { value, text } => format!("<{text}: {value:?}>"),
            });
            let words = words.collect::<Vec<_>>().join("|");
            let language = run
                .language
                .as_ref()
                .map(|tag| format!("{tag}: "))
                .unwrap_or_default();
            let Prosody {
                rate,
                pitch,
                gain_db,
            } = run.prosody;
            let prosody = match run.prosody == Prosody::default() {
                true => String::new(),
                false => format!("({rate:.2} {pitch:.2} {gain_db:.1}) "),
            };
            format!("{language}{prosody}{words}")
        }
    };
    utterance.parts.iter().map(part).collect()
}

fn check(inside: &str, expected: &[&str], notes: &[&str]) {
    let utterance = read(&format!("<speak>{inside}</speak>")).unwrap();
    assert_eq!(shown(&utterance), expected, "{inside}");
    assert_eq!(utterance.notes, notes, "{inside}");
}

#[test]
fn text() {
    for (inside, expected) in [
        ("Hello  \n world", "Hello world"),
        (
            "a &lt; b &amp; &quot;c&quot; &#233;&#x1780;",
            "a < b & \"c\" éក",
        ),
        ("<![CDATA[a < b]]> c", "a < b c"),
        ("one<!-- two --> three<?four five?>", "one three"),
        ("<w role='amazon:VB'>re</w>ad", "read"),
        ("a<mark name='x'/>b", "ab"),
        ("<metadata><x>no</x></metadata>yes<meta name='a'/>", "yes"),
        (
            "The <sub alias='World Wide Web'>WWW</sub> is",
            "The World Wide Web is",
        ),
        ("<sub alias='x'>a<break/>b<p>c</p></sub>", "x"),
    ] {
        check(inside, &[expected], &[]);
    }
    for inside in [
        "",
        " \n",
        "<p/>",
        "<s> </s>",
        "<!-- x -->",
        "<sub alias=''>x</sub>",
    ] {
        check(inside, &[], &[]);
    }
}

#[test]
fn breaks() {
    let no_length = "<break>: \"soon\" is no length: a medium one is made";
    let most = "<break>: more than 10 seconds are not made";
    for (inside, expected, notes) in [
        (
            "a<break time='1.5s'/>b",
            &["a", "1500 ms", "b"][..],
            &[][..],
        ),
        ("a<break time='20ms'/>b", &["a", "20 ms", "b"], &[]),
        ("a<break/>b", &["a", "400 ms", "b"], &[]),
        (
            "a<break strength='x-strong'/>b",
            &["a", "1000 ms", "b"],
            &[],
        ),
        ("a<break strength='none'/>b", &["ab"], &[]),
        ("a <break time='0s'/> b", &["a b"], &[]),
        (
            "a<break time='1s' strength='none'/>b",
            &["a", "1000 ms", "b"],
            &[],
        ),
        (
            "<break time='1s'/><break time='1s'/>a",
            &["2000 ms", "a"],
            &[],
        ),
        (
            "a<break time='soon'/>b",
            &["a", "400 ms", "b"],
            &[no_length],
        ),
        (
            "a<break strength='soon'/>b",
            &["a", "400 ms", "b"],
            &[no_length],
        ),
        ("a<break time='11s'/>b", &["a", "10000 ms", "b"], &[most]),
        ("<break time='3s'/>", &["3000 ms"], &[]),
    ] {
        check(inside, expected, notes);
    }
}

#[test]
fn paragraphs_and_sentences_are_set_apart() {
    for (inside, expected) in [
        ("<p>a</p><p>b</p>", &["a", "800 ms", "b"][..]),
        ("<s>a</s><s>b</s>", &["a", "400 ms", "b"]),
        (
            "<p><s>a</s><s>b</s></p><p><s>c</s></p>",
            &["a", "400 ms", "b", "800 ms", "c"],
        ),
        ("a<p>b</p>c", &["a", "800 ms", "b", "800 ms", "c"]),
        ("<p>a</p><break time='2s'/><p>b</p>", &["a", "2000 ms", "b"]),
        (
            "<p>a</p><break time='100ms'/><p>b</p>",
            &["a", "800 ms", "b"],
        ),
        ("<break time='100ms'/><p>b</p>", &["100 ms", "b"]),
        ("<p>a</p>", &["a"]),
        (
            "<paragraph>a</paragraph><sentence>b</sentence>",
            &["a", "800 ms", "b"],
        ),
    ] {
        check(inside, expected, &[]);
    }
}

#[test]
fn prosody_and_emphasis() {
    for (inside, expected, notes) in [
        (
            "a<prosody rate='200%'>b</prosody>c",
            &["a", "(2.00 1.00 0.0) b", "c"][..],
            &[][..],
        ),
        (
            "<prosody rate='50%' pitch='+20%' volume='-6dB'>a</prosody>",
            &["(0.50 1.20 -6.0) a"],
            &[],
        ),
        (
            "<prosody rate='50%'>a <prosody rate='50%' volume='loud'>b</prosody> c</prosody>",
            &[
                "(0.50 1.00 0.0) a",
                "(0.25 1.00 4.0) b",
                "(0.50 1.00 0.0) c",
            ],
            &[],
        ),
        (
            "<prosody rate='9000%'>a</prosody>",
            &["(4.00 1.00 0.0) a"],
            &[],
        ),
        (
            "<prosody rate='1%'>a</prosody>",
            &["(0.20 1.00 0.0) a"],
            &[],
        ),
        (
            "<prosody volume='silent'>a</prosody>",
            &["(1.00 1.00 -inf) a"],
            &[],
        ),
        ("a <prosody>b</prosody> c", &["a b c"], &[]),
        (
            "<prosody rate='brisk' contour='x'>a</prosody>",
            &["a"],
            &["<prosody>: rate \"brisk\" is not obeyed"],
        ),
        (
            "a <emphasis level='strong'>b</emphasis> c",
            &["a", "(0.85 1.00 4.0) b", "c"],
            &[],
        ),
        (
            "<emphasis level='much'>b</emphasis>",
            &["b"],
            &["<emphasis>: \"much\" is no level"],
        ),
    ] {
        check(inside, expected, notes);
    }
}

#[test]
fn say_as() {
    for (inside, expected, notes) in [
        (
            "Code <say-as interpret-as='digits'>1 2</say-as>.",
            &["Code|<1 2: Characters(\"12\")>|."][..],
            &[][..],
        ),
        (
            "<say-as interpret-as='date' format='dmy'>3/4/2026</say-as>",
            &["<3/4/2026: Date { year: Some(2026), month: 4, day: 3 }>"],
            &[],
        ),
        (
            "<say-as interpret-as='ordinal'><w>2</w>1</say-as>",
            &["<21: Ordinal(21)>"],
            &[],
        ),
        (
            "a <say-as interpret-as='expletive'>bad</say-as> b",
            &["a", "500 ms", "b"],
            &[],
        ),
        (
            "a <say-as interpret-as='cardinal'>ten</say-as> b",
            &["a|ten b"],
            &["<say-as>: \"ten\" is no \"cardinal\": it is spoken as it stands"],
        ),
        (
            "<say-as>ten</say-as>",
            &["ten"],
            &["<say-as>: \"ten\" is no \"\": it is spoken as it stands"],
        ),
        ("<say-as interpret-as='digits'> </say-as>", &[], &[]),
    ] {
        check(inside, expected, notes);
    }
}

#[test]
fn languages_and_what_nobody_knows() {
    for (inside, expected, notes) in [
        (
            "a <lang xml:lang='fr-FR'>b</lang> c",
            &["a", "fr-FR: b", "c"][..],
            &[][..],
        ),
        ("<p xml:lang='sw'>b</p>", &["sw: b"], &[]),
        (
            "<lang xml:lang='fr'>a <prosody rate='2'>b</prosody></lang>",
            &["fr: a", "fr: (2.00 1.00 0.0) b"],
            &[],
        ),
        (
            "<lang xml:lang='en us'>a</lang>",
            &["a"],
            &["<lang>: \"en us\" is no language"],
        ),
        (
            "<voice name='x'>a</voice>",
            &["a"],
            &["<voice name> is not obeyed: name the voice with the text"],
        ),
        (
            "<phoneme alphabet='ipa' ph='x'>a</phoneme>",
            &["a"],
            &["<phoneme> is not obeyed: its text is spoken"],
        ),
        (
            "<amazon:effect name='whispered'>a</amazon:effect> <audio src='x'>b</audio><sub>c</sub>",
            &["a bc"],
            &[
                "<amazon:effect> is not obeyed: its text is spoken",
                "<audio> is not obeyed: its text is spoken",
                "<sub> without `alias`: its text is spoken",
            ],
        ),
    ] {
        check(inside, expected, notes);
    }
    let root = read("<?xml version='1.0'?><speak version='1.1' xml:lang='km'>a</speak>").unwrap();
    assert_eq!(root.language.unwrap().as_str(), "km");
}

#[test]
fn what_is_no_ssml_is_refused() {
    let bomb = "<!DOCTYPE speak [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><speak>&b;</speak>";
    for (text, expected) in [
        (bomb, "a DOCTYPE is not accepted: leave it out"),
        (
            "<speak>&nbsp;</speak>",
            "the entity &nbsp; is not declared: write the character itself",
        ),
        ("<speak>&#0;</speak>", ""),
        ("<speak>&#27;</speak>", "the entity &#27; is not declared"),
        ("<speak>", "<speak> is not closed"),
        ("<speak><p>a</speak>", ""),
        ("<speak>a</speak>b", "there is text outside of <speak>"),
        ("<speak>a</speak><speak/>", "there is a second root element"),
        ("<say>a</say>", "the root element is <say>, not <speak>"),
        ("<speak a=1>a</speak>", ""),
        ("<speak a='1' a='2'>a</speak>", ""),
        ("<speak>a < b</speak>", ""),
        ("<speak>a & b</speak>", ""),
        ("a", "there is text outside of <speak>"),
        ("", "<speak> is not closed"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn every_bound_holds() {
    let nested = |levels: usize| format!("{}a{}", "<w>".repeat(levels), "</w>".repeat(levels));
    let parts = |parts: usize| "a<break time='10ms'/>".repeat(parts / 2);
    for (inside, expected) in [
        (nested(MAX_LEVELS - 1), Ok(())),
        (nested(MAX_LEVELS), Err(SsmlError::TooDeep)),
        ("a".repeat(MAX_CHARACTERS), Ok(())),
        ("a".repeat(MAX_CHARACTERS + 1), Err(SsmlError::TooLong)),
        (
            "<sub alias='aaaaaaaaaa'/>".repeat(MAX_CHARACTERS / 10 + 1),
            Err(SsmlError::TooLong),
        ),
        ("<w/>".repeat(MAX_ELEMENTS - 1), Ok(())),
        ("<w/>".repeat(MAX_ELEMENTS), Err(SsmlError::TooManyElements)),
        (parts(MAX_PARTS), Ok(())),
        (parts(MAX_PARTS + 2), Err(SsmlError::TooManyParts)),
        ("<break time='10s'/>".repeat(29), Ok(())),
        (
            "<break time='10s'/>".repeat(30),
            Err(SsmlError::TooMuchSilence),
        ),
        (
            "<break time='999999999999999s'/>".repeat(30),
            Err(SsmlError::TooMuchSilence),
        ),
        (
            " ".repeat(MAX_BYTES),
            Err(SsmlError::TooManyBytes(MAX_BYTES + 15)),
        ),
    ] {
        let outcome = read(&format!("<speak>{inside}</speak>")).map(|_| ());
        assert_eq!(outcome, expected, "{}", &inside[..20.min(inside.len())]);
    }
    let unknown: String = (0..100).map(|n| format!("<x{n}/>")).collect();
    let utterance = read(&format!("<speak>a{unknown}</speak>")).unwrap();
    assert_eq!(utterance.notes.len(), MAX_NOTES);
}

#[test]
fn a_break_is_no_longer_than_one_may_be() {
    let utterance = read("<speak>a<break time='99999999999s'/>b</speak>").unwrap();
    assert_eq!(utterance.parts[1], Part::Silence(Duration::from_secs(10)));
}
