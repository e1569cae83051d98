//! Events on their way from the commit in which they happened to their handlers.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Document;
use super::batch::Batch;
use super::kind::{Key, KeyValue, Kind, Record, Versioned};
use crate::macros::named_enum;
use crate::text::Tag;
use crate::{Error, Event, Id, Result};

/// The topic of an entry that does not parse.
const UNREADABLE: &str = "unreadable";

named_enum! {
    /// Where an event stands.
    #[non_exhaustive]
    pub enum OutboxState {
        /// It is to be handled once it is due.
        Waiting = "waiting",
        /// A worker has it until it is due again.
        Leased = "leased",
        /// It was given up after too many attempts; it waits for someone to look.
        Dead = "dead",
    }
}

/// An event that has not been handled yet.
///
/// It is a record like any other: [`Batch::emit`] inserts it, [`Batch::settle`] deletes it, a worker's lease is its
/// time `due`, and a worker that has lost its lease learns so from its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OutboxEntry {
    /// Identity.
    pub id: Id<OutboxEntry>,
    /// The kind of the event, such as `message-added`.
    pub topic: String,
    /// Events of the same key are handled one after the other, in the order in which they were committed.
    pub order_key: String,
    /// The event, as JSON: one that a newer version emitted is kept, even if this one cannot read it.
    pub payload: serde_json::Value,
    /// Not before this time: when it was emitted, when it is to be tried again, when a worker's lease ends.
    pub due: Timestamp,
    /// Where it stands.
    pub state: OutboxState,
    /// How often a worker took it.
    pub attempts: u32,
    /// The worker that took it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// Why the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it was emitted.
    pub emitted: Timestamp,
}

impl OutboxEntry {
    /// An event that is to be handled once `due`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when the event does not serialise.
    pub fn new(event: &Event, due: Timestamp) -> Result<Self> {
        let payload = serde_json::to_value(event)
            .map_err(|error| Error::invalid("the event does not serialise").with_source(error))?;
        Ok(OutboxEntry {
            id: Id::new(),
            topic: event.topic().to_owned(),
            order_key: event.order_key(),
            payload,
            due,
            state: OutboxState::Waiting,
            attempts: 0,
            worker: None,
            last_error: None,
            emitted: Timestamp::now(),
        })
    }

    /// The entry of a document that a backend found. One that does not parse stays what it is, as text in its
    /// payload: so it is given up and listed like every event that cannot be handled, and stops no other.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when not even its id is one.
    pub fn read(document: &Document) -> Result<Versioned<OutboxEntry>> {
        document.decode().or_else(|error| {
            let Ok(id) = document.id.parse() else { return Err(error) };
            let entry = OutboxEntry {
                id,
                topic: UNREADABLE.to_owned(),
                order_key: document.id.clone(),
                payload: document.body.as_str().into(),
                due: document.updated,
                state: OutboxState::Waiting,
                attempts: 0,
                worker: None,
                last_error: None,
                emitted: document.created,
            };
            Ok(document.with_record(entry))
        })
    }

    /// The event.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Corrupt`](crate::ErrorKind::Corrupt) when it is none that this version knows.
    pub fn event(&self) -> Result<Event> {
        Event::deserialize(&self.payload).map_err(|_| {
            let message = format!("events {}: a `{}` that this version cannot read", self.id, self.topic);
            Error::new(crate::ErrorKind::Corrupt, message)
        })
    }

    /// A worker takes it until `until`. Backends call it when they claim.
    pub fn lease(&mut self, worker: &str, until: Timestamp) {
        self.state = OutboxState::Leased;
        self.attempts += 1;
        self.worker = Some(worker.to_owned());
        self.due = until;
    }

    /// It failed and is to be tried again.
    pub fn retry(&mut self, at: Timestamp, error: impl Into<String>) {
        self.state = OutboxState::Waiting;
        self.due = at;
        self.last_error = Some(error.into());
    }

    /// It failed for good.
    pub fn bury(&mut self, error: impl Into<String>) {
        self.state = OutboxState::Dead;
        self.last_error = Some(error.into());
    }

    /// It is tried anew.
    pub fn revive(&mut self, at: Timestamp) {
        self.state = OutboxState::Waiting;
        self.attempts = 0;
        self.due = at;
    }
}

impl Record for OutboxEntry {
    const KIND: &'static Kind =
        &Kind::new("events", &[Key::text("topic"), Key::text("order_key"), Key::text("state"), Key::time("due")])
            .indexed(&[&["state", "due"], &["order_key", "state"]]);
    type Id = Id<OutboxEntry>;

    fn id(&self) -> Self::Id {
        self.id
    }

    fn keys(&self) -> Vec<KeyValue> {
        vec![self.topic.as_str().into(), self.order_key.as_str().into(), self.state.as_str().into(), self.due.into()]
    }
}

/// What a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The worker's name.
    pub worker: String,
    /// How many events at most.
    pub limit: u32,
    /// For how long they are its own.
    pub lease: Duration,
    /// The time: events due later are not given.
    pub now: Timestamp,
}

impl Claim {
    /// Asks for events that are due now.
    pub fn new(worker: impl Into<String>, limit: u32, lease: Duration) -> Self {
        Claim { worker: worker.into(), limit, lease, now: Timestamp::now() }
    }

    /// Asks for events that are due at this time.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        self.now = now;
        self
    }

    /// When the lease ends.
    pub fn until(&self) -> Timestamp {
        self.now.checked_add(self.lease).unwrap_or(Timestamp::MAX)
    }
}

/// A time at which an event is emitted again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Schedule {
    /// Its name.
    pub name: Tag,
    /// When it fires.
    pub rhythm: Rhythm,
    /// When it fires next.
    pub next: Timestamp,
    /// When it fired last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

impl Schedule {
    /// A schedule that fires first at `next`.
    pub fn new(name: Tag, rhythm: Rhythm, next: Timestamp) -> Self {
        Schedule { name, rhythm, next, last: None }
    }

    /// Fires: the event, and the next time, in one batch. Of many workers that try, one commits it.
    pub fn fire(schedule: &mut Versioned<Schedule>, next: Timestamp, batch: &mut Batch) {
        let due = schedule.next;
        schedule.last = Some(due);
        schedule.next = next;
        batch.update(schedule).emit(&Event::ScheduleFired { schedule: schedule.name.clone(), due });
    }
}

impl Record for Schedule {
    const KIND: &'static Kind = &Kind::new("schedules", &[Key::time("next")]).indexed(&[&["next"]]);
    type Id = Tag;

    fn id(&self) -> Tag {
        self.name.clone()
    }

    fn keys(&self) -> Vec<KeyValue> {
        vec![self.next.into()]
    }
}

/// When a schedule fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Rhythm {
    /// By a cron expression of five or six fields (with seconds first), in UTC.
    Cron(String),
    /// Every so many seconds.
    EverySeconds(u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_newer_version_is_kept_and_named() {
        let mut entry = OutboxEntry::new(&Event::ProfileChanged { user: Id::new() }, Timestamp::now()).expect("fine");
        assert!(entry.event().is_ok());
        entry.payload["kind"] = "from-the-future".into();
        entry.topic = "from-the-future".into();
        let text = serde_json::to_string(&entry).expect("serialises");
        let error = Error::parse_json::<OutboxEntry>(&text).expect("the entry parses").event().expect_err("unknown");
        assert_eq!(error.kind(), crate::ErrorKind::Corrupt);
        assert!(error.to_string().contains("from-the-future"), "{error}");
    }
}
