//! Names back into the reply, also where a placeholder comes in pieces.

use std::collections::{HashMap, VecDeque};

use crate::{Attempt, ChatEvent, Error, Restarted, Result, Text};

/// What each placeholder stands for. Every one begins with `[`, ends with `]`, and has neither between.
#[derive(Default)]
pub(super) struct Table {
    originals: HashMap<String, Original>,
    /// Bytes of the longest placeholder.
    longest: usize,
}

struct Original {
    plain: String,
    /// As it stands within a string of JSON.
    escaped: String,
}

impl Table {
    pub(super) fn insert(&mut self, placeholder: String, original: &str) {
        let quoted = serde_json::Value::from(original).to_string();
        let escaped = quoted.get(1..quoted.len() - 1).unwrap_or_default().to_owned();
        self.longest = self.longest.max(placeholder.len());
        self.originals.insert(placeholder, Original { plain: original.to_owned(), escaped });
    }

    pub(super) fn knows(&self, placeholder: &str) -> bool {
        self.originals.contains_key(placeholder)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.originals.is_empty()
    }

    /// Puts back what stands for something, and says where what may be the beginning of a placeholder begins. `None`
    /// when nothing stands for anything.
    fn restore(&self, text: &str, json: bool) -> (Option<String>, usize) {
        let mut out = None;
        let (mut done, mut pos) = (0, 0);
        while let Some(start) = text[pos..].find('[').map(|at| pos + at) {
            let rest = &text[start..];
            let end = rest.as_bytes().iter().take(self.longest).position(|byte| *byte == b']');
            let known = end.and_then(|end| Some((end + 1, self.originals.get(&rest[..=end])?)));
            if let Some((length, original)) = known {
                let out = out.get_or_insert_with(|| String::with_capacity(text.len() + original.plain.len()));
                out.push_str(&text[done..start]);
                out.push_str(if json { &original.escaped } else { &original.plain });
                done = start + length;
                pos = done;
            } else if end.is_none() && self.originals.keys().any(|placeholder| placeholder.starts_with(rest)) {
                if let Some(out) = &mut out {
                    out.push_str(&text[done..start]);
                }
                return (out, start);
            } else {
                pos = start + 1;
            }
        }
        if let Some(out) = &mut out {
            out.push_str(&text[done..]);
        }
        (out, text.len())
    }

    /// A text that is whole.
    fn whole(&self, text: &Text, json: bool) -> Text {
        match self.restore(text, json) {
            (Some(mut restored), held) => {
                restored.push_str(&text[held..]);
                restored.into()
            }
            (None, _) => text.clone(),
        }
    }
}

/// The error with names in what it quotes.
pub(super) fn error(table: &Table, error: &Error, json: bool) -> Error {
    let mut restored = error.clone();
    if let Some(message) = error.provider_message() {
        restored = restored.with_provider_message(table.whole(message, false));
    }
    if let Some(partial) = error.partial() {
        restored = restored.with_partial(table.whole(partial, json));
    }
    if !error.attempts().is_empty() {
        restored = restored.with_attempts(attempts(table, error.attempts(), json));
    }
    restored
}

fn attempts(table: &Table, attempts: &[Attempt], json: bool) -> Vec<Attempt> {
    let restored = attempts.iter().cloned().map(|mut attempt| {
        attempt.error = attempt.error.map(|error| self::error(table, &error, json));
        attempt
    });
    restored.collect()
}

/// Where a piece belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Text,
    Reasoning,
    Refusal,
    Tool(u32),
}

impl Channel {
    fn event(self, text: Text) -> ChatEvent {
        match self {
            Channel::Text => ChatEvent::Text(text),
            Channel::Reasoning => ChatEvent::Reasoning(text),
            Channel::Refusal => ChatEvent::Refusal(text),
            Channel::Tool(index) => ChatEvent::ToolInput { index, json: text },
        }
    }
}

/// Restores a stream.
pub(super) struct Restoring {
    table: Table,
    /// Whether the text is JSON.
    json: bool,
    /// What may be the beginning of a placeholder.
    held: Vec<(Channel, String)>,
    /// What is to go out before anything else.
    queue: VecDeque<Result<ChatEvent>>,
}

impl Restoring {
    pub(super) fn new(table: Table, json: bool) -> Self {
        Restoring { table, json, held: Vec::new(), queue: VecDeque::new() }
    }

    /// What is waiting to go out.
    pub(super) fn next(&mut self) -> Option<Result<ChatEvent>> {
        self.queue.pop_front()
    }

    /// Takes what came, and gives what goes out for it, unless it waits or is queued.
    pub(super) fn take(&mut self, item: Result<ChatEvent>) -> Option<Result<ChatEvent>> {
        let event = match item {
            Ok(event) => event,
            Err(error) => {
                let error = self::error(&self.table, &error, self.json);
                return self.after_all_held(Err(error));
            }
        };
        match event {
            ChatEvent::Text(text) => self.piece(Channel::Text, text).map(Ok),
            ChatEvent::Reasoning(text) => self.piece(Channel::Reasoning, text).map(Ok),
            ChatEvent::Refusal(text) => self.piece(Channel::Refusal, text).map(Ok),
            ChatEvent::ToolInput { index, json } => self.piece(Channel::Tool(index), json).map(Ok),
            // The text after it is another part of the reply.
            event @ (ChatEvent::ToolCall { .. } | ChatEvent::Opaque(_)) => match self.release(Channel::Text) {
                Some(held) => {
                    self.queue.push_back(Ok(event));
                    Some(Ok(held))
                }
                None => Some(Ok(event)),
            },
            ChatEvent::Restarted(restarted) => {
                self.held.clear();
                let because = error(&self.table, &restarted.because, self.json);
                Some(Ok(ChatEvent::Restarted(Box::new(Restarted::new(because)))))
            }
            ChatEvent::Done(mut done) => {
                if !done.attempts.is_empty() {
                    done.attempts = attempts(&self.table, &done.attempts, self.json);
                }
                self.after_all_held(Ok(ChatEvent::Done(done)))
            }
            event @ ChatEvent::Started(_) => Some(Ok(event)),
        }
    }

    /// Restores a piece; most have nothing to restore and pass as they are.
    fn piece(&mut self, channel: Channel, piece: Text) -> Option<ChatEvent> {
        let json = (self.json && channel == Channel::Text) || matches!(channel, Channel::Tool(_));
        let at = self.held.iter().position(|(held, _)| *held == channel);
        if at.is_none() && !piece.contains('[') {
            return Some(channel.event(piece));
        }
        let whole = match at {
            Some(at) => {
                let (_, mut held) = self.held.swap_remove(at);
                held.push_str(&piece);
                Text::from(held)
            }
            None => piece,
        };
        let (restored, held) = self.table.restore(&whole, json);
        if held < whole.len() {
            self.held.push((channel, whole[held..].to_owned()));
        }
        let out = restored.map_or_else(|| whole.slice_ref(&whole[..held]), Text::from);
        (!out.is_empty()).then(|| channel.event(out))
    }

    /// What is held of a channel: it was no placeholder.
    fn release(&mut self, channel: Channel) -> Option<ChatEvent> {
        let at = self.held.iter().position(|(held, _)| *held == channel)?;
        let (channel, held) = self.held.swap_remove(at);
        Some(channel.event(held.into()))
    }

    /// The last item, after everything that is held.
    fn after_all_held(&mut self, last: Result<ChatEvent>) -> Option<Result<ChatEvent>> {
        if self.held.is_empty() {
            return Some(last);
        }
        self.queue.extend(self.held.drain(..).map(|(channel, held)| Ok(channel.event(held.into()))));
        self.queue.push_back(last);
        self.queue.pop_front()
    }
}
