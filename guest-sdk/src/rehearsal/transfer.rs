//! Those whom a story dials, or who call, and ask that the other side be sent on.

use std::collections::{BTreeMap, BTreeSet};

use super::stage::Stage;
use crate::{CallError, DialId, RehearsedTransfer, StoryFlow, Transfer};

/// Who asks for what.
#[derive(Default)]
pub(super) struct Wishes {
    /// By whom was dialled: where the caller is to go.
    pub(super) of: BTreeMap<String, String>,
    /// By whom was dialled: where the caller wants them to go.
    pub(super) own: BTreeMap<String, String>,
    allowed: BTreeSet<DialId>,
    own_allowed: BTreeSet<DialId>,
    /// Those of dials that somebody answered.
    foreseen: BTreeMap<DialId, Wish>,
}

/// A wish, and whether the caller has it.
struct Wish {
    asked: Transfer,
    is_own: bool,
}

impl Wishes {
    /// Somebody will answer this dial, in the call with this SID; `own` is the caller's.
    pub(super) fn foresee(&mut self, dial: DialId, callee: &str, call_sid: String, own: &str) {
        let (wanted, call_sid, is_own) = match (self.of.get(callee), self.own.get(callee)) {
            (Some(target), _) => (target, call_sid, false),
            (None, Some(target)) => (target, own.to_owned(), true),
            (None, None) => return,
        };
        let asked = Transfer {
            target: wanted.clone(),
            fields: Vec::new(),
            call_sid,
        };
        self.foreseen.insert(dial, Wish { asked, is_own });
    }

    /// The wish by which a dial ended.
    fn asked(&self, dial: DialId) -> Option<&Transfer> {
        let wish = self.foreseen.get(&dial)?;
        let allowed = match wish.is_own {
            true => &self.own_allowed,
            false => &self.allowed,
        };
        allowed.contains(&dial).then_some(&wish.asked)
    }
}

impl Stage {
    /// A wish is told once its dial is over, and only where it was allowed.
    pub(super) fn transfer(
        &mut self,
        deed: RehearsedTransfer<'_>,
    ) -> Result<Option<Transfer>, CallError> {
        if let RehearsedTransfer::Asked(id) = deed {
            return Ok(self.wishes.asked(id).cloned());
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
            RehearsedTransfer::HandOver(id, next) => {
                let wishes = &mut self.wishes.foreseen;
                match wishes.remove(&id) {
                    Some(wish) if wish.is_own => {}
                    _ => return Err(CallError::UnknownId),
                }
                let story = match &next.story {
                    StoryFlow::Component(name) => name,
                    StoryFlow::VoiceUrl(link) => &link.url,
                    StoryFlow::Twiml(document) => document,
                };
                self.note(format!("hand over to {story}"));
            }
            RehearsedTransfer::AllowOwn(id) => {
                self.wishes.own_allowed.insert(id);
            }
            RehearsedTransfer::Allow(id) | RehearsedTransfer::Asked(id) => {
                self.wishes.allowed.insert(id);
            }
        }
        Ok(None)
    }
}
