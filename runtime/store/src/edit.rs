//! Changes of the directory that are not made by a tenants file.

use std::fmt;

use call::{AccountSid, ApplicationSid, KeySid, PhoneNumberSid};

use crate::{
    AccountStatus, Application, CallerId, CarrierId, Number, PhoneNumber, Secret, TrunkId,
};

/// What becomes of a row that is there. Whose it is, and its SID, stay whatever this does.
pub type Patch<T> = Box<dyn FnOnce(&mut T) + Send>;

/// What an account's user may change: its account or a subaccount, and what that has.
pub enum Edit {
    /// A new account below this one, with a token of its own that only its own resource shows.
    MakeSubaccount {
        /// Its SID, such as [`crate::random_account_sid`] makes.
        sid: AccountSid,
        /// Its name; another where the carrier has an account of that name.
        name: String,
    },
    /// The account's name, or whether it is in use; what is none stays.
    ChangeAccount {
        /// Its new name.
        name: Option<String>,
        /// Its new status.
        status: Option<AccountStatus>,
    },
    /// The account's outbound calls that wait go on waiting, or may be dialled again.
    StopQueue(bool),
    /// The account's outbound calls that wait are given up. Nothing of the account changes: it is written into the audit log alone.
    CancelQueue,
    /// A second token, as good as the first for the API.
    MakeSecondaryToken(Secret),
    /// The second token is no more.
    DeleteSecondaryToken,
    /// The second token takes the place of the first, which is no more.
    PromoteSecondaryToken,
    /// A further API user.
    MakeKey {
        /// Its SID, such as [`crate::random_key_sid`] makes.
        sid: KeySid,
        /// Its name for people.
        name: String,
        /// What it proves itself by; only a hash of it is kept.
        secret: Secret,
    },
    /// A key's name.
    RenameKey(KeySid, String),
    /// A key is no more.
    DeleteKey(KeySid),
    /// New URLs under one SID. The account is the asking one.
    MakeApplication(Application),
    /// Other URLs.
    ChangeApplication(ApplicationSid, Patch<Application>),
    /// An application is no more. Numbers that name it do again what they did without.
    DeleteApplication(ApplicationSid),
    /// A number of the carrier's pool becomes the account's.
    TakeNumber(PhoneNumber, Patch<Number>),
    /// What a number's calls do.
    ChangeNumber(PhoneNumberSid, Patch<Number>),
    /// The account has the number no more.
    ReleaseNumber(PhoneNumberSid),
    /// A file of audio of the account, of this name, was uploaded. It lies elsewhere: this is for the audit log alone.
    NoteUploaded(String),
    /// A file of audio of the account, of this name, was removed. As above.
    NoteRemoved(String),
    /// A caller ID's name.
    RenameCallerId(PhoneNumberSid, String),
    /// The account may show the number as the caller no more.
    DeleteCallerId(PhoneNumberSid),
}

impl Edit {
    /// The kind of thing, and what is done.
    pub(crate) const fn deed(&self) -> &'static str {
        match self {
            Self::MakeSubaccount { .. } => "account.create",
            Self::ChangeAccount { .. } => "account.update",
            Self::StopQueue(true) => "queue.stop",
            Self::StopQueue(false) => "queue.resume",
            Self::CancelQueue => "queue.cancel",
            Self::MakeSecondaryToken(_) => "secondary-token.create",
            Self::DeleteSecondaryToken => "secondary-token.delete",
            Self::PromoteSecondaryToken => "secondary-token.promote",
            Self::MakeKey { .. } => "key.create",
            Self::RenameKey(..) => "key.update",
            Self::DeleteKey(_) => "key.delete",
            Self::MakeApplication(_) => "application.create",
            Self::ChangeApplication(..) => "application.update",
            Self::DeleteApplication(_) => "application.delete",
            Self::TakeNumber(..) => "number.create",
            Self::ChangeNumber(..) => "number.update",
            Self::ReleaseNumber(_) => "number.delete",
            Self::NoteUploaded(_) => "media.update",
            Self::NoteRemoved(_) => "media.delete",
            Self::RenameCallerId(..) => "caller-id.update",
            Self::DeleteCallerId(_) => "caller-id.delete",
        }
    }
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.deed())
    }
}

/// What the operator does besides loading tenants files. What is made or changed there comes in a file's form: [`crate::Store::apply`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperatorEdit {
    /// A number that an account may show as the caller.
    MakeCallerId(CallerId),
    /// An account is in use, or not.
    SetStatus(AccountSid, AccountStatus),
    /// The account's outbound calls that wait go on waiting, or may be dialled again.
    StopQueue(AccountSid, bool),
    /// The account's token is this one from now on; there is no second one.
    SetToken(AccountSid, Secret),
    /// A carrier that has neither accounts nor trunks is no more.
    DeleteCarrier(CarrierId),
    /// A closed account that has no numbers is no more. What is kept of it can be read no more, since its key goes too.
    DeleteAccount(AccountSid),
    /// A trunk is no more. Calls that are up on it go on.
    DeleteTrunk(TrunkId),
    /// The account has the number no more.
    DeleteNumber(CarrierId, PhoneNumber),
    /// The account may show the number as the caller no more.
    DeleteCallerId(PhoneNumberSid),
}

impl OperatorEdit {
    /// The kind of thing, and what is done.
    pub(crate) const fn deed(&self) -> &'static str {
        match self {
            Self::MakeCallerId(_) => "caller-id.create",
            Self::SetStatus(..) => "account.update",
            Self::StopQueue(_, true) => "queue.stop",
            Self::StopQueue(_, false) => "queue.resume",
            Self::SetToken(..) => "account.token",
            Self::DeleteCarrier(_) => "carrier.delete",
            Self::DeleteAccount(_) => "account.delete",
            Self::DeleteTrunk(_) => "trunk.delete",
            Self::DeleteNumber(..) => "number.delete",
            Self::DeleteCallerId(_) => "caller-id.delete",
        }
    }
}
