//! Real peers against the real binary.
//!
//! Each test starts `jackfield serve` on loopback with a data folder and ports of its own, and lets programs that nobody here
//! wrote call it and be called by it: `SIPp`, baresip, PJSIP, Kamailio, and the official Python helper library of Twilio. This library starts and
//! ends them, and measures what was heard; its laboratory puts NATs between them, and attackers beside. `./test` installs what the tests need.

pub mod audio;
pub mod bad_line;
pub mod baresip;
pub mod bridge_tap;
pub mod broadcasts;
pub mod bucket;
pub mod callees;
pub mod certificates;
pub mod command_line;
pub mod digest_door;
pub mod dns;
pub mod flood;
pub mod helper_library;
pub mod kamailio;
pub mod lab;
pub mod needs;
pub mod network;
pub mod pjsip;
pub mod plugins;
pub mod ports;
pub mod process;
mod ready_made;
pub mod rest;
pub mod rtp_tap;
pub mod server;
pub mod sipp;
pub mod sprayer;
pub mod steady;
pub mod stream_app;
pub mod udp_tap;
pub mod voice_app;
pub mod webhook_app;
