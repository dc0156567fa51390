use std::path::Path;
use std::sync::Mutex;

use axum::Router;
use axum::http::HeaderMap;
use axum::response::Redirect;
use axum::routing::get;
use call::Grants;
use store::tenants::Surroundings;
use store::{AccountStore as _, MemoryStore, Store as _, Tenants};

use super::*;

/// One account with a secret.
async fn account() -> Arc<store::Account> {
    const TENANTS: &str = "[[carrier]]\nid = \"demo\"\n
        [[account]]\ncarrier = \"demo\"\nname = \"one\"\negress.allow = [\"127.0.0.0/8\"]\n
        secrets = { crm-token = \"canary-secret\" }\n";
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
    Arc::clone(directory.accounts().next().unwrap())
}

/// Where a server is that keeps the `authorization` of each request, and redirects from `/away` to another host.
async fn server() -> (std::net::SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let note = move |headers: HeaderMap| {
        let value = headers
            .get("authorization")
            .map(|value| value.to_str().unwrap().to_owned());
        sink.lock().unwrap().push(value.unwrap_or_default());
        std::future::ready("ok")
    };
    let elsewhere = format!("http://localhost:{}/", address.port());
    let away = move || async move { Redirect::temporary(&elsewhere) };
    let app = Router::new()
        .route("/", get(note))
        .route("/away", get(away));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

fn request(url: String) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Get,
        url,
        headers: vec![(
            "Authorization".to_owned(),
            "Bearer {{secret:crm-token}}".to_owned(),
        )],
        body: Vec::new(),
        sign: false,
    }
}

#[tokio::test]
async fn the_host_fills_in_a_secret_that_is_granted_for_a_host_that_is() {
    let (account, (server, seen)) = (account().await, server().await);
    let url = |path: &str| format!("http://{server}{path}");
    let grants = |host: &str, secret: &str| {
        Arc::new(Grants {
            hosts: vec![host.to_owned()],
            secrets: vec![secret.to_owned()],
            ..Grants::default()
        })
    };
    let web = Web::trusting(egress::Roots::public());
    for (granted, path, told) in [
        (grants("127.0.0.1", "crm-token"), "/", None),
        (
            grants("127.0.0.1", "other"),
            "/",
            Some("secrets = [\"crm-token\"]"),
        ),
        (
            grants("a.example", "crm-token"),
            "/",
            Some("hosts = [\"127.0.0.1\"]"),
        ),
        (
            grants("127.0.0.1", "crm-token"),
            "/away",
            Some("hosts = [\"localhost\"]"),
        ),
    ] {
        let cookies = Cookies::default();
        let response = web
            .story_request(&account, granted, &cookies, request(url(path)))
            .await;
        let error = response.err().map(|error| error.to_string());
        match (told, error) {
            (None, None) => {}
            (Some(told), Some(error)) => {
                assert!(error.contains(told) && !error.contains("canary"), "{error}");
            }
            (told, error) => panic!("{told:?} expected, but {error:?}"),
        }
    }
    assert_eq!(*seen.lock().unwrap(), ["Bearer canary-secret"]);
    let mut unknown = request(url("/"));
    unknown.headers[0].1 = "{{secret:nothing}}".to_owned();
    let everything = Arc::new(Grants::everything());
    let told = web
        .story_request(&account, everything, &Cookies::default(), unknown)
        .await;
    assert!(
        told.unwrap_err()
            .to_string()
            .contains("no secret `nothing`")
    );
}

/// Subaccounts have no places of their own: four prompts of an account and its subaccounts are fetched at a time.
#[tokio::test]
async fn an_account_shares_its_places_with_those_that_it_made() {
    let account = account().await;
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hangs = move |axum::extract::Path(name): axum::extract::Path<String>| {
        arrived.send(name).unwrap();
        std::future::pending::<String>()
    };
    let app = Router::new().route("/{name}", get(hangs));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let web = Arc::new(Web::trusting(egress::Roots::public()));
    let fetch = |sid: u8, parent: Option<call::AccountSid>, name: &'static str| {
        let mut one = store::Account::clone(&account);
        (one.sid, one.parent) = (call::AccountSid::from_bytes([sid; 16]), parent);
        let (web, url) = (Arc::clone(&web), format!("http://{address}/{name}"));
        tokio::spawn(async move { web.media(&one, &url, &[]).await.map(drop) })
    };
    let mut fetches = Vec::new();
    for sid in 1..=4 {
        fetches.push(fetch(sid, Some(account.sid), "own"));
        assert_eq!(arrivals.recv().await.unwrap(), "own");
    }
    fetches.push(fetch(5, Some(account.sid), "fifth"));
    fetches.push(fetch(6, None, "stranger"));
    assert_eq!(arrivals.recv().await.unwrap(), "stranger");
    fetches[0].abort();
    assert_eq!(arrivals.recv().await.unwrap(), "fifth", "a place came free");
}
