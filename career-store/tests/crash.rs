//! The process that writes is killed at random moments, many times: what was acknowledged is there, nothing is half
//! there, every event is delivered.

#![cfg(all(feature = "worker", any(feature = "sqlite", feature = "postgres")))]

mod servers;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use career_core::store::{Batch, OutboxEntry, Query};
use career_core::testkit::store::fixtures::{event, kept_user, message};
use career_core::{Conversation, Event, Handler, Id, Message, Notification, Result, Store, StoreExt, User};
use career_store::Worker;

/// How often the writer is killed.
const KILLS: u32 = 200;
/// Set in the process that is to be killed: where to write, and for whom.
const WRITE_TO: &str = "CAREER_CRASH_WRITE_TO";

/// Keeps a notification for each event: it is committed with the settlement, so there must be exactly one.
#[derive(Debug)]
struct Notify(Id<User>);

#[async_trait]
impl Handler for Notify {
    async fn handle(&self, event: &Event, effects: &mut Batch) -> Result<()> {
        let Event::Custom { key, payload, .. } = event else { return Ok(()) };
        let title = format!("{key} {payload}");
        let now = jiff::Timestamp::now();
        effects.insert(&Notification::builder().user(self.0).title(title).body("-").at(now).build());
        Ok(())
    }
}

fn worker(store: &Arc<dyn Store>, user: Id<User>) -> Worker {
    let worker = Worker::new(Arc::clone(store)).on("crash", Notify(user));
    worker.poll(Duration::from_millis(1)).lease(Duration::from_millis(100))
}

/// How many messages a batch has.
fn size(batch: u64) -> u64 {
    batch % 4 + 1
}

/// Writes batch after batch, and says so of each that was acknowledged, until it is killed.
async fn write_until_killed(store: Arc<dyn Store>, user: Id<User>) {
    let _running = worker(&store, user).spawn();
    let conversation = Conversation::start(user);
    store.insert(&conversation).await.expect("kept");
    let mut stdout = std::io::stdout();
    writeln!(stdout, "\nconversation {}", conversation.id).expect("the parent reads");
    let mut sequence = 0;
    for number in 1.. {
        let mut batch = Batch::new();
        for _ in 0..size(number) {
            sequence += 1;
            batch.insert(&message(conversation.id, sequence, number.to_string()));
        }
        let mut named = conversation.clone();
        named.title = Some(number.to_string());
        batch.put(&named).emit(&event("crash", &conversation.id.to_string(), number));
        store.commit(batch).await.expect("committed");
        writeln!(stdout, "acknowledged {number}.").expect("the parent reads");
    }
}

/// What a writer said before it was killed.
struct Said {
    conversation: Id<Conversation>,
    acknowledged: u64,
}

/// Runs this test again in a process of its own, and kills that at a random moment; `None` when it had not begun.
fn write_and_kill(test: &str, to: &str, user: Id<User>, random: &mut fastrand::Rng) -> Option<Said> {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(WRITE_TO, format!("{user} {to}"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
    let mut said = (None, 0);
    // A line that was cut off is no word of the writer's: the last one has its end or does not count.
    let mut hear = || match lines.next().map(|line| line.expect("text")) {
        Some(line) => {
            if let Some(id) = line.strip_prefix("conversation ") {
                said.0 = Some(id.parse::<Id<Conversation>>().expect("an id"));
            }
            if let Some(number) = line.strip_prefix("acknowledged ").and_then(|rest| rest.strip_suffix('.')) {
                said.1 = number.parse::<u64>().expect("a number");
            }
            Some(said.1)
        }
        None => None,
    };
    // Mostly in the middle of a commit; sometimes before the first, while it opens the store.
    let patience = random.u64(..16);
    if patience > 0 {
        while hear().expect("the writer writes until it is killed") < patience - 1 {}
    }
    std::thread::sleep(Duration::from_micros(random.u64(..6_000)));
    child.kill().expect("SIGKILL");
    child.wait().expect("it is gone");
    while hear().is_some() {}
    let (conversation, acknowledged) = said;
    conversation.map(|conversation| Said { conversation, acknowledged })
}

/// What the store has of a conversation: each batch whole, all acknowledged ones, at most one more.
async fn check(store: &dyn Store, said: &Said) -> u64 {
    let mut batches: BTreeMap<u64, u64> = BTreeMap::new();
    let query = Query::all().key("conversation", said.conversation).ascending("sequence").limit(1_000);
    let mut pages = store.pages::<Message>(query);
    while let Some(messages) = pages.next().await.expect("listed") {
        for message in messages {
            *batches.entry(message.text.parse().expect("a number")).or_default() += 1;
        }
    }
    for (number, messages) in &batches {
        assert_eq!(*messages, size(*number), "batch {number} is half there");
    }
    let last = batches.len() as u64;
    assert!(batches.keys().copied().eq(1..=last), "batches are missing among {last}");
    assert!(last >= said.acknowledged, "{} were acknowledged, {last} are there", said.acknowledged);
    assert!(last <= said.acknowledged + 1, "more than the one whose answer was on its way");
    let title = store.load::<Conversation>(&said.conversation).await.expect("there").title.clone();
    assert_eq!(title, (last > 0).then(|| last.to_string()), "the change of the last batch");
    last
}

/// The whole test, for a store that `open` opens again and again.
async fn nothing_is_lost(test: &str, to: &str, open: impl AsyncFn(String) -> Arc<dyn Store>) {
    if let Ok(task) = std::env::var(WRITE_TO) {
        let (user, to) = task.split_once(' ').expect("two words");
        write_until_killed(open(to.to_owned()).await, user.parse().expect("an id")).await;
    }
    let user = kept_user(&*open(to.to_owned()).await).await;
    let seed = fastrand::u64(..);
    println!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut expected, mut acknowledged) = (BTreeSet::new(), 0);
    for _ in 0..KILLS {
        let Some(said) = write_and_kill(test, to, user, &mut random) else { continue };
        let there = check(&*open(to.to_owned()).await, &said).await;
        acknowledged += said.acknowledged;
        expected.extend((1..=there).map(|number| format!("{} {number}", said.conversation)));
    }
    assert!(acknowledged > u64::from(KILLS), "the writers wrote: {acknowledged} batches");

    // The workers of the killed processes left leases behind and events unhandled: another one finishes.
    let store = open(to.to_owned()).await;
    let running = worker(&store, user).spawn();
    for _ in 0..6_000 {
        if store.count::<OutboxEntry>(&Query::all()).await.expect("counted") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    running.stop().await;
    let mut delivered = BTreeSet::new();
    let mut pages = store.pages::<Notification>(Query::owned_by(user).limit(1_000));
    while let Some(notifications) = pages.next().await.expect("listed") {
        for notification in notifications {
            assert!(delivered.insert(notification.title.clone()), "{} was handled twice", notification.title);
        }
    }
    assert_eq!(delivered.len(), expected.len());
    assert!(delivered == expected, "every event of every batch that is there, and no other");
    println!("{KILLS} kills, {acknowledged} acknowledged batches, {} events delivered", delivered.len());
}

#[cfg(feature = "sqlite")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("career.db");
    let open = async |path| Arc::new(career_store::SqliteStore::open(path).await.expect("opens")) as Arc<dyn Store>;
    nothing_is_lost("nothing_is_lost_in_sqlite", path.to_str().expect("a path"), open).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_postgres() {
    let Some(url) = servers::postgres() else { return };
    let schema = format!("crash-{}", Id::<User>::new());
    let open = async |schema: String| {
        let builder = career_store::PgStore::builder(&url).expect("a url").connections(3);
        let schema = career_core::Tag::new(schema).expect("a slug");
        Arc::new(builder.schema(schema).open().await.expect("opens")) as Arc<dyn Store>
    };
    nothing_is_lost("nothing_is_lost_in_postgres", &schema, open).await;
}
