//! Session keys from a master key (RFC 3711 section 4.3), and the key stream of AES in counter mode (section 4.1.1).

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256, Block};

use super::MasterKey;

/// What a session key is for (RFC 3711 section 4.3.2). SRTCP's are three above SRTP's.
#[derive(Debug, Clone, Copy)]
pub(super) enum Label {
    Encryption = 0,
    Authentication = 1,
    Salt = 2,
}

/// Whose session keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Rtp = 0,
    Rtcp = 3,
}

/// Fills `key` with a session key.
pub(super) fn derive(master: &MasterKey, protocol: Protocol, label: Label, key: &mut [u8]) {
    let (master_key, master_salt) = master.bytes().split_at(master.suite().key_bytes());
    let mut counter = [0; 16];
    counter[..master_salt.len()].copy_from_slice(master_salt);
    counter[7] ^= protocol as u8 + label as u8;
    key.fill(0);
    if master_key.len() == 32 {
        let aes = Aes256::new_from_slice(master_key).expect("a key of 32 bytes");
        apply_key_stream(&aes, counter, key);
    } else {
        let aes = Aes128::new_from_slice(master_key).expect("a key of 16 bytes");
        apply_key_stream(&aes, counter, key);
    }
}

/// Blocks encrypted at once: what AES instructions have in flight.
const BATCH: usize = 8;

/// Adds the key stream that begins with this counter, whose last 16 bits count blocks.
pub(super) fn apply_key_stream(
    aes: &impl BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>,
    counter: [u8; 16],
    data: &mut [u8],
) {
    let mut number = u16::from_be_bytes([counter[14], counter[15]]);
    for piece in data.chunks_mut(16 * BATCH) {
        let mut blocks = [Block::from(counter); BATCH];
        let blocks = &mut blocks[..piece.len().div_ceil(16)];
        for block in &mut *blocks {
            block[14..].copy_from_slice(&number.to_be_bytes());
            number = number.wrapping_add(1);
        }
        aes.encrypt_blocks(blocks);
        for (bytes, block) in piece.chunks_mut(16).zip(blocks) {
            for (byte, key) in bytes.iter_mut().zip(block.iter()) {
                *byte ^= key;
            }
        }
    }
}
