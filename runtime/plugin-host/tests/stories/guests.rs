//! Components from WebAssembly text, with the interface's own WIT.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{PackageId, Resolve};

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// What WASI 0.2 toolchains import, as far as the guests here use it.
const WASI: &str = "
package wasi:io@0.2.6 {
    interface error { resource error; }
    interface poll { resource pollable { block: func(); } }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
        resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
    }
}
package wasi:cli@0.2.6 {
    interface exit { exit: func(status: result); }
    interface environment { get-environment: func() -> list<tuple<string, string>>; }
    interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
    interface stderr { use wasi:io/streams@0.2.6.{output-stream}; get-stderr: func() -> output-stream; }
}
package wasi:clocks@0.2.6 {
    interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }
}
package wasi:random@0.2.6 { interface random { get-random-u64: func() -> u64; } }
package wasi:sockets@0.2.6 {
    interface network {
        resource network;
        enum ip-address-family { ipv4, ipv6 }
        enum error-code {
            unknown, access-denied, not-supported, invalid-argument, out-of-memory, timeout, concurrency-conflict, not-in-progress, would-block,
            invalid-state, new-socket-limit, address-not-bindable, address-in-use, remote-unreachable, connection-refused, connection-reset,
            connection-aborted, datagram-too-large, name-unresolvable, temporary-resolver-failure, permanent-resolver-failure,
        }
    }
    interface tcp { resource tcp-socket; }
    interface tcp-create-socket {
        use network.{ip-address-family, error-code};
        use tcp.{tcp-socket};
        create-tcp-socket: func(address-family: ip-address-family) -> result<tcp-socket, error-code>;
    }
}
package test:guest {
    world all {
        include jackfield:call/call-flow@0.1.0;
        import jackfield:people/people@0.1.0;
        import jackfield:media/files@0.1.0;
        import jackfield:pin/pin@0.1.0;
        import wasi:cli/exit@0.2.6;
        import wasi:cli/environment@0.2.6;
        import wasi:cli/stdout@0.2.6;
        import wasi:cli/stderr@0.2.6;
        import wasi:clocks/wall-clock@0.2.6;
        import wasi:clocks/monotonic-clock@0.2.6;
        import wasi:random/random@0.2.6;
    }
    interface other { answer: func(); }
    world strange { include jackfield:call/call-flow@0.1.0; import other; }
    world networked { include jackfield:call/call-flow@0.1.0; import wasi:sockets/network@0.2.6; }
    world socketed { include jackfield:call/call-flow@0.1.0; import wasi:sockets/tcp-create-socket@0.2.6; }
    world policy {
        include jackfield:routing/routing-policy@0.1.0;
        import wasi:cli/exit@0.2.6;
        import wasi:clocks/wall-clock@0.2.6;
        import wasi:random/random@0.2.6;
    }
    world several {
        include jackfield:call/call-flow@0.1.0;
        include jackfield:routing/routing-policy@0.1.0;
        include jackfield:retry/retry-strategy@0.1.0;
    }
    world nosy { include jackfield:routing/routing-policy@0.1.0; import jackfield:call/control@0.1.0; }
    world storyless { import jackfield:call/control@0.1.0; export other; }
    world empty { }
}
";

/// The imports and the memory that every guest here has. `ok` is where a successful result lies, `area` where the host
/// writes results; both are results that say `ok` as long as nothing was written.
const PRELUDE: &str = r#"
(import "jackfield:call/control@0.1.0" "answer" (func $answer (param i32)))
(import "jackfield:call/control@0.1.0" "hang-up" (func $hang-up (param i32)))
(import "jackfield:call/control@0.1.0" "echo" (func $echo (param i32 i32)))
(import "jackfield:call/control@0.1.0" "play" (func $play (param i32 i32 i32 i32 i32)))
(import "jackfield:call/control@0.1.0" "stop-playback" (func $stop-playback (param i32 i32)))
(import "jackfield:call/control@0.1.0" "next-event" (func $next-event (param i32 i32 i32)))
(import "wasi:logging/logging@0.1.0-draft" "log" (func $log (param i32 i32 i32 i32 i32)))
(import "wasi:config/store@0.2.0-rc.1" "get" (func $setting (param i32 i32 i32)))
"#;

const MEMORY: &str = r#"
(memory (export "memory") 4)
(global $ok i32 (i32.const 64))
(global $area i32 (i32.const 128))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 8192)
"#;

/// A component whose `run` has this body. Leaves the rest of the module to `items`.
pub(crate) fn guest(items: &str, body: &str) -> Vec<u8> {
    component("test:guest/all", items, body)
}

/// The same for another world of this file.
pub(crate) fn component(world: &str, items: &str, body: &str) -> Vec<u8> {
    let module = format!(
        r#"(module {PRELUDE} {imports} {MEMORY} {rest}
            (func (export "jackfield:call/story@0.1.0#run") (result i32) {body} global.get $ok))"#,
        imports = imports_of(items),
        rest = rest_of(items),
    );
    encode(&resolve(&[]), world, &module)
}

/// A component with this whole core module, in this world. `changes` are replacements in all that the world is made of.
pub(crate) fn encode_with(changes: &[(&str, &str)], world: &str, module: &str) -> Vec<u8> {
    encode(&resolve(changes), world, module)
}

/// Imports come first in a module.
fn imports_of(items: &str) -> String {
    lines(items, true)
}

fn rest_of(items: &str) -> String {
    lines(items, false)
}

fn lines(items: &str, imports: bool) -> String {
    items
        .lines()
        .filter(|line| line.trim_start().starts_with("(import") == imports)
        .collect::<Vec<_>>()
        .join("\n")
}

fn encode((resolve, package): &(Resolve, PackageId), world: &str, module: &str) -> Vec<u8> {
    let world = resolve.select_world(&[*package], Some(world)).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    embed_component_metadata(&mut module, resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .validate(true)
        .encode()
        .unwrap()
}

fn resolve(changes: &[(&str, &str)]) -> (Resolve, PackageId) {
    let mut packages: Vec<String> = [
        "deps/wasi-logging@0.1.0-draft",
        "deps/wasi-config@0.2.0-rc.1",
        "deps/wasi-keyvalue@0.2.0-draft",
        "types@0.1.0",
        "call@0.1.0",
        "people@0.1.0",
        "media@0.1.0",
        "pin@0.1.0",
        "routing@0.1.0",
        "retry@0.1.0",
    ]
    .map(whole_package)
    .into();
    packages.push(format!("package test:root;\n{WASI}"));
    for (from, to) in changes {
        assert!(
            packages.iter().any(|text| text.contains(from)),
            "`{from}` is not there"
        );
        for text in &mut packages {
            *text = text.replace(from, to);
        }
    }
    let mut resolve = Resolve::default();
    let packages: Vec<PackageId> = packages
        .iter()
        .map(|text| resolve.push_str("package.wit", text).unwrap())
        .collect();
    (resolve, *packages.last().unwrap())
}

/// All files of a package in one.
fn whole_package(folder: &str) -> String {
    let files = std::fs::read_dir(format!("{WIT}/{folder}")).unwrap();
    let mut head = String::new();
    let mut interfaces = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let (package, rest) = text.split_once(';').unwrap();
        head = format!("{package};\n");
        interfaces.push(rest.to_owned());
    }
    head + &interfaces.join("\n")
}
