//! Where spending is written down.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use career_core::Result;
use jiff::Timestamp;

use crate::models::Cost;

/// An account of a ledger: one budget in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// Its name. It ends with the caller's id where the budget is for each.
    pub name: String,
    /// The most that may be spent and reserved in it together.
    pub limit: Cost,
    /// When its period ends. Nothing is reserved in it afterwards, and it may be forgotten once all is settled.
    pub ends: Timestamp,
}

/// An amount that is put aside for a call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reservation {
    /// Its own, random.
    pub id: u128,
    /// The accounts in which it is reserved, in each the same amount.
    pub accounts: Vec<Account>,
    /// How much.
    pub amount: Cost,
    /// When it was asked for.
    pub at: Timestamp,
    /// When its call is over whatever became of it. If it is not settled by then, its host went away.
    pub until: Timestamp,
}

impl Reservation {
    pub(super) fn new(accounts: Vec<Account>, amount: Cost, at: Timestamp, longest: Duration) -> Self {
        let until = at.checked_add(longest).unwrap_or(Timestamp::MAX);
        Reservation { id: fastrand::u128(..), accounts, amount, at, until }
    }
}

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The amount is reserved in every account.
    Reserved,
    /// Nothing is reserved: it does not fit into this one.
    Over {
        /// The place of the account in the reservation.
        account: usize,
    },
}

/// Writes down what is reserved and what was spent.
///
/// # Contract
///
/// - [`reserve`](Ledger::reserve) is atomic, over all accounts and all who share the ledger: the amount is reserved in
///   every account, where what is spent and reserved in it and the amount are at most its limit; or in none.
/// - [`settle`](Ledger::settle) takes the reservation away and adds what was spent to every account, however much
///   that is. It happens once: settling a reservation that is unknown or settled changes nothing.
/// - What was reserved and is not settled by [`until`](Reservation::until) counts as spent, or is given back, as the
///   host chooses.
///
/// # In a database
///
/// One table of accounts (name, spent, reserved), one of reservations (id, account, amount, until). To reserve, in one
/// transaction, insert the reservation, then for each account in the order of their names (so that two transactions do
/// not wait for each other)
///
/// ```sql
/// UPDATE accounts SET reserved = reserved + $amount
/// WHERE name = $name AND spent + reserved + $amount <= $limit
/// ```
///
/// and roll back when that changed no row; an account that is not there is inserted with zeros before. To settle,
/// delete the reservation's rows and, for those that were there, move the amount from `reserved` to `spent`.
#[async_trait]
pub trait Ledger: Debug + Send + Sync + 'static {
    /// Puts an amount aside.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`](career_core::ErrorKind::Unavailable) when the ledger cannot be reached. The amount
    /// may then be reserved; it is settled with 0 later.
    async fn reserve(&self, reservation: &Reservation) -> Result<Outcome>;

    /// Writes down what was spent, in place of what was reserved.
    ///
    /// # Errors
    ///
    /// As for [`reserve`](Ledger::reserve). It is tried again later.
    async fn settle(&self, reservation: &Reservation, spent: Cost) -> Result<()>;
}

/// What an account holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spending {
    /// What was spent.
    pub settled: Cost,
    /// What calls under way may yet spend.
    pub reserved: Cost,
}

/// A ledger in memory, for one process: it forgets when the process ends.
///
/// A reservation whose call is over by its time, and was never settled, counts as spent.
#[derive(Default)]
pub struct MemoryLedger {
    books: Mutex<Books>,
}

#[derive(Default)]
struct Books {
    accounts: HashMap<String, (Spending, Timestamp)>,
    open: HashMap<u128, Reservation>,
    /// When it was last looked through for what is over.
    swept: Timestamp,
}

/// How often what is over is looked for.
const SWEEP: Duration = Duration::from_secs(60 * 60);

impl MemoryLedger {
    /// Nothing spent.
    pub fn new() -> Self {
        MemoryLedger::default()
    }

    /// What the account of this name holds.
    pub fn spending(&self, account: &str) -> Spending {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.accounts.get(account).map_or_else(Spending::default, |(spending, _)| *spending)
    }

    /// All accounts and what they hold.
    pub fn accounts(&self) -> Vec<(String, Spending)> {
        let books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.accounts.iter().map(|(name, (spending, _))| (name.clone(), *spending)).collect()
    }
}

impl Books {
    fn settle(&mut self, id: u128, spent: Option<Cost>) {
        let Some(reservation) = self.open.remove(&id) else { return };
        let spent = spent.unwrap_or(reservation.amount);
        for account in &reservation.accounts {
            if let Some((spending, _)) = self.accounts.get_mut(&account.name) {
                spending.reserved = spending.reserved.saturating_sub(reservation.amount);
                spending.settled = spending.settled.saturating_add(spent);
            }
        }
    }

    fn sweep(&mut self, now: Timestamp) {
        if now.duration_since(self.swept).unsigned_abs() < SWEEP {
            return;
        }
        self.swept = now;
        let over = self.open.values().filter(|reservation| reservation.until <= now).map(|reservation| reservation.id);
        for id in over.collect::<Vec<_>>() {
            self.settle(id, None);
        }
        self.accounts.retain(|_, (spending, ends)| spending.reserved > Cost::ZERO || *ends > now);
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn reserve(&self, reservation: &Reservation) -> Result<Outcome> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        books.sweep(reservation.at);
        for (at, account) in reservation.accounts.iter().enumerate() {
            let spending = books.accounts.get(&account.name).map_or_else(Spending::default, |(spending, _)| *spending);
            let sum =
                spending.settled.checked_add(spending.reserved).and_then(|sum| sum.checked_add(reservation.amount));
            if sum.is_none_or(|sum| sum > account.limit) {
                return Ok(Outcome::Over { account: at });
            }
        }
        for account in &reservation.accounts {
            let entry = books.accounts.entry(account.name.clone()).or_insert((Spending::default(), account.ends));
            entry.0.reserved = entry.0.reserved.saturating_add(reservation.amount);
        }
        books.open.insert(reservation.id, reservation.clone());
        Ok(Outcome::Reserved)
    }

    async fn settle(&self, reservation: &Reservation, spent: Cost) -> Result<()> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner).settle(reservation.id, Some(spent));
        Ok(())
    }
}

impl Debug for MemoryLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the accounts: their names hold whose they are.
        f.debug_struct("MemoryLedger").finish_non_exhaustive()
    }
}
