//! Two sides that take turns.

use std::time::{Duration, Instant};

use criterion::Criterion;
use tokio::runtime::Runtime;

/// Times two ways of doing the same, each while the other takes its turn in between: what the machine
/// does besides then meets both alike.
pub(crate) fn alternately(
    criterion: &mut Criterion,
    runtime: &Runtime,
    name: &str,
    (our_name, ours): (&str, impl AsyncFn()),
    (their_name, theirs): (&str, impl AsyncFn()),
) {
    async fn timed(rounds: u64, it: &impl AsyncFn(), other: &impl AsyncFn()) -> Duration {
        let mut total = Duration::ZERO;
        for _ in 0..rounds {
            let began = Instant::now();
            it().await;
            total += began.elapsed();
            other().await;
        }
        total
    }
    let mut group = criterion.benchmark_group(name);
    group.bench_function(our_name, |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(timed(rounds, &ours, &theirs)));
    });
    group.bench_function(their_name, |bencher| {
        bencher.iter_custom(|rounds| runtime.block_on(timed(rounds, &theirs, &ours)));
    });
    group.finish();
}
