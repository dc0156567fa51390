//! The request validators of Twilio's official libraries for Python and Node take what is sent here, over HTTP and over HTTPS.

use std::path::Path;
use std::time::Duration;

use jackfield_interop::certificates::Certificates;
use jackfield_interop::needs;
use jackfield_interop::plugins::plugin_in;
use jackfield_interop::process::eventually;
use jackfield_interop::server::{Flow, Place, Server, Tenants};
use jackfield_interop::sipp::Sipp;
use jackfield_interop::webhook_app::{Library, WebhookApp};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);
/// Not in Latin letters: the parameters of what is told of it are not either.
const ROOM: &str = "សួស្តី café";
/// A story that sends a form in which a name comes several times, then JSON.
const STORY: &str = r#"//! Sends what web frameworks find hard to validate.

use jackfield_guest::{Call, CallError, Request};

jackfield_guest::flow!(run);

fn run(call: &Call) -> Result<(), CallError> {
    let Some(url) = call.setting("app-url") else {
        return call.hang_up();
    };
    let form = "Tag=b&Tag=a&Tag=b&TagName=%E1%9E%80+%26&tag=";
    for (kind, body) in [
        ("application/x-www-form-urlencoded", form),
        ("application/json; charset=utf-8", "{\"village\":\"\u{1780}\"}"),
    ] {
        let request = Request::post(url.clone()).header("Content-Type", kind);
        call.http(request.body(body).signed())?;
    }
    call.hang_up()
}
"#;

fn token() -> String {
    let server = Server::start(&Tenants::calling(
        "127.0.0.1:9".parse().expect("an address"),
    ));
    server.rest().auth_token
}

/// Each was signed, and no other request has its signature.
fn check(asked: &[Value]) {
    assert!(!asked.is_empty());
    for request in asked {
        assert_eq!(request["valid"], true, "{request}");
        assert_eq!(request["valid_elsewhere"], false, "{request}");
    }
}

/// A call whose documents are fetched with POST, then GET, and which is told of; all with queries of their own, and one with a password.
fn a_call_is_told(library: Library, is_encrypted: bool) {
    let certificates = is_encrypted.then(|| Certificates::of("127.0.0.1"));
    let pages = [
        (
            "/voice",
            "<Response><Redirect method=\"GET\">/next?lang=km&amp;q=a+b%20c%27d</Redirect></Response>",
        ),
        (
            "/next",
            &format!(
                "<Response><Dial><Conference statusCallback=\"/room?of=1\" statusCallbackEvent=\"join leave\">{ROOM}</Conference></Dial></Response>"
            ),
        ),
        ("/room", ""),
        ("/told", ""),
    ];
    let app = WebhookApp::start(library, &token(), &pages, certificates.as_ref());
    let voice = app.url_with_password("/voice?Tag=b&Tag=a&name=h%C3%A9&To=nobody");
    let tenants =
        Tenants::with_numbers(vec![("1000", Flow::VoiceUrl(voice))]).telling(&app.url("/told?x=1"));
    let place = certificates
        .iter()
        .fold(Place::on_loopback(), |place, own| {
            place.with_egress(&format!("extra_tls_roots = {:?}", own.authority))
        });
    let server = Server::start_at(place, &tenants);
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    let joined = app.wait_for("/room", 1);
    assert_eq!(
        joined[0]["parameters"]
            .as_array()
            .map(|all| all.contains(&json!(["FriendlyName", ROOM]))),
        Some(true),
        "{joined:?}"
    );
    let sid = server.rest().newest_call()["sid"]
        .as_str()
        .map(str::to_owned);
    server.rest().end(&sid.expect("a SID"));
    caller.succeed(LIMIT);
    let left = app.wait_for("/room", 2);
    let told = app.wait_for("/told", 1);
    server.stop();

    let asked = app.asked();
    check(&asked);
    let of = |path: &str| {
        let mut asked = asked.clone();
        asked.retain(|request| request["path"] == path);
        asked
    };
    let (voice, next) = (of("/voice"), of("/next"));
    assert_eq!(
        [voice.len(), next.len(), left.len(), told.len()],
        [1, 1, 2, 1]
    );
    assert_eq!(
        (&voice[0]["method"], &next[0]["method"]),
        (&json!("POST"), &json!("GET"))
    );
    assert_eq!(voice[0]["query"], "Tag=b&Tag=a&name=h%C3%A9&To=nobody");
    assert!(
        voice[0]["authorization"]
            .as_str()
            .is_some_and(|user| user.starts_with("Basic "))
    );
    let query = next[0]["query"].as_str().expect("a query");
    assert!(query.starts_with("lang=km&q=a+b%20c%27d&"), "{query}");
    assert!(query.contains("&CallSid=CA"), "{query}");
    assert_eq!(next[0]["parameters"], json!([]));
}

#[test]
fn the_library_for_python_takes_them_over_http() {
    a_call_is_told(Library::Python, false);
}

#[test]
fn the_library_for_python_takes_them_over_https() {
    a_call_is_told(Library::Python, true);
}

#[test]
fn the_library_for_node_takes_them_over_http() {
    a_call_is_told(Library::Node, false);
}

#[test]
fn the_library_for_node_takes_them_over_https() {
    a_call_is_told(Library::Node, true);
}

/// Whose authority nobody has named.
#[test]
fn a_certificate_of_an_unknown_authority_is_not_believed() {
    let certificates = Certificates::of("127.0.0.1");
    let app = WebhookApp::start(
        Library::Python,
        &token(),
        &[("/voice", "<Response/>")],
        Some(&certificates),
    );
    let numbers = vec![("1000", Flow::VoiceUrl(app.url("/voice")))];
    let server = Server::start(&Tenants::with_numbers(numbers));
    let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
    caller.succeed(LIMIT); // after an apology
    let told = eventually("it is told", LIMIT, || {
        let (_, page) = server.rest().get("Notifications.json");
        page["notifications"].get(0).cloned()
    });
    assert_eq!(told["error_code"], "11237", "{told}");
    let text = told["message_text"].as_str().unwrap_or_default();
    assert!(text.contains("UnknownIssuer"), "{told}");
    assert_eq!(app.asked(), [] as [Value; 0]);
    server.stop();
}

/// Writes the plugin into a folder.
fn write_plugin(folder: &Path) {
    let sdk = needs::workspace().join("guest-sdk");
    let manifest = format!(
        "[package]\nname = \"sender\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\n\
         [dependencies]\njackfield-guest = {{ path = {sdk:?} }}\n\n[workspace]\n"
    );
    std::fs::create_dir_all(folder.join("src")).expect("a folder");
    for (name, text) in [
        ("Cargo.toml", manifest.as_str()),
        ("plugin.toml", "hosts = [\"*\"]\nsettings = [\"app-url\"]\n"),
        ("src/lib.rs", STORY),
    ] {
        std::fs::write(folder.join(name), text).expect("a file");
    }
    // The versions that the rest is tested with.
    let lock = needs::workspace().join("Cargo.lock");
    std::fs::copy(lock, folder.join("Cargo.lock")).expect("the workspace has a lock file");
}

#[test]
fn both_take_a_name_that_comes_twice_and_json() {
    let token = token();
    let pages = [("/hook", "")];
    let apps = [Library::Python, Library::Node]
        .map(|library| WebhookApp::start(library, &token, &pages, None));
    let folder = tempfile::tempdir().expect("a folder for the plugin");
    write_plugin(folder.path());
    for app in &apps {
        let mut tenants = Tenants::calling("127.0.0.1:9".parse().expect("an address"));
        tenants.account = format!(
            "settings = {{ app-url = \"{}\" }}\ngrants = {{ hosts = [\"*\"], settings = [\"*\"] }}",
            app.url("/hook?of=1")
        );
        let server = Server::start(&tenants);
        let (pushed, told) = plugin_in(folder.path(), &server, &["push", "--name", "menu"]);
        assert!(pushed, "{told}");
        let caller = Sipp::new("uac_wait_bye").dialling("1000").start(server.sip);
        let asked = app.wait_for("/hook", 2);
        drop(caller); // the story ends before it answers
        server.stop();
        check(&asked);
        let (form, json_body) = (&asked[0], &asked[1]);
        let tags = json!([
            ["Tag", "b"],
            ["Tag", "a"],
            ["Tag", "b"],
            ["TagName", "ក &"],
            ["tag", ""]
        ]);
        assert_eq!(form["parameters"], tags);
        assert_eq!(form["query"], "of=1");
        let query = json_body["query"].as_str().unwrap_or_default();
        assert!(query.starts_with("of=1&bodySHA256="), "{json_body}");
        assert_eq!(app.asked().len(), 2);
    }
}
