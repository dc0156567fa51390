//! The first call, whole: two SIP endpoints over loopback, a component between them, and what is left of the call afterwards.

use std::path::Path;

use call::{CallStatus, Command, MediaSource};
use plugin_host::journal::{Journal, unbundle};
use store::{CallFilter, CallRow, Scope};

use super::*;

fn options(flow: &str, press: &str, out: &Path) -> DemoOptions {
    DemoOptions {
        flow: flow.to_owned(),
        press: press.to_owned(),
        out: out.to_owned(),
        flite: PathBuf::new(),
    }
}

/// Places the demo's call; gives its row and its journal.
async fn call(flow: &str, press: &str, out: &Path) -> (Runtime, CallRow, Vec<u8>) {
    let options = options(flow, press, out);
    let runtime = Runtime::start(config(&options)).await.unwrap();
    tenants::apply(runtime.services(), &options).await.unwrap();
    place_call(&runtime, &options).await.unwrap();

    let store = &runtime.services().store;
    let account = store.directory().accounts().next().unwrap().sid;
    let scope = Scope::of_host(account);
    let mut page = store
        .calls(scope, &CallFilter::default(), None, 10)
        .unwrap();
    assert_eq!(page.rows.len(), 1);
    let row = page.rows.remove(0);
    let journal = store
        .journal(scope, row.sid)
        .unwrap()
        .expect("every call has a journal");
    (runtime, row, journal)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_is_heard_kept_and_replayed() {
    let out = tempfile::tempdir().unwrap();
    let (runtime, row, bundle) = call("menu", "1", out.path()).await;

    let (sid, record) = (row.sid, row.record.unwrap());
    assert_eq!(
        (row.status, record.sip_status),
        (CallStatus::Completed, Some(200))
    );
    let journals = unbundle(&bundle).unwrap();
    assert_eq!(journals.len(), 1);
    let played: Vec<String> = Journal::read(journals[0])
        .unwrap()
        .commands()
        .filter_map(|command| match command {
            Command::Play {
                source: MediaSource::File(file),
                ..
            } => Some(file.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        played,
        ["prompts/menu.wav", "prompts/sales.wav"],
        "the key was heard"
    );

    let services = runtime.services();
    let menu = store::Flow::Component("menu".to_owned());
    let story = crate::flows::Story {
        flow: menu,
        settings: Default::default(),
    };
    let directory = services.store.directory();
    let account = directory.accounts().next().unwrap();
    let begun = services
        .flows
        .find(account, &story, call::StoryChoice::Flow, sid)
        .unwrap();
    let replay = plugin_host::replay(&begun.flow, journals[0]).await.unwrap();
    assert!(replay.same_component);
    assert!(replay.steps > 5, "{} steps", replay.steps);

    let heard = std::fs::read(out.path().join("heard.wav")).unwrap();
    let heard = media::decode(&heard, Some("wav"), media::DecodeLimits::default()).unwrap();
    for (name, prompt) in [("menu", PROMPT_MENU), ("sales", PROMPT_SALES)] {
        let prompt = media::decode(prompt, Some("wav"), media::DecodeLimits::default()).unwrap();
        let likeness = best_correlation(&heard, &prompt[2_000..6_000]);
        assert!(likeness > 0.95, "{name}: {likeness}");
    }
    runtime.stop().await;
}

const PROMPT_MENU: &[u8] = include_bytes!("../../../../examples/first-call/media/prompts/menu.wav");
const PROMPT_SALES: &[u8] =
    include_bytes!("../../../../examples/first-call/media/prompts/sales.wav");

/// The best normalised correlation of `wanted` with any stretch of `heard` (1 is the same but for its loudness).
fn best_correlation(heard: &[i16], wanted: &[i16]) -> f64 {
    let energy = |samples: &[i16]| {
        samples
            .iter()
            .map(|s| f64::from(*s).powi(2))
            .sum::<f64>()
            .sqrt()
    };
    let wanted_energy = energy(wanted);
    heard
        .windows(wanted.len())
        .map(|window| {
            let product: f64 = window
                .iter()
                .zip(wanted)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum();
            product / (energy(window) * wanted_energy).max(1.0)
        })
        .fold(0.0, f64::max)
}
