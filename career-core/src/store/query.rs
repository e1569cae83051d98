//! What is asked of a store: filters by key, an order, a page at a time.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::kind::{KeyType, KeyValue, Kind};
use crate::{Error, Id, Result, User};

/// How many records a page holds unless it is said.
pub const PAGE_DEFAULT: u32 = 50;
/// How many records a page can hold.
pub const PAGE_MAX: u32 = 1_000;

/// Which records, in what order, how many.
///
/// ```
/// use career_core::store::Query;
/// use career_core::Id;
///
/// let open = Query::owned_by(Id::new()).any("status", ["applied", "interview"]).newest().limit(20);
/// assert_eq!(open.limit, 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// All of them hold for a record of the answer.
    pub filters: Vec<Filter>,
    /// The order; equal records stand in the order of their ids, the same way up or down.
    pub order: Order,
    /// How many records at most, from 1 to [`PAGE_MAX`].
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// How fresh the answer must be.
    pub freshness: Freshness,
}

impl Query {
    /// All records, by id.
    pub fn all() -> Self {
        Query {
            filters: Vec::new(),
            order: Order { key: Cow::Borrowed("id"), descending: false },
            limit: PAGE_DEFAULT,
            after: None,
            freshness: Freshness::default(),
        }
    }

    /// The records whose key `owner` is this user.
    pub fn owned_by(owner: Id<User>) -> Self {
        Query::all().key("owner", owner)
    }

    /// Only those whose key is this value.
    #[must_use]
    pub fn key(self, key: impl Into<Cow<'static, str>>, value: impl Into<KeyValue>) -> Self {
        self.filter(key, Test::Is(value.into()))
    }

    /// Only those whose key is one of these values.
    #[must_use]
    pub fn any<V: Into<KeyValue>>(
        self,
        key: impl Into<Cow<'static, str>>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.filter(key, Test::OneOf(values.into_iter().map(Into::into).collect()))
    }

    /// Only those that lack the key.
    #[must_use]
    pub fn missing(self, key: impl Into<Cow<'static, str>>) -> Self {
        self.filter(key, Test::Missing)
    }

    /// Only those whose key is at least this value.
    #[must_use]
    pub fn at_least(self, key: impl Into<Cow<'static, str>>, value: impl Into<KeyValue>) -> Self {
        self.filter(key, Test::AtLeast(value.into()))
    }

    /// Only those whose key is below this value.
    #[must_use]
    pub fn below(self, key: impl Into<Cow<'static, str>>, value: impl Into<KeyValue>) -> Self {
        self.filter(key, Test::Below(value.into()))
    }

    /// Only those whose key is from the first time on and before the second.
    #[must_use]
    pub fn during(self, key: impl Into<Cow<'static, str>>, span: Range<Timestamp>) -> Self {
        let key = key.into();
        self.at_least(key.clone(), span.start).below(key, span.end)
    }

    fn filter(mut self, key: impl Into<Cow<'static, str>>, test: Test) -> Self {
        self.filters.push(Filter { key: key.into(), test });
        self
    }

    /// The record that was made last comes first.
    #[must_use]
    pub fn newest(self) -> Self {
        self.descending("created")
    }

    /// The record that was made first comes first.
    #[must_use]
    pub fn oldest(self) -> Self {
        self.ascending("created")
    }

    /// The smallest value of the key comes first. Records that lack it are left out.
    #[must_use]
    pub fn ascending(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.order = Order { key: key.into(), descending: false };
        self
    }

    /// The largest value of the key comes first. Records that lack it are left out.
    #[must_use]
    pub fn descending(mut self, key: impl Into<Cow<'static, str>>) -> Self {
        self.order = Order { key: key.into(), descending: true };
        self
    }

    /// How many records at most, from 1 to [`PAGE_MAX`].
    #[must_use]
    pub fn limit(mut self, limit: u32) -> Self {
        self.limit = limit;
        self
    }

    /// Goes on where a page ended.
    #[must_use]
    pub fn after(mut self, cursor: Option<Cursor>) -> Self {
        self.after = cursor;
        self
    }

    /// The answer may be a little old: a read replica may give it.
    #[must_use]
    pub fn stale(mut self) -> Self {
        self.freshness = Freshness::Stale;
        self
    }

    /// Checks the query against the kind. Every backend begins with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) for a key that the kind does not have, a value of another
    /// type than the key's, a limit out of range, a cursor of another query.
    pub fn check(&self, kind: &Kind) -> Result<Checked<'_>> {
        check_filters(&self.filters, kind)?;
        let (holds, optional) = kind.key(&self.order.key)?;
        if !(1..=PAGE_MAX).contains(&self.limit) {
            return Err(Error::invalid(format!("expected 1 to {PAGE_MAX}")).at_field("limit"));
        }
        let after = self.after.as_ref().map(|cursor| cursor.position(kind, &self.order)).transpose()?;
        Ok(Checked { query: self, holds, optional, after })
    }
}

/// A query that fits its kind.
#[derive(Debug)]
#[non_exhaustive]
pub struct Checked<'a> {
    /// The query.
    pub query: &'a Query,
    /// What the key of the order holds.
    pub holds: KeyType,
    /// Whether records may lack the key of the order; those are left out.
    pub optional: bool,
    /// Where the page before ended: the value of the order's key, and the id.
    pub after: Option<(KeyValue, String)>,
}

pub(crate) fn check_filters(filters: &[Filter], kind: &Kind) -> Result<()> {
    for Filter { key, test } in filters {
        let (holds, _) = kind.key(key)?;
        let fits = |value: &KeyValue| value.fits(holds, false, key);
        match test {
            Test::Missing => {}
            Test::Is(value) | Test::AtLeast(value) | Test::Below(value) => fits(value)?,
            Test::OneOf(values) => values.iter().try_for_each(fits)?,
        }
    }
    Ok(())
}

/// A test of one key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Filter {
    /// The key.
    pub key: Cow<'static, str>,
    /// What must hold for it.
    pub test: Test,
}

impl Filter {
    /// A test of a key.
    pub fn new(key: impl Into<Cow<'static, str>>, test: Test) -> Self {
        Filter { key: key.into(), test }
    }
}

/// What must hold for a key. A record that lacks the key passes only [`Test::Missing`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Test {
    /// It is this value.
    Is(KeyValue),
    /// It is one of these.
    OneOf(Vec<KeyValue>),
    /// The record lacks it.
    Missing,
    /// It is this value or a larger one.
    AtLeast(KeyValue),
    /// It is smaller than this value.
    Below(KeyValue),
}

impl Test {
    /// Whether a value passes.
    pub fn holds_for(&self, value: &KeyValue) -> bool {
        match self {
            Test::Missing => *value == KeyValue::Null,
            _ if *value == KeyValue::Null => false,
            Test::Is(wanted) => value == wanted,
            Test::OneOf(wanted) => wanted.contains(value),
            Test::AtLeast(least) => value >= least,
            Test::Below(bound) => value < bound,
        }
    }
}

/// An order of records.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Order {
    /// By which key.
    pub key: Cow<'static, str>,
    /// The largest first.
    pub descending: bool,
}

/// How fresh an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Freshness {
    /// Every commit acknowledged before is seen.
    #[default]
    Fresh,
    /// It may lag behind, as a read replica does.
    Stale,
}

/// Some records, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins; `None` when there was none at the time.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// A page and where it ended.
    pub fn new(items: Vec<T>, next: Option<Cursor>) -> Self {
        Page { items, next }
    }
}

/// Where a page ended: the key and the id of its last record, so that pages neither skip nor repeat a record whose
/// key stays, whatever is written between them.
///
/// It is text for a client to send back, of the letters, digits, `-` and `_`. It is not secret: who has it can read
/// the key and the id.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Cursor(String);

/// `Debug` does not show where it leads: the key may be an address.
impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cursor({} bytes)", self.0.len())
    }
}

impl Cursor {
    /// A cursor after the record with this key and id.
    pub fn new(kind: &Kind, order: &Order, value: &KeyValue, id: &str) -> Self {
        let value = match value {
            KeyValue::Text(text) => serde_json::Value::from(text.as_str()),
            KeyValue::Int(number) => (*number).into(),
            KeyValue::Time(time) => time.as_microsecond().into(),
            KeyValue::Null => serde_json::Value::Null,
        };
        let text = serde_json::json!([kind.name, order.key, order.descending, value, id]).to_string();
        Cursor(URL_SAFE_NO_PAD.encode(text))
    }

    /// A cursor that a client sent back. It is checked when it is used.
    pub fn from_text(text: impl Into<String>) -> Self {
        Cursor(text.into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn position(&self, kind: &Kind, order: &Order) -> Result<(KeyValue, String)> {
        let position = || {
            let bytes = URL_SAFE_NO_PAD.decode(&self.0).ok()?;
            let (name, key, descending, value, id): (String, String, bool, serde_json::Value, String) =
                serde_json::from_slice(&bytes).ok()?;
            if name != kind.name || key != order.key || descending != order.descending {
                return None;
            }
            let (holds, _) = kind.key(&key).ok()?;
            let value = match holds {
                KeyType::Text => KeyValue::Text(value.as_str()?.to_owned()),
                KeyType::Int => KeyValue::Int(value.as_i64()?),
                KeyType::Time => KeyValue::from_micros(value.as_i64()?)?,
            };
            value.fits(holds, false, &key).ok()?;
            (!id.contains('\0')).then_some((value, id))
        };
        position().ok_or_else(|| Error::invalid("expected a cursor that this query gave").at_field("after"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Record;
    use crate::{Application, Message};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_cursor_leads_back_to_where_it_was(value in "[^\0]*", id in "[^\0]*", descending: bool) {
            let order = Order { key: "status".into(), descending };
            let cursor = Cursor::new(Application::KIND, &order, &value.as_str().into(), &id);
            let back = cursor.position(Application::KIND, &order).expect("its own cursor");
            prop_assert_eq!(back, (KeyValue::Text(value), id));
        }

        #[test]
        fn no_text_makes_a_cursor_panic(text in ".*") {
            let query = Query::all().newest().after(Some(Cursor::from_text(text)));
            prop_assert!(query.check(Message::KIND).is_err());
        }
    }

    #[test]
    fn a_cursor_of_another_query_is_refused() {
        let order = Order { key: "created".into(), descending: true };
        let cursor = Cursor::new(Message::KIND, &order, &Timestamp::UNIX_EPOCH.into(), "a");
        let after = |query: Query| query.after(Some(cursor.clone()));
        assert!(after(Query::all().newest()).check(Message::KIND).is_ok());
        for (query, kind) in [
            (Query::all().oldest(), Message::KIND),
            (Query::all(), Message::KIND),
            (Query::all().newest(), Application::KIND),
        ] {
            let error = after(query).check(kind).expect_err("another query");
            assert_eq!(error.place().field.as_deref(), Some("after"));
        }
    }

    #[test]
    fn a_query_is_held_to_its_kind() {
        let field = |query: Query| query.check(Application::KIND).expect_err("wrong").place().field.clone();
        assert_eq!(field(Query::all().key("colour", "red")).as_deref(), Some("colour"));
        assert_eq!(field(Query::all().key("status", 3)).as_deref(), Some("status"));
        assert_eq!(field(Query::all().ascending("colour")).as_deref(), Some("colour"));
        assert_eq!(field(Query::all().limit(0)).as_deref(), Some("limit"));
        assert_eq!(field(Query::all().limit(PAGE_MAX + 1)).as_deref(), Some("limit"));
        assert!(Query::all().any("status", Vec::<&str>::new()).check(Application::KIND).is_ok());
    }
}
