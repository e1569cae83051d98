//! A conversation kept within a budget of tokens.

use std::collections::{BTreeMap, BTreeSet};

use super::TokenCounter;
use crate::{ChatRequest, Error, ErrorKind, Message, Part, Result};

/// Turns that are kept or dropped together, such as a question and its answer.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Prioritized {
    /// The turns, oldest first.
    pub messages: Vec<Message>,
    /// The higher, the longer they are kept.
    pub priority: u8,
    /// Whether they are kept in any case.
    pub pinned: bool,
}

impl Prioritized {
    /// Turns of this priority.
    pub fn new(priority: u8, messages: impl IntoIterator<Item = Message>) -> Self {
        Prioritized { messages: messages.into_iter().collect(), priority, pinned: false }
    }

    /// Turns that are kept in any case.
    pub fn pinned(messages: impl IntoIterator<Item = Message>) -> Self {
        Prioritized { pinned: true, ..Prioritized::new(u8::MAX, messages) }
    }
}

/// What fits.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trimmed {
    /// The request with what is kept of the conversation.
    pub request: ChatRequest,
    /// What is not in it, oldest first: to be summed up, perhaps.
    pub dropped: Vec<Prioritized>,
    /// What it counts.
    pub tokens: u64,
}

/// Puts as much of a conversation before the messages of a request as fits into so many tokens.
///
/// The request itself is kept whole, and so are pinned turns. Of the others, those of higher priority are kept first,
/// and among equals the newer; what does not fit beside them is dropped, also when something of less priority still
/// fits after it. Turns with a call of a tool and its result are kept or dropped together, as the highest of them. The
/// order stays. Leave room for the reply in the budget, and a tenth where the count is estimated.
///
/// # Errors
///
/// [`ErrorKind::ContextTooLong`] when what must stay does not fit alone.
///
/// ```
/// use career_llm::tokens::{Prioritized, TokenCounter, trim};
/// use career_llm::{ChatRequest, Message, ModelId};
///
/// let history = [
///     Prioritized::new(1, [Message::user("What is botany?"), Message::assistant("The science of plants.")]),
///     Prioritized::new(5, [Message::user("My marks are good in biology.")]),
///     Prioritized::new(1, [Message::user("And zoology?"), Message::assistant("That of animals.")]),
/// ];
/// let counter = TokenCounter::new(&ModelId::new("anthropic", "claude-sonnet-5-5"));
/// let trimmed = trim(ChatRequest::user("What should I study?"), history, &counter, 60)?;
/// assert_eq!(trimmed.request.messages[0].text(), "My marks are good in biology.");
/// assert_eq!(trimmed.dropped.len(), 1);
/// assert!(trimmed.tokens <= 60);
/// # Ok::<(), career_llm::Error>(())
/// ```
pub fn trim(
    request: ChatRequest,
    conversation: impl IntoIterator<Item = Prioritized>,
    counter: &TokenCounter,
    budget: u64,
) -> Result<Trimmed> {
    let turns: Vec<Prioritized> = conversation.into_iter().collect();
    let mut tokens = counter.request(&request);
    let mut groups = grouped(&request, &turns, counter);
    // First what is pinned, then by priority, then the newest.
    groups.sort_by_key(|group| std::cmp::Reverse((group.pinned, group.priority, group.newest)));
    let mut kept = BTreeSet::new();
    let must: u64 = tokens + groups.iter().filter(|group| group.pinned).map(|group| group.tokens).sum::<u64>();
    if must > budget {
        let message = format!("what must stay has {must} tokens, the budget is {budget}");
        return Err(Error::new(ErrorKind::ContextTooLong, message));
    }
    for group in groups {
        if group.pinned || tokens.saturating_add(group.tokens) <= budget {
            tokens += group.tokens;
            kept.extend(group.turns);
        }
    }
    let mut trimmed = Trimmed { request, dropped: Vec::new(), tokens };
    let mut messages = Vec::new();
    for (at, turn) in turns.into_iter().enumerate() {
        if kept.contains(&at) {
            messages.extend(turn.messages);
        } else {
            trimmed.dropped.push(turn);
        }
    }
    messages.append(&mut trimmed.request.messages);
    trimmed.request.messages = messages;
    Ok(trimmed)
}

/// Turns that stay together.
struct Group {
    turns: Vec<usize>,
    tokens: u64,
    priority: u8,
    pinned: bool,
    newest: usize,
}

/// The turns, those together that share a call of a tool.
fn grouped(request: &ChatRequest, turns: &[Prioritized], counter: &TokenCounter) -> Vec<Group> {
    // Where the call of a result is; for what the request itself has, the place after all turns.
    let request_place = turns.len();
    let mut parents: Vec<usize> = (0..=request_place).collect();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let all = turns.iter().map(|turn| &turn.messages).chain([&request.messages]).enumerate();
    for (at, messages) in all {
        for id in messages.iter().flat_map(|message| &message.parts).filter_map(call_of) {
            let other = *places.entry(id).or_insert(at);
            let (one, other) = (root(&parents, at), root(&parents, other));
            parents[one.min(other)] = one.max(other);
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (at, turn) in turns.iter().enumerate() {
        let root = root(&parents, at);
        let group = groups.entry(root).or_insert(Group {
            turns: Vec::new(),
            tokens: 0,
            priority: 0,
            // The request is kept, and what belongs to it.
            pinned: root == request_place,
            newest: 0,
        });
        group.turns.push(at);
        group.tokens += turn.messages.iter().map(|message| counter.message(message)).sum::<u64>();
        group.priority = group.priority.max(turn.priority);
        group.pinned |= turn.pinned;
        group.newest = at;
    }
    groups.into_values().collect()
}

/// The call that a part makes or answers.
fn call_of(part: &Part) -> Option<&str> {
    match part {
        Part::ToolCall(call) => Some(&call.id),
        Part::ToolResult(result) => Some(&result.call),
        _ => None,
    }
}

fn root(parents: &[usize], mut at: usize) -> usize {
    while parents[at] != at {
        at = parents[at];
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ModelId, Role, ToolCall, ToolResult};

    fn counter() -> TokenCounter {
        TokenCounter::new(&ModelId::new("x", "y"))
    }

    fn words(count: usize) -> String {
        vec!["word"; count].join(" ")
    }

    fn called(id: &str) -> Message {
        Message::new(Role::Assistant, vec![Part::ToolCall(ToolCall::new(id, "look", "{}"))])
    }

    fn result(id: &str) -> Message {
        Message::tool_results([ToolResult::of(&ToolCall::new(id, "look", ""), "found")])
    }

    #[test]
    fn a_call_and_its_result_stay_together() {
        let ask = || ChatRequest::user("now");
        let turns = |priority| {
            [
                Prioritized::new(0, [called("1")]),
                Prioritized::new(3, [Message::user(words(10))]),
                Prioritized::new(priority, [result("1")]),
            ]
        };
        let all = trim(ask(), turns(1), &counter(), 1000).expect("it fits");
        assert_eq!(all.tokens, counter().request(&all.request));
        let less = trim(ask(), turns(1), &counter(), all.tokens - 1).expect("it fits");
        assert_eq!((less.dropped.len(), less.request.messages.len()), (2, 2));
        let less = trim(ask(), turns(9), &counter(), all.tokens - 1).expect("it fits");
        assert_eq!((less.dropped.len(), less.request.messages.len()), (1, 3));
        assert!(less.request.check().is_ok());
    }

    #[test]
    fn the_call_of_a_result_in_the_request_is_kept() {
        let request = ChatRequest::conversation([result("1")]);
        let turns = [Prioritized::new(9, [Message::user(words(50))]), Prioritized::new(0, [called("1")])];
        let trimmed = trim(request, turns, &counter(), 60).expect("it fits");
        assert!(trimmed.request.check().is_ok());
        assert_eq!(trimmed.dropped[0].priority, 9);
    }

    #[test]
    fn what_must_stay_and_does_not_fit_is_an_error() {
        let pinned = [Prioritized::pinned([Message::user(words(50))])];
        let error = trim(ChatRequest::user("now"), pinned, &counter(), 40).expect_err("too long");
        assert_eq!(error.kind(), ErrorKind::ContextTooLong);
        assert!(error.message().contains("62 tokens, the budget is 40"), "{error}");
    }

    fn turn() -> impl Strategy<Value = Prioritized> {
        (0_u8..4, 1_usize..30, prop::bool::weighted(0.1)).prop_map(|(priority, length, pinned)| Prioritized {
            pinned,
            ..Prioritized::new(priority, [Message::user(words(length))])
        })
    }

    proptest! {
        /// Never over the budget, always in order, nothing lost, nothing pinned dropped; and what is dropped did not fit
        /// beside what ranks above it.
        #[test]
        fn the_laws_of_trimming_hold(turns in prop::collection::vec(turn(), 0..12), budget in 0_u64..400) {
            let counter = counter();
            let request = ChatRequest::user("now").with_system("be kind");
            let marked: Vec<Prioritized> = turns.into_iter().enumerate().map(|(at, mut turn)| {
                turn.messages.push(Message::assistant(format!("n{at}")));
                turn
            }).collect();
            let size = |turn: &Prioritized| turn.messages.iter().map(|message| counter.message(message)).sum::<u64>();
            let must = counter.request(&request)
                + marked.iter().filter(|turn| turn.pinned).map(size).sum::<u64>();
            let Ok(trimmed) = trim(request.clone(), marked.clone(), &counter, budget) else {
                prop_assert!(must > budget);
                return Ok(());
            };
            prop_assert!(must <= budget && trimmed.tokens <= budget);
            prop_assert_eq!(trimmed.tokens, counter.request(&trimmed.request));
            let kept: Vec<usize> = (0..marked.len()).filter(|at| !trimmed.dropped.contains(&marked[*at])).collect();
            let expected: Vec<Message> = kept.iter().flat_map(|at| marked[*at].messages.clone())
                .chain(request.messages.clone()).collect();
            prop_assert_eq!(&trimmed.request.messages, &expected);
            prop_assert_eq!(kept.len() + trimmed.dropped.len(), marked.len());
            for (at, turn) in marked.iter().enumerate().filter(|(at, _)| !kept.contains(at)) {
                prop_assert!(!turn.pinned);
                let above: u64 = kept.iter().filter(|other| {
                    let kept = &marked[**other];
                    !kept.pinned && (kept.priority, **other) > (turn.priority, at)
                }).map(|other| size(&marked[*other])).sum();
                prop_assert!(must + above + size(turn) > budget);
            }
        }
    }
}
