//! What broke, of a connection.

use std::error::Error as StdError;
use std::io;

use crate::{Error, ErrorKind, Timeout};

/// No answer came.
pub(super) fn unsent(error: reqwest::Error) -> Error {
    let said = Said::by(&error);
    let message = if error.is_connect() {
        if error.is_timeout() {
            return Error::new(ErrorKind::Timeout(Timeout::Connect), "").with_source(error.without_url());
        }
        match said {
            _ if error.is_dns() => "the host's name was not found",
            Said::Refused => "the connection was refused",
            Said::Invalid | Said::CutShort => "TLS was not agreed on",
            Said::Reset => "the connection was reset as it was made",
            Said::Other => "no connection could be made",
        }
    } else if error.is_builder() {
        return Error::config("the request cannot be sent as it is").with_source(error.without_url());
    } else if error.is_timeout() {
        "the HTTP client's own limit of time passed"
    } else {
        "the connection broke before an answer"
    };
    Error::new(ErrorKind::Network, message).with_source(error.without_url())
}

/// The answer broke off.
pub(super) fn broken(error: reqwest::Error) -> Error {
    let message = match Said::by(&error) {
        Said::CutShort => "the answer was cut short",
        Said::Reset => "the connection was reset within the answer",
        Said::Invalid | Said::Refused | Said::Other if error.is_timeout() => {
            "the HTTP client's own limit of time passed"
        }
        Said::Invalid | Said::Refused | Said::Other => "the connection broke within the answer",
    };
    Error::new(ErrorKind::Network, message).with_source(error.without_url())
}

/// What the operating system said, or TLS.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Said {
    Refused,
    Reset,
    CutShort,
    Invalid,
    Other,
}

impl Said {
    /// The innermost word that says something.
    fn by(error: &(dyn StdError + 'static)) -> Self {
        let mut said = Said::Other;
        let mut next = Some(error);
        while let Some(error) = next {
            let io = error.downcast_ref::<io::Error>();
            said = match io.map(io::Error::kind) {
                Some(io::ErrorKind::ConnectionRefused) => Said::Refused,
                Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe) => {
                    Said::Reset
                }
                Some(io::ErrorKind::UnexpectedEof) => Said::CutShort,
                Some(io::ErrorKind::InvalidData) => Said::Invalid,
                _ => said,
            };
            // What an error of I/O wraps is not its source, but stands in its place.
            next = match io.and_then(io::Error::get_ref) {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_word_counts() {
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(Said::by(&io::Error::other(io::Error::other(reset))), Said::Reset);
        assert_eq!(Said::by(&io::Error::other("words")), Said::Other);
        assert_eq!(Said::by(&io::Error::new(io::ErrorKind::InvalidData, "bad certificate")), Said::Invalid);
    }
}
