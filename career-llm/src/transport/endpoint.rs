//! Where a model is asked, and what goes along with each request.

use std::fmt;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Limits, Timeouts};
use crate::wire::Encoded;
use crate::{Error, ModelId, Result};

/// An address, its headers and its limits, checked once. `Debug` shows names of headers and no values.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// Which model is asked there; errors carry it.
    pub(crate) model: ModelId,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: Limits,
    base: Url,
    /// The path of the base, without a slash at its end.
    path: String,
    headers: HeaderMap,
}

impl Endpoint {
    /// An address without headers of its own.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when it is no address, not of HTTP, or holds a query or who asks.
    pub(crate) fn new(model: ModelId, base_url: &str) -> Result<Self> {
        let wrong =
            |what: &str| Error::config(format!("base URL of {}: {what}", model.provider)).with_model(model.clone());
        let base = Url::parse(base_url.trim()).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(wrong("expected http or https"));
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("expected no user and no password in it; keys go into headers"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("expected no query and no fragment"));
        }
        let path = base.path().trim_end_matches('/').to_owned();
        Ok(Endpoint {
            model,
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            base,
            path,
            headers: HeaderMap::new(),
        })
    }

    /// Sends a header with each request, in place of one of the same name. Its value is in no log.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when the name or the value is none; the value is not shown.
    pub(crate) fn header(&mut self, name: &str, value: &SecretString) -> Result<()> {
        let wrong = |what: &str| Error::config(what).with_model(self.model.clone());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("the name of a header is none"))?;
        let value = value.expose_secret();
        let visible = !value.trim().is_empty() && value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let value = visible.then(|| HeaderValue::from_str(value).ok()).flatten();
        let mut value = value.ok_or_else(|| {
            wrong(&format!("the value for the header {name} is empty, or has a line break or other than ASCII in it"))
        })?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(())
    }

    /// The base address, which holds no secret.
    pub(crate) fn base_url(&self) -> &str {
        self.base.as_str()
    }

    /// A request to post.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) when a header of the wire is none.
    pub(super) fn request(&self, encoded: Encoded, accept: &'static str) -> Result<Request> {
        let (path, query) = match encoded.path.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (encoded.path.as_str(), None),
        };
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.path));
        url.set_query(query);
        let mut request = Request::new(Method::POST, url);
        let mut headers = self.headers.clone();
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(accept));
        for (name, value) in encoded.headers {
            let wrong = || Error::config(format!("the header {name} cannot be sent")).with_model(self.model.clone());
            let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            let value = HeaderValue::try_from(value).map_err(|_| wrong())?;
            // What the host set stands.
            headers.entry(key).or_insert(value);
        }
        *request.headers_mut() = headers;
        *request.body_mut() = Some(encoded.body.into_bytes().into());
        Ok(request)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("model", &self.model.to_string())
            .field("base_url", &self.base_url())
            .field("headers", &self.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>())
            .field("timeouts", &self.timeouts)
            .field("limits", &self.limits)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn endpoint(base_url: &str) -> Result<Endpoint> {
        Endpoint::new(ModelId::new("acme", "m"), base_url)
    }

    #[test]
    fn an_address_that_is_none_is_refused_by_what_is_wrong_with_it() {
        let cases = [
            ("api.example.com/v1", "relative URL"),
            ("ftp://example.com", "expected http"),
            ("https://user:hunter2@example.com/v1", "no user"),
            ("https://example.com/v1?key=hunter2", "no query"),
            ("https://example.com/v1#x", "no fragment"),
        ];
        for (url, says) in cases {
            let error = endpoint(url).expect_err(url);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(says), "{error}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn the_path_follows_the_base_with_one_slash() {
        for (base, path, expected) in [
            ("https://a.example/v1", "/chat", "https://a.example/v1/chat"),
            ("https://a.example/v1/", "/chat", "https://a.example/v1/chat"),
            (" http://localhost:11434 ", "/api/chat", "http://localhost:11434/api/chat"),
            ("https://a.example/v1", "/m:go?alt=sse", "https://a.example/v1/m:go?alt=sse"),
            ("https://a.example", "/@b.example/#x", "https://a.example/@b.example/%23x"),
        ] {
            let endpoint = endpoint(base).expect("an address");
            let request = endpoint.request(Encoded::new(path, "{}"), "application/json").expect("a request");
            assert_eq!(request.url().as_str(), expected);
        }
    }

    #[test]
    fn a_value_that_cannot_be_sent_is_refused_and_not_shown() {
        let mut endpoint = endpoint("https://a.example").expect("an address");
        for value in ["", "hunter2\r\nx: y", "hunter2\n", "hunter2é"] {
            let error = endpoint.header("x-api-key", &value.into()).expect_err("no value");
            assert_eq!(error.kind(), ErrorKind::Config);
            let shown = format!("{error} {error:?}");
            assert!(shown.contains("x-api-key") && !shown.contains("hunter2"), "{shown}");
        }
        assert!(endpoint.header("no name", &"v".into()).is_err());
    }

    #[test]
    fn what_the_host_set_stands_and_is_not_shown() {
        let mut endpoint = endpoint("https://a.example").expect("an address");
        endpoint.header("X-Version", &"hunter2".into()).expect("a header");
        let mut encoded = Encoded::new("/", "{}");
        encoded.headers = vec![("x-version", "1".into()), ("x-other", "2".into())];
        let request = endpoint.request(encoded, "application/json").expect("a request");
        assert_eq!(request.headers()["x-version"], "hunter2");
        assert_eq!(request.headers()["x-other"], "2");
        assert_eq!(request.headers()["content-type"], "application/json");
        let shown = format!("{endpoint:?} {endpoint:#?} {:?}", request.headers());
        assert!(shown.contains("x-version") && !shown.contains("hunter2"), "{shown}");
        let mut bad = Encoded::new("/", "{}");
        bad.headers = vec![("x-other", "a\nb".into())];
        assert_eq!(endpoint.request(bad, "x").expect_err("no value").kind(), ErrorKind::Config);
    }
}
