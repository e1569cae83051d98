//! How many calls went well of late.

use std::time::Duration;

use tokio::time::Instant;

const SLOTS: usize = 10;

/// Successes and failures in a window that slides by a tenth of its length, so that a call costs no memory.
#[derive(Debug)]
pub(super) struct Window {
    began: Instant,
    width: Duration,
    /// The number of the newest slot, counted from the beginning.
    newest: u128,
    slots: [Slot; SLOTS],
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    successes: u32,
    failures: u32,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let width = (length / SLOTS as u32).max(Duration::from_nanos(1));
        Window { began: Instant::now(), width, newest: 0, slots: [Slot::default(); SLOTS] }
    }

    pub(super) fn success(&mut self) {
        let slot = self.slot();
        slot.successes = slot.successes.saturating_add(1);
    }

    pub(super) fn failure(&mut self) {
        let slot = self.slot();
        slot.failures = slot.failures.saturating_add(1);
    }

    /// The failures in the window, and their share of all calls in it.
    pub(super) fn failures(&mut self) -> (u32, f64) {
        self.slot();
        let count = |of: fn(&Slot) -> u32| self.slots.iter().map(of).fold(0, u32::saturating_add);
        let (failures, successes) = (count(|slot| slot.failures), count(|slot| slot.successes));
        let all = f64::from(failures) + f64::from(successes);
        (failures, if all > 0.0 { f64::from(failures) / all } else { 0.0 })
    }

    pub(super) fn clear(&mut self) {
        self.slots = [Slot::default(); SLOTS];
    }

    /// The slot of now, after those that have slid out were emptied.
    fn slot(&mut self) -> &mut Slot {
        let now = self.began.elapsed().as_nanos() / self.width.as_nanos();
        let passed = now.saturating_sub(self.newest).min(SLOTS as u128);
        for step in 0..passed {
            self.slots[((now - step) % SLOTS as u128) as usize] = Slot::default();
        }
        self.newest = self.newest.max(now);
        &mut self.slots[(self.newest % SLOTS as u128) as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;
    use tokio::time::advance;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// Everything within nine tenths of the window counts, and nothing older than the window.
        #[test]
        fn it_counts_the_window_to_a_tenth(steps in prop::collection::vec((0_u64..2_000, any::<bool>()), 1..60)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.expect("a runtime").block_on(async {
                let mut window = Window::new(Duration::from_secs(10));
                let mut calls: VecDeque<(Instant, bool)> = VecDeque::new();
                for (wait, failed) in steps {
                    advance(Duration::from_millis(wait)).await;
                    if failed { window.failure() } else { window.success() }
                    calls.push_back((Instant::now(), failed));
                    let within = |seconds| {
                        calls.iter().filter(|(at, failed)| *failed && at.elapsed() < Duration::from_secs(seconds)).count()
                    };
                    let counted = window.failures().0 as usize;
                    assert!((within(9)..=within(10)).contains(&counted), "{counted} of {} to {}", within(9), within(10));
                }
            });
        }
    }
}
