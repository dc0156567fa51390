//! A call that may go: its attempt on disk, its turn on the wire, its media leg, its INVITE, its actor.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use call::{
    AccountSid, Call, CallInfo, CallSid, CallStatus, HangUpCause, Input, Limits, OutboundLeg,
};
use dial::{PlannedAttempt, SipUri};
use store::{Attempt, CallRow, Encryption, Leg, Scope, StoreError, Trunk, broadcast::RECALLED};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::debug;

use super::end;
use super::invite::invite;
use crate::call_actor::{CallActor, Inbox, Message, NewActor};
use crate::children::{self, EndOrder, Parent, Placing, Unwanted};
use crate::clock;
use crate::endpoint::SIGNALS;
use crate::flows::Story;
use crate::media_plane::{self, LegSettings};
use crate::referral::Peer;
use crate::services::{Services, random};
use crate::trunks::Stop;

/// The trunk was taken away, and the dialler has not heard of it yet: another may serve the call.
#[derive(Debug, thiserror::Error)]
#[error("the trunk is gone")]
pub(super) struct TrunkGone;

/// Writes the attempt down, then lets the INVITE leave when the rates have room for it.
pub(super) async fn attempt(
    services: &Arc<Services>,
    sid: CallSid,
    account: AccountSid,
    planned: PlannedAttempt,
    because: Option<String>,
) -> anyhow::Result<()> {
    let directory = services.store.directory();
    let account = directory.account(account).context("the account is gone")?;
    let trunk = directory.trunk(&planned.trunk).ok_or(TrunkGone)?;
    let mut row = services
        .store
        .call(Scope::of_host(account.sid), sid)?
        .context("the call is gone")?;
    let realm = directory.realm(trunk);
    let stops = services.trunks.route_to(realm, trunk, &row.to).await?;
    row.orders.caller_id = planned.caller_id.or(row.orders.caller_id);
    row.ring_timeout_s = planned.ring_timeout_s.or(row.ring_timeout_s);
    let sip_call_id = call_id();
    let leg = Leg {
        trunk: trunk.id.clone(),
        sip_call_id: sip_call_id.clone(),
    };
    match services
        .store
        .begin_attempt(sid, Attempt { leg, because }, clock::unix_ms())
        .await
    {
        Ok(()) => services.callbacks.look(),
        Err(StoreError::NotQueued { .. }) => {
            debug!(call.sid = %sid, "the call does not wait any more");
            // One of a halted broadcast still waits on disk; one that is over is left alone.
            end(services, sid, CallStatus::Canceled, RECALLED.to_owned()).await;
            services.outbound.ended(sid);
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    }
    let origin = Origin::Queue {
        dialled: planned.dialled,
    };
    let wanted = EndOrder::default();
    services.live.place(sid, account.sid, wanted.clone());
    let leaves = leaves(services, &row, &wanted).await;
    let dialled =
        leaves.and_then(|()| dial(services, account, trunk, &stops, &row, sip_call_id, origin));
    // Who orders its end from here on finds the actor.
    services.live.placed(&sid);
    if let (Ok(inbox), Some(cause)) = (&dialled, wanted.given()) {
        children::hand_over(inbox, Message::Input(Input::HangUp(cause)));
    }
    dialled.map(drop)
}

/// Waits for the moment at which the INVITE of a call that waited may leave, as long as the call is wanted.
async fn leaves(services: &Arc<Services>, row: &CallRow, wanted: &EndOrder) -> anyhow::Result<()> {
    tokio::select! {
        biased;
        cause = wanted.awaited() => return Err(Unwanted(cause).into()),
        () = services.outbound.leave(row.sid) => {}
    }
    match services.store.call(Scope::of_host(row.account), row.sid)? {
        Some(row) if !row.status.is_final() => Ok(()),
        _ => Err(Unwanted(HangUpCause::Api).into()),
    }
}

/// Where a call comes from that is dialled.
pub(crate) enum Origin {
    /// It waited. `dialled`: the number as it is dialled, where a routing policy says it.
    Queue { dialled: Option<String> },
    /// A call's story dials it. `dialled`: as above.
    Story {
        placing: Box<Placing>,
        dialled: Option<String>,
    },
}

/// Lets the INVITE of a call leave that is on disk, and starts its actor.
pub(crate) fn dial(
    services: &Arc<Services>,
    account: &Arc<store::Account>,
    trunk: &Trunk,
    stops: &[Stop],
    row: &CallRow,
    sip_call_id: String,
    origin: Origin,
) -> anyhow::Result<Inbox> {
    let (placing, dialled) = match origin {
        Origin::Queue { dialled } => (None, dialled),
        Origin::Story { placing, dialled } => (Some(placing), dialled),
    };
    let parent = placing.as_ref().map(|placing| placing.parent().clone());
    let first = stops.first().context("the trunk's calls go nowhere")?;
    let sources: Vec<_> = stops.iter().map(|stop| stop.hop.address.ip()).collect();
    let opened = services
        .media
        .open_leg(&LegSettings::of(trunk, &sources))
        .context("no media port")?;
    let (signals, signals_out) = mpsc::channel(SIGNALS);
    let is_secure = stops.iter().all(|stop| stop.hop.transport.is_secure());
    let mut local = media_plane::describe(&opened.leg, first.hop.address, &trunk.codecs);
    local.security = media_plane::encryption(encryption(trunk, row), is_secure);
    if SipUri::over(trunk, &row.to).is_some() {
        local.policy.strangers = Some(media_plane::strangers(trunk, &sources));
    }
    let leg = OutboundLeg {
        invite: sip::OutgoingInvite {
            call_id: Some(sip_call_id.clone()),
            ..invite(services, account, trunk, stops, row, dialled.as_deref())?
        },
        dialog: services.endpoint.open(signals),
        outcomes: trunk.outcomes.clone(),
        local,
    };
    let call = prepare(services.call_limits(account), row, leg, parent.as_ref());
    let info = CallInfo {
        call_sid: row.sid,
        account_sid: row.account,
        caller: row.from.clone(),
        callee: row.to.clone(),
        direction: row.direction,
        parent_call_sid: row.parent,
        sip_call_id,
    };
    let new = NewActor {
        info,
        call,
        parent,
        placing,
        account: Arc::clone(account),
        peer: Peer {
            trunk: trunk.id.clone(),
            host: first.host().to_owned(),
        },
        story: Story {
            flow: row.flow.clone(),
            settings: row.settings.clone(),
        },
        leg: opened.leg,
        signals: signals_out,
        media: opened.events,
        far_end: None,
    };
    debug!(call.sid = %row.sid, trunk = %trunk.id, target = %first.hop, "dialling");
    Ok(CallActor::spawn(
        &Handle::current(),
        Arc::clone(services),
        new,
    ))
}

/// Whether the audio of a call is encrypted: as the trunk has it, and always where the URI that is called asks for it.
fn encryption(trunk: &Trunk, row: &CallRow) -> Encryption {
    match SipUri::over(trunk, &row.to) {
        Some(uri) if uri.is_secure() => Encryption::Required,
        _ => trunk.encryption,
    }
}

/// The call of a row, before anything was said: an order may ask for less time than its account has, and for a recording.
fn prepare(account: Limits, row: &CallRow, leg: OutboundLeg, parent: Option<&Parent>) -> Call {
    let asked = row.orders.time_limit_s;
    let asked = asked.map(|seconds| Duration::from_secs(seconds.into()));
    let limits = Limits {
        max_duration: asked.map_or(account.max_duration, |asked| {
            asked.min(account.max_duration)
        }),
        ..account
    };
    let mut call = match parent {
        Some(parent) => parent.dialled(row.sid, leg, limits),
        None => Call::outbound(leg, limits),
    };
    if let Some(start) = &row.orders.recording {
        call.record_at_answer(start.clone());
    }
    call
}

/// A Call-ID that nobody can guess (RFC 3261 section 8.1.1.4).
pub(crate) fn call_id() -> String {
    random::<16>()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
