//! Places for requests under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bounds the requests under way, of each tenant and in all. Those without a place wait in order of arrival.
#[derive(Debug)]
pub(crate) struct Gate {
    all: Arc<Semaphore>,
    tenants: Mutex<HashMap<String, Arc<Semaphore>>>,
    per_tenant: usize,
}

/// A place; dropping it lets the next one in.
#[derive(Debug)]
pub(crate) struct Place {
    _tenant: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

impl Gate {
    pub(crate) fn new(per_tenant: usize, at_once: usize) -> Self {
        Self {
            all: Arc::new(Semaphore::new(at_once)),
            tenants: Mutex::default(),
            per_tenant,
        }
    }

    /// Waits for a place of the tenant, then for one of all: a tenant's waiting requests hold no common place.
    pub(crate) async fn enter(&self, tenant: &str) -> Place {
        const OPEN: &str = "no semaphore here is ever closed";
        let own = self.places_of(tenant).acquire_owned().await.expect(OPEN);
        let all = Arc::clone(&self.all).acquire_owned().await.expect(OPEN);
        Place {
            _tenant: own,
            _all: all,
        }
    }

    fn places_of(&self, tenant: &str) -> Arc<Semaphore> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = tenants.get(tenant) {
            return Arc::clone(places);
        }
        if tenants.len() == tenants.capacity() {
            // Before the map grows: forget the tenants that have nothing under way.
            tenants.retain(|_, places| Arc::strong_count(places) > 1);
        }
        let places = Arc::new(Semaphore::new(self.per_tenant));
        tenants.insert(tenant.to_owned(), Arc::clone(&places));
        places
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    fn enters(gate: &Gate, tenant: &str) -> Option<Place> {
        match pin!(gate.enter(tenant)).poll(&mut Context::from_waker(Waker::noop())) {
            std::task::Poll::Ready(place) => Some(place),
            std::task::Poll::Pending => None,
        }
    }

    #[test]
    fn a_tenant_at_its_bound_leaves_room_for_another() {
        let gate = Gate::new(2, 3);
        let first = enters(&gate, "a");
        let second = enters(&gate, "a");
        assert!(first.is_some() && second.is_some());
        assert!(enters(&gate, "a").is_none(), "two places a tenant");
        let third = enters(&gate, "b");
        assert!(third.is_some());
        assert!(enters(&gate, "c").is_none(), "three places in all");
        drop(first);
        assert!(enters(&gate, "c").is_some());
    }

    #[test]
    fn tenants_with_nothing_under_way_are_forgotten() {
        let gate = Gate::new(1, 10);
        let kept = enters(&gate, "kept");
        for n in 0..10_000 {
            enters(&gate, &n.to_string());
        }
        assert!(gate.tenants.lock().unwrap().len() < 100);
        assert!(enters(&gate, "kept").is_none(), "still under way");
        drop(kept);
    }
}
