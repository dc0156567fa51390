//! Writing compound packets.

use super::ReportBlock;
use super::read::{CNAME, DESCRIPTION, GOODBYE, RECEIVER_REPORT, SENDER_REPORT, SenderInfo};

/// A buffer of this length holds the longest compound we write, 88 bytes, and what SRTCP appends.
pub const MAX_RTCP_BYTES: usize = 128;

/// Bytes of our canonical name: 96 bits in base64 (RFC 7022 section 4.2).
pub(super) const CNAME_BYTES: usize = 16;

/// A compound packet that grows.
pub(super) struct Writer<'a> {
    buffer: &'a mut [u8; MAX_RTCP_BYTES],
    length: usize,
}

impl<'a> Writer<'a> {
    pub(super) const fn new(buffer: &'a mut [u8; MAX_RTCP_BYTES]) -> Self {
        Self { buffer, length: 0 }
    }

    /// A sender report if there is what to say of sending, else a receiver report.
    pub(super) fn report(
        &mut self,
        ssrc: u32,
        sent: Option<&SenderInfo>,
        heard: Option<&ReportBlock>,
    ) {
        let kind = if sent.is_some() {
            SENDER_REPORT
        } else {
            RECEIVER_REPORT
        };
        let begin = self.begin(kind, u8::from(heard.is_some()));
        self.word(ssrc);
        if let Some(info) = sent {
            self.word((info.ntp >> 32) as u32);
            self.word(info.ntp as u32);
            self.word(info.timestamp);
            self.word(info.packets);
            self.word(info.octets);
        }
        if let Some(block) = heard {
            self.block(block);
        }
        self.end(begin);
    }

    /// The name of this source.
    pub(super) fn description(&mut self, ssrc: u32, cname: &[u8; CNAME_BYTES]) {
        let begin = self.begin(DESCRIPTION, 1);
        self.word(ssrc);
        self.bytes(&[CNAME, CNAME_BYTES as u8]);
        self.bytes(cname);
        self.bytes(&[0; 2]); // ends the list, at a whole word
        self.end(begin);
    }

    /// This source ends.
    pub(super) fn goodbye(&mut self, ssrc: u32) {
        let begin = self.begin(GOODBYE, 1);
        self.word(ssrc);
        self.end(begin);
    }

    pub(super) const fn length(&self) -> usize {
        self.length
    }

    fn block(&mut self, block: &ReportBlock) {
        self.word(block.ssrc);
        let lost = block.cumulative_lost.cast_unsigned() & 0x00ff_ffff;
        self.word(u32::from(block.fraction_lost) << 24 | lost);
        self.word(block.highest_sequence);
        self.word(block.jitter);
        self.word(block.last_sender_report);
        self.word(block.delay_since);
    }

    /// A header whose length [`Self::end`] fills in. Returns where it stands.
    fn begin(&mut self, kind: u8, count: u8) -> usize {
        let begin = self.length;
        self.bytes(&[0x80 | count, kind, 0, 0]);
        begin
    }

    fn end(&mut self, begin: usize) {
        let words = ((self.length - begin) / 4 - 1) as u16;
        self.buffer[begin + 2..begin + 4].copy_from_slice(&words.to_be_bytes());
    }

    fn word(&mut self, word: u32) {
        self.bytes(&word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.buffer[self.length..self.length + bytes.len()].copy_from_slice(bytes);
        self.length += bytes.len();
    }
}
