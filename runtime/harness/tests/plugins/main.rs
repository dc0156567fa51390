//! The first-party components, as built, against scripted callers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(missing_docs)]

mod behaviour;
mod broken;
mod by_hand;
mod cases;
mod coverage;
mod documents;
mod echo;
mod frozen;
mod grants;
mod menu;
mod others;
mod replay;
mod rooms;
mod scripts;
mod twiml;
mod twiml_meanings;
mod twiml_table;

use std::sync::LazyLock;

use plugin_host::{Engine, EngineConfig, Flow};

static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    Engine::new(EngineConfig {
        max_stories: 32,
        cache: None,
    })
    .unwrap()
});

static ECHO: LazyLock<Flow> = LazyLock::new(|| ENGINE.load(bundled::ECHO).unwrap());
static MENU: LazyLock<Flow> = LazyLock::new(|| ENGINE.load(bundled::MENU).unwrap());
static TWIML: LazyLock<Flow> = LazyLock::new(|| ENGINE.load(bundled::TWIML).unwrap());
