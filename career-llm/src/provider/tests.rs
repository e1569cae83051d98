use http::{HeaderMap, StatusCode};

use super::*;
use crate::wire::{Decode, Encoded, Framing};
use crate::{Delivery, Error, ErrorKind, Scope};

#[derive(Debug, Clone)]
struct Mute;

impl Wire for Mute {
    fn encode(&self, _: &ChatRequest, _: &str) -> Result<Encoded> {
        Err(Error::new(ErrorKind::Unsupported, "mute"))
    }

    fn decoder(&self, _: &str, _: Delivery) -> (Framing, Box<dyn Decode>) {
        unreachable!("nothing is sent")
    }

    fn failure(&self, _: StatusCode, _: &HeaderMap, _: &[u8]) -> Error {
        unreachable!("nothing is sent")
    }
}

const ACME: Vendor = Vendor {
    name: "acme",
    base_url: "https://acme.example/v1",
    key_env: &["ACME_API_KEY", "ACME_KEY"],
    base_url_env: &["ACME_BASE_URL"],
    model_env: &["ACME_MODEL"],
    auth: Auth::Header("x-api-key"),
    key_optional: false,
};
const HOME: Vendor = Vendor {
    name: "home",
    base_url: "http://localhost:11434/v2",
    key_env: &[],
    base_url_env: &["HOME_HOST"],
    auth: Auth::None,
    key_optional: true,
    ..ACME
};
const BEARER: Vendor = Vendor { auth: Auth::Bearer, ..ACME };

fn access(vendor: &'static Vendor, variables: &[(&str, &str)]) -> Access {
    let mut access = Access::new(vendor);
    access.fill(&|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()));
    access
}

#[test]
fn no_debug_shows_a_key() {
    let builder = Provider::over(Mute, &BEARER)
        .model("m")
        .api_key("hunter2")
        .base_url("https://hunter2@acme.example")
        .header("x-extra", "hunter2");
    let shown = format!("{builder:?} {builder:#?}");
    assert!(!shown.contains("hunter2") && shown.contains("x-extra"), "{shown}");
    let provider = builder.base_url("https://acme.example").build().expect("a provider");
    let shown = format!("{provider:?} {provider:#?}");
    assert!(!shown.contains("hunter2") && shown.contains("acme.example"), "{shown}");
}

#[test]
fn a_key_that_is_none_is_an_error_that_does_not_show_it() {
    for vendor in [&ACME, &BEARER] {
        for key in ["", " ", "hunter2\n", "hünter2"] {
            let error = Provider::over(Mute, vendor).model("m").api_key(key).build().expect_err("no key");
            assert_eq!(error.kind(), ErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("nter2"), "{shown}");
        }
    }
}

#[test]
fn what_is_missing_is_told_with_its_variables() {
    let error = Provider::over(Mute, &ACME).api_key("k").build().expect_err("no model");
    assert_eq!(error.to_string(), "configuration: acme: give a model, or set ACME_MODEL");
    let error = Provider::over(Mute, &ACME).model("m").build().expect_err("no key");
    assert_eq!(error.to_string(), "acme/m: configuration: acme: give an API key, or set ACME_API_KEY or ACME_KEY");
    let error = Provider::over(Mute, &HOME).model("m").api_key("k").build().expect_err("takes none");
    assert!(error.to_string().contains("takes no key"), "{error}");
    assert!(Provider::over(Mute, &HOME).model("m").build().is_ok());
}

#[test]
fn variables_fill_what_is_not_set_and_empty_ones_do_not() {
    let variables = [("ACME_API_KEY", " "), ("ACME_KEY", "k\r\n"), ("ACME_MODEL", " m "), ("ACME_BASE_URL", "")];
    let (_, endpoint) = access(&ACME, &variables).open(None).expect("all is there");
    assert_eq!(endpoint.model.to_string(), "acme/m");
    assert_eq!(endpoint.base_url(), ACME.base_url);
    let mut said = Access::new(&ACME);
    said.model = Some("mine".into());
    said.fill(&|_| Some("theirs".into()));
    assert_eq!(said.model.as_deref(), Some("mine"));
}

#[test]
fn a_server_without_a_key_may_be_told_as_a_host() {
    for (told, expected) in [
        ("gpu", "http://gpu:11434/v2"),
        ("gpu:8080", "http://gpu:8080/v2"),
        ("0.0.0.0/", "http://127.0.0.1:11434/v2"),
        (":8080", "http://127.0.0.1:8080/v2"),
        ("[::1]", "http://[::1]:11434/v2"),
        ("[::1]:99", "http://[::1]:99/v2"),
        ("gpu/ollama", "http://gpu:11434/ollama"),
        ("https://gpu", "https://gpu/"),
    ] {
        let (_, endpoint) = access(&HOME, &[("HOME_HOST", told)]).open(Some("m")).expect(told);
        assert_eq!(endpoint.base_url(), expected);
    }
    let told = [("ACME_BASE_URL", "acme.example"), ("ACME_KEY", "k")];
    assert!(access(&ACME, &told).open(Some("m")).is_err(), "a key over a scheme that was guessed");
}

#[tokio::test]
async fn what_is_wrong_or_cannot_be_said_is_not_sent() {
    let model = Provider::over(Mute, &HOME).model("m").build().expect("a provider");
    let error = model.stream(&ChatRequest::new()).await.expect_err("no message");
    assert_eq!((error.kind(), error.advice().scope), (ErrorKind::Invalid, Scope::Nowhere));
    let error = model.stream(&ChatRequest::user("hi")).await.expect_err("mute");
    assert_eq!(error.to_string(), "home/m: not supported: mute");
}
