//! A leg with keys.

use rtp::srtp::{MAX_OVERHEAD_BYTES, SrtpReceiver, SrtpSender};
use sdp::CryptoSuite;

use super::*;
use crate::media_plane::keys::master_key;

#[test]
fn an_encrypted_leg_takes_what_is_authentic_and_sends_nothing_else() {
    for suite in CryptoSuite::ALL {
        let key = |byte| sdp::MasterKey::new(suite, &vec![byte; suite.master_bytes()]).unwrap();
        let srtp = sdp::Srtp {
            send: key(1),
            receive: key(2),
        };
        let mut rig = Rig::new(false);
        rig.command(MediaCommand::Echo(true));
        rig.command(MediaCommand::Connect(MediaPath {
            srtp: Some(srtp),
            ..path()
        }));
        let mut theirs = SrtpSender::new(&master_key(&key(2)));
        let mut ours = SrtpReceiver::new(&master_key(&key(1)));
        let mut heard = String::new();
        for (timestamp, letter) in (0..).step_by(160).zip("abcdefgh".bytes()) {
            let clear = rig.packet(PEER_SSRC, 0, timestamp, &[letter; FRAME_SAMPLES]);
            let mut sealed = clear.clone();
            sealed.resize(clear.len() + MAX_OVERHEAD_BYTES, 0);
            let length = theirs.protect(&mut sealed, clear.len()).unwrap();
            sealed.truncate(length);
            let mut forged = sealed.clone();
            forged[20] ^= 1;
            assert_eq!(
                rig.receive(peer(), clear),
                Received::Refused,
                "{suite:?}: in the clear"
            );
            assert_eq!(rig.receive(peer(), forged), Received::Refused, "{suite:?}");
            assert_eq!(
                rig.receive(peer(), sealed.clone()),
                Received::Taken,
                "{suite:?}"
            );
            assert_eq!(
                rig.receive(peer(), sealed),
                Received::Refused,
                "{suite:?}: replayed"
            );
            let (mut datagram, remote) = rig.send().unwrap();
            assert_eq!(remote, peer());
            let length = ours.unprotect(&mut datagram).unwrap();
            heard.push(char::from(
                rtp::parse(&datagram[..length]).unwrap().payload[0],
            ));
        }
        assert_eq!(heard.trim_start_matches('\u{ff}'), "abcde", "{suite:?}");
    }
}
