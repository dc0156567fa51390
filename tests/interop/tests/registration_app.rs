//! The registration line of Laos as a web application that answers in `TwiML`: it does what the plugin does, by the plugin's own script.

use std::process::Command;
use std::time::Duration;

use jackfield_interop::needs;
use jackfield_interop::process::Process;
use jackfield_interop::server::{Server, Tenants, binary};
use toml::{Table, Value};

const LIMIT: Duration = Duration::from_secs(60);
const PROMPTS: &str = "ews_laos_registration/";

/// The plugin's cases with prompts of this server; without those about settings, which are the plugin's.
fn cases(base: &str) -> (String, usize) {
    let scripts = needs::workspace().join("examples/plugins/laos-registration/scripts/calls.toml");
    let text = std::fs::read_to_string(scripts).expect("the plugin has scripts");
    let text = text.replace(PROMPTS, &format!("{base}{PROMPTS}"));
    let mut file: Table = text.parse().expect("the scripts are TOML");
    let Some(Value::Array(cases)) = file.get_mut("case") else {
        panic!("the scripts have cases")
    };
    cases.retain(|case| {
        case.get("world")
            .is_none_or(|world| world.get("settings").is_none())
    });
    for case in cases.iter_mut().filter_map(Value::as_table_mut) {
        case.remove("people");
        case.remove("world");
    }
    let count = cases.len();
    let Some(Value::Table(world)) = file.get_mut("world") else {
        panic!("the scripts have a world")
    };
    world.remove("settings");
    (file.to_string(), count)
}

#[test]
fn the_same_keys_play_the_same_prompts_and_save_the_same_people() {
    let server = Server::start(&Tenants::default());
    let rest = server.rest();
    let folder = tempfile::tempdir().expect("a folder");
    let examples = needs::workspace().join("examples");
    let mut app = Process::start(
        "registration-app",
        Command::new(needs::test_python())
            .arg(examples.join("registration-app/app.py"))
            .args(["--port", "0", "--gazetteer"])
            .arg(examples.join("plugins/laos-registration/gazetteer.csv"))
            .env("JACKFIELD_URL", format!("http://{}", rest.address))
            .env("ACCOUNT_SID", &rest.account_sid)
            .env("AUTH_TOKEN", &rest.auth_token),
        &folder.path().join("app.txt"),
    );
    let line = app.wait_for_line("is at http://", LIMIT);
    let (_, base) = line.split_once("is at ").expect("it says where it is");
    let (script, count) = cases(base.trim());
    assert_eq!(count, 13);
    let file = folder.path().join("calls.toml");
    std::fs::write(&file, script).expect("a file");

    let played = Command::new(binary())
        .args(["twiml", "test", base.trim(), "--allow", "127.0.0.1"])
        .args(["--auth-token", &rest.auth_token])
        .arg(&file)
        .output()
        .expect("jackfield can be run");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&played.stdout),
        String::from_utf8_lossy(&played.stderr)
    );
    assert!(played.status.success(), "{said}\n{}", app.output());
    assert!(said.contains("13 cases, 0 failed"), "{said}");

    // All cases are calls of one person, who has all their places in the end, and the address of the last one.
    let listed = Command::new(binary())
        .args(["people", "export"])
        .env("JF_SERVER", format!("http://{}", rest.address))
        .env("JF_ACCOUNT", &rest.account_sid)
        .env("JF_TOKEN", &rest.auth_token)
        .output()
        .expect("jackfield can be run");
    let table = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert_eq!(table.lines().count(), 2, "{table}");
    for cell in [
        "+8562055500001,lao,",
        "1401;1407;1408;1601;1602;1604;1610;1702;1704",
        "Lao Ngam, Salavan",
        "LA-SL",
    ] {
        assert!(table.contains(cell), "{cell} is not in {table}");
    }
    server.stop();
}
