//! Who answered: a leg listens until that is known.

use call::{Detection, MediaEvent};
use media::{MachineDetectionOptions, MachineDetector};

use super::LegCore;

impl LegCore {
    pub(super) fn detect_machine(&mut self, options: MachineDetectionOptions) {
        self.listen_anew(true);
        let rate = self.ear.codec().rate();
        self.detector = Some(MachineDetector::new(options, rate.hz()));
        self.tell_what_is_taken();
    }

    /// Takes the frame that was heard in this round.
    pub(super) fn listen_for_machine(&mut self, live: &[i16]) {
        let Some(detector) = &mut self.detector else {
            return;
        };
        let Some(answered_by) = detector.hear(Some(live)) else {
            return;
        };
        let listened = detector.elapsed();
        self.events
            .push_back(MediaEvent::MachineDetected(Detection {
                answered_by,
                duration_ms: u32::try_from(listened.as_millis()).unwrap_or(u32::MAX),
            }));
        self.detector = None;
        self.tell_what_is_taken();
    }
}
