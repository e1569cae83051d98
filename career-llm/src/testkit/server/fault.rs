//! What goes wrong at providers, to be injected at random.

use fastrand::Rng;

use super::{Answer, Protocol, Received, Step};

/// Something that goes wrong at a provider now and then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// 429 that asks to come again: 50 ms by `retry-after-ms`, a second by `retry-after`.
    Throttled,
    /// 500.
    Failed,
    /// 503.
    Unavailable,
    /// 529.
    Overloaded,
    /// Nothing comes, not even a status.
    Hang,
    /// The reply begins, and its connection is cut.
    Cut,
    /// 200, and an error in place of the reply.
    ErrorInside,
    /// 200, and a page of a proxy that calls itself what was expected.
    Garbage,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 8] = [
        Fault::Throttled,
        Fault::Failed,
        Fault::Unavailable,
        Fault::Overloaded,
        Fault::Hang,
        Fault::Cut,
        Fault::ErrorInside,
        Fault::Garbage,
    ];

    /// The fault in the protocol of the request, or in that of Chat Completions where it is none that is known; a
    /// reply that is cut is cut out of these pieces.
    pub fn answer(self, request: &Received, pieces: &[&str]) -> Answer {
        let protocol = Protocol::of(request).unwrap_or(Protocol::Completions);
        match self {
            Fault::Throttled => protocol
                .error(429, "rate_limit_exceeded", "Too many requests.")
                .header("retry-after-ms", "50")
                .header("retry-after", "1"),
            Fault::Failed => protocol.error(500, "server_error", "Something failed."),
            Fault::Unavailable => protocol.error(503, "unavailable", "Come again later."),
            Fault::Overloaded => protocol.error(529, "overloaded_error", "Overloaded."),
            Fault::Hang => Answer::hanging(),
            Fault::Cut => {
                let whole = Protocol::answer_to(request, pieces);
                let half = whole.body_bytes().len() / 2;
                whole.cut_after(half)
            }
            Fault::ErrorInside if request.wants_stream() => {
                protocol.error_in_stream(529, "overloaded_error", "Overloaded.")
            }
            Fault::ErrorInside => protocol.error(529, "overloaded_error", "Overloaded.").status(200),
            Fault::Garbage => {
                let mut garbage = Protocol::answer_to(request, pieces).keep_steps(0);
                garbage = garbage.step(Step::Send("<html><body>Bad gateway</body></html>\n\n".into()));
                garbage
            }
        }
    }
}

/// A fault for this share of the draws. Every draw takes as many random numbers, so one does not shift the next.
pub(super) fn draw(random: &mut Rng, share: f64) -> Option<Fault> {
    let (chance, which) = (random.f64(), random.usize(..Fault::ALL.len()));
    (chance < share).then(|| Fault::ALL[which])
}
