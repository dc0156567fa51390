//! What servers answered to callbacks, kept with the calls that these told of.

use call::{CallSid, Exchange};

use crate::rows::Rows;
use crate::seal::Purpose;
use crate::{CallbackRow, Directory, Scope, StoreError};

/// Bytes of an answer's body that are kept.
const BODY_BYTES: usize = 4 << 10;

/// Keeps an attempt to deliver a callback with the call that it tells of; one that tells of none, or of one that was deleted meanwhile, leaves
/// nothing.
pub(super) fn note(
    rows: &mut dyn Rows,
    told: &CallbackRow,
    mut exchange: Exchange,
) -> Result<(), StoreError> {
    let Some(call) = told.call() else {
        return Ok(());
    };
    let is_own = rows
        .call(call)?
        .is_some_and(|call| call.account == told.account);
    let directory = rows.directory();
    let Some(account) = directory.account(told.account).filter(|_| is_own) else {
        return Ok(());
    };
    if let Some((_, Ok(response))) = &mut exchange.answer {
        response.headers.retain(|(name, _)| name == "content-type");
        response.body.truncate(BODY_BYTES);
    }
    let plain = postcard::to_allocvec(&exchange)
        .expect("texts, numbers and lists always have a form in postcard");
    let sealed = account.key.seal(Purpose::Exchange, call.as_bytes(), &plain);
    rows.add_exchange(call, &sealed)
}

/// Opens what [`note`] sealed.
pub(crate) fn open_exchange(
    directory: &Directory,
    scope: Scope,
    call: CallSid,
    sealed: &[u8],
) -> Result<Exchange, StoreError> {
    let account = directory
        .account(scope.account())
        .ok_or(StoreError::UnknownAccount(scope.account()))?;
    let broken = |why: String| StoreError::Corrupt(format!("exchange of {call}: {why}"));
    let plain = account
        .key
        .open(Purpose::Exchange, call.as_bytes(), sealed)
        .map_err(|error| broken(error.to_string()))?;
    postcard::from_bytes(&plain).map_err(|error| broken(error.to_string()))
}
