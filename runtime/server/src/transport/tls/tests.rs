use std::path::Path;

use rcgen::KeyPair;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::tests::{Authority, LIMIT};
use super::*;

const DAYS_VALID: i64 = 90;

/// Settings whose files are in `folder`: a certificate of `authority`, which is also the one we trust.
fn settings(folder: &Path, authority: &Authority, name: &str) -> Sip {
    let issued = authority.issue(&[name], DAYS_VALID);
    issued.write(folder);
    std::fs::write(folder.join("ca.pem"), &authority.pem).unwrap();
    Sip {
        tls_certificate: Some(folder.join("certificate.pem")),
        tls_key: Some(folder.join("key.pem")),
        tls_roots: Some(folder.join("ca.pem")),
        ..Sip::default()
    }
}

/// A handshake of the two over loopback: what the client says of it, and the two ends.
async fn meet(
    server: &Tls,
    client: &Tls,
    name: &str,
) -> (
    io::Result<client::TlsStream<TcpStream>>,
    io::Result<server::TlsStream<TcpStream>>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connect = async {
        let stream = TcpStream::connect(address).await.unwrap();
        client.connect(name, stream).await
    };
    let accept = async {
        let (stream, _) = listener.accept().await.unwrap();
        server.accept(Transport::Tls, stream).await
    };
    tokio::time::timeout(LIMIT, async { tokio::join!(connect, accept) })
        .await
        .expect("a handshake in time")
}

#[tokio::test]
async fn only_who_proves_its_name_is_spoken_to() {
    let trusted = Authority::new("ours");
    let stranger = Authority::new("another");
    let folder = tempfile::tempdir().unwrap();
    let (client, _keeper) = Tls::load(&settings(folder.path(), &trusted, "us.example")).unwrap();
    for (authority, names, days, met, expected) in [
        (&trusted, &["sbc.example"][..], 90, "sbc.example", Ok(())),
        (
            &trusted,
            &["a.example", "sbc.example"],
            90,
            "sbc.example",
            Ok(()),
        ),
        (&trusted, &["*.sbc.example"], 90, "a.sbc.example", Ok(())),
        (&trusted, &["192.0.2.9"], 90, "192.0.2.9", Ok(())),
        (
            &trusted,
            &["sbc.example"],
            90,
            "sbc.example.org",
            Err("not valid for name"),
        ),
        (
            &trusted,
            &["sbc.example"],
            90,
            "192.0.2.9",
            Err("not valid for name"),
        ),
        (
            &trusted,
            &["sbc.example"],
            -1,
            "sbc.example",
            Err("expired"),
        ),
        (
            &stranger,
            &["sbc.example"],
            90,
            "sbc.example",
            Err("UnknownIssuer"),
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), &trusted, "unused");
        authority.issue(names, days).write(folder.path());
        let (server, _keeper) = Tls::load(&settings).unwrap();
        let (met_as, _) = meet(&server, &client, met).await;
        let met_as = met_as.map(|_| ()).map_err(|error| error.to_string());
        match expected {
            Ok(()) => assert_eq!(met_as, Ok(()), "{names:?} as {met}"),
            Err(part) => {
                let error = met_as.expect_err("a refusal");
                assert!(error.contains(part), "{names:?} as {met}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn clients_show_a_certificate_where_one_is_asked_for() {
    let ours = Authority::new("ours");
    let theirs = Authority::new("theirs");
    let folder = tempfile::tempdir().unwrap();
    let mut asking = settings(folder.path(), &ours, "us.example");
    asking.tls_client_ca = Some(folder.path().join("clients.pem"));
    std::fs::write(folder.path().join("clients.pem"), &theirs.pem).unwrap();
    let (server, _keeper) = Tls::load(&asking).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let mut showing = settings(folder.path(), &theirs, "them.example");
    std::fs::write(folder.path().join("ca.pem"), &ours.pem).unwrap();
    let (client, _keeper) = Tls::load(&showing).unwrap();
    let (_, met) = meet(&server, &client, "us.example").await;
    assert!(met.is_ok(), "{met:?}");

    (showing.tls_certificate, showing.tls_key) = (None, None);
    let (client, _keeper) = Tls::load(&showing).unwrap();
    let (_, met) = meet(&server, &client, "us.example").await;
    assert!(met.is_err(), "one without a certificate");
    ours.issue(&["them.example"], DAYS_VALID)
        .write(folder.path());
    showing.tls_certificate = Some(folder.path().join("certificate.pem"));
    showing.tls_key = Some(folder.path().join("key.pem"));
    let (client, _keeper) = Tls::load(&showing).unwrap();
    let (_, met) = meet(&server, &client, "us.example").await;
    assert!(met.is_err(), "one of another authority");
}

#[tokio::test]
async fn a_certificate_is_replaced_under_a_connection() {
    let authority = Authority::new("ours");
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path(), &authority, "old.example");
    let (tls, keeper) = Tls::load(&settings).unwrap();
    tokio::spawn(keeper.run_every(Duration::from_millis(5)));
    let (client, server) = meet(&tls, &tls, "old.example").await;
    let (mut client, mut server) = (client.unwrap(), server.unwrap());

    // A certificate whose key is not there yet changes nothing.
    let new = authority.issue(&["new.example"], DAYS_VALID);
    std::fs::write(folder.path().join("certificate.pem"), &new.certificate).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(meet(&tls, &tls, "old.example").await.0.is_ok());
    std::fs::write(folder.path().join("key.pem"), &new.key).unwrap();
    let replaced = async {
        while meet(&tls, &tls, "new.example").await.0.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, replaced)
        .await
        .expect("the new certificate is shown");
    assert!(meet(&tls, &tls, "old.example").await.0.is_err());
    // Gone or garbled files change nothing either.
    std::fs::remove_file(folder.path().join("key.pem")).unwrap();
    std::fs::write(folder.path().join("certificate.pem"), "garbled").unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(meet(&tls, &tls, "new.example").await.0.is_ok());

    client.write_all(b"still here").await.unwrap();
    client.flush().await.unwrap();
    let mut heard = [0; 10];
    server.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"still here");
}

#[test]
fn what_is_unusable_is_told_with_its_setting() {
    let authority = Authority::new("ours");
    for (file, text, wanted) in [
        ("certificate.pem", "garbled", "sip.tls_certificate"),
        ("key.pem", "garbled", "sip.tls_key"),
        (
            "key.pem",
            &KeyPair::generate().unwrap().serialize_pem(),
            "do not belong together",
        ),
        ("ca.pem", "", "sip.tls_roots"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), &authority, "us.example");
        std::fs::write(folder.path().join(file), text).unwrap();
        let error = format!("{:#}", Tls::load(&settings).unwrap_err());
        assert!(error.contains(wanted), "{file}: {error}");
        std::fs::remove_file(folder.path().join(file)).unwrap();
        let error = format!("{:#}", Tls::load(&settings).unwrap_err());
        assert!(error.contains(file), "{file}: {error}");
    }
}

#[test]
fn the_end_of_a_certificate_is_known() {
    let authority = Authority::new("ours");
    for days in [-1, 10, 400] {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path(), &authority, "unused");
        authority.issue(&["us.example"], days).write(folder.path());
        let contents = Files::of(&settings).read().unwrap();
        let now = i64::try_from(UnixTime::now().as_secs()).unwrap();
        let left = contents.end_of_certificate().expect("it has an end") - now;
        assert!(
            (left - days * DAY_S).abs() < 3_600,
            "{days} days, {left} s left"
        );
    }
}
