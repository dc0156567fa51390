use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::speech::{Gender, Language, Provider, Run, Settings, Speaking};
use store::tenants::Surroundings;
use store::{AccountStore as _, MemoryStore, Store as _, Tenants};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

#[test]
fn a_media_name_stays_in_its_folder() {
    for good in ["menu.wav", "prompts/menu.wav", "a/b/c.mp3"] {
        assert!(inside(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        "/etc/passwd",
        "../secret.wav",
        "a/../../b",
        "./a",
        "a\0b",
    ] {
        assert!(inside(bad).is_err(), "{bad}");
    }
}

#[test]
fn the_apology_can_be_decoded() {
    let samples = media::decode(APOLOGY, Some("wav"), media::DecodeLimits::default()).unwrap();
    assert!(samples.len() > 8_000, "more than a second");
}

/// Counts how often it is asked to speak. It cannot say `no`.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicUsize>);

impl Provider for Counter {
    fn name(&self) -> &str {
        "flite"
    }

    fn languages(&self) -> Vec<String> {
        vec!["en".to_owned()]
    }

    fn voices(&self) -> Vec<String> {
        vec!["slt".to_owned(), "kal".to_owned()]
    }

    fn voice_for(&self, _: &Language, _: Option<Gender>) -> Option<String> {
        Some("slt".to_owned())
    }

    fn languages_of(&self, voice: &str) -> Option<Vec<Language>> {
        let english = Language::parse("en").into_iter().collect();
        self.voices().contains(&voice.to_owned()).then_some(english)
    }

    fn speak<'a>(&'a self, run: &'a Run, _: &'a Language, _: &'a str) -> Speaking<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let is_no = run.words == [::speech::Word::Text("no".to_owned())];
        Box::pin(async move {
            match is_no {
                true => Err(::speech::Failure("it may not say so".to_owned())),
                false => Ok(vec![1; 320]),
            }
        })
    }
}

/// Two accounts; the second has a voice of its own.
async fn accounts() -> [Arc<store::Account>; 2] {
    const TENANTS: &str = "[[carrier]]\nid = \"demo\"\n
        [[account]]\ncarrier = \"demo\"\nname = \"one\"\negress.allow = [\"127.0.0.0/8\"]\n
        [[account]]\ncarrier = \"demo\"\nname = \"two\"\nvoice = \"kal\"\n";
    let surroundings = Surroundings {
        folder: Path::new("."),
        bundled: &[],
        uploaded: &|_, _, _| false,
        check_component: &|_, _| Ok(()),
    };
    let store = MemoryStore::new();
    let tenants = Tenants::parse(TENANTS, &surroundings).unwrap();
    store.apply(tenants).await.unwrap();
    let directory = store.directory();
    ["one", "two"].map(|name| {
        let mut accounts = directory.accounts();
        Arc::clone(accounts.find(|account| account.name == name).unwrap())
    })
}

#[tokio::test]
async fn what_was_spoken_once_is_not_spoken_again() {
    let counter = Counter::default();
    let provider = Box::new(counter.clone()) as Box<dyn Provider>;
    let speaker = Speaker::new(vec![provider], &Settings::default()).unwrap();
    let library = Library::new(
        speaker,
        Arc::new(Web::trusting(egress::Roots::public())),
        Uploads::new(Path::new("/nowhere")),
    );
    let [one, two] = accounts().await;
    let source = |text: &str, language: Option<&str>, voice: Option<&str>| {
        PromptSource::Speech(call::Speech {
            text: text.to_owned(),
            language: language.map(str::to_owned),
            voice: voice.map(str::to_owned),
        })
    };
    for (account, text, language, voice, spoken_so_far) in [
        (&one, "Hi", None, None, 1),
        (&one, "Hi", None, None, 1),
        (&one, "<speak>Hi</speak>", None, None, 2),
        (&one, "<speak>Hi</speak>", None, None, 2),
        (&one, "Hi", Some("en-GB"), None, 3),
        (&one, "Hi", Some("en-GB"), Some("kal"), 4),
        (&one, "Hi", None, Some("kal"), 5),
        (&two, "Hi", None, Some("kal"), 6),
        (&two, "Hi", None, None, 6), // the account's voice is this one
        (&one, "Hi", None, None, 6),
    ] {
        let prompt = library
            .prompt(account, &source(text, language, voice), COMMON)
            .await;
        assert_eq!(prompt.unwrap().frames(), 1);
        assert_eq!(
            counter.0.load(Ordering::SeqCst),
            spoken_so_far,
            "{text} {language:?} {voice:?}"
        );
    }
    let both = [source("Twice", None, None), source("Twice", None, None)];
    let (first, second) = tokio::join!(
        library.prompt(&one, &both[0], COMMON),
        library.prompt(&one, &both[1], COMMON)
    );
    assert!(Arc::ptr_eq(&first.unwrap(), &second.unwrap()));
    assert_eq!(counter.0.load(Ordering::SeqCst), 7);

    // A failure is not kept.
    for spoken_so_far in [8, 9] {
        let error = library
            .prompt(&one, &source("no", None, None), COMMON)
            .await;
        assert_eq!(error.unwrap_err(), "flite failed: it may not say so");
        assert_eq!(counter.0.load(Ordering::SeqCst), spoken_so_far);
    }
}

#[tokio::test]
async fn a_prompt_is_ready_for_what_its_call_may_be_in() {
    let speaker = Speaker::new(Vec::new(), &Settings::default()).unwrap();
    let library = Library::new(
        speaker,
        Arc::new(Web::trusting(egress::Roots::public())),
        Uploads::new(Path::new("/nowhere")),
    );
    let [account, _] = accounts().await;
    for (codecs, is_in_opus) in [
        (&[sdp::Codec::G722, sdp::Codec::Pcmu][..], false),
        (&sdp::Codec::ALL, true),
        (&[sdp::Codec::Pcma], false),
    ] {
        let codecs = prompt_codecs(codecs);
        let prompt = library
            .prompt(&account, &PromptSource::Apology, codecs)
            .await;
        let prompt = prompt.unwrap();
        for codec in Codec::ALL {
            let expected = codec != Codec::Opus || is_in_opus;
            assert_eq!(prompt.is_for(codec), expected, "{codec:?} of {codecs:?}");
        }
    }
}

async fn read_request(connection: &mut TcpStream) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(connection.read_u8().await.unwrap());
    }
    String::from_utf8(request).unwrap()
}

/// A server that gives these answers, one a request, each with the apology if it is a 200; and what it was asked with.
async fn web_server(answers: &'static [&'static str]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a.wav", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&asked);
    tokio::spawn(async move {
        for head in answers {
            let (mut connection, _) = listener.accept().await.unwrap();
            let request = read_request(&mut connection).await;
            let conditions = request.lines().filter(|line| line.starts_with("if-"));
            heard.lock().unwrap().push(conditions.collect());
            let body = if head.starts_with("200") {
                APOLOGY
            } else {
                b""
            };
            let head = format!(
                "HTTP/1.1 {head}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            connection.write_all(head.as_bytes()).await.unwrap();
            connection.write_all(body).await.unwrap();
        }
    });
    (url, asked)
}

#[tokio::test]
async fn a_url_is_asked_whether_its_prompt_still_holds() {
    let (url, asked) = web_server(&[
        "200 OK\r\netag: \"a\"\r\ncache-control: no-cache",
        "304 Not Modified",
        "500 Out of order",
        "200 OK\r\nlast-modified: Sun, 22 Nov 2026 10:00:00 GMT\r\ncache-control: max-age=0",
        "404 Not Found",
        "200 OK\r\ncache-control: max-age=600",
    ])
    .await;
    let speaker = Speaker::new(Vec::new(), &Settings::default()).unwrap();
    let library = Library::new(
        speaker,
        Arc::new(Web::trusting(egress::Roots::public())),
        Uploads::new(Path::new("/nowhere")),
    );
    let [account, _] = accounts().await;
    let source = PromptSource::Media(MediaSource::Url(url.clone()));
    let mut prompts = Vec::new();
    for _ in 0..4 {
        prompts.push(library.prompt(&account, &source, COMMON).await.unwrap());
    }
    assert!(
        Arc::ptr_eq(&prompts[0], &prompts[1]),
        "it was not fetched again"
    );
    assert!(
        Arc::ptr_eq(&prompts[0], &prompts[2]),
        "the server was out of order"
    );
    assert!(!Arc::ptr_eq(&prompts[0], &prompts[3]), "it was another one");
    let error = library.prompt(&account, &source, COMMON).await.unwrap_err();
    assert_eq!(error, format!("{url}: status 404"), "it is there no more");
    let last = library.prompt(&account, &source, COMMON).await.unwrap();
    for _ in 0..3 {
        let again = library.prompt(&account, &source, COMMON).await.unwrap();
        assert!(Arc::ptr_eq(&last, &again), "it holds for ten minutes");
    }
    let since = "if-modified-since: Sun, 22 Nov 2026 10:00:00 GMT";
    let expected = [
        "",
        "if-none-match: \"a\"",
        "if-none-match: \"a\"",
        "if-none-match: \"a\"",
        since,
        since,
    ];
    assert_eq!(*asked.lock().unwrap(), expected);
}

/// Ten seconds of a tone as a WAV file.
fn long_file() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let mut writer = media::WavWriter::new(&mut file).unwrap();
    writer
        .write(&media::tone::sine(440.0, 0.5, 80_000))
        .unwrap();
    writer.finish().unwrap();
    file.into_inner()
}

#[tokio::test]
async fn a_prompt_is_played_while_the_rest_of_it_is_fetched() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/long.wav", listener.local_addr().unwrap());
    let (go_on, may_go_on) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let file = long_file();
        let head = "HTTP/1.1 200 OK\r\netag: \"a\"\r\ncache-control: max-age=600\r\n";
        let head = format!("{head}content-length: {}\r\n\r\n", file.len());
        let (first, rest) = file.split_at(file.len() / 2);
        let (mut cut_off, _) = listener.accept().await.unwrap();
        read_request(&mut cut_off).await;
        cut_off.write_all(head.as_bytes()).await.unwrap();
        cut_off.write_all(first).await.unwrap();
        drop(cut_off);
        let (mut slow, _) = listener.accept().await.unwrap();
        read_request(&mut slow).await;
        slow.write_all(head.as_bytes()).await.unwrap();
        slow.write_all(first).await.unwrap();
        let _ = may_go_on.await;
        slow.write_all(rest).await.unwrap();
        std::future::pending::<()>().await;
    });
    let speaker = Speaker::new(Vec::new(), &Settings::default()).unwrap();
    let library = Library::new(
        speaker,
        Arc::new(Web::trusting(egress::Roots::public())),
        Uploads::new(Path::new("/nowhere")),
    );
    let [account, _] = accounts().await;
    let source = PromptSource::Media(MediaSource::Url(url));
    let end_of = async |prompt: &Prompt| {
        while prompt.is_growing() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };

    let broken = library.prompt(&account, &source, COMMON).await.unwrap();
    end_of(&broken).await;
    assert!(broken.is_cut());
    assert!(
        (150..=250).contains(&broken.frames()),
        "{}",
        broken.frames()
    );

    // It is not kept for its ten minutes.
    let prompt = library.prompt(&account, &source, COMMON).await.unwrap();
    assert!(!Arc::ptr_eq(&broken, &prompt));
    assert!(prompt.is_growing() && prompt.frames() >= 50);
    assert!(prompt.frames() <= 250, "{}", prompt.frames());
    let other = library.prompt(&account, &source, COMMON).await.unwrap();
    assert!(Arc::ptr_eq(&other, &prompt), "two calls, one download");
    go_on.send(()).unwrap();
    end_of(&prompt).await;
    assert!(!prompt.is_cut());
    assert_eq!((prompt.frames(), prompt.samples()), (500, 80_000));
}
