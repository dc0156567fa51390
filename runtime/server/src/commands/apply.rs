//! `jackfield apply`: loads a tenants file, through the running server or straight into the store.

use std::path::Path;

use anyhow::Context;
use call::Grants;
use plugin_host::{Engine, EngineConfig};
use serde::Deserialize;
use store::tenants::Surroundings;
use store::{AccountStore as _, Applied, Author, DiskStore, OpenError, Places, Store, Tenants};

use crate::commands::own_api;
use crate::compiler::Compiler;
use crate::config::Config;
use crate::runtime::interpreters;

/// What an apply did, in words; from the store or from the server's answer.
#[derive(Debug, Deserialize)]
struct Summary {
    created: Vec<String>,
    changed: Vec<String>,
    kept: Vec<String>,
    overwritten: Vec<String>,
    unchanged: usize,
    tokens: Vec<Token>,
}

#[derive(Debug, Deserialize)]
struct Token {
    account: String,
    name: String,
    auth_token: String,
}

/// Applies `file` and prints what changed.
pub(crate) fn apply(config: &Config, file: &Path, overwrite: bool) -> anyhow::Result<()> {
    let text =
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let folder = std::path::absolute(file)?
        .parent()
        .context("the tenants file has no folder")?
        .to_owned();
    let places = Places::in_folder(&config.data_dir);
    let summary = match DiskStore::open(&places, crate::clock::unix_ms()) {
        Ok((store, _)) => straight(config, &store, &text, &folder, file, overwrite)?,
        Err(OpenError::InUse { .. }) => through_server(config, text, &folder, overwrite)?,
        Err(error) => return Err(error).context("cannot open the store"),
    };
    summary.print();
    Ok(())
}

fn straight(
    config: &Config,
    store: &DiskStore,
    text: &str,
    folder: &Path,
    file: &Path,
    overwrite: bool,
) -> anyhow::Result<Summary> {
    let bundled: Vec<_> = bundled::ALL.iter().map(|(name, _)| *name).collect();
    let directory = store.directory();
    let surroundings = Surroundings {
        folder,
        bundled: &bundled,
        uploaded: &|carrier, account, name| directory.has_plugin(carrier, account, name),
        check_component: &|wasm, grants| check_component(config, wasm, grants),
    };
    let tenants = Tenants::parse(text, &surroundings)
        .with_context(|| format!("{} was not applied", file.display()))?;
    let tenants = tenants
        .applied_by(Author::operator(crate::clock::unix_ms()))
        .overwriting(overwrite);
    Ok(store.apply(tenants).wait()?.into())
}

/// Compiles the component once, as a server would, only to know whether it could.
fn check_component(config: &Config, wasm: &[u8], grants: &Grants) -> Result<(), String> {
    let engine = Engine::new(EngineConfig {
        max_stories: 1,
        cache: None,
    })
    .and_then(|engine| interpreters(engine, config))
    .map_err(|error| error.to_string())?;
    let compiler = Compiler::new(&engine);
    engine
        .load_by(wasm, |wasm| compiler.compile(wasm))
        .and_then(|flow| plugin_host::require(flow.asks(), grants))
        .map_err(|error| error.to_string())
}

fn through_server(
    config: &Config,
    text: String,
    folder: &Path,
    overwrite: bool,
) -> anyhow::Result<Summary> {
    let folder = folder.to_str().context("the folder's name is not UTF-8")?;
    let body = own_api::ask(
        config,
        http::Method::POST,
        "apply",
        &[
            ("folder", folder),
            ("overwrite", if overwrite { "true" } else { "false" }),
        ],
        text,
    )
    .context("a server has the store open, and it did not apply the file")?;
    serde_json::from_slice(&body).context("the running server's answer is not understood")
}

impl From<Applied> for Summary {
    fn from(applied: Applied) -> Self {
        let names = |items: &[store::Item]| items.iter().map(ToString::to_string).collect();
        let token = |made: store::GeneratedToken| Token {
            account: made.account.to_string(),
            name: made.name,
            auth_token: made.token.expose().to_owned(),
        };
        Self {
            created: names(&applied.created),
            changed: names(&applied.changed),
            kept: names(&applied.kept),
            overwritten: names(&applied.overwritten),
            unchanged: applied.unchanged,
            tokens: applied.tokens.into_iter().map(token).collect(),
        }
    }
}

impl Summary {
    fn print(&self) {
        for (what, names) in [("created", &self.created), ("changed", &self.changed)] {
            for name in names {
                println!("{what} {name}");
            }
        }
        for name in &self.overwritten {
            println!("overwritten: {name} was changed over the API since the file named it last");
        }
        for name in &self.kept {
            println!(
                "kept: {name} was changed over the API, and the file says nothing new of it (--overwrite puts the file in force)"
            );
        }
        println!(
            "{} created, {} changed, {} unchanged",
            self.created.len(),
            self.changed.len(),
            self.unchanged
        );
        for Token {
            account,
            name,
            auth_token,
        } in &self.tokens
        {
            println!(
                "account `{name}` ({account}) got the token {auth_token}: it is shown this once"
            );
        }
    }
}
