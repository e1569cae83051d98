//! Ranking 1,000, 100,000 and 1,000,000 candidates, top 10; single changes; batches of profiles; the built-in
//! catalogue. One core but for the batch. `cargo bench -p career-benches --bench scoring`

use std::hint::black_box;

use career_benches::{Random, candidate, candidates, profiles, read_bandwidth, vocabulary};
use career_core::{Catalog, Profile, RankOptions, Stream};
use career_recommend::{Engine, Work};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

fn ranking(criterion: &mut Criterion) {
    let profiles = profiles(64);
    let bandwidth = read_bandwidth();
    println!("read bandwidth of one core: {:.1} GB/s", bandwidth / 1e9);
    for count in [1_000, 100_000, 1_000_000] {
        let engine = Engine::compile(candidates(count)).expect("distinct");
        let memory = engine.memory();
        let work: Vec<Work> =
            profiles.iter().map(|profile| engine.work(profile, &RankOptions::top(10)).expect("valid")).collect();
        let mean = |of: fn(&Work) -> usize| work.iter().map(of).sum::<usize>() as f64 / work.len() as f64;
        let bytes = mean(|work| work.bytes);
        println!(
            "{count} candidates: {} B each in rows, {} B in columns; a query opens {:.0} of {} blocks, scores {:.0} candidates, \
             reads {:.2} MB, {:.2} B a candidate, {:.3} ms at that bandwidth",
            memory.rows / count,
            memory.columns / count,
            mean(|work| work.opened),
            work[0].blocks,
            mean(|work| work.scored),
            bytes / 1e6,
            bytes / count as f64,
            bytes / bandwidth * 1e3
        );
        let mut group = criterion.benchmark_group(format!("rank {count}, top 10"));
        for (name, options) in
            [("explained", RankOptions::top(10)), ("scores only", RankOptions::top(10).without_explanations())]
        {
            let mut next = profiles.iter().cycle();
            group.bench_function(name, |bencher| {
                bencher.iter(|| engine.rank(next.next().expect("a cycle"), &options).expect("valid"));
            });
        }
        let stream_alone = Profile::builder().stream(Stream::Pcm).build();
        group.bench_function("explained, of a person whose stream is all that is known", |bencher| {
            bencher.iter(|| engine.rank(&stream_alone, &RankOptions::top(10)).expect("valid"));
        });
        if count <= 100_000 {
            let mut next = profiles.iter().cycle();
            group.bench_function("by definition", |bencher| {
                let options = RankOptions::top(10);
                bencher.iter(|| engine.rank_by_definition(next.next().expect("a cycle"), &options).expect("valid"));
            });
        }
        group.finish();
    }
}

fn changes(criterion: &mut Criterion) {
    let words = vocabulary();
    let mut random = Random::new(13);
    let mut engine = Engine::compile(candidates(100_000)).expect("distinct");
    let mut at = 100_000;
    let mut group = criterion.benchmark_group("one change among 100000");
    group.bench_function("insert", |bencher| {
        let make = || {
            at += 1;
            candidate(at, &mut random, &words)
        };
        bencher.iter_batched(make, |candidate| engine.insert(candidate), BatchSize::SmallInput);
    });
    let mut random = Random::new(17);
    let mut engine = Engine::compile(candidates(100_000)).expect("distinct");
    group.bench_function("replace", |bencher| {
        let make = || {
            let at = random.below(100_000);
            candidate(at, &mut random, &words)
        };
        bencher.iter_batched(make, |candidate| engine.insert(candidate), BatchSize::SmallInput);
    });
    group.finish();
}

fn batch(criterion: &mut Criterion) {
    let profiles = profiles(1_000);
    let engine = Engine::compile(candidates(1_000)).expect("distinct");
    let mut group = criterion.benchmark_group("1000 profiles over 1000 candidates, all cores");
    group.sample_size(50);
    for (name, options) in
        [("explained", RankOptions::top(10)), ("scores only", RankOptions::top(10).without_explanations())]
    {
        group.bench_function(name, |bencher| {
            bencher.iter_with_large_drop(|| engine.rank_many(black_box(&profiles), &options).expect("valid"));
        });
    }
    group.finish();
}

fn catalogue(criterion: &mut Criterion) {
    let engine = Engine::compile(Catalog::india().careers()).expect("distinct");
    let profile = Profile::from_json(include_str!("../examples/profiles/student-pcm.json")).expect("valid");
    let mut group = criterion.benchmark_group(format!("the built-in catalogue of {}", engine.len()));
    group.bench_function("top 10 explained", |bencher| {
        bencher.iter(|| engine.rank(black_box(&profile), &RankOptions::top(10)).expect("valid"));
    });
    group.bench_function("all explained", |bencher| {
        bencher.iter(|| engine.rank(black_box(&profile), &RankOptions::top(usize::MAX)).expect("valid"));
    });
    group.finish();
}

criterion_group!(benches, ranking, changes, batch, catalogue);
criterion_main!(benches);
