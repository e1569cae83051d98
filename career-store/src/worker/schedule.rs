//! Schedules: each fires once, whoever is first.

use career_core::store::{Batch, Query, Rhythm, Schedule};
use career_core::{Error, ErrorKind, Result, Store, StoreExt};
use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::Worker;

/// How long another worker's new schedule may go unseen.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(5);

pub(super) struct Schedules {
    // Nothing fires before.
    look_at: Timestamp,
}

impl Schedules {
    /// Writes the worker's schedules down, unless they are there.
    pub(super) async fn of(worker: &Worker) -> Result<Self> {
        for (name, rhythm) in &worker.schedules {
            let next = next_time(rhythm, Timestamp::now())?;
            match worker.store.get::<Schedule>(name).await? {
                Some(kept) if kept.rhythm == *rhythm => {}
                Some(mut kept) => {
                    kept.rhythm = rhythm.clone();
                    kept.next = next;
                    unless_conflict(worker.store.update(&mut kept).await)?;
                }
                None => {
                    let schedule = Schedule::new(name.clone(), rhythm.clone(), next);
                    unless_conflict(worker.store.insert(&schedule).await.map(drop))?;
                }
            }
        }
        Ok(Schedules { look_at: Timestamp::MIN })
    }

    /// Fires what is due.
    pub(super) async fn fire_due(&mut self, store: &dyn Store) -> Result<()> {
        let now = Timestamp::now();
        if now < self.look_at {
            return Ok(());
        }
        loop {
            let first = store.first::<Schedule>(&Query::all().ascending("next")).await?;
            let Some(mut schedule) = first.filter(|schedule| schedule.next <= now) else { break };
            let next = next_time(&schedule.rhythm, now)?;
            let mut batch = Batch::new();
            Schedule::fire(&mut schedule, next, &mut batch);
            unless_conflict(store.commit(batch).await.map(drop))?;
        }
        let first = store.first::<Schedule>(&Query::all().ascending("next")).await?;
        let soon = now + LOOK_AGAIN;
        self.look_at = first.map_or(soon, |schedule| schedule.next.min(soon));
        Ok(())
    }
}

/// Another worker was faster: that is as good.
fn unless_conflict(result: Result<()>) -> Result<()> {
    result.or_else(|error| if error.kind() == ErrorKind::Conflict { Ok(()) } else { Err(error) })
}

/// When a rhythm comes round next after a time.
///
/// ```
/// use career_core::store::Rhythm;
/// use career_store::worker::next_time;
///
/// let mondays_at_nine = Rhythm::Cron("0 9 * * MON".into());
/// let next = next_time(&mondays_at_nine, "2026-11-21T12:00:00Z".parse().unwrap())?;
/// assert_eq!(next.to_string(), "2026-11-23T09:00:00Z");
/// # Ok::<(), career_core::Error>(())
/// ```
///
/// # Errors
///
/// [`ErrorKind::Invalid`] for what is no cron expression, and for one that never comes round.
pub fn next_time(rhythm: &Rhythm, after: Timestamp) -> Result<Timestamp> {
    match rhythm {
        Rhythm::Cron(expression) => {
            let invalid = || Error::invalid("expected a cron expression that comes round").at_field("rhythm");
            let parser = CronParser::builder().seconds(Seconds::Optional).build();
            let cron: Cron = parser.parse(expression).map_err(|_| invalid())?;
            let next = cron.find_next_occurrence(&after.to_zoned(TimeZone::UTC), false).map_err(|_| invalid())?;
            Ok(next.timestamp())
        }
        Rhythm::EverySeconds(0) => Err(Error::invalid("expected at least one second").at_field("rhythm")),
        Rhythm::EverySeconds(seconds) => {
            let next = after.checked_add(SignedDuration::from_secs(i64::from(*seconds)));
            next.map_err(|_| Error::invalid("expected a time that comes round").at_field("rhythm"))
        }
        _ => Err(Error::new(ErrorKind::Unsupported, "this rhythm is not known")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rhythms_come_round_or_are_refused() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let cron = |text: &str, after: &str| next_time(&Rhythm::Cron(text.into()), at(after));
        assert_eq!(cron("*/5 * * * *", "2026-01-01T00:00:00Z").expect("comes"), at("2026-01-01T00:05:00Z"));
        assert_eq!(cron("30 * * * * *", "2026-01-01T00:00:00Z").expect("comes"), at("2026-01-01T00:00:30Z"));
        assert_eq!(cron("0 0 29 2 *", "2026-01-01T00:00:00Z").expect("comes"), at("2028-02-29T00:00:00Z"));
        for bad in ["", "often", "61 * * * *", "0 0 31 2 *"] {
            assert_eq!(cron(bad, "2026-01-01T00:00:00Z").expect_err(bad).kind(), ErrorKind::Invalid);
        }
        let every = |seconds| next_time(&Rhythm::EverySeconds(seconds), at("2026-01-01T00:00:00Z"));
        assert_eq!(every(90).expect("comes"), at("2026-01-01T00:01:30Z"));
        assert!(every(0).is_err());
    }
}
