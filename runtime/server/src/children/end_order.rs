//! The order to end a call that has no actor yet, or none any more for a moment.

use std::sync::Arc;

use call::HangUpCause;
use tokio::sync::watch;

/// Shared by whoever places a call and by those who may end it. The first order stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndOrder(Arc<watch::Sender<Option<HangUpCause>>>);

impl EndOrder {
    pub(crate) fn give(&self, cause: HangUpCause) {
        self.0.send_if_modified(|given| {
            let is_first = given.is_none();
            given.get_or_insert(cause);
            is_first
        });
    }

    /// Why the call is to end; none while it is wanted.
    pub(crate) fn given(&self) -> Option<HangUpCause> {
        *self.0.borrow()
    }

    /// Resolves when the call is to end.
    pub(crate) async fn awaited(&self) -> HangUpCause {
        let mut orders = self.0.subscribe();
        let given = orders.wait_for(Option::is_some).await;
        given
            .ok()
            .and_then(|given| *given)
            .expect("the sender lives as long as `self`, and is waited for until it says why")
    }
}

/// Nobody wants the call any more.
#[derive(Debug, thiserror::Error)]
#[error("{}", why(*.0))]
pub(crate) struct Unwanted(pub(crate) HangUpCause);

const fn why(cause: HangUpCause) -> &'static str {
    match cause {
        HangUpCause::Api => "cancelled over the API before it was dialled",
        HangUpCause::Shutdown => "the server stopped before it was dialled",
        _ => "given up before it was dialled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_order_stands_and_is_seen_by_all_who_share_it() {
        let end = EndOrder::default();
        let (waiting, shared) = (end.clone(), end.clone());
        let waiting = tokio::spawn(async move { waiting.awaited().await });
        assert_eq!(end.given(), None);
        shared.give(HangUpCause::Api);
        shared.give(HangUpCause::Local);
        assert_eq!(waiting.await.unwrap(), HangUpCause::Api);
        assert_eq!(end.given(), Some(HangUpCause::Api));
        assert_eq!(
            end.awaited().await,
            HangUpCause::Api,
            "at once from then on"
        );
    }
}
