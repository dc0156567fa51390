//! A caller: a SIP user agent of its own on loopback, with its own sockets. Nothing passes it to the runtime but packets.

use std::fs::File;
use std::io::BufWriter;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use call::{MediaCommand, MediaPath, PlaybackId};
use tokio::sync::mpsc;

use super::CALLER;
use super::transcript::{Side, Transcript};
use crate::config::{self, Rtp};
use crate::endpoint::{Admission, Endpoint, EndpointHandle, Refusal, SIGNALS};
use crate::media_plane::{self, HeardFrame, Leg, MediaPlane};
use crate::services::random;

/// A key is pressed when nothing was heard for this long after something was.
const SILENCE: Duration = Duration::from_millis(600);
/// Anything quieter (of 32,767) is silence.
const QUIET: i16 = 200;
/// The caller hangs up after this long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Frames of 20 ms that may wait to be written down: two seconds.
const HEARD: usize = 100;

pub(super) struct Softphone {
    endpoint: EndpointHandle,
    media: MediaPlane,
    transcript: Arc<Transcript>,
}

/// Nobody calls the caller.
struct NobodyHome;

impl Admission for NobodyHome {
    fn admit(&mut self, _: Instant, _: sip::Incoming) -> Result<mpsc::Sender<sip::Event>, Refusal> {
        Err(Refusal {
            status: 480,
            retry_after: None,
        })
    }
}

impl Softphone {
    pub(super) fn start(transcript: &Arc<Transcript>) -> anyhow::Result<Self> {
        let endpoint = Endpoint::bind(&config::Sip {
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into(),
            ..config::Sip::default()
        })?;
        let handle = endpoint.handle();
        endpoint.start(
            sip::Endpoint::new(sip::Config::new(handle.local), random()),
            NobodyHome,
        )?;
        // Behind the runtime's own range, so that the two never meet.
        let ports = Rtp {
            port_min: 40_000,
            port_max: 40_100,
            ..Rtp::default()
        };
        let media = MediaPlane::start(&ports, &[]).context("cannot start the softphone's media")?;
        Ok(Self {
            endpoint: handle,
            media,
            transcript: Arc::clone(transcript),
        })
    }

    /// Dials, presses one group of `keys` (commas part them) each time a prompt has ended, records what it hears, until either side hangs up.
    pub(super) async fn call(
        &self,
        runtime: SocketAddr,
        number: &str,
        keys: &str,
        recording: &Path,
    ) -> anyhow::Result<()> {
        let (heard, frames) = mpsc::channel(HEARD);
        let opened = self.media.open_listening_leg(heard)?;
        let local = media_plane::describe(&opened.leg, runtime, &sdp::Codec::NARROWBAND);
        let (signals, mut events) = mpsc::channel(SIGNALS);
        let dialog = self.endpoint.open(signals);
        let invite = Box::new(sip::OutgoingInvite {
            sdp: sdp::offer(&local),
            ring_timeout: PATIENCE,
            ..sip::OutgoingInvite::new(
                sip::Hop::udp(runtime),
                format!("sip:{number}@{runtime}"),
                format!("sip:{CALLER}@{}", self.endpoint.local),
                format!("sip:{number}@{runtime}"),
            )
        });
        self.say(&format!("dials {number}"));
        self.endpoint.send(sip::Command::Invite { dialog, invite });
        let answer = self.wait_for_answer(&mut events).await?;
        let negotiated = sdp::accept(&answer, &local)?;
        opened
            .leg
            .send(MediaCommand::Connect(MediaPath::from(&negotiated)));
        let conversation = Conversation::new(&opened.leg, keys, recording)?;
        self.converse(conversation, frames, &mut events, dialog)
            .await
    }

    async fn wait_for_answer(
        &self,
        events: &mut mpsc::Receiver<sip::Event>,
    ) -> anyhow::Result<bytes::Bytes> {
        loop {
            match events.recv().await.context("the SIP endpoint stopped")? {
                sip::Event::Provisional { status: 180, .. } => self.say("hears ringing"),
                sip::Event::Answered { sdp } => {
                    self.say("is answered");
                    return sdp.context("the answer has no SDP");
                }
                sip::Event::Failed { status, reason, .. } => bail!("refused: {status} {reason}"),
                _ => {}
            }
        }
    }

    async fn converse(
        &self,
        mut conversation: Conversation<'_>,
        mut frames: mpsc::Receiver<HeardFrame>,
        events: &mut mpsc::Receiver<sip::Event>,
        dialog: sip::DialogId,
    ) -> anyhow::Result<()> {
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        loop {
            tokio::select! {
                Some(frame) = frames.recv() => {
                    if let Some(keys) = conversation.hear(&frame)? {
                        self.say(&format!("presses {keys}"));
                    }
                }
                event = events.recv() => match event {
                    Some(sip::Event::Bye { .. }) | None => {
                        self.say("hears the other side hang up");
                        break;
                    }
                    Some(_) => {}
                },
                () = &mut patience => {
                    self.say("hangs up");
                    self.endpoint.send(sip::Command::Bye { dialog, cause: None });
                    break;
                }
            }
        }
        conversation.finish()
    }

    fn say(&self, text: &str) {
        self.transcript.line(Side::Caller, text);
    }
}

/// What the caller hears and does while the call is up.
struct Conversation<'a> {
    leg: &'a Leg,
    keys: std::vec::IntoIter<String>,
    wav: media::WavWriter<BufWriter<File>>,
    /// Frames of silence since something was heard; none before that.
    silent_frames: Option<u32>,
}

impl<'a> Conversation<'a> {
    fn new(leg: &'a Leg, keys: &str, recording: &Path) -> anyhow::Result<Self> {
        let file = File::create(recording)
            .with_context(|| format!("cannot write {}", recording.display()))?;
        let keys: Vec<String> = keys.split(',').map(str::to_owned).collect();
        Ok(Self {
            leg,
            keys: keys.into_iter(),
            wav: media::WavWriter::new(BufWriter::new(file))?,
            silent_frames: None,
        })
    }

    /// Writes one frame down; after a prompt presses the next group of keys, and says which.
    fn hear(&mut self, frame: &HeardFrame) -> anyhow::Result<Option<String>> {
        self.wav.write(frame)?;
        if frame
            .iter()
            .any(|sample| sample.unsigned_abs() > QUIET.unsigned_abs())
        {
            self.silent_frames = Some(0);
            return Ok(None);
        }
        let Some(silent) = &mut self.silent_frames else {
            return Ok(None);
        };
        *silent += 1;
        if Duration::from_millis(20) * *silent < SILENCE {
            return Ok(None);
        }
        self.silent_frames = None;
        let keys = self.keys.next();
        if let Some(keys) = &keys {
            self.leg.send(MediaCommand::Press {
                id: PlaybackId(1),
                keys: keys.as_str().into(),
            });
        }
        Ok(keys)
    }

    fn finish(self) -> anyhow::Result<()> {
        self.wav.finish().context("cannot finish the recording")
    }
}
