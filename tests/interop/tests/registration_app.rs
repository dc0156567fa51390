//! The registration lines of Laos and Cambodia as a web application that answers in `TwiML`: it does what the plugins do, by the plugins' own
//! scripts, and saves the same people.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jackfield_interop::command_line::run_as;
use jackfield_interop::needs;
use jackfield_interop::process::Process;
use jackfield_interop::rest::Rest;
use jackfield_interop::server::{Server, Tenants};
use serde_json::Value as Json;
use toml::{Table, Value};

const LIMIT: Duration = Duration::from_secs(60);
/// The number that takes feedback; the scripts call 1294, and say by a setting where that one does.
const FEEDBACK: &str = "1295";

/// One of the two.
struct Line {
    plugin: &'static str,
    /// As `app.py --line` has it.
    name: &'static str,
    prompts: &'static str,
    /// Whose calls the plugin's cases are.
    caller: &'static str,
}

const LAOS: Line = Line {
    plugin: "laos-registration",
    name: "laos",
    prompts: "ews_laos_registration/",
    caller: "+8562055500001",
};
const CAMBODIA: Line = Line {
    plugin: "cambodia-registration",
    name: "cambodia",
    prompts: "ews_registration/",
    caller: "+85512000001",
};

/// A plugin's cases as they are played against the application.
struct Cases {
    script: String,
    count: usize,
    /// Whom the account knows before, and then: what each case says, under a number of its own.
    before: BTreeMap<String, Value>,
    after: BTreeMap<String, Value>,
}

impl Cases {
    /// With prompts of this server; without those about settings that an application has not.
    fn of(line: &Line, base: &str) -> Self {
        let folder = needs::workspace()
            .join("examples/plugins")
            .join(line.plugin);
        let text = std::fs::read_to_string(folder.join("scripts/calls.toml"));
        let text = text.expect("the plugin has scripts");
        let text = text.replace(line.prompts, &format!("{base}{}", line.prompts));
        let mut file: Table = text.parse().expect("the scripts are TOML");
        let world = file.get_mut("world").and_then(Value::as_table_mut);
        world.expect("a world").remove("settings");
        let Some(Value::Array(all)) = file.remove("case") else {
            panic!("the scripts have cases")
        };
        let mut cases = Self {
            script: String::new(),
            count: 0,
            before: BTreeMap::new(),
            after: BTreeMap::new(),
        };
        let taken = all.into_iter().filter_map(|case| cases.take(line, case));
        let all: Vec<Value> = taken.collect();
        file.insert("case".to_owned(), Value::Array(all));
        cases.script = file.to_string();
        cases
    }

    /// Has a person of its own call in a case; none for one about settings.
    fn take(&mut self, line: &Line, case: Value) -> Option<Value> {
        let Value::Table(mut case) = case else {
            panic!("a case is a table")
        };
        let world = case.remove("world").map_or_else(Table::new, table);
        let settings = world.get("settings").cloned().map(table);
        let settings = settings.unwrap_or_default();
        if settings.keys().any(|name| !name.starts_with("feedback-")) {
            return None;
        }
        self.count += 1;
        let number = format!("{}{:02}", line.caller, self.count);
        let renamed = |people: Option<Value>| {
            let people = people.map_or_else(Table::new, table);
            assert!(people.len() <= 1, "{people:?}");
            people.get(line.caller).cloned()
        };
        let before = renamed(world.get("people").cloned());
        self.before
            .extend(before.map(|person| (number.clone(), person)));
        let after = renamed(case.remove("people"));
        self.after
            .extend(after.map(|person| (number.clone(), person)));
        let mut now = Table::new();
        let from = world.get("from").cloned();
        now.insert("from".to_owned(), from.unwrap_or(Value::String(number)));
        let takes_feedback = settings
            .get("feedback-numbers")
            .and_then(Value::as_str)
            .is_some_and(|numbers| numbers.contains("1294"));
        if takes_feedback {
            now.insert("to".to_owned(), Value::String(FEEDBACK.to_owned()));
        }
        case.insert("world".to_owned(), Value::Table(now));
        Some(Value::Table(case))
    }
}

fn table(value: Value) -> Table {
    match value {
        Value::Table(table) => table,
        other => panic!("{other:?} is no table"),
    }
}

/// A person as REST shows them, of what the case says.
fn shown(number: &str, person: &Value) -> Json {
    let person = serde_json::to_value(person).expect("JSON");
    serde_json::json!({
        "number": number,
        "language": person["language"],
        "areas": person["areas"],
        "fields": person["fields"],
    })
}

/// Those who are known before a case begins.
fn import(rest: &Rest, folder: &Path, people: &BTreeMap<String, Value>) {
    let mut rows = "number,language,areas,name\n".to_owned();
    for (number, person) in people {
        let person = shown(number, person);
        let text = |value: &Json| value.as_str().unwrap_or_default().to_owned();
        let areas = person["areas"].as_array().expect("areas");
        let areas: Vec<String> = areas.iter().map(text).collect();
        let (language, name) = (text(&person["language"]), text(&person["fields"]["name"]));
        rows += &format!("{number},{language},{},{name}\n", areas.join(";"));
    }
    let file = folder.join("before.csv");
    std::fs::write(&file, rows).expect("a file");
    run_as(rest, &["people", "import", &file.display().to_string()]).expect("they are people");
}

/// Plays a plugin's cases against the application; how many, and how many people there are then.
fn play(line: &Line) -> (usize, usize) {
    let server = Server::start(&Tenants::default());
    let rest = server.rest();
    let folder = tempfile::tempdir().expect("a folder");
    let examples = needs::workspace().join("examples");
    let gazetteer = examples.join("plugins").join(line.plugin);
    let mut app = Process::start(
        "registration-app",
        Command::new(needs::test_python())
            .arg(examples.join("registration-app/app.py"))
            .args(["--port", "0", "--line", line.name])
            .args(["--feedback-number", FEEDBACK, "--gazetteer"])
            .arg(gazetteer.join("gazetteer.csv"))
            .env("JACKFIELD_URL", format!("http://{}", rest.address))
            .env("ACCOUNT_SID", &rest.account_sid)
            .env("AUTH_TOKEN", &rest.auth_token),
        &folder.path().join("app.txt"),
    );
    let ready = app.wait_for_line("is at http://", LIMIT);
    let (_, base) = ready.split_once("is at ").expect("it says where it is");
    let base = base.trim();
    let cases = Cases::of(line, base);
    import(&rest, folder.path(), &cases.before);
    let file = folder.path().join("calls.toml");
    std::fs::write(&file, &cases.script).expect("a file");
    let file = file.display().to_string();

    let test = ["twiml", "test", base, "--allow", "127.0.0.1"];
    let token = ["--auth-token", &rest.auth_token, &file];
    let said = run_as(&rest, &[&test[..], &token[..]].concat());
    let said = said.unwrap_or_else(|said| panic!("{said}\n{}", app.output()));
    let all = format!("{} cases, 0 failed", cases.count);
    assert!(said.contains(&all), "{said}");

    let path = format!("/v1/Accounts/{}/People?PageSize=1000", rest.account_sid);
    let (_, mut page) = rest.get(&path);
    let people = page["people"].as_array_mut().expect("people");
    for person in people.iter_mut().filter_map(Json::as_object_mut) {
        person.retain(|name, _| ["number", "language", "areas", "fields"].contains(&name.as_str()));
    }
    let expected: Vec<Json> = cases
        .after
        .iter()
        .map(|(number, person)| shown(number, person))
        .collect();
    assert_eq!(*people, expected);
    server.stop();
    (cases.count, expected.len())
}

#[test]
fn the_same_keys_play_the_same_prompts_and_save_the_same_people() {
    assert_eq!(play(&LAOS), (15, 10));
}

#[test]
fn and_so_they_do_in_the_languages_of_cambodia() {
    assert_eq!(play(&CAMBODIA), (21, 11));
}
