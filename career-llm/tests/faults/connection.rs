//! Connections that are not made, or not what was agreed on.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use career_llm::testkit::server::{Answer, FaultServer, Protocol, Step};
use career_llm::transport::{Limits, Timeouts};
use career_llm::{Delivery, Error, ErrorKind, Scope, Timeout};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::support::{DELIVERIES, KEY, ask, configured, failure, model};

/// Checks that an error is one of the network, with its cause and without a key.
#[track_caller]
fn check(error: &Error, at: &str) {
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Network, Scope::Here), "{at}: {error:?}");
    assert!(error.source().is_some() && error.model().is_some() && !error.message().is_empty(), "{at}: {error:?}");
    assert!(!format!("{error} {error:?}").contains(KEY), "{at}");
}

/// A port where nobody listens.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    format!("http://{}", listener.local_addr().expect("an address"))
}

#[tokio::test]
async fn a_refused_connection_is_a_failure_of_the_network() {
    for protocol in Protocol::ALL {
        let error = ask(&*model(protocol, &nobody().await), Delivery::Streamed).await.expect_err("nobody is there");
        check(&error, &format!("{protocol:?}"));
        assert_eq!(error.status(), None);
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_is_a_failure_of_the_network() {
    let answers = [
        ("closed", Answer::raw().step(Step::Cut)),
        ("reset", Answer::raw().step(Step::Reset)),
        ("half a head", Answer::raw().body("HTTP/1.1 200 OK\r\ncontent-ty").step(Step::Cut)),
        ("another protocol", Answer::raw().body("SSH-2.0-OpenSSH_9.6\r\n").step(Step::Cut)),
        ("no protocol", Answer::raw().body("\u{0}\u{1}\u{2}\r\n\r\n").step(Step::Cut)),
        ("a head too long", Answer::new(200).header("x-long", "x".repeat(2 << 20))),
    ];
    for protocol in Protocol::ALL {
        for (name, answer) in answers.clone() {
            for delivery in DELIVERIES {
                let error = failure(protocol, answer.clone(), delivery).await;
                check(&error, &format!("{protocol:?}, {name}, {delivery:?}"));
                assert_eq!(error.status(), None, "{name}");
            }
        }
    }
}

/// A server of TLS whose certificate nobody vouches for. It counts the handshakes that came to an end.
async fn self_signed(connections: &mut JoinSet<bool>) -> (u16, Arc<TcpListener>) {
    let signed =
        rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).expect("a certificate");
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).expect("a key");
    // Told by name: where other crates of a build bring another one, rustls does not choose.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions of TLS").with_no_client_auth();
    let config = config.with_single_cert(vec![signed.cert.der().clone()], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.expect("a configuration")));
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.expect("a port"));
    let port = listener.local_addr().expect("an address").port();
    let accepting = Arc::clone(&listener);
    connections.spawn(async move {
        let (socket, _) = accepting.accept().await.expect("a connection");
        acceptor.accept(socket).await.is_ok()
    });
    (port, listener)
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_and_the_key_is_not_sent() {
    for protocol in Protocol::ALL {
        let mut connections = JoinSet::new();
        let (port, _listener) = self_signed(&mut connections).await;
        let url = format!("https://127.0.0.1:{port}");
        let error = ask(&*model(protocol, &url), Delivery::Streamed).await.expect_err("not trusted");
        check(&error, &format!("{protocol:?}"));
        assert!(error.message().contains("TLS"), "{error}");
        let agreed = connections.join_next().await.expect("a connection").expect("no panic");
        assert!(!agreed, "the client must not agree to this certificate");
    }
}

#[tokio::test]
async fn plain_http_where_tls_is_expected_is_a_failure_and_nothing_is_sent() {
    for protocol in Protocol::ALL {
        let server = FaultServer::answering(move |_| protocol.whole("plain")).await.expect("a server");
        let url = server.url().replace("http:", "https:");
        // The server waits for a head that never comes, so that the client must end it.
        let timeouts = Timeouts::default().with_connect(Duration::from_millis(200));
        let error = ask(&*configured(protocol, &url, timeouts, Limits::default()), Delivery::Streamed).await;
        let error = error.expect_err("no TLS");
        assert!(
            matches!(error.kind(), ErrorKind::Network | ErrorKind::Timeout(Timeout::Connect)),
            "{protocol:?}: {error:?}"
        );
        assert_eq!(error.advice().scope, Scope::Here);
        assert!(server.requests().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_answers_tls_in_plain_words_does_not_speak_it() {
    for protocol in Protocol::ALL {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let answering = tokio::spawn(async move {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut hello = [0; 4096];
            let _ = socket.read(&mut hello).await.expect("a greeting");
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await.expect("sent");
            let _ = socket.read(&mut hello).await;
        });
        let error = ask(&*model(protocol, &url), Delivery::Streamed).await.expect_err("no TLS");
        check(&error, &format!("{protocol:?}"));
        answering.await.expect("no panic");
    }
}

#[tokio::test]
async fn tls_where_plain_http_is_expected_is_a_failure_of_the_network() {
    for protocol in Protocol::ALL {
        let mut connections = JoinSet::new();
        let (port, _listener) = self_signed(&mut connections).await;
        let url = format!("http://127.0.0.1:{port}");
        let error = ask(&*model(protocol, &url), Delivery::Streamed).await.expect_err("no HTTP");
        check(&error, &format!("{protocol:?}"));
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_go_on_is_no_connection_in_time() {
    for protocol in Protocol::ALL {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("https://{}", listener.local_addr().expect("an address"));
        let timeouts = Timeouts::default().with_connect(Duration::from_millis(60));
        let error = ask(&*configured(protocol, &url, timeouts, Limits::default()), Delivery::Streamed).await;
        let error = error.expect_err("no handshake");
        let kind = ErrorKind::Timeout(Timeout::Connect);
        assert_eq!((error.kind(), error.advice().scope), (kind, Scope::Here), "{protocol:?}: {error:?}");
    }
}

#[tokio::test]
async fn one_connection_serves_after_a_reply_and_after_a_refusal() {
    for protocol in Protocol::ALL {
        let server = FaultServer::start().await.expect("a server");
        let model = model(protocol, &server.url());
        server.then(protocol.error(429, "", "Slower.")).then(protocol.stream(&["One."])).then(protocol.whole("Two."));
        assert!(ask(&*model, Delivery::Streamed).await.is_err());
        assert_eq!(ask(&*model, Delivery::Streamed).await.expect("a reply").text(), "One.", "{protocol:?}");
        // The end of a body may come after the end of the reply; give it time to.
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(ask(&*model, Delivery::Whole).await.expect("a reply").text(), "Two.", "{protocol:?}");
        assert_eq!(server.connections(), 1, "{protocol:?}");
    }
}
