//! The demo's tenants and prompts, which are part of the binary.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use call::Grants;
use store::tenants::Surroundings;
use store::{Author, Tenants};

use super::NUMBER;
use crate::commands::cli::DemoOptions;
use crate::services::Services;

const PROMPTS: [(&str, &[u8]); 6] = [
    (
        "welcome.wav",
        include_bytes!("../../../../examples/first-call/media/prompts/welcome.wav"),
    ),
    (
        "menu.wav",
        include_bytes!("../../../../examples/first-call/media/prompts/menu.wav"),
    ),
    (
        "sales.wav",
        include_bytes!("../../../../examples/first-call/media/prompts/sales.wav"),
    ),
    (
        "support.wav",
        include_bytes!("../../../../examples/first-call/media/prompts/support.wav"),
    ),
    (
        "goodbye.wav",
        include_bytes!("../../../../examples/first-call/media/prompts/goodbye.wav"),
    ),
    (
        "echo.wav",
        include_bytes!("../../../../examples/first-call/media/prompts/echo.wav"),
    ),
];

/// Puts one carrier, account, trunk and number in force.
pub(super) async fn apply(services: &Arc<Services>, options: &DemoOptions) -> anyhow::Result<()> {
    let folder = std::path::absolute(&options.out)?;
    write_prompts(&folder.join("media/prompts")).context("cannot write the demo's prompts")?;
    let bundled: Vec<_> = bundled::ALL.iter().map(|(name, _)| *name).collect();
    let check_component = |wasm: &[u8], grants: &Grants| {
        services
            .flows
            .check(wasm, grants)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let surroundings = Surroundings {
        folder: &folder,
        bundled: &bundled,
        uploaded: &|_, _, _| false,
        check_component: &check_component,
    };
    let tenants = Tenants::parse(&file(&options.flow)?, &surroundings)
        .with_context(|| format!("`{}` cannot answer the demo's call", options.flow))?;
    let tenants = tenants.applied_by(Author::operator(crate::clock::unix_ms()));
    services.store.apply(tenants).await?;
    crate::operator::take_over(services);
    Ok(())
}

fn write_prompts(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    PROMPTS
        .iter()
        .try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
}

/// The tenants file. A flow that is a file becomes the account's component `demo`.
fn file(flow: &str) -> anyhow::Result<String> {
    let (component, flow) = if Path::new(flow)
        .extension()
        .is_some_and(|extension| extension == "wasm")
    {
        let path = std::path::absolute(flow)?;
        let path = toml::Value::String(
            path.to_str()
                .context("the component's path is not UTF-8")?
                .to_owned(),
        );
        (
            format!("[[component]]\naccount = \"hotline\"\nname = \"demo\"\nfile = {path}\n"),
            "demo",
        )
    } else {
        (String::new(), flow)
    };
    let flow = toml::Value::String(flow.to_owned());
    Ok(format!(
        "[[carrier]]\nid = \"demo\"\n
[[account]]\ncarrier = \"demo\"\nname = \"hotline\"\nmedia_dir = \"media\"\negress.allow = [\"127.0.0.0/8\"]\ngrants = {{ hosts = [\"*\"], dial = [\"*\"], settings = [\"*\"], key-value = true }}\n
[[trunk]]\nid = \"loopback\"\ncarrier = \"demo\"\nsources = [\"127.0.0.1\"]\nmax_channels = 10\ncalls_per_second = 10.0\n
{component}
[[number]]\nnumber = \"{NUMBER}\"\naccount = \"hotline\"\nflow = {flow}\n"
    ))
}
