//! The first-party components, built for `wasm32-wasip2`, as bytes.
//!
//! The build script compiles them from this workspace's sources. They are components like any tenant's, and reach the
//! host through the same imports.

/// `echo`: sends the caller's audio back until they press the hash key.
pub const ECHO: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/echo.wasm"));

/// `menu`: asks for one digit and plays what belongs to it.
pub const MENU: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/menu.wasm"));

/// `twiml`: runs TwiML documents, from a voice URL or inline.
pub const TWIML: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/twiml.wasm"));

/// All of them under the names that a number's flow gives.
pub const ALL: &[(&str, &[u8])] = &[("echo", ECHO), ("menu", MENU), ("twiml", TWIML)];

#[cfg(test)]
mod tests {
    use super::ALL;

    /// The preamble of a component: magic, version 13, layer 1.
    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn each_is_a_component_that_exports_a_story() {
        for (name, bytes) in ALL {
            assert_eq!(&bytes[..COMPONENT.len()], COMPONENT, "{name}");
            let story = b"jackfield:call/story@0.1.0";
            assert!(
                bytes.windows(story.len()).any(|part| part == story),
                "{name}"
            );
        }
    }
}
