//! Recipients as they are kept: sealed with their account's key, and called in an order that is nobody's.

use call::BroadcastSid;
use numbers::PhoneNumber;
use sha2::{Digest, Sha256};

use crate::rows::Rows;
use crate::seal::Purpose;
use crate::{Broadcast, Directory, Recipient, RecipientState, Scope, StoreError};

/// The version byte of a recipient's row before it is sealed.
const VERSION: u8 = 1;

/// One recipient, as the broadcast's account can read them.
pub(super) fn recipient(
    rows: &dyn Rows,
    row: &Broadcast,
    number: &PhoneNumber,
) -> Result<Option<Recipient>, StoreError> {
    let sealed = rows.recipient(row.sid, number.as_str())?;
    let directory = rows.directory();
    sealed
        .map(|sealed| {
            open_recipient(
                &directory,
                Scope::of_host(row.account),
                row.sid,
                number,
                &sealed,
            )
        })
        .transpose()
}

/// Writes a recipient, sealed; `before` is where they stood.
pub(super) fn put(
    rows: &mut dyn Rows,
    row: &Broadcast,
    before: Option<&RecipientState>,
    after: &Recipient,
) -> Result<(), StoreError> {
    let directory = rows.directory();
    let account = directory.account_of(Scope::of_host(row.account))?;
    let plain = postcard::to_extend(after, vec![VERSION])
        .expect("a row of texts, numbers and lists always has a form in postcard");
    let bound = bound_to(row.sid, &after.number);
    let sealed = account.key.seal(Purpose::Recipient, &bound, &plain);
    let before = before.map(Into::into);
    rows.put_recipient(
        row.sid,
        &after.number,
        &sealed,
        before,
        (&after.state).into(),
    )
}

/// Opens what was sealed of a recipient.
pub(crate) fn open_recipient(
    directory: &Directory,
    scope: Scope,
    sid: BroadcastSid,
    number: &PhoneNumber,
    sealed: &[u8],
) -> Result<Recipient, StoreError> {
    let account = directory.account_of(scope)?;
    let damaged = |why: &str| StoreError::Corrupt(format!("a recipient of {sid}: {why}"));
    let plain = account
        .key
        .open(Purpose::Recipient, &bound_to(sid, number), sealed)
        .map_err(|error| damaged(&error.to_string()))?;
    match plain.split_first() {
        Some((&VERSION, row)) => {
            postcard::from_bytes(row).map_err(|error| damaged(&error.to_string()))
        }
        _ => Err(damaged("its version is unknown to this program")),
    }
}

/// A recipient is bound to the broadcast and the number, so that none opens in another's place.
fn bound_to(sid: BroadcastSid, number: &PhoneNumber) -> [u8; 16] {
    let digest = Sha256::new()
        .chain_update(sid.as_bytes())
        .chain_update(number.as_str())
        .finalize();
    *digest
        .first_chunk()
        .expect("a digest of 32 bytes has a first half")
}

/// Where somebody stands among those who are due at the same time. Numbers that are alike begin with the same operator's prefix: were they called in
/// their order, one operator's lines would be full while the others' are idle.
pub(crate) fn shuffled(number: &str) -> u32 {
    let digest = Sha256::digest(number);
    u32::from_be_bytes(*digest.first_chunk().expect("a digest has four bytes"))
}
