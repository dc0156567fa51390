//! Those whom a story dials and who ask that the caller be sent on.

use std::collections::{BTreeMap, BTreeSet};

use super::stage::Stage;
use crate::{CallError, DialId, RehearsedTransfer, Transfer};

/// Who asks for what.
#[derive(Default)]
pub(super) struct Wishes {
    /// By whom was dialled: where the caller is to go.
    pub(super) of: BTreeMap<String, String>,
    allowed: BTreeSet<DialId>,
    /// Those of dials that somebody answered.
    foreseen: BTreeMap<DialId, Transfer>,
}

impl Wishes {
    /// Somebody will answer this dial, in the call with this SID.
    pub(super) fn foresee(&mut self, dial: DialId, callee: &str, call_sid: String) {
        if let Some(target) = self.of.get(callee) {
            let wish = Transfer {
                target: target.clone(),
                fields: Vec::new(),
                call_sid,
            };
            self.foreseen.insert(dial, wish);
        }
    }
}

impl Stage {
    /// A wish is told once its dial is over, and only where it was allowed.
    pub(super) fn transfer(
        &mut self,
        deed: RehearsedTransfer,
    ) -> Result<Option<Transfer>, CallError> {
        if let RehearsedTransfer::Asked(id) = deed {
            let wish = self.wishes.foreseen.get(&id);
            return Ok(wish.filter(|_| self.wishes.allowed.contains(&id)).cloned());
        }
        self.up()?;
        match deed {
            RehearsedTransfer::Conclude(id, is_taken) => {
                self.wishes
                    .foreseen
                    .remove(&id)
                    .ok_or(CallError::UnknownId)?;
                let outcome = if is_taken { "granted" } else { "not granted" };
                self.note(format!("transfer {outcome}"));
            }
            RehearsedTransfer::Allow(id) | RehearsedTransfer::Asked(id) => {
                self.wishes.allowed.insert(id);
            }
        }
        Ok(None)
    }
}
