//! Applications that stories dial. Each is a call without a wire: our end of it runs the application's documents, and its far end is a leg
//! beside it, which is joined to the call whose story dialled. The two legs speak RTP with each other on this machine.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use call::{
    AccountSid, Call, CallCallback, CallInfo, CallRecord, CallStatus, ChildCall, Direction,
    InboundLeg, ProgressEvent,
};
use store::{Answer, Application, CallOrders, Leg, NewCall, Scope, TrunkId};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tracing::info;

use crate::call_actor::{CallActor, FarEnd, Inbox, NewActor};
use crate::children::{Parent, ended};
use crate::clock;
use crate::endpoint::SIGNALS;
use crate::flows::Story;
use crate::media_plane::{OpenLeg, describe};
use crate::outbound;
use crate::referral::Peer;
use crate::services::Services;

/// What a target begins with that is an application: `app:AP…?Param_ward=7&customerId=clinic`.
const SCHEME: &str = "app:";
/// Behind the SID: the called party is that of the call whose story dials, not the application.
const COPIES_TO: &str = "copy-parent-to";
/// Bytes of a target.
const LONGEST: usize = 4_096;
/// How deep applications may dial applications.
const MOST_NESTED: u32 = 5;
/// What a call without a wire goes over: no trunk can have that name.
const NO_TRUNK: &str = "app:";
/// Nobody at the SIP endpoint is asked for it.
const NO_DIALOG: sip::DialogId = sip::DialogId(u64::MAX);
/// The setting that the TwiML component sends along with the request for the first document.
const PARAMETERS: &str = "parameters";

/// Whether a story dials an application.
pub(crate) fn is_application(target: &str) -> bool {
    target.starts_with(SCHEME)
}

/// How many calls to applications each account has.
#[derive(Debug, Default)]
pub(crate) struct Applications {
    up: Mutex<HashMap<AccountSid, u32>>,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    applications: Arc<Applications>,
    account: AccountSid,
}

impl Applications {
    /// Room for one more; none where the account has `most`.
    fn take(self: &Arc<Self>, account: AccountSid, most: u32) -> Option<Place> {
        let mut up = self.lock();
        let count = up.entry(account).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            applications: Arc::clone(self),
            account,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AccountSid, u32>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut up = self.applications.lock();
        let count = up.entry(self.account).or_default();
        *count = count.saturating_sub(1);
        if *count == 0 {
            up.remove(&self.account);
        }
    }
}

/// Which application, and what it is told.
#[derive(Debug, PartialEq, Eq)]
struct Wanted<'a> {
    sid: &'a str,
    copies_to: bool,
    /// Of the request for its first document.
    parameters: Vec<(String, String)>,
}

impl<'a> Wanted<'a> {
    /// # Errors
    /// In words, what the target has that means nothing.
    fn parse(target: &'a str) -> anyhow::Result<Self> {
        ensure!(
            target.len() <= LONGEST,
            "the parameters of an application have {LONGEST} bytes at most"
        );
        let (party, parameters) = dial::header_fields(target);
        let party = party.strip_prefix(SCHEME).unwrap_or(party);
        let (sid, option) = party.split_once(';').unwrap_or((party, ""));
        ensure!(
            option.is_empty() || option == COPIES_TO,
            "behind the SID of an application may be `;{COPIES_TO}`, not `;{option}`"
        );
        for (name, _) in &parameters {
            ensure!(
                name == "customerId" || name.len() > 6 && name.starts_with("Param_"),
                "an application is told parameters called `customerId` and `Param_…`, not `{name}`"
            );
        }
        Ok(Self {
            sid,
            copies_to: option == COPIES_TO,
            parameters,
        })
    }

    /// As a form, with the customer that is the account itself where none is named.
    fn form(&self, account: AccountSid) -> String {
        let names_customer = self.parameters.iter().any(|(name, _)| name == "customerId");
        let account = account.to_string();
        let customer = (!names_customer).then_some(("customerId", account.as_str()));
        let told = self.parameters.iter();
        let told = told.map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = customer.into_iter().chain(told);
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish()
    }
}

/// A call to an application that a story has just ordered.
pub(crate) struct Calling {
    pub(crate) services: Arc<Services>,
    pub(crate) account: Arc<store::Account>,
    /// The call whose story dials.
    pub(crate) caller: Arc<CallInfo>,
    /// What that call is spoken in; none before its answer.
    pub(crate) codec: Option<sdp::Codec>,
    /// How many calls to applications stand between a wire and this one.
    pub(crate) depth: u32,
    /// The account's number that the call with a wire came to, or was made from.
    pub(crate) own: String,
    pub(crate) parent: Parent,
    pub(crate) call: ChildCall,
}

impl Calling {
    /// What becomes of it, or why nothing does, comes to the parent.
    pub(crate) async fn run(self) {
        let parent = self.parent.clone();
        match self.place().await {
            Ok(inbox) => parent.placed(inbox).await,
            Err(error) => {
                info!("no application is called: {error:#}");
                let record = CallRecord::new(CallStatus::Failed, format!("{error:#}"));
                parent.tell(ended(None, &record));
            }
        }
    }

    /// The call is on disk before its story begins.
    async fn place(self) -> anyhow::Result<Inbox> {
        let services = Arc::clone(&self.services);
        let directory = services.store.directory();
        let account = self.account.sid;
        ensure!(directory.is_active(account), "the account is not active");
        ensure!(
            self.depth <= MOST_NESTED,
            "applications dial one another {MOST_NESTED} deep, and no deeper"
        );
        ensure!(
            services.live.has_room(services.limits.max_calls),
            "this host has no room for another call"
        );
        let target = &self.call.target;
        ensure!(
            target.whisper.is_none() && target.detection.is_none() && self.call.login.is_none(),
            "an application hears no whisper, is no machine to be detected, and wants no password"
        );
        let wanted = Wanted::parse(&target.to)?;
        let sid = wanted.sid.parse().ok();
        let application = sid.and_then(|sid| directory.application(Scope::of_host(account), sid));
        let application = application
            .with_context(|| format!("the account has no application `{}`", wanted.sid))?;
        let payer = directory.payer(account);
        let most = directory
            .account(payer)
            .map_or(0, |payer| payer.outbound.max_channels);
        let place = services.applications.take(payer, most).with_context(|| {
            format!("{most} calls to applications are up: outbound.max_channels allows no more")
        })?;
        let info = self.info(&directory, &wanted)?;
        let new_call = self.new_call(&info, application, &wanted);
        let story = Story {
            flow: new_call.flow.clone(),
            settings: new_call.settings.clone(),
        };
        let leg = Leg {
            trunk: TrunkId(NO_TRUNK.to_owned()),
            sip_call_id: info.sip_call_id.clone(),
        };
        let begun = services
            .store
            .begin_dialled(Scope::of_host(account), new_call, leg.into());
        begun.await?;
        services.callbacks.look();
        let sid = info.call_sid;
        match self.start(info, story, place) {
            Ok(inbox) => Ok(inbox),
            Err(error) => {
                let record = CallRecord::new(CallStatus::Failed, format!("{error:#}"));
                outbound::end_as(&services, sid, record).await;
                Err(error)
            }
        }
    }

    fn info(&self, directory: &store::Directory, wanted: &Wanted<'_>) -> anyhow::Result<CallInfo> {
        let account = self.account.sid;
        let caller = match &self.call.caller_id {
            Some(shown) => {
                let shown = shown.clone();
                ensure!(
                    directory.may_show(account, &shown),
                    dial::Refusal::ForeignCaller(shown)
                );
                shown
            }
            None => self.caller.caller.clone(),
        };
        Ok(CallInfo {
            call_sid: store::random_call_sid(),
            account_sid: account,
            caller,
            callee: match wanted.copies_to {
                true => self.caller.callee.clone(),
                false => wanted.sid.to_owned(),
            },
            direction: Direction::Inbound,
            parent_call_sid: Some(self.caller.call_sid),
            sip_call_id: outbound::call_id(),
        })
    }

    fn new_call(&self, info: &CallInfo, application: &Application, wanted: &Wanted<'_>) -> NewCall {
        let answer = Answer::of_application(application);
        let mut settings: BTreeMap<_, _> = answer.settings;
        settings.insert(PARAMETERS.to_owned(), wanted.form(info.account_sid));
        let told_by_application = answer.status_callback.map(|to| CallCallback {
            to,
            on: vec![ProgressEvent::Completed],
        });
        NewCall {
            sid: info.call_sid,
            from: info.caller.clone(),
            to: info.callee.clone(),
            direction: info.direction,
            parent: info.parent_call_sid,
            flow: answer.flow,
            ring_timeout_s: Some(self.call.ring_timeout_s),
            settings,
            orders: CallOrders::default(),
            callback: self.call.target.callback.clone().or(told_by_application),
            notification: None,
            created_unix_ms: clock::unix_ms(),
        }
    }

    /// Opens the two legs, and starts the actor of the one with the story.
    fn start(self, info: CallInfo, story: Story, place: Place) -> anyhow::Result<Inbox> {
        let services = &self.services;
        let media = &services.media;
        let codecs: &[sdp::Codec] = match &self.codec {
            Some(codec) => &[*codec],
            None => &[sdp::Codec::Pcmu],
        };
        let open = || media.open_inner_leg().context("no media port");
        let (near, far) = (open()?, open()?);
        let here = SocketAddr::new(media.inner_address(), 0);
        let describe = |opened: &OpenLeg| describe(&opened.leg, here, codecs);
        let far_description = describe(&far);
        let leg = InboundLeg {
            dialog: NO_DIALOG,
            offer: Some(sdp::offer(&far_description)),
            local: describe(&near),
        };
        let longest = services.call_limits(&self.account);
        let asked = self
            .call
            .time_limit_s
            .map(u64::from)
            .map(Duration::from_secs);
        let limits = call::Limits {
            max_duration: asked.map_or(longest.max_duration, |asked| {
                asked.min(longest.max_duration)
            }),
            ..longest
        };
        let now = Instant::now();
        let (signals, signals_out) = mpsc::channel(SIGNALS);
        let rings_for = Duration::from_secs(self.call.ring_timeout_s.into());
        let new = NewActor {
            info,
            call: Call::inbound(now, leg, limits),
            parent: Some(self.parent),
            placing: None,
            account: self.account,
            peer: Peer {
                trunk: TrunkId(NO_TRUNK.to_owned()),
                host: String::new(),
            },
            story,
            leg: near.leg,
            signals: signals_out,
            media: near.events,
            far_end: Some(FarEnd::new(
                far,
                far_description,
                signals,
                now + rings_for,
                (self.depth, self.own),
                place,
            )),
        };
        Ok(CallActor::spawn(
            &Handle::current(),
            Arc::clone(&self.services),
            new,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_says_which_application_and_what_it_is_told() {
        let account = AccountSid::from_bytes([0x11; 16]);
        let check = |target: &str, copies_to: bool, form: &str| {
            let wanted = Wanted::parse(target).unwrap();
            assert_eq!(
                (wanted.sid, wanted.copies_to),
                ("AP1", copies_to),
                "{target}"
            );
            assert_eq!(wanted.form(account), form, "{target}");
        };
        let own = format!("customerId={account}");
        check("app:AP1", false, &own);
        check("app:AP1;copy-parent-to", true, &own);
        check(
            "app:AP1?Param_ward=7%20%26%208",
            false,
            &format!("{own}&Param_ward=7+%26+8"),
        );
        check(
            "app:AP1;copy-parent-to?customerId=clinic&Param_a=",
            true,
            "customerId=clinic&Param_a=",
        );
    }

    #[test]
    fn what_means_nothing_is_refused() {
        let check = |target: &str, says: &str| {
            let refused = Wanted::parse(target).unwrap_err().to_string();
            assert!(refused.contains(says), "{target}: {refused}");
        };
        check("app:AP1?CallSid=CA1", "not `CallSid`");
        check("app:AP1?Param_=1", "not `Param_`");
        check("app:AP1;to=1", "not `;to=1`");
        let long = format!("app:AP1?Param_a={}", "1".repeat(LONGEST));
        check(&long, "4096 bytes");
    }

    #[test]
    fn an_account_has_so_many_at_a_time() {
        let applications = Arc::new(Applications::default());
        let of = |account: u8| applications.take(AccountSid::from_bytes([account; 16]), 2);
        let (first, second) = (of(1), of(1));
        assert!(first.is_some() && second.is_some() && of(1).is_none());
        assert!(of(2).is_some(), "another account's");
        drop(first);
        assert!(of(1).is_some());
        drop(second);
        assert!(applications.lock().is_empty());
    }
}
