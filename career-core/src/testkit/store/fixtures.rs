//! Records for the suite: one of every aggregate.

use jiff::Timestamp;

use crate::store::{Batch, OutboxEntry, Rhythm, Schedule};
use crate::{
    Achievement, AchievementRule, ApiKey, Application, AuditAction, AuditEntry, Author, CandidateId, CareerId,
    CareerPlan, Conversation, CoverLetter, Email, Event, EventKind, Excluded, Id, Interaction, InteractionKind, Job,
    LanguageTag, Message, MessageStatus, Milestone, Notification, Profile, PromptTemplate, Ranking, Resume,
    ResumeDocument, Roadmap, SavedRanking, Session, Sha256Hex, SourceFile, Store, StoreExt, Summary, Tag, User,
    UserProfile,
};

/// A time, in seconds of the Unix epoch.
///
/// # Panics
///
/// When it is out of range.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time in range")
}

/// A user with an address of their own.
///
/// # Panics
///
/// Never: the address is one.
pub fn user() -> User {
    let id: Id<User> = Id::new();
    let email = Email::new(format!("{id}@example.org")).expect("an address");
    User::builder().id(id).name("A student").email(email).created_at(at(1_700_000_000)).build()
}

/// A user who is in the store.
///
/// # Panics
///
/// When the store does not take the user.
pub async fn kept_user(store: &dyn Store) -> Id<User> {
    let user = user();
    store.insert(&user).await.expect("a user is kept");
    user.id
}

/// A conversation of a new user, both in the store.
///
/// # Panics
///
/// When the store does not take them.
pub async fn kept_conversation(store: &dyn Store) -> Conversation {
    let conversation = Conversation::start(kept_user(store).await);
    store.insert(&conversation).await.expect("a conversation is kept");
    conversation
}

/// A message of a conversation.
pub fn message(conversation: Id<Conversation>, sequence: u64, text: impl Into<String>) -> Message {
    Message::builder()
        .conversation(conversation)
        .sequence(sequence)
        .author(Author::Student)
        .text(text)
        .status(MessageStatus::Complete)
        .at(at(1_700_000_000 + i64::try_from(sequence).unwrap_or(0)))
        .build()
}

/// Something that a user did with a candidate.
///
/// # Panics
///
/// When the candidate is no identity.
pub fn interaction(user: Id<User>, kind: InteractionKind, candidate: &str, when: Timestamp) -> Interaction {
    let candidate = CandidateId::new(candidate).expect("an identity");
    Interaction::builder().user(user).kind(kind).candidate(candidate).at(when).build()
}

/// An event of the suite's own.
///
/// # Panics
///
/// When the topic is no slug.
pub fn event(topic: &str, key: &str, number: u64) -> Event {
    Event::Custom { topic: Tag::new(topic).expect("a slug"), key: key.to_owned(), payload: number.into() }
}

fn hash(text: impl std::fmt::Display) -> Sha256Hex {
    let digits = text.to_string().replace('-', "");
    Sha256Hex::new(format!("{digits:0<64}")).expect("hexadecimal digits")
}

macro_rules! aggregates {
    ($($name:ident: $type:ty = $value:expr;)+) => {
        /// One record of every kind of the library, all of one user, each after those that it refers to.
        #[derive(Debug)]
        #[non_exhaustive]
        pub struct Aggregates { $( #[doc = concat!("A `", stringify!($type), "`.")] pub $name: $type, )+ }

        impl Aggregates {
            /// All of them, made now.
            ///
            /// # Panics
            ///
            /// Never: every value is a good one.
            #[expect(clippy::new_without_default, reason = "every call gives other records")]
            pub fn new() -> Self {
                $( let $name: $type = $value; )+
                Aggregates { $( $name, )+ }
            }

            /// Inserts them in one batch.
            pub fn insert_into(&self, batch: &mut Batch) {
                $( batch.insert(&self.$name); )+
            }

            /// Holds each against what the store has.
            ///
            /// # Panics
            ///
            /// When one is missing or another.
            pub async fn assert_kept(&self, store: &dyn Store) {
                $(
                    let id = crate::store::Record::id(&self.$name);
                    let kept = store.load::<$type>(&id).await.expect(stringify!($name));
                    assert!(*kept == self.$name, "{} came back another", stringify!($name));
                    assert_eq!(kept.version(), 1, "{}", stringify!($name));
                )+
            }
        }
    };
}

aggregates! {
    user: User = user();
    api_key: ApiKey =
        ApiKey::builder().owner(user.id).label("tablet").hash(hash(Id::<ApiKey>::new())).created_at(at(1)).build();
    session: Session = Session::builder()
        .owner(user.id)
        .token_hash(hash(Id::<Session>::new()))
        .created_at(at(1))
        .expires_at(at(2_000_000_000))
        .build();
    profile: UserProfile = UserProfile::new(
        user.id,
        Profile::from_json(r#"{ "education": "grade-11", "stream": "pcb", "tags": ["helping-people"] }"#).expect("fine"),
    );
    ranking: SavedRanking = SavedRanking::new(user.id, Ranking::new(Vec::new(), Excluded::default(), 203));
    roadmap: Roadmap = Roadmap::new(
        user.id,
        CareerId::new("nurse").expect("a slug"),
        vec![Milestone::builder().title("Finish class 12").build()],
    )
    .expect("a roadmap");
    plan: CareerPlan = CareerPlan::builder()
        .owner(user.id)
        .career(CareerId::new("nurse").expect("a slug"))
        .years(Vec::new())
        .made_at(at(3))
        .build();
    achievement: Achievement = AchievementRule::new("first-plan", "First plan", EventKind::ProfileChanged, 1)
        .award(user.id, 1, at(4))
        .expect("it happened");
    conversation: Conversation = Conversation::start(user.id);
    message: Message = message(conversation.id, 1, "What fits me?");
    summary: Summary =
        Summary::builder().conversation(conversation.id).through(1).text("She asks what fits her.").at(at(5)).build();
    job: Job = Job::builder().title("Staff nurse").company("A hospital").posted_at(at(6)).build();
    resume: Resume = Resume::builder()
        .owner(user.id)
        .source(SourceFile::new(hash(user.id), "application/pdf", 12))
        .document(ResumeDocument::builder().build())
        .at(at(7))
        .build();
    cover_letter: CoverLetter =
        CoverLetter::builder().owner(user.id).job(job.id).resume(resume.id).text("Dear all").at(at(8)).build();
    application: Application = {
        let mut application = Application::saved(user.id, job.id, at(9));
        application.resume = Some(resume.id);
        application.cover_letter = Some(cover_letter.id);
        application
    };
    prompt: PromptTemplate = PromptTemplate::builder()
        .owner(user.id)
        .name("mine")
        .category("interview")
        .language(LanguageTag::new("en").expect("a tag"))
        .body("Ask me.")
        .created_at(at(10))
        .build();
    notification: Notification = Notification::builder().user(user.id).title("Well done").body("…").at(at(11)).build();
    interaction: Interaction = interaction(user.id, InteractionKind::Saved, "nurse", at(12));
    audit: AuditEntry = AuditEntry::new("the suite", AuditAction::Inserted, "users", user.id.to_string());
    schedule: Schedule = Schedule::new(
        Tag::new(format!("weekly-{}", user.id)).expect("a slug"),
        Rhythm::Cron("0 9 * * MON".into()),
        Timestamp::MAX,
    );
    event: OutboxEntry =
        OutboxEntry::new(&Event::ProfileChanged { user: user.id }, at(200_000_000_000)).expect("it serialises");
}
