//! Where a tenant's URL may lead, and where it may not.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use jackfield_egress::{CookieJar, Egress, FetchError, Grants, Limits, MayVisit, Request};
use support::{EMPTY_200, Raw, Script, brief, fetch, serve};

/// Hosts that are somebody's inside, in the forms that get past careless filters. `N` stands for every name that a
/// hostile name server gives such an address.
const INSIDE: &[&str] = &[
    // Loopback.
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "2130706433",
    "0x7f000001",
    "0x7f.0x0.0x0.0x1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.0.0.01",
    "017700000001",
    "127.0.0.1.",
    "%31%32%37.0.0.1",
    "①②⑦.⓪.⓪.①",
    "１２７．０．０．１",
    "127。0。0。1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "ⓛocalhost",
    "user@127.0.0.1",
    "example.org@127.0.0.1",
    "example.org:80@127.0.0.1",
    "127.0.0.1:80@localhost",
    "127.0.0.1\\@example.org",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000::0001]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:0001]",
    // This host, unspecified.
    "0",
    "0.0.0.0",
    "0x0",
    "00000000000",
    "0.1.2.3",
    "[::]",
    "[::ffff:0:0]",
    // Metadata services.
    "169.254.169.254",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0xA9.0xFE.0xA9.0xFE",
    "0251.0376.0251.0376",
    "0251.254.169.254",
    "025177524776",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fe80::a9fe:a9fe]",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    // Private networks.
    "10.0.0.1",
    "10.255.255.255",
    "012.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "0xc0a80001",
    "100.64.0.1",
    "100.127.255.255",
    "[fc00::1]",
    "[fd12:3456:789a::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:192.168.0.1]",
    // An IPv4 address inside an IPv6 one.
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::1]",
    "[::ffff:0:7f00:1]",
    // Multicast, broadcast, reserved, documentation, benchmarking.
    "224.0.0.1",
    "239.255.255.250",
    "255.255.255.255",
    "4294967295",
    "240.0.0.1",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "[ff02::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[100::1]",
    "[5f00::1]",
    // Names that only look public; the resolver of this test puts them all at 127.0.0.1.
    "canary.example",
    "127.0.0.1.nip.example",
    "metadata.example.internal",
    "xn--bcher-kva.example",
    "bücher.example",
];

/// What no host can be.
const NO_URL: &[&str] = &[
    "",
    "256.0.0.1",
    "0x100000000",
    "1.2.3.4.5",
    "[::1",
    "[::1%25lo]",
    "[::1%lo]",
    "a b",
    "exa<mple",
    "127.0.0.1%00.example.org",
];

/// What is no HTTP at all.
const OTHER_SCHEMES: &[&str] = &[
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/",
    "unix:/run/docker.sock",
    "data:text/xml,<Response/>",
    "javascript:1",
    "//127.0.0.1/",
    "/etc/passwd",
    "voice.xml",
];

#[tokio::test]
async fn nothing_inside_is_reached_without_a_grant() {
    let canary = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let port = canary.address.port();
    let egress = Egress::with_resolver(Limits::default(), Script::new(&[&["127.0.0.1"]]));
    let attempt = async |url: &str| {
        let none = Grants::default();
        egress
            .fetch("AC1", &none, support::get(url), &CookieJar::default())
            .await
            .unwrap_err()
    };
    for host in INSIDE {
        for url in [format!("http://{host}:{port}/"), format!("http://{host}/")] {
            let refused = attempt(&url).await;
            let text = refused.to_string();
            assert!(
                matches!(refused, FetchError::NotGranted(_)),
                "{url}: {text}"
            );
            assert!(
                text.contains(" is a") || text.contains("not a public"),
                "{url}: {text}"
            );
            assert!(text.contains("`egress.allow`"), "{url}: {text}");
        }
    }
    for host in NO_URL {
        let url = format!("http://{host}:{port}/");
        let refused = attempt(&url).await;
        assert!(
            matches!(refused, FetchError::InvalidUrl(_)),
            "{url}: {refused}"
        );
    }
    for url in OTHER_SCHEMES {
        let refused = attempt(url).await;
        assert!(
            matches!(refused, FetchError::InvalidUrl(_)),
            "{url}: {refused}"
        );
    }
    assert_eq!(canary.connections(), 0);
    fetch(
        &egress,
        support::get(format!("http://canary.example:{port}/")),
    )
    .await
    .unwrap();
    assert_eq!(canary.connections(), 1, "the canary does count");
}

#[tokio::test]
async fn the_systems_localhost_is_refused_too() {
    let egress = Egress::new(Limits::default());
    let none = Grants::default();
    let request = support::get("http://localhost/");
    let refused = egress
        .fetch("AC1", &none, request, &CookieJar::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, FetchError::NotGranted(_)), "{refused}");
}

#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let granted = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let port = granted.address.port();
    let canary = Raw::bind(&format!("127.0.0.2:{port}"), EMPTY_200)
        .await
        .unwrap();
    // The name is granted nothing; its first address is, its second is not.
    let resolver = Script::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let egress = Egress::with_resolver(brief(), resolver.clone());
    let only_first = Grants::parse(&["127.0.0.1"]).unwrap();
    let url = format!("http://rebinding.example:{port}/");
    let again = async |path: &str| {
        let request = support::get(format!("{url}{path}"));
        egress
            .fetch("AC1", &only_first, request, &CookieJar::default())
            .await
    };
    assert_eq!(again("").await.unwrap().status, 200);
    assert_eq!(
        resolver.asked(),
        ["rebinding.example"],
        "asked once for one connection"
    );
    // The server closes each connection, so a second request looks the name up anew.
    let refused = again("next").await;
    assert!(
        matches!(refused, Err(FetchError::NotGranted(_))),
        "{refused:?}"
    );
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn of_several_addresses_only_granted_ones_are_tried() {
    let granted = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let port = granted.address.port();
    let canary = Raw::bind(&format!("127.0.0.2:{port}"), EMPTY_200)
        .await
        .unwrap();
    let resolver = Script::new(&[&["127.0.0.2", "10.0.0.1", "127.0.0.1"]]);
    let egress = Egress::with_resolver(brief(), resolver);
    let only_first = Grants::parse(&["127.0.0.1"]).unwrap();
    let request = support::get(format!("http://several.example:{port}/"));
    egress
        .fetch("AC1", &only_first, request, &CookieJar::default())
        .await
        .unwrap();
    assert_eq!((granted.connections(), canary.connections()), (1, 0));
}

#[tokio::test]
async fn a_connection_of_a_granted_tenant_is_not_lent_to_another() {
    let server = serve(Router::new().route("/", get(|| async { "inside" }))).await;
    let egress = Egress::new(Limits::default());
    let url = format!("http://{server}/");
    let inside = fetch(&egress, support::get(&url)).await.unwrap();
    assert_eq!(&inside.body[..], b"inside");
    let jar = CookieJar::default();
    let refused = egress
        .fetch("AC2", &Grants::default(), support::get(&url), &jar)
        .await;
    assert!(
        matches!(refused, Err(FetchError::NotGranted(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn redirects_pass_the_same_guard() {
    let canary = Raw::bind("127.0.0.2:0", EMPTY_200).await.unwrap();
    let port = canary.address.port();
    let only_first = Grants::parse(&["127.0.0.1"]).unwrap();
    let egress = Egress::with_resolver(brief(), Script::new(&[&["127.0.0.2"]]));
    for target in [
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://[fd00:ec2::254]/latest/".to_owned(),
        format!("http://127.0.0.2:{port}/"),
        format!("//127.0.0.2:{port}/"),
        format!("http://0x7f000002:{port}/"),
        format!("http://canary.example:{port}/"),
        format!("https://canary.example:{port}/"),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let location = target.clone();
            let redirect = move || async move {
                (
                    http::StatusCode::from_u16(status).unwrap(),
                    [("location", location)],
                )
            };
            let server = serve(Router::new().route("/", get(redirect))).await;
            let request = support::get(format!("http://{server}/"));
            let jar = CookieJar::default();
            let refused = egress
                .fetch("AC1", &only_first, request, &jar)
                .await
                .unwrap_err();
            assert!(
                matches!(refused, FetchError::NotGranted(_)),
                "{status} {target}: {refused}"
            );
        }
    }
    for target in ["file:///etc/passwd", "ftp://127.0.0.1/", "http://[::1"] {
        let server = serve(Router::new().route("/", get(async || Redirect::to(target)))).await;
        let refused = fetch(&egress, support::get(format!("http://{server}/")))
            .await
            .unwrap_err();
        assert!(
            matches!(refused, FetchError::InvalidUrl(_)),
            "{target}: {refused}"
        );
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn a_request_goes_to_no_host_that_it_may_not_visit_redirects_included() {
    let inside = Raw::bind("127.0.0.1:0", EMPTY_200).await.unwrap();
    let elsewhere = format!("http://localhost:{}/", inside.address.port());
    let redirect = move || async move { Redirect::temporary(&elsewhere) };
    let server = serve(Router::new().route("/", get(redirect))).await;
    let egress = Egress::new(brief());
    let visit = |url: String| Request {
        may_visit: Some(MayVisit::new(|url| match url.contains("//127.0.0.1") {
            true => Ok(()),
            false => Err(format!("not to {url}")),
        })),
        ..support::get(url)
    };
    for url in [
        format!("http://{server}/"),
        format!("http://localhost:{}/", server.port()),
    ] {
        let told = fetch(&egress, visit(url)).await.unwrap_err();
        assert!(
            matches!(&told, FetchError::NotGranted(why) if why.starts_with("not to http://localhost")),
            "{told}"
        );
    }
    assert_eq!(inside.connections(), 0);
}
