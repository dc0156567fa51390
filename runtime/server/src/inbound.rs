//! From an INVITE to a call: whose it is, whether there is room, and its actor.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use call::{Call, CallInfo, Direction, InboundLeg};
use store::{CallCallback, Leg, NewCall, ProgressEvent, Scope, Sender};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::arrival;
use crate::call_actor::{CallActor, NewActor};
use crate::clock;
use crate::endpoint::{Admission, Refusal, SIGNALS};
use crate::flows::Story;
use crate::media_plane::{self, LegSettings};
use crate::referral::Peer;
use crate::services::Services;

/// What a caller that was turned away for lack of room may wait before it tries again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Decides about calls that come in. Default deny: a listed source and one of its carrier's numbers, or nothing.
pub(crate) struct Inbound {
    pub(crate) services: Arc<Services>,
    pub(crate) runtime: Handle,
}

impl Admission for Inbound {
    fn admit(
        &mut self,
        now: Instant,
        incoming: sip::Incoming,
    ) -> Result<mpsc::Sender<sip::Event>, Refusal> {
        let directory = self.services.store.directory();
        let source = incoming.source.address.ip();
        let user = incoming.user.as_ref();
        let sender = user
            .and_then(|user| directory.trunk_by_login(&user.realm, &user.name))
            .map_or(Sender::Address(source), |trunk| Sender::Trunk(&trunk.id));
        let called = incoming.request.request_uri().user().unwrap_or_default();
        let (trunk, number) = directory
            .route_inbound(sender, &called)
            .map_err(|refusal| {
                debug!(source = %incoming.source, "INVITE refused: {refusal}");
                Refusal {
                    status: refusal.status(),
                    retry_after: None,
                }
            })?;
        let account = directory.account(number.account).ok_or(Refusal {
            status: 404,
            retry_after: None,
        })?;
        if !directory.is_active(account.sid) {
            debug!(tenant.id = %account.sid, "INVITE refused: the account is not active");
            return Err(Refusal {
                status: 403,
                retry_after: None,
            });
        }
        let mut answer = directory.answer(number);
        if !self.services.live.has_room(self.services.limits.max_calls) {
            return Err(no_room());
        }
        let settings = LegSettings::of(trunk, &[source]);
        let opened = self.services.media.open_leg(&settings).map_err(|error| {
            warn!("no media port for a call: {error}");
            no_room()
        })?;
        let info = self.info(&incoming, trunk, number);
        self.services
            .outbound
            .take_channel(info.call_sid, account.sid, &trunk.id, &info.caller)
            .map_err(|full| {
                info!(tenant.id = %account.sid, trunk = %trunk.id, "INVITE refused: {full}");
                no_room()
            })?;
        let arrival = arrival::setting(&incoming, trunk);
        self.keep(&info, trunk, &answer, arrival.clone());
        answer.settings.extend(arrival);
        let (signals, signals_out) = mpsc::channel(SIGNALS);
        let is_secure = incoming.source.transport.is_secure();
        let local = sdp::Local {
            security: media_plane::encryption(trunk.encryption, is_secure),
            ..media_plane::describe(&opened.leg, incoming.source.address, &trunk.codecs)
        };
        let leg = InboundLeg {
            dialog: incoming.dialog,
            offer: incoming.sdp,
            local,
        };
        let new = NewActor {
            info,
            call: Call::inbound(now, leg, self.services.call_limits(account)),
            parent: None,
            placing: None,
            account: Arc::clone(account),
            peer: Peer {
                trunk: trunk.id.clone(),
                host: host_of(&incoming.source),
            },
            story: Story {
                flow: answer.flow,
                settings: answer.settings,
            },
            leg: opened.leg,
            signals: signals_out,
            media: opened.events,
            far_end: None,
        };
        CallActor::spawn(&self.runtime, Arc::clone(&self.services), new);
        Ok(signals)
    }
}

impl Inbound {
    fn info(
        &self,
        incoming: &sip::Incoming,
        trunk: &store::Trunk,
        number: &store::Number,
    ) -> CallInfo {
        CallInfo {
            call_sid: store::random_call_sid(),
            account_sid: number.account,
            caller: numbers::identity(&incoming.request, &trunk.caller_id, trunk.numbers.country)
                .to_string(),
            callee: number.number.as_str().to_owned(),
            direction: Direction::Inbound,
            parent_call_sid: None,
            sip_call_id: incoming.request.call_id().into_owned(),
        }
    }

    /// Keeps the call's beginning. The caller rings meanwhile: nobody waits for the disk.
    fn keep(
        &self,
        info: &CallInfo,
        trunk: &store::Trunk,
        answer: &store::Answer,
        arrival: BTreeMap<String, String>,
    ) {
        let call = NewCall {
            sid: info.call_sid,
            from: info.caller.clone(),
            to: info.callee.clone(),
            direction: info.direction,
            parent: None,
            flow: answer.flow.clone(),
            ring_timeout_s: None,
            settings: arrival,
            orders: Default::default(),
            callback: answer.status_callback.clone().map(|to| CallCallback {
                to,
                on: vec![ProgressEvent::Completed],
            }),
            notification: None,
            created_unix_ms: clock::unix_ms(),
        };
        let leg = Leg {
            trunk: trunk.id.clone(),
            sip_call_id: info.sip_call_id.clone(),
        };
        let _on_runtime = self.runtime.enter();
        self.services.keep(
            self.services
                .store
                .begin_inbound(Scope::of_host(info.account_sid), call, leg),
            "the call",
            info,
        );
    }
}

/// Where numbers are at for a peer: connections come from ports at which nobody listens.
fn host_of(source: &sip::Hop) -> String {
    match source.transport.is_reliable() {
        true => match source.address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        },
        false => source.address.to_string(),
    }
}

const fn no_room() -> Refusal {
    Refusal {
        status: 503,
        retry_after: Some(RETRY_AFTER),
    }
}
