//! The worlds that the animals are made for: `call-flow` with what WASI 0.2 toolchains import, `retry-strategy` and `routing-policy`.

use wit_parser::{Resolve, WorldId};

const WIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../wit");

/// As far as the animals use it.
const WASI: &str = "
package test:root;
package wasi:io@0.2.6 {
    interface error { resource error; }
    interface poll { resource pollable { block: func(); } }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource output-stream { blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>; }
    }
}
package wasi:cli@0.2.6 {
    interface exit { exit: func(status: result); }
    interface stdout { use wasi:io/streams@0.2.6.{output-stream}; get-stdout: func() -> output-stream; }
    interface stderr { use wasi:io/streams@0.2.6.{output-stream}; get-stderr: func() -> output-stream; }
}
package wasi:clocks@0.2.6 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.6.{pollable};
        now: func() -> u64;
        subscribe-duration: func(when: u64) -> pollable;
    }
}
package wasi:random@0.2.6 {
    interface random { get-random-u64: func() -> u64; }
}
package test:zoo {
    interface things { resource thing { constructor(); } }
    world animal {
        include jackfield:call/call-flow@0.1.0;
        import wasi:cli/exit@0.2.6;
        import wasi:cli/stdout@0.2.6;
        import wasi:cli/stderr@0.2.6;
        import wasi:clocks/monotonic-clock@0.2.6;
        import wasi:random/random@0.2.6;
    }
    world strategy {
        include jackfield:retry/retry-strategy@0.1.0;
    }
    world policy {
        include jackfield:routing/routing-policy@0.1.0;
    }
    world hoarder {
        include animal;
        export things;
    }
}
";

/// A world for each module: what it does not import is left out, but what a world exports must be there.
pub(crate) fn world(name: &str) -> (Resolve, WorldId) {
    let mut resolve = Resolve::default();
    for package in [
        "types@0.1.0",
        "deps/wasi-logging@0.1.0-draft",
        "deps/wasi-config@0.2.0-rc.1",
        "deps/wasi-keyvalue@0.2.0-draft",
        "call@0.1.0",
        "retry@0.1.0",
        "routing@0.1.0",
    ] {
        resolve
            .push_dir(format!("{WIT}/{package}"))
            .expect("the interface's own WIT is sound");
    }
    let root = resolve
        .push_str("zoo.wit", WASI)
        .expect("the text above is sound");
    let world = resolve
        .select_world(&[root], Some(&format!("test:zoo/{name}")))
        .expect("the text above has it");
    (resolve, world)
}
