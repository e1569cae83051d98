//! What every [`Store`] holds. Call [`all`] with an empty store, or the functions one by one.
//!
//! The functions make users of their own, so that they can run side by side on one store, but for those that count
//! events: [`outbox`] wants the store to itself.

pub mod batches;
mod cancel;
pub mod concurrency;
pub mod counts;
pub mod fixtures;
pub mod outbox;
pub mod pages;
pub mod records;

use crate::store::Capability;
use crate::{ErrorKind, Store};

/// What a run of the suite did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// How many checks ran.
    pub ran: usize,
    /// The checks that were skipped, and the capability that the store does not declare.
    pub skipped: Vec<(&'static str, Capability)>,
}

/// Runs the whole suite on an empty store, and says what was skipped for want of a capability.
///
/// # Panics
///
/// When a promise of the port is broken.
pub async fn all(store: &dyn Store) -> Report {
    let mut report = Report { ran: 0, skipped: Vec::new() };
    macro_rules! run {
        ($($module:ident :: $check:ident),+ $(,)?) => { $( $module::$check(store).await; report.ran += 1; )+ };
    }
    store.health().await.expect("an empty store is well");
    run!(
        outbox::events_come_once_and_go_when_settled,
        outbox::a_failed_commit_emits_nothing,
        outbox::each_key_is_handled_in_order,
        outbox::a_lease_ends_and_the_late_worker_learns_it,
        outbox::events_are_not_given_before_they_are_due,
        outbox::the_dead_stand_in_nobodys_way_and_can_be_revived,
        outbox::an_event_that_cannot_be_read_stops_no_other,
        outbox::many_workers_share_without_doubles,
        outbox::a_schedule_fires_once,
        records::put_get_delete,
        records::every_aggregate_comes_back_equal,
        records::versions_count_and_conflict_by_both_numbers,
        records::a_version_is_good_for_the_record_that_was_read,
        records::what_is_there_is_not_inserted_again,
        records::unique_keys_are_held,
        records::any_text_is_data,
        records::a_body_of_ten_megabytes_comes_back,
        records::a_document_that_no_longer_parses_is_named,
        records::times_are_kept,
        batches::all_or_nothing,
        batches::later_writes_see_earlier_ones,
        batches::a_thousand_records_at_once,
        batches::an_empty_batch_is_nothing,
        pages::filters_choose,
        pages::order_is_by_key_then_id,
        pages::pages_join_without_gap_or_double,
        pages::pages_stay_put_while_others_write,
        pages::bad_queries_are_refused,
        counts::groups_by_key_and_time,
        counts::the_largest_groups_come_first,
        pages::pages_go_on_after_an_error,
        concurrency::no_update_is_lost,
        concurrency::one_of_many_inserts_wins,
    );
    if store.capabilities().contains(&Capability::References) {
        run!(records::references_are_held);
    } else {
        report.skipped.push(("references_are_held", Capability::References));
    }
    report
}

pub use cancel::cancelled_commits;

/// The kind of an error, with the error when it is another.
#[track_caller]
pub(crate) fn assert_kind<T: std::fmt::Debug>(result: crate::Result<T>, kind: ErrorKind) -> crate::Error {
    let error = result.expect_err("this must be refused");
    assert_eq!(error.kind(), kind, "{error}");
    error
}
