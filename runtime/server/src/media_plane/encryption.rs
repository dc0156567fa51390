//! Whether a call's audio is to be encrypted, and with which keys.

use crate::services::random;

/// Our side of encryption on a trunk. `is_secure`: the signalling of this call, all of it, goes over TLS.
pub(crate) fn encryption(trunk: store::Encryption, is_secure: bool) -> sdp::LocalSecurity {
    match trunk.policy() {
        sdp::Security::None => sdp::LocalSecurity::none(),
        policy => sdp::LocalSecurity {
            policy,
            signalling_is_secure: is_secure,
            keys: sdp::OurKeys::new(random()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leg_has_keys_of_its_own() {
        let legs = [(); 2].map(|()| encryption(store::Encryption::Required, true));
        assert_eq!(legs[0].policy, sdp::Security::Require);
        for suite in sdp::CryptoSuite::ALL {
            let [one, other] = legs.each_ref().map(|leg| leg.keys.of(suite));
            assert_ne!(one, other, "{suite:?}");
        }
        assert_eq!(legs[0].check(), Ok(()));
    }

    #[test]
    fn keys_need_a_way() {
        let local = encryption(store::Encryption::Required, false);
        assert_eq!(local.check(), Err(sdp::SdpError::NoWayForKeys));
        assert!(!encryption(store::Encryption::Optional, false).signalling_is_secure);
        let off = encryption(store::Encryption::Off, true);
        assert_eq!(off, sdp::LocalSecurity::none());
    }
}
