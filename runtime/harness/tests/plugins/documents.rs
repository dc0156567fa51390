//! What the pages point at is there: files, folders, headings, and the places of the code that `ARCHITECTURE.md` names.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of what is built or fetched.
const NOT_OURS: [&str; 2] = ["target", "node_modules"];

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

/// All pages below a folder.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with('.') || NOT_OURS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// A page without its blocks of code.
fn text(page: &str) -> String {
    let blocks = page.split("```").step_by(2);
    blocks.collect::<Vec<_>>().join("\n")
}

/// The targets of `[…](target)`, but for those on the web.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split_once(')'));
    targets
        .map(|(target, _)| target)
        .filter(|target| !target.contains(':') && !target.contains(char::is_whitespace))
        .collect()
}

/// What a heading is called behind the `#` of a link.
fn anchor(heading: &str) -> String {
    // Of a link its words count.
    let mut words = String::new();
    let mut rest = heading.trim();
    while let Some((before, after)) = rest.split_once("](") {
        words.push_str(before);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    words.push_str(rest);
    let kept = words.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        c => c.is_alphanumeric().then(|| c.to_ascii_lowercase()),
    });
    kept.collect()
}

fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let root = root();
    let mut all = Vec::new();
    pages(&root, &mut all);
    let mut looked_at = 0;
    for page in &all {
        let text = text(&fs::read_to_string(page).unwrap());
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            let from = page.strip_prefix(&root).unwrap().display();
            assert!(
                target.exists(),
                "{from} links to {link}, which is not there"
            );
            if !heading.is_empty() {
                let there = anchors(&self::text(&fs::read_to_string(&target).unwrap()));
                assert!(there.contains(heading), "{from}: no heading {link}");
            }
            looked_at += 1;
        }
    }
    assert!(
        all.len() > 100 && looked_at > 250,
        "{} pages, {looked_at} links",
        all.len()
    );
}

/// `server/flows.rs` stands for `runtime/server/src/flows.rs`, and `rooms/api.rs` of a paragraph about the server for
/// `runtime/server/src/rooms/api.rs`.
fn is_there(root: &Path, path: &str) -> bool {
    let (room, rest) = path.split_once('/').unwrap();
    let runtime = root.join("runtime");
    let places = [
        root.join(path),
        runtime.join(path),
        runtime.join(room).join("src").join(rest),
        runtime.join("server/src").join(path),
    ];
    places.iter().any(|place| {
        place.exists() || place.with_extension("rs").exists() || place.join("mod.rs").exists()
    })
}

#[test]
fn places_that_the_architecture_names_are_there() {
    let root = root();
    let page = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap();
    let text = text(&page);
    let is_place = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '.' | '@');
        word.contains('/') && word.chars().all(plain) && !word.starts_with('.')
    };
    let places: Vec<&str> = text
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(is_place)
        .collect();
    for place in &places {
        assert!(is_there(&root, place), "{place} is not there");
    }
    assert!(places.len() > 50, "{} places", places.len());
}

#[test]
fn what_is_missing_is_found_out() {
    assert!(!is_there(&root(), "server/no_such_file.rs"));
    assert_eq!(links("[a](b.md#c) [d](https://e) `[f]`(g)"), ["b.md#c"]);
    assert_eq!(
        anchor(" What `x` does, [then](y.md) that?"),
        "what-x-does-then-that"
    );
    assert_eq!(
        anchors("# One\n\ntwo\n## Three"),
        ["one", "three"].map(str::to_owned).into()
    );
}
