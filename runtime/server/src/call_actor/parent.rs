//! Between a call and the one whose story dialled it, and how it leaves that one.

use call::{ChildNews, Direction, Input};

use super::CallActor;
use crate::flows::Story;
use crate::media_plane::LineEnd;

impl CallActor {
    /// Somebody's story dialled the call, and has a say over it.
    pub(super) const fn has_parent(&self) -> bool {
        self.parent.is_some()
    }

    /// Tells the parent, which has no say any more after the last news: the call is over, or one of its own.
    pub(super) fn tell_parent(&mut self, news: ChildNews) {
        let is_last = matches!(news, ChildNews::Ended(_));
        if is_last && self.placing.is_some() {
            self.parting = Some(news);
            return;
        }
        if let Some(parent) = &self.parent {
            parent.tell(news);
        }
        if is_last {
            self.parent = None;
        }
    }

    /// The parent joins its leg to this call's. What it sent before it heard that the call has left comes too late.
    pub(super) fn join_parent(&self, line: LineEnd) {
        if self.has_parent() {
            let far_end = self.far_end.as_ref().map(|far_end| &far_end.leg);
            far_end.unwrap_or(&self.leg).join(line);
        }
    }

    /// Other documents go on with the call. For one that was dialled they are no whisper.
    pub(super) fn take_elsewhere(&mut self, story: Story) -> Input {
        self.stop_whisper();
        self.story.take_over(story, true);
        if self.info.direction == Direction::OutboundDial {
            let (name, value) = ("is-own", "true");
            self.story
                .settings
                .insert(name.to_owned(), value.to_owned());
        }
        self.begun.clear();
        Input::Redirect
    }
}
