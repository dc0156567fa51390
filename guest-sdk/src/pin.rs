//! Who calls, by keys that the story does not see.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use crate::{Call, CallError};

/// What `wit-bindgen` makes of `jackfield:pin`. Not an interface: use [`Pin`].
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    rust_2018_idioms,
    clippy::all
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "../wit/pin@0.1.0",
        world: "jackfield:pin/asks-for-pin@0.1.0",
        generate_all,
        additional_derives: [PartialEq, Eq],
    });
}

use bindings::jackfield::pin::pin;

/// PINs in a rehearsal.
#[doc(hidden)]
pub type RehearsedPins = Rc<RefCell<Pins>>;

/// The account's PINs by name, and the keys that are concealed now.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Pins {
    pub(crate) secrets: BTreeMap<String, String>,
    concealed: Option<String>,
}

impl Pins {
    /// What the story is told of a key.
    pub(crate) fn told(&mut self, key: char) -> char {
        match &mut self.concealed {
            Some(keys) => {
                keys.push(key);
                if key == '#' { key } else { '0' }
            }
            None => key,
        }
    }

    fn check(&mut self, secret: &str) -> Verdict {
        let keys = self.concealed.take().unwrap_or_default();
        let typed = keys.split('#').next();
        if typed == self.secrets.get(secret).map(String::as_str) {
            return Verdict::Right;
        }
        self.concealed = Some(String::new());
        Verdict::Wrong
    }
}

/// What came of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// They are the PIN.
    Right,
    /// They are not.
    Wrong,
    /// They were not looked at: too many wrong ones were typed lately, by this number or by all. For how long that stays so.
    Locked(Duration),
}

/// Keys that are concealed: [`Call::conceal_keys`] gives it.
///
/// The story is told `0` for each key but `#`, so that it can gather as ever and yet neither it nor the call's journal has the PIN. The host
/// compares, and counts wrong ones over all calls.
///
/// ```
/// use std::time::Duration;
///
/// use jackfield_guest::{Call, CallError, Digits, Rehearsal, Verdict};
///
/// fn is_known(call: &Call) -> Result<bool, CallError> {
///     let pin = call.conceal_keys()?;
///     call.answer()?;
///     let question = call.say("Type your PIN, and press hash.")?;
///     // A PIN has at most 16 digits: with one more, its `#` belongs to it, and not to the next question.
///     question.gather(Digits::up_to(17).until('#'), Duration::from_secs(5))?;
///     Ok(pin.check("operator-pin")? == Verdict::Right)
/// }
///
/// let caller = Rehearsal::new().pin("operator-pin", "24681357").press(0.5, "24681357#");
/// assert_eq!(is_known(&Call::on(caller)), Ok(true));
/// ```
pub struct Pin<'a> {
    call: &'a Call,
}

impl Call {
    /// From now on the story is told `0` for each key but `#`; keys that came before are forgotten. May be asked before the call is answered, for
    /// those who type ahead.
    ///
    /// # Errors
    /// [`CallError::HungUp`] when the call is over.
    pub fn conceal_keys(&self) -> Result<Pin<'_>, CallError> {
        self.conceal();
        self.clear_digits()?;
        // Those that were cleared are no part of what is typed from now on.
        self.conceal();
        Ok(Pin { call: self })
    }

    fn conceal(&self) {
        match self.host().rehearsed_pins() {
            Some(pins) => pins.borrow_mut().concealed = Some(String::new()),
            None => pin::conceal(),
        }
    }
}

impl Pin<'_> {
    /// Whether the keys up to the first `#` are this secret of the account, a PIN of 8 to 16 digits. If so, keys are concealed no
    /// more; otherwise those that follow are.
    ///
    /// # Errors
    /// [`CallError::NotGranted`] when the account does not grant the secret, [`CallError::LimitReached`] when it has none that is a PIN, in the
    /// host's words.
    pub fn check(self, secret: &str) -> Result<Verdict, CallError> {
        if let Some(pins) = self.call.host().rehearsed_pins() {
            return Ok(pins.borrow_mut().check(secret));
        }
        match pin::check(secret) {
            Ok(pin::Verdict::Right) => Ok(Verdict::Right),
            Ok(pin::Verdict::Wrong) => Ok(Verdict::Wrong),
            Ok(pin::Verdict::Locked(seconds)) => {
                Ok(Verdict::Locked(Duration::from_secs(seconds.into())))
            }
            Err(pin::PinError::NotGranted) => Err(CallError::NotGranted(format!(
                "secrets = [\"{secret}\"]: the account's grants do not have it"
            ))),
            Err(pin::PinError::Unavailable(why)) => Err(CallError::LimitReached(why)),
        }
    }
}

impl fmt::Debug for Pin<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pin").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digits, Rehearsal};

    #[test]
    fn a_story_is_told_zeros_and_what_was_typed_is_compared() {
        for (typed, told, verdict) in [
            ("24681357#", "00000000", Verdict::Right),
            ("24681357#99#", "00000000", Verdict::Right),
            ("2468*357#", "00000000", Verdict::Wrong),
            ("#", "", Verdict::Wrong),
        ] {
            let caller = Rehearsal::new().pin("pin", "24681357").press(1.0, typed);
            let call = Call::on(caller);
            call.answer().unwrap();
            let pin = call.conceal_keys().unwrap();
            let digits = Digits::up_to(17).until('#');
            let keys = call.gather(digits, Duration::from_secs(5)).unwrap();
            assert_eq!(keys, told);
            assert_eq!(pin.check("pin"), Ok(verdict), "{typed}");
        }
    }

    #[test]
    fn whoever_was_not_let_in_is_not_listened_to() {
        let caller = Rehearsal::new().pin("pin", "24681357");
        let call = Call::on(caller.press(1.0, "1#").press(3.0, "5"));
        call.answer().unwrap();
        let pin = call.conceal_keys().unwrap();
        call.pause(Duration::from_secs(2)).unwrap();
        assert_eq!(pin.check("pin"), Ok(Verdict::Wrong));
        call.clear_digits().unwrap();
        let key = call.gather(Digits::exactly(1), Duration::from_secs(5));
        assert_eq!(key.as_deref(), Ok("0"));
    }

    #[test]
    fn what_was_typed_before_is_forgotten_and_what_is_typed_after_is_told() {
        let caller = Rehearsal::new().pin("pin", "24681357");
        let call = Call::on(
            caller
                .press(1.0, "99")
                .press(3.0, "24681357#")
                .press(9.0, "5"),
        );
        call.answer().unwrap();
        call.pause(Duration::from_secs(2)).unwrap();
        let pin = call.conceal_keys().unwrap();
        call.pause(Duration::from_secs(4)).unwrap();
        assert_eq!(pin.check("pin"), Ok(Verdict::Right));
        call.clear_digits().unwrap();
        let key = call.gather(Digits::exactly(1), Duration::from_secs(5));
        assert_eq!(key.as_deref(), Ok("5"));
    }
}
