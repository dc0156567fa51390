//! Numbers by their SIDs, what answers them, and whom an account may show as the caller.

use std::sync::Arc;

use call::{AccountSid, ApplicationSid, PhoneNumberSid};

use super::Directory;
use crate::{Answer, Application, CallerId, CarrierId, Number, PhoneNumber, Scope};

impl Directory {
    /// The account's number of that SID.
    #[must_use]
    pub fn number_of(&self, scope: Scope, sid: PhoneNumberSid) -> Option<&Arc<Number>> {
        self.number_of_any(sid)
            .filter(|number| number.account == scope.account())
    }

    /// The number of that SID, whoever has it.
    #[must_use]
    pub fn number_of_any(&self, sid: PhoneNumberSid) -> Option<&Arc<Number>> {
        let (carrier, number) = self.numbers_by_sid.get(&sid)?;
        self.numbers.get(carrier)?.get(number)
    }

    /// The SIDs of all numbers, in their order.
    pub fn number_sids(&self) -> impl Iterator<Item = &PhoneNumberSid> {
        self.numbers_by_sid.keys()
    }

    /// The account's application of that SID.
    #[must_use]
    pub fn application(&self, scope: Scope, sid: ApplicationSid) -> Option<&Arc<Application>> {
        let application = self.applications.get(&sid)?;
        Some(application).filter(|application| application.account == scope.account())
    }

    /// All applications of an account.
    pub fn applications(&self, account: AccountSid) -> impl Iterator<Item = &Arc<Application>> {
        self.applications
            .values()
            .filter(move |application| application.account == account)
    }

    /// The account's caller ID of that SID.
    #[must_use]
    pub fn caller_id(&self, scope: Scope, sid: PhoneNumberSid) -> Option<&Arc<CallerId>> {
        let caller_id = self.caller_ids.get(&sid)?;
        Some(caller_id).filter(|caller_id| caller_id.account == scope.account())
    }

    /// The caller ID of that SID, whoever may show it.
    #[must_use]
    pub fn caller_id_of_any(&self, sid: PhoneNumberSid) -> Option<&Arc<CallerId>> {
        self.caller_ids.get(&sid)
    }

    /// The numbers of the carrier's pool that no account has.
    pub fn free_numbers(&self, carrier: &CarrierId) -> impl Iterator<Item = &PhoneNumber> {
        let taken = self.numbers.get(carrier);
        let pool = self.carriers.get(carrier).into_iter();
        pool.flat_map(|carrier| &carrier.number_pool)
            .filter(move |number| taken.is_none_or(|taken| !taken.contains_key(*number)))
    }

    /// All caller IDs of an account.
    pub fn caller_ids(&self, account: AccountSid) -> impl Iterator<Item = &Arc<CallerId>> {
        self.caller_ids
            .values()
            .filter(move |caller_id| caller_id.account == account)
    }

    /// What answers a call to the number: its application, where the account has it, or else what the number itself says.
    #[must_use]
    pub fn answer(&self, number: &Number) -> Answer {
        let application = number
            .application
            .and_then(|sid| self.application(Scope::of_host(number.account), sid));
        match application {
            Some(application) => Answer::of_application(application),
            None => Answer::of_number(number),
        }
    }

    /// Whether the account may show `number` as the caller: it is one of its numbers, or of its caller IDs.
    #[must_use]
    pub fn may_show(&self, account: AccountSid, number: &str) -> bool {
        self.sid_of(account, number).is_some()
    }

    /// The SID of a number of the account, or else of one of its caller IDs.
    #[must_use]
    pub fn sid_of(&self, account: AccountSid, number: &str) -> Option<PhoneNumberSid> {
        let carrier = &self.account(account)?.carrier;
        let own = self.number(carrier, number);
        if let Some(own) = own.filter(|own| own.account == account) {
            return Some(own.sid());
        }
        let number: PhoneNumber = number.parse().ok()?;
        let mut caller_ids = self.caller_ids(account);
        let found = caller_ids.find(|caller_id| caller_id.number == number)?;
        Some(found.sid)
    }

    pub(super) fn index_numbers(&mut self) {
        let all = self.numbers.values().flat_map(|numbers| numbers.values());
        self.numbers_by_sid = all
            .map(|number| {
                (
                    number.sid(),
                    (number.carrier.clone(), number.number.clone()),
                )
            })
            .collect();
    }
}
