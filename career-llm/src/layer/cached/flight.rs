//! Equal requests under way at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::kept::Kept;

type Board = Arc<Mutex<HashMap<String, watch::Receiver<Landing>>>>;

/// How far a request under way has come.
#[derive(Debug, Clone)]
enum Landing {
    /// Nobody knows yet.
    Open,
    /// Its reply is here.
    Here(Arc<Kept>),
    /// It has none to give: it failed, or its reply may not be kept.
    Nothing,
}

/// The requests under way, by key.
#[derive(Debug, Default)]
pub(super) struct Flights(Board);

/// What a request does of those that are equal.
pub(super) enum Seat {
    /// It is the one that goes out.
    Leads(Lead),
    /// It waits for that one.
    Follows(Flight),
}

impl Flights {
    /// Finds its place: the first of a key leads, until it has landed or is gone.
    pub(super) fn board(&self, key: &str) -> Seat {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = flights.get(key) {
            return Seat::Follows(Flight(landing.clone()));
        }
        let (sender, landing) = watch::channel(Landing::Open);
        flights.insert(key.to_owned(), landing);
        Seat::Leads(Lead { board: self.0.clone(), key: key.to_owned(), sender })
    }
}

/// The request that goes out. When it is dropped before its end, one of those who wait goes out in its place.
#[derive(Debug)]
pub(super) struct Lead {
    board: Board,
    key: String,
    sender: watch::Sender<Landing>,
}

impl Lead {
    /// Gives the reply to those who wait.
    pub(super) fn land(&self, kept: Arc<Kept>) {
        self.sender.send_replace(Landing::Here(kept));
    }

    /// Lets those who wait ask for themselves.
    pub(super) fn give_up(&self) {
        self.sender.send_replace(Landing::Nothing);
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        // Before the channel closes, so that who wakes from that finds the seat free.
        self.board.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// A request under way that others wait for.
pub(super) struct Flight(watch::Receiver<Landing>);

/// What came of waiting for a request under way.
pub(super) enum Arrival {
    /// Its reply.
    Reply(Arc<Kept>),
    /// It has none to give, or not in time.
    Nothing,
    /// Nobody waits for it any more: its place is free.
    Dropped,
}

impl Flight {
    /// Waits for its reply.
    pub(super) async fn landed(mut self, patience: Duration) -> Arrival {
        let ended = self.0.wait_for(|landing| !matches!(landing, Landing::Open));
        match tokio::time::timeout(patience, ended).await {
            Ok(Ok(landing)) => match &*landing {
                Landing::Here(kept) => Arrival::Reply(kept.clone()),
                Landing::Open | Landing::Nothing => Arrival::Nothing,
            },
            Ok(Err(_)) => Arrival::Dropped,
            Err(_) => Arrival::Nothing,
        }
    }
}
