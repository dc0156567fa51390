//! The peers with each other, without a server: when this fails, the fault is not the server's.

use std::thread::sleep;
use std::time::Duration;

use jackfield_interop::audio;
use jackfield_interop::baresip::Softphone;
use jackfield_interop::rtp_tap::RtpTap;
use jackfield_interop::sipp::{Sipp, recording};
use jackfield_interop::steady::on_a_steady_machine;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn softphone_hears_what_sipp_plays() {
    on_a_steady_machine(|| {
        let nobody = "127.0.0.1:9".parse().expect("an address");
        let callee = Sipp::new("uas_play")
            .playing("g711a.pcap")
            .start(nobody)
            .listening();
        let says = audio::read_capture(&recording("g711a.pcap"));
        let tap = RtpTap::on(callee.media_port);
        let mut phone = Softphone::call(callee.address, "1000", "PCMA", &says);
        sleep(Duration::from_secs(5));
        phone.hang_up();
        let heard = phone.finish(LIMIT);
        callee.succeed(LIMIT);

        let played = &says[..24_000];
        let (at_phone, at_tap) = (
            audio::find(played, &heard),
            audio::find(played, &tap.finish()),
        );
        assert!(at_phone.is_heard(), "at the phone: {at_phone:?}");
        assert!(at_tap.is_heard(), "on the wire: {at_tap:?}");
    });
}
