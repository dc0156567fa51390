//! What the REST API asks of rooms.

use api::{Done, LiveRooms, NotExpected, QueueView};
use call::{
    AccountSid, ConferenceCallback, ConferenceInput, ConferenceSid, ConferenceTerms, Participant,
};

use crate::operator::Host;

impl LiveRooms for Host {
    fn order_conference(
        &self,
        account: AccountSid,
        conference: ConferenceSid,
        order: ConferenceInput,
    ) -> Done<bool> {
        let services = self.services();
        Box::pin(async move { services.conferences.order(account, conference, order).await })
    }

    fn expect_participant(
        &self,
        account: AccountSid,
        conference: String,
        participant: Participant,
        callback: Option<ConferenceCallback>,
        terms: ConferenceTerms,
    ) -> Done<Result<ConferenceSid, NotExpected>> {
        let services = self.services();
        Box::pin(async move {
            let key = (account, conference);
            let (conferences, media) = (&services.conferences, &services.media);
            conferences
                .expect(media, &key, participant, callback, terms)
                .await
        })
    }

    fn conference_name(&self, account: AccountSid, conference: ConferenceSid) -> Option<String> {
        self.services().conferences.name(account, conference)
    }

    fn look_at_queue(&self, account: AccountSid, name: String) -> Done<Option<QueueView>> {
        let services = self.services();
        Box::pin(async move { services.queues.look(&(account, name)).await })
    }

    fn resize_queue(&self, account: AccountSid, name: String, max_size: u32) {
        self.services().queues.resize(&(account, name), max_size);
    }

    fn expects_no_longer(&self, call: call::CallSid) {
        self.services().conferences.call_is_over(call);
    }
}
