//! The JSON in a reply.

use serde_json::Value;

/// How many brackets that begin no value are passed over, so that no reply takes long.
const MISSES_MAX: usize = 200;

/// The JSON values that a reply may mean, the likelier first: the whole of it; what its code fences hold; each object
/// or array among its words, from left to right.
///
/// What was cut off is not taken for whole: behind a value that never ends nothing is looked for, since that could be
/// a part of it.
pub(super) fn candidates(reply: &str) -> impl Iterator<Item = Value> + '_ {
    let reply = without_thoughts(reply);
    let whole = serde_json::from_str(reply.trim()).ok();
    // The steps after the first are not taken when it is all there is.
    let rest = if whole.is_some() { "" } else { reply };
    whole.into_iter().chain(fenced(rest)).chain(among_words(rest))
}

/// The reply behind the thoughts that some open models write before it: a draft among them is no answer.
fn without_thoughts(reply: &str) -> &str {
    match reply.trim_start().strip_prefix("<think>") {
        Some(thoughts) => thoughts.split_once("</think>").map_or("", |(_, reply)| reply),
        None => reply,
    }
}

/// What stands between fences, with or without a word for the language.
fn fenced(reply: &str) -> impl Iterator<Item = Value> + '_ {
    reply.split("```").skip(1).step_by(2).filter_map(|block| {
        let content = block.split_once('\n').map_or(block, |(_, content)| content);
        serde_json::from_str(content.trim()).ok()
    })
}

fn among_words(reply: &str) -> impl Iterator<Item = Value> + '_ {
    let mut rest = reply;
    let mut misses = 0;
    std::iter::from_fn(move || {
        while misses <= MISSES_MAX {
            rest = &rest[rest.find(['{', '['])?..];
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            match values.next() {
                Some(Ok(value)) => {
                    rest = &rest[values.byte_offset()..];
                    return Some(value);
                }
                Some(Err(error)) if error.is_eof() => {
                    rest = "";
                    return None;
                }
                _ => {
                    // A bracket of the words, one byte long.
                    rest = &rest[1..];
                    misses += 1;
                }
            }
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn first(reply: &str) -> Option<Value> {
        candidates(reply).next()
    }

    #[test]
    fn it_is_found_whole_fenced_and_among_words() {
        let value = json!({"a": ["}", 1]});
        for reply in [
            " {\"a\": [\"}\", 1]}\n",
            "Here you are:\n```json\n{\"a\": [\"}\", 1]}\n```\nGood luck!",
            "```\n{\"a\": [\"}\", 1]}```",
            "Sure {as asked}: {\"a\": [\"}\", 1]} and so on.",
        ] {
            assert_eq!(first(reply), Some(value.clone()), "{reply}");
        }
        assert_eq!(first("```json\n7\n```"), Some(json!(7)));
        assert_eq!(first("\"only\""), Some(json!("only")));
    }

    #[test]
    fn all_of_them_are_found_so_that_one_that_fits_can_be_taken() {
        let found: Vec<Value> = candidates("See [1] and {} before {\"a\": 2}.").collect();
        assert_eq!(found, [json!([1]), json!({}), json!({"a": 2})]);
    }

    #[test]
    fn what_was_cut_off_is_not_taken_for_whole() {
        assert_eq!(first("{\"steps\": [{\"a\": 1}, {\"a\""), None);
        assert_eq!(first("Here: [[1, 2], [3"), None);
        assert_eq!(first("no JSON at all, {nor here}"), None);
    }

    #[test]
    fn a_draft_among_thoughts_is_no_answer() {
        assert_eq!(first("<think>\nPerhaps {\"a\": 1}? No.\n</think>\n{\"a\": 2}"), Some(json!({"a": 2})));
        assert_eq!(first("<think>Perhaps {\"a\": 1}?"), None);
    }

    #[test]
    fn a_reply_of_brackets_alone_ends() {
        assert_eq!(first(&"[".repeat(100_000)), None);
        assert_eq!(first(&"{\"a\":".repeat(50_000)), None);
        assert_eq!(first(&"[1 ".repeat(50_000)), None);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-z{}\"`]{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever words stand around an object or array, it is found, printed densely or not.
        #[test]
        fn words_without_brackets_hide_no_value(
            before in "[^\\[\\]{}`]{0,30}", after in "[^\\[\\]{}`]{0,30}", value in json_value(), pretty: bool,
        ) {
            prop_assume!(value.is_object() || value.is_array());
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            // Fences within strings are those of no block.
            prop_assume!(!text.contains("```"));
            prop_assert_eq!(first(&format!("{before}{text}{after}")), Some(value));
        }

        /// A value that is all of the reply is found whatever it is.
        #[test]
        fn any_value_alone_is_found(value in json_value()) {
            prop_assert_eq!(first(&format!("\n {value} ")), Some(value));
        }

        /// Nothing that a model may write makes it panic.
        #[test]
        fn any_text_is_looked_through(reply in "[\\[\\]{}\"\\\\`:,0-9a-zé\n ]{0,60}") {
            prop_assert!(candidates(&reply).count() <= reply.len() + 1);
        }
    }
}
