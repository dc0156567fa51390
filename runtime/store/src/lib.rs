//! What is kept, behind one trait of domain verbs.
//!
//! The vocabulary: a [`Carrier`] owns [`Trunk`]s and [`Account`]s, an account owns [`Number`]s, [`Plugin`]s and calls. All of
//! that but the calls is loaded by applying a [`Tenants`] file or changed by an [`Edit`], and read as one immutable [`Directory`]; a call is a [`CallRow`]
//! with its [`CallEvent`]s and its sealed journal; a [`RecordingRow`] stands beside a file that is kept elsewhere.
//!
//! [`Store`] has two implementations that pass the same tests: [`DiskStore`] keeps everything in one folder, with every
//! acknowledged write on disk; [`MemoryStore`] forgets. A write returns a [`Commit`], which resolves once the write is
//! durable. Reads are synchronous and made for one account: they take a [`Scope`], which only authentication (or the host
//! itself, by name) gives out, and answer for another account's call exactly as for one that does not exist.
//!
//! The store has no clock: times are arguments, in milliseconds since the Unix epoch.

mod account;
mod apply;
mod arrival;
mod audit;
pub mod broadcast;
mod call_row;
mod callback_parameters;
mod callback_row;
mod calling_hours;
mod carrier;
mod commit;
mod component;
mod conference_parameters;
mod conference_row;
mod date;
mod directory;
mod disk;
mod edit;
mod error;
mod farewell;
mod ip_prefix;
mod memory;
mod number;
mod operator;
mod page;
pub mod people;
mod plugin;
mod plugin_page;
mod queue_row;
mod queue_terms;
mod queued_call;
mod recording_row;
mod rows;
mod scope;
pub mod seal;
mod sip_credentials;
mod store;
mod stream_note;
pub mod tenants;
mod trunk;
mod usage;
mod verbs;

pub use account::{
    Account, AccountStatus, ApiKey, Egress, MAX_KEYS, MAX_SUBACCOUNTS, MOST_WAITING, Outbound,
    random_account_sid, random_key_sid,
};
pub use apply::{Applied, GeneratedToken, Item};
pub use arrival::{ARRIVAL, write_arrival};
pub use audit::{AuditEntry, Author, MAX_AUDIT_ENTRIES};
pub use broadcast::{
    AttemptOutcome, Broadcast, BroadcastChange, BroadcastCounts, BroadcastCursor, BroadcastOrder,
    BroadcastPage, BroadcastRules, BroadcastState, BroadcastStore, BroadcastWork, ByOperator,
    FlowStart, Judgement, Message, NewBroadcast, NewRecipient, OperatorCounts, Recipient,
    RecipientAttempt, RecipientPage, RecipientState, random_broadcast_sid,
};
pub use call::{CallCallback, ProgressEvent, RecordingSource};
pub use call_row::{
    Attempt, CALLER_DISPLAY_NAME, CallChange, CallEvent, CallEventKind, CallOrders, CallRow,
    FailedAttempt, Leg, NewCall, RoutedBy, random_call_sid,
};
pub use callback_row::{CallbackOutcome, CallbackRow, MOST_EXCHANGES};
pub use calling_hours::{CallingHours, InvalidHours};
pub use carrier::{Carrier, CarrierId, DEFAULT_REALM};
pub use commit::Commit;
pub use component::Sha256Digest;
pub use conference_row::{
    ConferenceCursor, ConferenceFilter, ConferenceNote, ConferencePage, ConferenceRow,
    ConferenceStatus, ParticipantFilter, ParticipantPage, ParticipantRow,
};
pub use date::rfc2822;
pub use directory::{ApiUser, Directory, InboundRefusal, Sender};
pub use disk::{DiskStore, OpenError, Places, Recovered};
pub use edit::{Edit, OperatorEdit, Patch};
pub use error::StoreError;
pub use farewell::Farewell;
pub use ip_prefix::{InvalidPrefix, IpPrefix};
pub use memory::MemoryStore;
pub use number::{
    Answer, Application, CallerId, Flow, MAX_APPLICATIONS, Number, VoiceUrl, WebhookMethod,
    random_application_sid, random_caller_id_sid,
};
pub use numbers::{Country, InvalidNumber, NumberKind, PhoneNumber};
pub use operator::{Operator, OperatorId};
pub use page::{CallFilter, Cursor, InvalidCursor, Page, TimeSpan};
pub use people::{PeoplePage, PeopleStore, Person, PersonChange, PersonFilter, SavedPeople};
pub use plugin::{
    Canary, MAX_OWNED_BYTES, MAX_PLUGINS, MAX_VERSIONS, NewVersion, OPERATOR, Plugin, PluginChange,
    PluginDeed, PluginEvent, PluginOwner, PluginVersion, SelfTest, Standing, UploadedPlugin,
};
pub use plugin_page::{PluginLogLine, PluginPage, VersionUsage};
pub use queue_row::{
    MAX_QUEUES, NewQueue, QueueChange, QueueCursor, QueuePage, QueueRow, random_queue_sid,
};
pub use queue_terms::{EXPIRED, InvalidPriority, Priority, QueueDefaults, QueueTerms};
pub use queued_call::QueuedCall;
pub use recording_row::{
    NewRecording, RecordingCursor, RecordingEnding, RecordingFilter, RecordingPage, RecordingRow,
    RecordingStatus, RecordingTold, random_recording_sid,
};
pub use scope::Scope;
pub use seal::Secret;
pub use sip_credentials::SipCredentials;
pub use store::{AccountStore, Store};
pub use stream_note::{StreamNote, StreamTold, StreamTurn};
pub use tenants::{Tenants, TenantsError};
pub use trunk::{
    ChannelsByPrefix, Credentials, Encryption, Health, InvalidHost, InvalidTarget, Login, MAX_RANK,
    Nat, Registration, Reserved, SipHost, Target, TargetUri, Trunk, TrunkId,
};
pub use usage::{UsageCategory, UsageOfDay};
