//! A chunk of a stream, or a whole reply, as a server sends it: borrowed, and of any shape.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

use crate::Usage;
use crate::wire::openai::loose::{Count, Json, List, Object, Present, Word, nothing_for};
use crate::wire::openai::tally::{InputDetails, OutputDetails};

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Chunk<'a> {
    #[serde(borrow)]
    pub(super) model: Word<'a>,
    #[serde(borrow)]
    pub(super) choices: Choices<'a>,
    pub(super) usage: Object<Tally>,
    pub(super) x_groq: Object<Groq>,
    pub(super) error: Present,
}

/// What one server puts beside, in place of the usual fields.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Groq {
    pub(super) usage: Object<Tally>,
    pub(super) error: Present,
}

/// The first choice; others are not asked for, and not read.
#[derive(Default)]
pub(super) struct Choices<'a> {
    pub(super) first: Option<Choice<'a>>,
    /// Whether there is the field, even if nothing is in it.
    pub(super) there: bool,
    pub(super) others: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Choice<'a> {
    index: Count,
    #[serde(borrow)]
    pub(super) delta: Object<Said<'a>>,
    #[serde(borrow)]
    pub(super) message: Object<Said<'a>>,
    #[serde(borrow)]
    pub(super) finish_reason: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Said<'a> {
    #[serde(borrow)]
    pub(super) content: Content<'a>,
    #[serde(borrow)]
    pub(super) reasoning_content: Word<'a>,
    #[serde(borrow)]
    pub(super) reasoning: Word<'a>,
    #[serde(borrow)]
    pub(super) refusal: Word<'a>,
    #[serde(borrow)]
    pub(super) tool_calls: List<Call<'a>>,
}

/// Words, or parts of words and thoughts.
#[derive(Default)]
pub(super) struct Content<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) thoughts: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Piece<'a> {
    #[serde(borrow)]
    text: Word<'a>,
    #[serde(borrow)]
    thinking: List<Thought<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Thought<'a> {
    #[serde(borrow)]
    text: Word<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Call<'a> {
    pub(super) index: Count,
    #[serde(borrow)]
    pub(super) id: Word<'a>,
    #[serde(borrow)]
    pub(super) function: Object<Function<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Function<'a> {
    #[serde(borrow)]
    pub(super) name: Word<'a>,
    #[serde(borrow)]
    pub(super) arguments: Json<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Tally {
    prompt_tokens: Count,
    completion_tokens: Count,
    total_tokens: Count,
    prompt_cache_hit_tokens: Count,
    prompt_tokens_details: Object<InputDetails>,
    completion_tokens_details: Object<OutputDetails>,
}

impl Tally {
    /// The usage; `None` when it says nothing.
    pub(super) fn usage(&self) -> Option<Usage> {
        if self.prompt_tokens.0.is_none() && self.completion_tokens.0.is_none() {
            return None;
        }
        let of = |count: Count| count.0.unwrap_or(0);
        let (input, said) = (of(self.prompt_tokens), of(self.completion_tokens));
        let details = self.prompt_tokens_details.0.as_ref();
        let thought = self.completion_tokens_details.0.as_ref().map_or(0, |details| of(details.reasoning_tokens));
        let mut usage = Usage::new(input, said);
        // Some count the thoughts apart from the reply. Then only the total holds them.
        if thought > 0 && self.total_tokens.0 == Some(input.saturating_add(said).saturating_add(thought)) {
            usage.output = said.saturating_add(thought);
        }
        usage.reasoning = thought;
        usage.cached = details.and_then(|details| details.cached_tokens.0).unwrap_or(of(self.prompt_cache_hit_tokens));
        usage.cache_write = details.map_or(0, |details| of(details.cache_write_tokens));
        Some(usage)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Choices<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Firsts;

        impl<'de> Visitor<'de> for Firsts {
            type Value = Choices<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("choices")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Choices<'de>, A::Error> {
                let mut choices = Choices { first: None, there: true, others: false };
                while let Some(Object(choice)) = seq.next_element::<Object<Choice<'de>>>()? {
                    match choice {
                        Some(choice) if choices.first.is_none() && choice.index.0.unwrap_or(0) == 0 => {
                            choices.first = Some(choice);
                        }
                        _ => choices.others = true,
                    }
                }
                Ok(choices)
            }

            nothing_for!(Choices::default(); str, number, bool, null, map);
        }

        deserializer.deserialize_any(Firsts)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Content<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Contents;

        impl<'de> Visitor<'de> for Contents {
            type Value = Content<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("words or parts")
            }

            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Content<'de>, E> {
                Ok(Content { text: Cow::Borrowed(v), thoughts: String::new() })
            }

            fn visit_str<E>(self, v: &str) -> Result<Content<'de>, E> {
                Ok(Content { text: Cow::Owned(v.to_owned()), thoughts: String::new() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Content<'de>, A::Error> {
                let mut content = Content::default();
                while let Some(Object(piece)) = seq.next_element::<Object<Piece<'de>>>()? {
                    let Some(piece) = piece else { continue };
                    if content.text.is_empty() {
                        content.text = piece.text.0;
                    } else {
                        content.text.to_mut().push_str(&piece.text.0);
                    }
                    piece.thinking.0.iter().for_each(|thought| content.thoughts.push_str(&thought.text.0));
                }
                Ok(content)
            }

            nothing_for!(Content::default(); number, bool, null, map);
        }

        deserializer.deserialize_any(Contents)
    }
}
