//! Equal requests under way at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::kept::Kept;

type Landing = Option<Arc<Kept>>;
type Board = Arc<Mutex<HashMap<String, watch::Receiver<Landing>>>>;

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
        let (sender, landing) = watch::channel(None);
        flights.insert(key.to_owned(), landing);
        Seat::Leads(Lead { board: self.0.clone(), key: key.to_owned(), sender })
    }
}

/// The request that goes out. When it is dropped those who wait know that nothing comes.
#[derive(Debug)]
pub(super) struct Lead {
    board: Board,
    key: String,
    sender: watch::Sender<Landing>,
}

impl Lead {
    /// Gives the reply to those who wait.
    pub(super) fn land(&self, kept: Arc<Kept>) {
        self.sender.send_replace(Some(kept));
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.board.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// A request under way that others wait for.
pub(super) struct Flight(watch::Receiver<Landing>);

impl Flight {
    /// Its reply; `None` when there is none to be had, or not in time.
    pub(super) async fn landed(mut self, patience: Duration) -> Landing {
        let landing = tokio::time::timeout(patience, self.0.wait_for(Option::is_some)).await;
        landing.ok()?.ok()?.clone()
    }
}
