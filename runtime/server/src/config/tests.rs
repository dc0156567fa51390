//! What a configuration says, and what it must not.

use super::*;

fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::parse(text, environment).map_err(|error| format!("{error:#}"))
}

#[test]
fn an_empty_file_is_the_defaults() {
    assert_eq!(parse("", &[]).unwrap().sip.bind[0].port(), 5060);
}

#[test]
fn the_shipped_example_is_usable() {
    let example = include_str!("../../../../examples/first-call/jackfield.toml");
    parse(example, &[]).unwrap();
}

#[test]
fn environment_wins() {
    let config = parse(
        "[sip]\nbind = \"127.0.0.1:5070\"",
        &[
            ("JACKFIELD_SIP_BIND", "127.0.0.1:5090"),
            ("JACKFIELD_DATA_DIR", "/tmp/x"),
            ("JACKFIELD_LIMITS_MAX_CALLS", "7"),
            ("HOME", "/root"),
        ],
    )
    .unwrap();
    assert_eq!(config.sip.bind[0].port(), 5090);
    assert_eq!(config.data_dir, Path::new("/tmp/x"));
    assert_eq!(config.limits.max_calls, 7);
}

#[test]
fn dns_servers_have_a_port_or_the_usual_one() {
    let expected = ["192.0.2.53:53", "127.0.0.1:5353", "[2001:db8::53]:53"]
        .map(|address| NameServer(address.parse().unwrap()));
    let list = r#"["192.0.2.53", "127.0.0.1:5353", "2001:db8::53"]"#;
    for config in [
        parse(&format!("[dns]\nservers = {list}"), &[]),
        parse("", &[("JACKFIELD_DNS_SERVERS", list)]),
    ] {
        assert_eq!(config.unwrap().dns.servers, expected);
    }
}

#[test]
fn one_address_or_several() {
    for (value, expected) in [
        ("\"127.0.0.1:5070\"", vec!["127.0.0.1:5070"]),
        (
            "[\"127.0.0.1:5070\", \"[::1]:5070\"]",
            vec!["127.0.0.1:5070", "[::1]:5070"],
        ),
    ] {
        let expected: Addresses = expected
            .into_iter()
            .map(|address| address.parse().unwrap())
            .collect();
        let file = parse(&format!("[sip]\nbind = {value}"), &[]).unwrap();
        assert_eq!(file.sip.bind, expected);
        let variable = parse("", &[("JACKFIELD_SIP_BIND", value)]).unwrap();
        assert_eq!(variable.sip.bind, expected);
    }
}

#[test]
fn what_is_wrong_is_named_with_its_line_or_variable() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);
    let cases: &[Case<'_>] = &[
        ("[sip]\nbnid = \"x\"", &[], &["line 2", "bnid", "bind"]),
        (
            "[sip]\nbind = \"localhost\"",
            &[],
            &["line 2", "socket address"],
        ),
        (
            "[rtp]\nport_min = 10\nport_max = 10",
            &[],
            &["rtp.port_min"],
        ),
        ("[sip]\nbind = \"0.0.0.0:5060\"", &[], &["sip.advertised"]),
        (
            "[dns]\nservers = [\"ns.example\"]",
            &[],
            &["line 2", "ns.example", "192.0.2.53"],
        ),
        (
            "[sip]\nbind = [\"0.0.0.0:5060\", \"[::]:5060\"]\nadvertised = \"192.0.2.1:5060\"",
            &[],
            &["[::]:5060", "sip.advertised"],
        ),
        ("[sip]\nbind = []", &[], &["sip.bind is empty"]),
        (
            "[sip]\ntls_bind = \"127.0.0.1:5061\"",
            &[],
            &["sip.tls_certificate", "sip.tls_key"],
        ),
        (
            "[sip]\nwss_bind = \"127.0.0.1:443\"\ntls_certificate = \"a.pem\"",
            &[],
            &["sip.tls_key"],
        ),
        (
            "[sip]\ntls_client_ca = \"ca.pem\"",
            &[],
            &["sip.tls_client_ca", "sip.tls_bind"],
        ),
        (
            "[sip]\nws_bind = \"0.0.0.0:80\"",
            &[],
            &["sip.ws_bind", "sip.ws_advertised"],
        ),
        ("[sip]\nmax_connections = 0", &[], &["sip.max_connections"]),
        (
            "[recording]\nmax_length_s = 100_000",
            &[],
            &["recording.max_length_s", "86,400"],
        ),
        (
            "[recording]\ns3_prefix = \"a\"",
            &[],
            &["recording.s3_bucket is missing"],
        ),
        (
            "[recording]\ns3_bucket = \"Calls\"",
            &[],
            &["recording.s3_bucket", "a-z"],
        ),
        (
            "[recording]\ns3_bucket = \"calls\"",
            &[],
            &["recording.s3_access_key_id", "required"],
        ),
        (
            "[recording]\ns3_bucket = \"calls\"\ns3_access_key_id = \"a\"\ns3_secret_access_key = \"b\"\ns3_endpoint = \"minio\"",
            &[],
            &["recording.s3_endpoint", "https://"],
        ),
        (
            "[recording]\nmax_mib_per_account = 1\ns3_bucket = \"calls\"\ns3_access_key_id = \"a\"\ns3_secret_access_key = \"b\"",
            &[],
            &["recording.max_mib_per_account", "one of them"],
        ),
        (
            "[api]\npublic_url = \"voice.example\"",
            &[],
            &["api.public_url", "https://"],
        ),
        (
            "[limits]\nmax_participants = 251",
            &[],
            &["limits.max_participants", "250"],
        ),
        (
            "[limits]\naccount_stories = 0",
            &[],
            &["limits.account_stories", "1 or more"],
        ),
        (
            "[limits]\naccount_memory_mib = 255",
            &[],
            &["limits.account_memory_mib", "256 or more"],
        ),
        (
            "[limits]\nmax_interpreted = 1001",
            &[],
            &["limits.max_interpreted", "0 to 1000"],
        ),
        (
            "[speech]\norder = [\"espeak\"]",
            &[],
            &["speech.order", "espeak-ng"],
        ),
        (
            "",
            &[("JACKFIELD_SIP_BIND", "nowhere")],
            &["JACKFIELD_SIP_BIND", "nowhere"],
        ),
        (
            "",
            &[("JACKFIELD_SPI_BIND", "1")],
            &["JACKFIELD_SPI_BIND", "spi_bind"],
        ),
    ];
    for &(text, environment, wanted) in cases {
        let error = parse(text, environment).unwrap_err();
        for part in wanted {
            assert!(
                error.contains(part),
                "{text:?} {environment:?}: `{part}` is not in: {error}"
            );
        }
    }
}
