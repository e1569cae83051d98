//! What every embedder keeps to.

use crate::Text;
use crate::embed::{Embedder, Purpose};

/// Checks an embedder against the contract of its port.
///
/// # Panics
///
/// With what was expected and what was found.
pub async fn all(embedder: &dyn Embedder) {
    gives_one_vector_for_each_text(embedder).await;
    gives_the_same_alone_and_in_company(embedder).await;
    takes_any_text(embedder).await;
}

/// One vector for each text, in order, of the right length and of length 1; none for none.
///
/// # Panics
///
/// Unless it does.
pub async fn gives_one_vector_for_each_text(embedder: &dyn Embedder) {
    assert!(embedder.dimensions() > 0, "expected at least one dimension");
    let none = embedder.embed(&[], Purpose::Document).await.expect("no texts are embedded");
    assert!(none.is_empty(), "expected no vector for no text");
    let texts: Vec<Text> = (0..70).map(|n| Text::from(format!("career number {n}"))).collect();
    let vectors = embedder.embed(&texts, Purpose::Document).await.expect("seventy texts are embedded");
    assert_eq!(vectors.len(), texts.len(), "vectors for texts");
    for (at, vector) in vectors.iter().enumerate() {
        check(embedder, vector, &format!("text {at}"));
    }
    let last = embedder.embed(&texts[69..], Purpose::Document).await.expect("one text is embedded");
    assert!(apart(&last[0], &vectors[69]) < 1e-2, "the vectors are not in the order of the texts");
}

/// The same text gives the same vector, whatever stands beside it.
///
/// # Panics
///
/// Unless it does.
pub async fn gives_the_same_alone_and_in_company(embedder: &dyn Embedder) {
    let long = Text::from("a much longer text that stands beside it in the batch and is padded for ".repeat(3));
    for purpose in [Purpose::Document, Purpose::Query] {
        let alone = embedder.embed(&["nurse".into()], purpose).await.expect("embedded alone");
        let beside = embedder.embed(&[long.clone(), "nurse".into()], purpose).await.expect("embedded in company");
        let apart = apart(&alone[0], &beside[1]);
        assert!(apart < 1e-2, "{purpose:?}: the same text gives vectors that are {apart} apart");
    }
}

/// An empty text, one without words, one of any script and a long one have a direction too.
///
/// # Panics
///
/// Unless they have.
pub async fn takes_any_text(embedder: &dyn Embedder) {
    let texts = ["", " ", "?!", "कक्षा 11 में क्या पढ़ें?", "👩‍⚕️", "\u{0}\u{7f}", &"word ".repeat(5_000)].map(Text::from);
    let vectors = embedder.embed(&texts, Purpose::Query).await.expect("any text is embedded");
    for (at, vector) in vectors.iter().enumerate() {
        check(embedder, vector, &format!("odd text {at}"));
    }
}

fn check(embedder: &dyn Embedder, vector: &[f32], what: &str) {
    assert_eq!(vector.len(), embedder.dimensions(), "{what}: numbers in its vector");
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    assert!((length - 1.0).abs() < 1e-3, "{what}: expected length 1, found {length}");
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}
