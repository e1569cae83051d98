//! What every [`VectorIndex`] holds. Call [`all`], or the functions one by one; each leaves the index empty.

use crate::{Embedding, ErrorKind, Metadata, Neighbour, VectorIndex, VectorQuery};

/// Similarities may be off by so much: single precision, other orders of addition.
const TOLERANCE: f32 = 1e-5;

/// Runs the whole suite. The index must be empty and have at least three dimensions.
///
/// # Panics
///
/// When a promise of the port is broken.
pub async fn all(index: &dyn VectorIndex) {
    assert!(index.dimensions() >= 3, "the suite needs at least three dimensions");
    assert_eq!(index.count(&Metadata::new()).await.expect("counts"), 0, "the suite needs an empty index");
    an_empty_index_finds_nothing(index).await;
    similarities_are_cosines(index).await;
    length_does_not_matter(index).await;
    order_and_ties(index).await;
    top_is_a_prefix(index).await;
    upsert_replaces(index).await;
    filters_need_every_pair(index).await;
    delete_tells_how_many(index).await;
    delete_where_needs_a_filter(index).await;
    refusals_leave_nothing_half_written(index).await;
    bad_queries_are_refused(index).await;
    text_is_data(index).await;
    many(index).await;
}

/// A vector that starts with these numbers; the rest is 0.
fn vector(index: &dyn VectorIndex, start: &[f32]) -> Vec<f32> {
    let mut vector = start.to_vec();
    vector.resize(index.dimensions(), 0.0);
    vector
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Metadata {
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

async fn put(index: &dyn VectorIndex, embeddings: impl IntoIterator<Item = Embedding>) {
    index.upsert(embeddings.into_iter().collect()).await.expect("valid embeddings are taken");
}

async fn nearest(index: &dyn VectorIndex, query: VectorQuery) -> Vec<Neighbour> {
    index.nearest(&query).await.expect("a valid query is answered")
}

async fn count(index: &dyn VectorIndex, filter: &Metadata) -> u64 {
    index.count(filter).await.expect("counts")
}

async fn delete(index: &dyn VectorIndex, ids: &[&str]) -> u64 {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    index.delete(&ids).await.expect("deletes")
}

fn ids(found: &[Neighbour]) -> Vec<&str> {
    found.iter().map(|neighbour| neighbour.id.as_str()).collect()
}

/// Nothing is near in an empty index, and nothing can be deleted from it.
///
/// # Panics
///
/// When something is found.
pub async fn an_empty_index_finds_nothing(index: &dyn VectorIndex) {
    assert!(nearest(index, VectorQuery::new(vector(index, &[1.0]), 5)).await.is_empty());
    assert_eq!(count(index, &pairs([("k", "v")])).await, 0);
    assert_eq!(delete(index, &["a"]).await, 0);
    put(index, []).await;
    assert_eq!(count(index, &Metadata::new()).await, 0, "nothing was put");
}

/// Known angles have known cosines.
///
/// # Panics
///
/// When a similarity is another.
pub async fn similarities_are_cosines(index: &dyn VectorIndex) {
    let known: [(&str, &[f32], f32); 5] = [
        ("same", &[2.0], 1.0),
        ("slanted", &[3.0, 4.0], 0.6),
        ("across", &[0.0, 5.0], 0.0),
        ("slanted-back", &[-3.0, 0.0, 4.0], -0.6),
        ("opposite", &[-7.0], -1.0),
    ];
    put(index, known.map(|(id, start, _)| Embedding::new(id, vector(index, start)))).await;
    let found = nearest(index, VectorQuery::new(vector(index, &[1.0]), 10)).await;
    assert_eq!(ids(&found), known.map(|(id, _, _)| id));
    for (neighbour, (id, _, cosine)) in found.iter().zip(known) {
        let off = (neighbour.similarity - cosine).abs();
        assert!(off < TOLERANCE, "{id} has similarity {}, its cosine is {cosine}", neighbour.similarity);
        assert!((-1.0..=1.0).contains(&neighbour.similarity), "{id} has similarity {}", neighbour.similarity);
    }
    assert_eq!(delete(index, &known.map(|(id, _, _)| id)).await, 5);
}

/// Vectors of one direction are equally near, however long they and the query are.
///
/// # Panics
///
/// When a similarity depends on a length.
pub async fn length_does_not_matter(index: &dyn VectorIndex) {
    let lengths = [("tiny", 1e-30), ("huge", 1e30), ("one", 1.0)];
    put(index, lengths.map(|(id, by)| Embedding::new(id, vector(index, &[by, 2.0 * by, 2.0 * by])))).await;
    for by in [1e-30, 0.001, 1.0, 1e30] {
        let found = nearest(index, VectorQuery::new(vector(index, &[2.0 * by, by, 2.0 * by]), 10)).await;
        assert_eq!(found.len(), 3);
        for neighbour in found {
            let off = (neighbour.similarity - 8.0 / 9.0).abs();
            assert!(off < TOLERANCE, "{} times {by} has similarity {}", neighbour.id, neighbour.similarity);
        }
    }
    assert_eq!(delete(index, &["tiny", "huge", "one"]).await, 3);
}

/// Best first, ties by id, at most as many as asked for.
///
/// # Panics
///
/// When the order is another.
pub async fn order_and_ties(index: &dyn VectorIndex) {
    // Put in another order than they are to be found in; "Z" stands before "a" by its bytes.
    let tied = ["b", "é", "a", "Z", "a1"].map(|id| Embedding::new(id, vector(index, &[3.0, 4.0])));
    put(index, tied).await;
    put(index, [Embedding::new("zz", vector(index, &[1.0])), Embedding::new("0", vector(index, &[0.0, 1.0]))]).await;
    let order = ["zz", "Z", "a", "a1", "b", "é", "0"];
    for top in [0, 1, 2, 3, 4, 5, 6, 7, 8, 100, 1_000, usize::MAX] {
        let found = nearest(index, VectorQuery::new(vector(index, &[1.0]), top)).await;
        assert_eq!(ids(&found), order[..top.min(7)], "top {top}");
    }
    assert_eq!(delete(index, &order).await, 7);
}

/// The best k are the first k of the best n.
///
/// # Panics
///
/// When they are not.
pub async fn top_is_a_prefix(index: &dyn VectorIndex) {
    let fan = |n: u16| vector(index, &[(f32::from(n) * 0.05).cos(), (f32::from(n) * 0.05).sin()]);
    put(index, (0..60).map(|n| Embedding::new(format!("{:02}", n * 37 % 60), fan(n * 37 % 60)))).await;
    let all: Vec<String> = (0..60).map(|n| format!("{n:02}")).collect();
    for top in [1, 7, 59, 60, 61] {
        let found = nearest(index, VectorQuery::new(vector(index, &[1.0]), top)).await;
        assert_eq!(ids(&found), all[..top.min(60)], "top {top}");
    }
    assert_eq!(index.delete(&all).await.expect("deletes"), 60);
}

/// An id that is put again has the new vector and the new metadata alone; of one id twice the later stays.
///
/// # Panics
///
/// When something old is left.
pub async fn upsert_replaces(index: &dyn VectorIndex) {
    let along = |x: f32| vector(index, &[x]);
    put(index, [Embedding::new("a", along(1.0)).with("old", "1").with("kind", "x"), Embedding::new("b", along(1.0))])
        .await;
    put(index, [Embedding::new("a", along(1.0)).with("lost", "1"), Embedding::new("a", along(-1.0)).with("kind", "y")])
        .await;
    assert_eq!(count(index, &Metadata::new()).await, 2, "an id is there once");
    let found = nearest(index, VectorQuery::new(along(1.0), 10)).await;
    assert_eq!(ids(&found), ["b", "a"]);
    assert!((found[1].similarity + 1.0).abs() < TOLERANCE, "a has its old vector");
    assert_eq!(found[1].metadata, pairs([("kind", "y")]));
    for gone in [pairs([("old", "1")]), pairs([("kind", "x")]), pairs([("lost", "1")])] {
        assert_eq!(count(index, &gone).await, 0, "{gone:?} was replaced");
        let query = VectorQuery { filter: gone, ..VectorQuery::new(along(1.0), 10) };
        assert!(nearest(index, query).await.is_empty());
    }
    assert_eq!(delete(index, &["a", "b"]).await, 2);
}

/// A filter finds and counts what has all of its pairs, by equal key and equal value.
///
/// # Panics
///
/// When it finds another set.
pub async fn filters_need_every_pair(index: &dyn VectorIndex) {
    let at = |angle: f32| vector(index, &[angle.cos(), angle.sin()]);
    put(
        index,
        [
            Embedding::new("hi-job", at(0.1)).with("lang", "hi").with("kind", "job"),
            Embedding::new("en-job", at(0.2)).with("lang", "en").with("kind", "job"),
            Embedding::new("hi-career", at(0.3)).with("lang", "hi").with("kind", "career"),
            Embedding::new("bare", at(0.0)),
        ],
    )
    .await;
    let cases = [
        (pairs([("lang", "hi")]), vec!["hi-job", "hi-career"]),
        (pairs([("kind", "job")]), vec!["hi-job", "en-job"]),
        (pairs([("kind", "job"), ("lang", "hi")]), vec!["hi-job"]),
        (pairs([("kind", "job"), ("lang", "ta")]), vec![]),
        (pairs([("kind", "job"), ("owner", "x")]), vec![]),
        (pairs([("kind", "jo")]), vec![]),
        (pairs([("kind", "JOB")]), vec![]),
        (pairs([("job", "kind")]), vec![]),
        (pairs([("kind", "")]), vec![]),
        (Metadata::new(), vec!["bare", "hi-job", "en-job", "hi-career"]),
    ];
    for (filter, expected) in cases {
        assert_eq!(count(index, &filter).await, expected.len() as u64, "{filter:?}");
        for top in [1, 10] {
            let query = VectorQuery { filter: filter.clone(), ..VectorQuery::new(at(0.0), top) };
            let found = nearest(index, query).await;
            assert_eq!(ids(&found), expected[..top.min(expected.len())], "{filter:?}");
        }
    }
    assert_eq!(delete(index, &["hi-job", "en-job", "hi-career", "bare"]).await, 4);
}

/// Deleting counts what was there, once, and what is gone is not found.
///
/// # Panics
///
/// When the count is another or something stays.
pub async fn delete_tells_how_many(index: &dyn VectorIndex) {
    let along = vector(index, &[1.0, 1.0]);
    put(index, ["a", "b", "c", "d"].map(|id| Embedding::new(id, along.clone()).with("k", "v"))).await;
    assert_eq!(delete(index, &[]).await, 0);
    assert_eq!(delete(index, &["b", "unknown", "b", "", "d\0"]).await, 1);
    assert_eq!(delete(index, &["b"]).await, 0, "b is gone");
    assert_eq!(ids(&nearest(index, VectorQuery::new(along.clone(), 10)).await), ["a", "c", "d"]);
    assert_eq!(ids(&nearest(index, VectorQuery::new(along.clone(), 10).only("k", "v")).await), ["a", "c", "d"]);
    assert_eq!(count(index, &pairs([("k", "v")])).await, 3);
    put(index, [Embedding::new("b", along.clone())]).await;
    assert_eq!(count(index, &pairs([("k", "v")])).await, 3, "b came back without its metadata");
    assert_eq!(ids(&nearest(index, VectorQuery::new(along, 10)).await), ["a", "b", "c", "d"]);
    assert_eq!(delete(index, &["a", "b", "c", "d"]).await, 4);
}

/// Deleting by filter removes what matches and nothing else; an empty filter is refused.
///
/// # Panics
///
/// When something else goes or stays.
pub async fn delete_where_needs_a_filter(index: &dyn VectorIndex) {
    let along = vector(index, &[0.0, 1.0]);
    put(
        index,
        [("a", "u1", "job"), ("b", "u1", "note"), ("c", "u2", "job")]
            .map(|(id, user, kind)| Embedding::new(id, along.clone()).with("user", user).with("kind", kind)),
    )
    .await;
    let error = index.delete_where(&Metadata::new()).await.expect_err("an empty filter must be refused");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(count(index, &Metadata::new()).await, 3, "a refusal deletes nothing");
    let gone = async |filter: Metadata| index.delete_where(&filter).await.expect("deletes");
    assert_eq!(gone(pairs([("user", "u3")])).await, 0);
    assert_eq!(gone(pairs([("user", "u1"), ("kind", "job")])).await, 1);
    assert_eq!(ids(&nearest(index, VectorQuery::new(along.clone(), 10)).await), ["b", "c"]);
    assert_eq!(gone(pairs([("user", "u1")])).await, 1);
    assert_eq!(gone(pairs([("user", "u1")])).await, 0, "they are gone");
    assert_eq!(ids(&nearest(index, VectorQuery::new(along, 10)).await), ["c"]);
    assert_eq!(gone(pairs([("kind", "job")])).await, 1);
    assert_eq!(count(index, &Metadata::new()).await, 0);
}

/// One bad embedding among good ones: the error names it, and none of them is kept.
///
/// # Panics
///
/// When it is taken, or something of the batch stays.
pub async fn refusals_leave_nothing_half_written(index: &dyn VectorIndex) {
    let good = |id: &str| Embedding::new(id, vector(index, &[1.0]));
    let with = |number: f32| Embedding::new("bad", vector(index, &[1.0, number]));
    put(index, [good("kept").with("k", "v")]).await;
    let cases = [
        (Embedding::new("bad", vec![1.0; index.dimensions() + 1]), "[2].vector"),
        (Embedding::new("bad", vec![1.0; index.dimensions() - 1]), "[2].vector"),
        (Embedding::new("bad", Vec::new()), "[2].vector"),
        (Embedding::new("bad", vector(index, &[])), "[2].vector"),
        (with(f32::NAN), "[2].vector"),
        (with(f32::INFINITY), "[2].vector"),
        (with(f32::NEG_INFINITY), "[2].vector"),
        (good(""), "[2].id"),
        (good("nul\0"), "[2].id"),
        (good("bad").with("nul\0", ""), "[2].metadata"),
    ];
    for (bad, field) in cases {
        let batch = vec![good("new"), Embedding::new("kept", vector(index, &[-1.0])), bad, good("later")];
        let error = index.upsert(batch).await.expect_err("must be refused");
        assert_eq!((error.kind(), error.place().field.as_deref()), (ErrorKind::Invalid, Some(field)));
        assert_eq!(count(index, &Metadata::new()).await, 1, "a part of a refused batch was kept");
    }
    let found = nearest(index, VectorQuery::new(vector(index, &[1.0]), 10)).await;
    assert_eq!(ids(&found), ["kept"]);
    assert!((found[0].similarity - 1.0).abs() < TOLERANCE, "a refused batch replaced a vector");
    assert_eq!(found[0].metadata, pairs([("k", "v")]));
    assert_eq!(delete(index, &["kept"]).await, 1);
}

/// A query of another dimension, without direction or not finite is refused, even when nothing is asked for.
///
/// # Panics
///
/// When it is answered.
pub async fn bad_queries_are_refused(index: &dyn VectorIndex) {
    put(index, [Embedding::new("a", vector(index, &[1.0]))]).await;
    let one_more = vec![1.0; index.dimensions() + 1];
    let bad = [one_more, vector(index, &[]), vector(index, &[f32::NAN]), vector(index, &[1.0, f32::INFINITY])];
    for (vector, top) in bad.into_iter().flat_map(|vector| [(vector.clone(), 5), (vector, 0)]) {
        let error = index.nearest(&VectorQuery::new(vector, top)).await.expect_err("must be refused");
        assert_eq!((error.kind(), error.place().field.as_deref()), (ErrorKind::Invalid, Some("vector")));
    }
    assert_eq!(delete(index, &["a"]).await, 1);
}

/// Ids and metadata of any script, with quotes, wildcards and control characters, come back as they were given.
///
/// # Panics
///
/// When a text comes back changed or is not found by itself.
pub async fn text_is_data(index: &dyn VectorIndex) {
    let along = vector(index, &[1.0, 2.0, 3.0]);
    let long = "ल".repeat(170);
    let texts = [
        "'; DROP TABLE vectors; --",
        "\"quoted\" 'twice' `thrice`",
        "back\\slash \\u0041 \\\" ${a} $1 ?1 {0}",
        "100% _like_ *glob* [a-z] a.b.c $.x",
        "नर्स",
        "👩🏽‍⚕️ é e\u{301} ß ǅ",
        "line\nbreak\ttab\u{1}\u{7f}\u{feff}",
        " spaces ",
        "null",
        "1",
        &long,
    ];
    put(index, texts.iter().map(|&text| Embedding::new(text, along.clone()).with("text", text).with(text, "as a key")))
        .await;
    for text in texts {
        let as_value = pairs([("text", text)]);
        let as_key = pairs([(text, "as a key")]);
        for filter in [as_value, as_key] {
            assert_eq!(count(index, &filter).await, 1, "{filter:?}");
            let query = VectorQuery { filter, ..VectorQuery::new(along.clone(), 10) };
            let found = nearest(index, query).await;
            assert_eq!(ids(&found), [text]);
            assert_eq!(found[0].metadata, pairs([("text", text), (text, "as a key")]));
        }
    }
    for (n, text) in texts.into_iter().enumerate() {
        let gone = match n % 3 {
            0 => delete(index, &[text]).await,
            1 => index.delete_where(&pairs([("text", text)])).await.expect("deletes"),
            _ => index.delete_where(&pairs([(text, "as a key")])).await.expect("deletes"),
        };
        assert_eq!(gone, 1, "{text}");
        assert_eq!(count(index, &Metadata::new()).await, (texts.len() - 1 - n) as u64, "more than {text} went");
    }
}

/// More than one batch of any backend: all arrive, the best of all is found, all go.
///
/// # Panics
///
/// When one is lost.
pub async fn many(index: &dyn VectorIndex) {
    const MANY: u16 = 2_500;
    // Across the direction of the query, where a small turn changes the cosine the most.
    let at = |n: u16| vector(index, &[f32::from(n) - f32::from(MANY / 2), f32::from(MANY)]);
    put(index, (0..MANY).map(|n| Embedding::new(n.to_string(), at(n)).with("odd", (n % 2).to_string()))).await;
    assert_eq!(count(index, &Metadata::new()).await, u64::from(MANY));
    assert_eq!(count(index, &pairs([("odd", "1")])).await, u64::from(MANY / 2));
    let found = nearest(index, VectorQuery::new(vector(index, &[1.0]), 3).only("odd", "0")).await;
    assert_eq!(ids(&found), ["2498", "2496", "2494"]);
    let whole = nearest(index, VectorQuery::new(vector(index, &[1.0]), usize::MAX)).await;
    let order: Vec<String> = (0..MANY).rev().map(|n| n.to_string()).collect();
    assert_eq!(ids(&whole), order);
    let (some, rest) = order.split_at(1_200);
    assert_eq!(index.delete(some).await.expect("deletes"), 1_200);
    let found = nearest(index, VectorQuery::new(vector(index, &[1.0]), 2)).await;
    assert_eq!(ids(&found), ["1299", "1298"]);
    assert_eq!(index.delete(rest).await.expect("deletes"), 1_300);
    assert_eq!(count(index, &Metadata::new()).await, 0);
}
