//! Schedules: each fires once, whoever is first.

use career_core::store::{Batch, Document, PAGE_MAX, Query, Record, Rhythm, Schedule};
use career_core::{Error, ErrorKind, Result, Store, StoreExt, Tag};
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
            // One that is kept and cannot be read must not keep the worker from its events.
            if let Err(error) = write_down(&*worker.store, name, rhythm).await {
                if error.is_temporary() {
                    return Err(error);
                }
                tracing::error!(%error, schedule = %name, "a schedule cannot be written down");
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
        let due = Query::all().below("next", now + SignedDuration::from_micros(1)).ascending("next").limit(PAGE_MAX);
        for document in store.select(Schedule::KIND, &due).await?.items {
            // One that cannot be read, or never comes round, must not keep the others from firing.
            if let Err(error) = fire(store, &document, now).await {
                if error.is_temporary() {
                    return Err(error);
                }
                tracing::error!(%error, schedule = document.id, "a schedule cannot fire");
            }
        }
        let ahead = Query::all().at_least("next", now).ascending("next");
        let soon = now + LOOK_AGAIN;
        let first = store.select(Schedule::KIND, &ahead.limit(1)).await?.items;
        let first = first.first().and_then(|document| document.decode::<Schedule>().ok());
        self.look_at = first.map_or(soon, |schedule| schedule.next.min(soon));
        Ok(())
    }
}

async fn write_down(store: &dyn Store, name: &Tag, rhythm: &Rhythm) -> Result<()> {
    let next = next_time(rhythm, Timestamp::now())?;
    match store.get::<Schedule>(name).await? {
        Some(kept) if kept.rhythm == *rhythm => Ok(()),
        Some(mut kept) => {
            kept.rhythm = rhythm.clone();
            kept.next = next;
            unless_conflict(store.update(&mut kept).await)
        }
        None => {
            let schedule = Schedule::new(name.clone(), rhythm.clone(), next);
            unless_conflict(store.insert(&schedule).await.map(drop))
        }
    }
}

async fn fire(store: &dyn Store, document: &Document, now: Timestamp) -> Result<()> {
    let mut schedule = document.decode::<Schedule>()?;
    let next = following(&schedule, now)?;
    let mut batch = Batch::new();
    Schedule::fire(&mut schedule, next, &mut batch);
    unless_conflict(store.commit(batch).await.map(drop))
}

/// The next time after now. What comes every so often keeps its beat, however late it was fired.
fn following(schedule: &Schedule, now: Timestamp) -> Result<Timestamp> {
    if let Rhythm::EverySeconds(seconds @ 1..) = schedule.rhythm {
        let late = now.duration_since(schedule.next).as_secs().max(0);
        let beats = late / i64::from(seconds) + 1;
        let next = schedule.next.checked_add(SignedDuration::from_secs(beats.saturating_mul(i64::from(seconds))));
        return next.map_err(|_| Error::invalid("expected a time that comes round").at_field("rhythm"));
    }
    next_time(&schedule.rhythm, now)
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
    fn what_comes_every_so_often_keeps_its_beat() {
        let at = |seconds| Timestamp::from_second(seconds).expect("in range");
        let name = career_core::Tag::new("beat").expect("a slug");
        let schedule = Schedule::new(name, Rhythm::EverySeconds(60), at(1_000));
        for (now, next) in [(1_000, 1_060), (1_001, 1_060), (1_059, 1_060), (1_060, 1_120), (5_000, 5_020)] {
            assert_eq!(following(&schedule, at(now)).expect("comes"), at(next), "at {now}");
        }
    }

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
