//! Stores beside the same statements through sqlx alone, and vector search beside reading memory.
//!
//! `cargo bench -p career-benches --bench store`; with `DATABASE_URL` set, PostgreSQL too. `CAREER_BENCH_ROWS` is how
//! many rows the list is taken from, 1,000,000 unless set.

#[path = "store/plain.rs"]
mod plain;
#[path = "store/records.rs"]
mod records;
#[path = "shared/turns.rs"]
mod turns;

use std::hint::black_box;
use std::sync::Arc;

use career_benches::{Random, read_bandwidth};
use career_core::store::{Batch, Query};
use career_core::{Application, Embedding, Id, Store, StoreExt, Tag, User, VectorIndex, VectorQuery};
use career_store::vectors::MemoryVectors;
use career_store::{PgStore, SqliteStore};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use plain::Plain;
use records::{application, job, user};
use tokio::runtime::Runtime;
use turns::alternately;

/// How many records a batch has.
const BATCH: usize = 1_000;
/// How many applications each person has in the long table.
const OF_ONE: usize = 200;

fn rows() -> usize {
    std::env::var("CAREER_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(1_000_000)
}

/// A store, the plain statements on the same database, and a user and a job to refer to.
struct Bench<P> {
    name: &'static str,
    store: Arc<dyn Store>,
    plain: P,
    owner: Id<User>,
    job: career_core::Job,
}

impl<P: Plain> Bench<P> {
    async fn new(name: &'static str, store: Arc<dyn Store>, plain: P) -> Self {
        let (user, job) = (user(), job());
        let mut batch = Batch::new();
        batch.insert(&user).insert(&job);
        store.commit(batch).await.expect("kept");
        Bench { name, store, plain, owner: user.id, job }
    }

    fn one_record(&self, criterion: &mut Criterion, runtime: &Runtime) {
        let kept = application(self.owner, self.job.id);
        runtime.block_on(self.store.put(&kept)).expect("kept");
        let key = kept.id.to_string();
        let ours = async || drop(self.store.load::<Application>(&kept.id).await.expect("there"));
        let theirs = async || drop(self.plain.get(&key).await);
        alternately(criterion, runtime, &format!("{}: get", self.name), ("store", ours), ("sqlx alone", theirs));
        // The first changes of a new table cost more than the later ones, whoever makes them.
        runtime.block_on(async {
            for _ in 0..2_000 {
                self.plain.put(&kept).await;
            }
        });
        let ours = async || {
            self.store.put(&kept).await.expect("kept");
        };
        let theirs = async || self.plain.put(&kept).await;
        alternately(criterion, runtime, &format!("{}: put", self.name), ("store", ours), ("sqlx alone", theirs));
    }

    fn batches(&self, criterion: &mut Criterion, runtime: &Runtime) {
        let fresh = || (0..BATCH).map(|_| application(self.owner, self.job.id)).collect::<Vec<_>>();
        let mut group = criterion.benchmark_group(format!("{}: {BATCH} records in one batch", self.name));
        group.sample_size(10).throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("store", |bencher| {
            let commit = async |records: Vec<Application>| {
                let mut batch = Batch::new();
                for record in &records {
                    batch.insert(record);
                }
                self.store.commit(batch).await.expect("kept")
            };
            bencher.to_async(runtime).iter_batched(fresh, commit, BatchSize::PerIteration);
        });
        group.bench_function("sqlx alone", |bencher| {
            let insert = async |records: Vec<Application>| self.plain.insert_all(&records).await;
            bencher.to_async(runtime).iter_batched(fresh, insert, BatchSize::PerIteration);
        });
        group.finish();
    }

    fn lists(&self, criterion: &mut Criterion, runtime: &Runtime) {
        let rows = rows();
        let owners: Vec<Id<User>> = runtime.block_on(async {
            let owners: Vec<User> = (0..rows.div_ceil(OF_ONE)).map(|_| user()).collect();
            for some in owners.chunks(BATCH / 10) {
                let mut batch = Batch::new();
                for owner in some {
                    batch.insert(owner);
                    for _ in 0..OF_ONE {
                        batch.insert(&application(owner.id, self.job.id));
                    }
                }
                self.store.commit(batch).await.expect("kept");
            }
            self.plain.settle().await;
            // Each is read once before anything is timed: whoever comes first would pay for both.
            for owner in &owners {
                self.plain.list(&owner.id.to_string()).await;
            }
            owners.iter().map(|owner| owner.id).collect()
        });
        let mut random = Random::new(7);
        let mut group = criterion.benchmark_group(format!("{}: list 50 by key, newest first, of {rows}", self.name));
        let query = |owner| Query::owned_by(owner).key("status", "saved").newest().limit(50);
        group.bench_function("store", |bencher| {
            bencher.to_async(runtime).iter_batched(
                || query(owners[random.below(owners.len())]),
                async |query| {
                    let page = self.store.list::<Application>(&query).await.expect("listed");
                    assert_eq!(page.items.len(), 50);
                },
                BatchSize::SmallInput,
            );
        });
        group.bench_function("sqlx alone", |bencher| {
            bencher.to_async(runtime).iter_batched(
                || owners[random.below(owners.len())].to_string(),
                async |owner| assert_eq!(self.plain.list(&owner).await.len(), 50),
                BatchSize::SmallInput,
            );
        });
        group.finish();
    }

    fn all(&self, criterion: &mut Criterion, runtime: &Runtime) {
        self.one_record(criterion, runtime);
        self.batches(criterion, runtime);
        self.lists(criterion, runtime);
    }
}

fn sqlite(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("career.db");
    let bench = runtime.block_on(async {
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).await.expect("opens"));
        Bench::new("SQLite", store, plain::sqlite::PlainSqlite::open(&path).await).await
    });
    bench.all(criterion, &runtime);
}

fn postgres(criterion: &mut Criterion) {
    let Ok(url) = std::env::var("DATABASE_URL") else {
        println!("PostgreSQL is left out: DATABASE_URL is not set");
        return;
    };
    let runtime = Runtime::new().expect("a runtime");
    let schema = Tag::new(format!("bench-{}", Id::<User>::new())).expect("a slug");
    let bench = runtime.block_on(async {
        let builder = PgStore::builder(&url).expect("a url").schema(schema.clone());
        let store: Arc<dyn Store> = Arc::new(builder.open().await.expect("opens"));
        Bench::new("PostgreSQL", store, plain::postgres::PlainPostgres::open(&url, &schema).await).await
    });
    bench.all(criterion, &runtime);
    runtime.block_on(bench.plain.drop_schema());
}

fn vectors(criterion: &mut Criterion) {
    const COUNT: usize = 100_000;
    const DIMENSIONS: usize = 384;
    let runtime = Runtime::new().expect("a runtime");
    let mut random = Random::new(11);
    let mut vector = || (0..DIMENSIONS).map(|_| random.unit() as f32 - 0.5).collect::<Vec<f32>>();
    let index = MemoryVectors::new(DIMENSIONS);
    for some in 0..COUNT / BATCH {
        let embeddings = (0..BATCH).map(|n| {
            let id = some * BATCH + n;
            Embedding::new(id.to_string(), vector()).with("owner", (id % 1_000).to_string())
        });
        runtime.block_on(index.upsert(embeddings.collect())).expect("kept");
    }
    let query = VectorQuery::new(vector(), 10);
    let bytes = COUNT * DIMENSIONS * size_of::<f32>();
    let floor = bytes as f64 / read_bandwidth();
    println!("vectors: {:.1} MB; reading them once takes {:.2} ms on one core", bytes as f64 / 1e6, floor * 1e3);
    let mut group =
        criterion.benchmark_group(format!("vectors: nearest 10 of {COUNT} x {DIMENSIONS}, exact, in memory"));
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function("of all", |bencher| {
        bencher.to_async(&runtime).iter(async || index.nearest(&query).await.expect("found"));
    });
    let buffer: Vec<u64> = vec![1; bytes / size_of::<u64>()];
    group.bench_function("only reading as many bytes", |bencher| {
        bencher.iter(|| black_box(&buffer).iter().fold(0_u64, |sum, word| sum ^ word));
    });
    group.finish();
    let of_one = query.only("owner", "7");
    criterion.bench_function("vectors: nearest 10 of the 100 of one owner", |bencher| {
        bencher.to_async(&runtime).iter(async || index.nearest(&of_one).await.expect("found"));
    });
}

criterion_group!(benches, vectors, sqlite, postgres);
criterion_main!(benches);
