//! No more money a day or a month than is allowed.

mod bill;
mod budget;
mod ledger;
mod price;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::bill::{Bill, Billed};
pub use self::budget::{Budget, Period, UnknownPrice};
pub use self::ledger::{Account, Ledger, MemoryLedger, Outcome, Reservation, Spending};
pub use self::price::Prices;
use super::common::{Estimate, Failures, PATIENCE, WhenBroken, by_deadline, in_time};
use crate::models::Cost;
use crate::{ChatModel, ChatRequest, ChatStream, Error, ErrorKind, ModelId, Result, Scope, Usage};

/// Tokens of a reply, where the request names no limit.
const REPLY_TOKENS: u32 = 4_096;
/// How long a ledger may take to reserve, before it counts as broken.
const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(5);
/// How long a call may be under way before its reservation may be given up: a day covers every deadline.
const LONGEST_CALL: std::time::Duration = std::time::Duration::from_secs(24 * 60 * 60);

/// Spends no more than budgets allow: what a call may cost at most is reserved before it, what it did cost is settled
/// after it.
///
/// So however many calls run at once, what was spent and what may yet be spent stay within every [`Budget`] together.
/// A call that does not fit fails with [`ErrorKind::SpendCap`] and is not sent. In a chain another model may answer,
/// which is cheaper, or runs here for nothing ([`Scope::Elsewhere`]). Prices are those of a
/// [`ModelTable`](crate::models::ModelTable), or a function.
///
/// # What is reserved
///
/// The price of the estimated input and of [`max_output_tokens`](ChatRequest::max_output_tokens). A request that names
/// no limit is sent with [one](Budgeted::with_max_output_tokens), 4,096 tokens unless said, since a reply without a
/// limit has no greatest price. The estimate is that of a [`TokenCounter`](crate::tokens::TokenCounter) unless a host
/// [counts itself](Budgeted::with_estimate).
///
/// # What is settled
///
/// - A whole reply: its usage, and what earlier attempts used, each at its own model's price. If the provider counts
///   more than was reserved, that is what is settled; by that difference alone can a budget be passed over.
/// - A reply without usage, one that broke after its first content, and a stream that is dropped: the estimated input
///   and the text that came. So is a call that is dropped before its stream began, without text.
/// - A call that failed before any content: what its attempts used; nothing where none says. If it failed since the
///   time was over, the estimated input besides: the provider may have read it.
///
/// A dropped stream cannot wait for the ledger, and a ledger may fail or take longer than a second: such settlements
/// are kept, and made with the next call or by [`flush`](Budgeted::flush). Until then the whole reservation counts.
///
/// The usage of a layer within, say a [`Fallback`](crate::layer::Fallback) of several models, is priced by the model that
/// answered; what is reserved is priced by [`ChatModel::id`]. So put this around each model, with one shared ledger.
///
/// ```
/// use std::sync::Arc;
///
/// use career_llm::layer::{Budget, Budgeted, MemoryLedger, Period};
/// use career_llm::models::Cost;
/// use career_llm::{ChatModelExt, ChatRequest, ErrorKind, ModelId, Usage};
/// # use async_trait::async_trait;
/// # use career_llm::{ChatEvent, ChatModel, ChatStream, Done, Result, Started, StopReason};
/// # #[derive(Debug)]
/// # struct Model;
/// # #[async_trait]
/// # impl ChatModel for Model {
/// #     async fn stream(&self, _: &ChatRequest) -> Result<ChatStream> {
/// #         Ok(ChatStream::from_events([
/// #             Ok(ChatEvent::Started(Box::new(Started::new(self.id())))),
/// #             Ok(ChatEvent::Done(Box::new(Done::new(StopReason::End).with_usage(Usage::new(10, 100))))),
/// #         ]))
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// // $1 for a million tokens in, $4 for a million out; `ModelTable::builtin()` knows those of many models.
/// let prices = |_: &ModelId, usage: &Usage| Some(Cost::from_nano_usd(1_000 * usage.input + 4_000 * usage.output));
/// let cents = |cents: u64| Cost::from_nano_usd(cents * 10_000_000);
/// let model = Budgeted::new(Model, Arc::new(MemoryLedger::new()), prices)
///     .with_budget(Budget::per_caller(Period::Day, cents(1)))
///     .with_budget(Budget::in_all(Period::Month, cents(5_000)));
///
/// let request = ChatRequest::user("Which careers use botany?").with_max_output_tokens(2_000).on_behalf_of("u1");
/// for _ in 0..5 {
///     model.complete(&request).await?; // up to 0.8 cents; 0.041 in truth
/// }
/// let error = model.complete(&request.clone().with_max_output_tokens(3_000)).await.expect_err("up to 1.2 cents");
/// assert_eq!(error.kind(), ErrorKind::SpendCap);
/// assert!(error.message().contains("$0.01 a day for each caller"), "{error}");
/// # Ok(())
/// # }
/// ```
pub struct Budgeted<M> {
    inner: M,
    budgets: Vec<Budget>,
    max_output_tokens: u32,
    unknown: UnknownPrice,
    when_broken: WhenBroken,
    zone: TimeZone,
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    desk: Arc<Desk>,
}

/// More settlements than this are not kept while a ledger is broken; the oldest are left to
/// [`Reservation::until`].
const MOST_DUE: usize = 10_000;

/// What a stream needs after its call.
struct Desk {
    ledger: Arc<dyn Ledger>,
    prices: Arc<dyn Prices>,
    estimate: Estimate,
    unknown: UnknownPrice,
    /// Settlements that could not be made when they were due.
    due: Mutex<VecDeque<(Reservation, Cost)>>,
    failures: Failures,
}

impl Desk {
    /// Settles, or keeps it for later.
    async fn settle(&self, reservation: Reservation, spent: Cost) {
        if let Err(error) = in_time(PATIENCE, self.ledger.settle(&reservation, spent)).await {
            self.failures.note("budgeted", &error);
            self.owe(reservation, spent);
        }
    }

    fn owe(&self, reservation: Reservation, spent: Cost) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= MOST_DUE {
            due.pop_front();
        }
        due.push_back((reservation, spent));
    }

    async fn flush(&self) -> career_core::Result<()> {
        loop {
            // Taken out one by one, so that two flushes do not settle the same, and put back when it fails or is dropped.
            let Some(mut owed) = Owed::take(self) else { return Ok(()) };
            let Some((reservation, spent)) = &owed.entry else { return Ok(()) };
            self.ledger.settle(reservation, *spent).await?;
            owed.entry = None;
        }
    }
}

/// A settlement on its way; goes back when it is not made.
struct Owed<'a> {
    desk: &'a Desk,
    entry: Option<(Reservation, Cost)>,
}

impl<'a> Owed<'a> {
    fn take(desk: &'a Desk) -> Option<Self> {
        let entry = desk.due.lock().unwrap_or_else(PoisonError::into_inner).pop_front()?;
        Some(Owed { desk, entry: Some(entry) })
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        if let Some((reservation, spent)) = self.entry.take() {
            self.desk.owe(reservation, spent);
        }
    }
}

impl<M: ChatModel> Budgeted<M> {
    /// No budget yet. Days and months are those of UTC; a model without a price is refused, and so is every call while
    /// the ledger is broken.
    pub fn new(inner: M, ledger: Arc<dyn Ledger>, prices: impl Prices) -> Self {
        let desk = Desk {
            ledger,
            prices: Arc::new(prices),
            estimate: Estimate::default(),
            unknown: UnknownPrice::Refuse,
            due: Mutex::default(),
            failures: Failures::default(),
        };
        Budgeted {
            inner,
            budgets: Vec::new(),
            max_output_tokens: REPLY_TOKENS,
            unknown: UnknownPrice::Refuse,
            when_broken: WhenBroken::Refuse,
            zone: TimeZone::UTC,
            clock: Arc::new(Timestamp::now),
            desk: Arc::new(desk),
        }
    }

    /// One more budget; all of them must allow a call. It takes the place of one for the same whom and period.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budgets.retain(|other| (other.per_caller, other.period) != (budget.per_caller, budget.period));
        self.budgets.push(budget);
        self
    }

    /// The limit that a request without one is sent with, above 0.
    #[must_use]
    pub fn with_max_output_tokens(mut self, tokens: u32) -> Self {
        self.max_output_tokens = tokens.max(1);
        self
    }

    /// What becomes of a model without a price.
    #[must_use]
    pub fn with_unknown_price(mut self, unknown: UnknownPrice) -> Self {
        self.unknown = unknown;
        self.anew(|desk| desk.unknown = unknown)
    }

    /// What becomes of a call while the ledger is broken, or takes longer than 5 seconds to reserve. One that passes is
    /// not billed.
    #[must_use]
    pub fn with_when_broken(mut self, when_broken: WhenBroken) -> Self {
        self.when_broken = when_broken;
        self
    }

    /// Counts the tokens of a request, without its reply, in place of a
    /// [`TokenCounter`](crate::tokens::TokenCounter).
    #[must_use]
    pub fn with_estimate(self, estimate: impl Fn(&ChatRequest) -> u64 + Send + Sync + 'static) -> Self {
        self.anew(|desk| desk.estimate = Estimate::by(estimate))
    }

    /// Where days and months begin.
    #[must_use]
    pub fn with_time_zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// What time it is, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Tells this of every failure of the ledger that fails no call.
    #[must_use]
    pub fn with_on_error(self, told: impl Fn(&career_core::Error) + Send + Sync + 'static) -> Self {
        self.anew(|desk| desk.failures.tell(told))
    }

    /// How often the ledger failed without failing a call.
    pub fn failures(&self) -> u64 {
        self.desk.failures.count()
    }

    /// Makes the settlements that are due, such as before the host stops.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Backend`] when the ledger fails; what is due stays due.
    pub async fn flush(&self) -> Result<()> {
        Ok(self.desk.flush().await?)
    }

    /// While it is built nobody else has the desk.
    fn anew(mut self, change: impl FnOnce(&mut Desk)) -> Self {
        if let Some(desk) = Arc::get_mut(&mut self.desk) {
            change(desk);
        }
        self
    }

    /// Reserves what the call may cost; `None` where nothing is to be billed.
    async fn reserve(&self, id: &ModelId, request: &ChatRequest, input: u64) -> Result<Option<Reservation>> {
        let output = request.max_output_tokens.unwrap_or(self.max_output_tokens);
        let Some(amount) = self.worst(id, input, output)? else { return Ok(None) };
        let at = (self.clock)();
        let caller = request.on_behalf_of.as_deref();
        let accounts: Vec<Account> =
            self.budgets.iter().map(|budget| budget.account(caller, at, &self.zone)).collect::<Result<_>>()?;
        let reservation = Reservation::new(accounts, amount, at, LONGEST_CALL);
        let broken = |error: career_core::Error| {
            if self.when_broken == WhenBroken::Refuse {
                return Err(Error::from(error).with_model(id.clone()));
            }
            self.desk.failures.note("budgeted", &error);
            Ok(None)
        };
        // Money that was not spent is free again before it is asked for.
        if let Err(error) = by_deadline(request, || id.clone(), in_time(PATIENCE, self.desk.flush())).await? {
            self.desk.failures.note("budgeted", &error);
        }
        // Made or not: if nobody waits for the answer, it is given back.
        let mut guard = Owing { desk: &self.desk, reservation: Some(reservation.clone()) };
        let outcome =
            by_deadline(request, || id.clone(), in_time(LONGEST_WAIT, self.desk.ledger.reserve(&reservation))).await?;
        match outcome {
            Ok(Outcome::Reserved) => {
                guard.reservation = None;
                Ok(Some(reservation))
            }
            Ok(Outcome::Over { account }) => {
                guard.reservation = None;
                Err(self.over(id, account))
            }
            Err(error) => broken(error),
        }
    }

    fn over(&self, id: &ModelId, account: usize) -> Error {
        let budget = self.budgets.get(account).map_or_else(String::new, ToString::to_string);
        Error::new(ErrorKind::SpendCap, format!("the budget of {budget} has no room for this call"))
            .with_model(id.clone())
            .with_scope(Scope::Elsewhere)
    }

    /// The most that a call may cost; `None` where the price is unknown and counts as nothing.
    fn worst(&self, id: &ModelId, input: u64, output: u32) -> Result<Option<Cost>> {
        let plain = Usage::new(input, output.into());
        // Writing to a provider's cache may cost more than reading anew.
        let mut written = plain;
        written.cache_write = plain.input;
        let cost = |usage: &Usage| self.desk.prices.cost(id, usage);
        match (cost(&plain), cost(&written), self.unknown) {
            (Some(plain), Some(written), _) => Ok(Some(plain.max(written))),
            (_, _, UnknownPrice::Free) => Ok(None),
            (_, _, UnknownPrice::Refuse) => {
                let message = "the model has no price, so its calls cannot be budgeted";
                Err(Error::config(message).with_model(id.clone()))
            }
        }
    }
}

/// A reservation that is being asked for; given back when nobody learns the answer.
struct Owing<'a> {
    desk: &'a Desk,
    reservation: Option<Reservation>,
}

impl Drop for Owing<'_> {
    fn drop(&mut self) {
        if let Some(reservation) = self.reservation.take() {
            self.desk.owe(reservation, Cost::ZERO);
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<M: ChatModel> ChatModel for Budgeted<M> {
    async fn stream(&self, request: &ChatRequest) -> Result<ChatStream> {
        if self.budgets.is_empty() {
            return self.inner.stream(request).await;
        }
        let id = self.inner.id();
        let input = self.desk.estimate.of(request, &id);
        let Some(reservation) = self.reserve(&id, request, input).await? else {
            return self.inner.stream(request).await;
        };
        let mut bill = Bill::new(self.desk.clone(), reservation, id, input);
        let limited;
        let request = if request.max_output_tokens.is_some() {
            request
        } else {
            limited = request.clone().with_max_output_tokens(self.max_output_tokens);
            &limited
        };
        match self.inner.stream(request).await {
            Ok(stream) => Ok(ChatStream::new(Billed::new(stream, bill))),
            Err(error) => {
                bill.failed(&error);
                bill.settle().await;
                Err(error)
            }
        }
    }

    fn id(&self) -> ModelId {
        self.inner.id()
    }
}

impl<M: fmt::Debug> fmt::Debug for Budgeted<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Budgeted");
        shown.field("inner", &self.inner).field("budgets", &self.budgets).field("ledger", &self.desk.ledger);
        shown.finish_non_exhaustive()
    }
}
