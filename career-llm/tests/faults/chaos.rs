//! Everything at once, at random and yet the same each time.

use std::time::Duration;

use career_llm::testkit::server::{FaultServer, Protocol};
use career_llm::transport::{Limits, Timeouts};
use career_llm::{ErrorKind, Scope, StopReason, Timeout};

use super::support::{DELIVERIES, ask, configured, each};

/// How many calls are made of each.
const CALLS: usize = 24;

/// How many of the calls succeeded, once each was checked to be whole or an error that tells what to do.
async fn calls(protocol: Protocol, share: f64, seed: u64) -> usize {
    let server = FaultServer::with_failures(share, seed).await.expect("a server");
    let patience = Duration::from_millis(700);
    let timeouts = Timeouts::default().with_first_content(patience).with_whole(patience);
    let model = configured(protocol, &server.url(), timeouts, Limits::default());
    let mut succeeded = 0;
    for call in 0..CALLS {
        match ask(&*model, DELIVERIES[call % 2]).await {
            Ok(reply) => {
                assert_eq!(reply.text(), *FaultServer::REPLY.concat(), "{protocol:?} {call}");
                assert_eq!((reply.stop.reason, reply.usage.is_some()), (StopReason::End, true), "{protocol:?} {call}");
                succeeded += 1;
            }
            Err(error) => {
                let expected = matches!(
                    error.kind(),
                    ErrorKind::Throttled
                        | ErrorKind::Overloaded
                        | ErrorKind::Network
                        | ErrorKind::Protocol
                        | ErrorKind::Timeout(Timeout::FirstContent)
                );
                assert!(expected && error.advice().scope == Scope::Here, "{protocol:?} {call}: {error:?}");
                let wait = (error.kind() == ErrorKind::Throttled).then_some(Duration::from_millis(50));
                assert_eq!(error.advice().after, wait, "{protocol:?} {call}: {error:?}");
            }
        }
    }
    assert_eq!(server.requests().len(), CALLS, "{protocol:?}");
    succeeded
}

#[tokio::test]
async fn every_call_ends_whole_or_in_an_error_that_tells_what_to_do() {
    each(|protocol| async move {
        let (some, again) = (calls(protocol, 0.4, 11).await, calls(protocol, 0.4, 11).await);
        assert_eq!(some, again, "{protocol:?}");
        assert!((8..=22).contains(&some), "{protocol:?}: {some}");
        assert_eq!((calls(protocol, 0.0, 11).await, calls(protocol, 1.0, 11).await), (CALLS, 0), "{protocol:?}");
    })
    .await;
}
