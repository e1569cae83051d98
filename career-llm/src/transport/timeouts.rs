//! How long is waited, and how much is taken.

use std::time::Duration;

use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
use serde::{Deserialize, Serialize};

/// How long a call may take where. The deadline of a request holds besides: what comes first ends the call.
///
/// In a configuration they are written as people do: `10s`, `1m 30s`.
///
/// ```
/// use std::time::Duration;
///
/// use career_llm::transport::Timeouts;
///
/// let timeouts = Timeouts::default().with_idle(Duration::from_secs(90));
/// assert_eq!(timeouts.first_content, Duration::from_secs(60));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Timeouts {
    /// For TCP and TLS together; 10 seconds unless set. A [`Transport`](super::Transport) of the host's own keeps to
    /// what it was made with.
    #[serde(with = "friendly")]
    pub connect: Duration,
    /// From the call to the first content of a stream, connecting included; 60 seconds unless set. Headers, pings and
    /// the like are no content.
    #[serde(with = "friendly")]
    pub first_content: Duration,
    /// From one content of a stream to the next; 30 seconds unless set. Pings are no content.
    #[serde(with = "friendly")]
    pub idle: Duration,
    /// From the call to the end of a reply in one piece, connecting included; 120 seconds unless set. Such a reply is
    /// its own first content, and is told as that when it does not come. A model that reasons for long may need more.
    #[serde(with = "friendly")]
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Timeouts {
            connect: Duration::from_secs(10),
            first_content: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            whole: Duration::from_secs(120),
        }
    }
}

impl Timeouts {
    /// With so long for TCP and TLS.
    #[must_use]
    pub fn with_connect(mut self, time: Duration) -> Self {
        self.connect = time;
        self
    }

    /// With so long to the first content of a stream.
    #[must_use]
    pub fn with_first_content(mut self, time: Duration) -> Self {
        self.first_content = time;
        self
    }

    /// With so long from one content to the next.
    #[must_use]
    pub fn with_idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }

    /// With so long for a reply in one piece.
    #[must_use]
    pub fn with_whole(mut self, time: Duration) -> Self {
        self.whole = time;
        self
    }
}

/// How much is taken of what a server sends, in bytes. A stream as a whole has no limit but its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Most of one event or line of a stream; 8 MiB unless set.
    pub frame: usize,
    /// Most of a reply in one piece; 32 MiB unless set.
    pub body: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { frame: 8 << 20, body: 32 << 20 }
    }
}

impl Limits {
    /// With so many bytes for an event or line.
    #[must_use]
    pub fn with_frame(mut self, bytes: usize) -> Self {
        self.frame = bytes;
        self
    }

    /// With so many bytes for a reply in one piece.
    #[must_use]
    pub fn with_body(mut self, bytes: usize) -> Self {
        self.body = bytes;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_configured_in_the_words_of_people() {
        let timeouts: Timeouts = serde_json::from_str(r#"{"idle": "1m 30s", "connect": "2s"}"#).expect("timeouts");
        let expected = Timeouts::default().with_idle(Duration::from_secs(90)).with_connect(Duration::from_secs(2));
        assert_eq!(timeouts, expected);
        let back: Timeouts = serde_json::from_value(serde_json::to_value(timeouts).expect("JSON")).expect("back");
        assert_eq!(back, timeouts);
        assert!(serde_json::from_str::<Timeouts>(r#"{"idel": "1s"}"#).is_err());
        assert!(serde_json::from_str::<Timeouts>(r#"{"idle": "-1s"}"#).is_err());
    }
}
