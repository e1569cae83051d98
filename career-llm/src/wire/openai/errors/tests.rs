use super::*;

/// status, body, then kind, scope, code and message that they mean.
type Row = (u16, &'static str, ErrorKind, Scope, Option<&'static str>, Option<&'static str>);

#[test]
fn every_shape_of_a_failure_is_read() {
    use ErrorKind::*;
    use Scope::*;
    let rows: &[Row] = &[
        (
            400,
            r#"{"error":{"message":"bad","type":"invalid_request_error","param":"messages[0].content","code":null}}"#,
            Invalid,
            Elsewhere,
            Some("invalid_request_error"),
            Some("bad"),
        ),
        (
            400,
            r#"{"error":{"message":"long","type":"invalid_request_error","code":"context_length_exceeded"}}"#,
            ContextTooLong,
            Elsewhere,
            Some("context_length_exceeded"),
            Some("long"),
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error","n_ctx":4096}}"#,
            ContextTooLong,
            Elsewhere,
            Some("400"),
            Some("too long"),
        ),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 4096 tokens.","type":"BadRequestError","code":400}}"#,
            ContextTooLong,
            Elsewhere,
            Some("400"),
            Some("This model's maximum context length is 4096 tokens."),
        ),
        (
            400,
            r#"{"error":{"message":"You wrote: This model's maximum context length is","code":400}}"#,
            Invalid,
            Elsewhere,
            Some("400"),
            Some("You wrote: This model's maximum context length is"),
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"content_filter","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            Filtered,
            Nowhere,
            Some("content_filter"),
            Some("m"),
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"invalid_prompt"}}"#,
            Filtered,
            Nowhere,
            Some("invalid_prompt"),
            Some("m"),
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"json_validate_failed"}}"#,
            Output,
            Elsewhere,
            Some("json_validate_failed"),
            Some("m"),
        ),
        (
            400,
            r#"{"code":"Client specified an invalid argument","error":"no such field"}"#,
            Invalid,
            Elsewhere,
            None,
            Some("Client specified an invalid argument: no such field"),
        ),
        (
            401,
            r#"{"error":{"message":"wrong key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            Auth,
            Elsewhere,
            Some("invalid_api_key"),
            Some("wrong key"),
        ),
        (
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            Quota,
            Elsewhere,
            Some("invalid_request_error"),
            Some("Insufficient Balance"),
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"]}}}"#,
            Filtered,
            Nowhere,
            Some("403"),
            Some("flagged"),
        ),
        // Refusals that have no code of their own; asked elsewhere, they would find a laxer model.
        (
            400,
            r#"{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
            Filtered,
            Nowhere,
            Some("invalid_request_error"),
            Some("Content Exists Risk"),
        ),
        (400, r#"{"detail":"Content Exists Risk"}"#, Filtered, Nowhere, None, Some("Content Exists Risk")),
        (
            403,
            r#"{"code":"The caller may not","error":"Content violates usage guidelines. Failed check: BIO"}"#,
            Filtered,
            Nowhere,
            None,
            Some("The caller may not: Content violates usage guidelines. Failed check: BIO"),
        ),
        (
            400,
            r#"{"error":{"message":"You wrote: Content Exists Risk","code":400}}"#,
            Invalid,
            Elsewhere,
            Some("400"),
            Some("You wrote: Content Exists Risk"),
        ),
        (
            400,
            r#"{"error":{"message":"m","code":"data_inspection_failed"}}"#,
            Filtered,
            Nowhere,
            Some("data_inspection_failed"),
            Some("m"),
        ),
        (
            429,
            r#"{"error":{"message":"m","code":"billing_not_active"}}"#,
            Quota,
            Elsewhere,
            Some("billing_not_active"),
            Some("m"),
        ),
        (403, r#"{"error":"denied"}"#, Auth, Elsewhere, None, Some("denied")),
        (
            404,
            r#"{"object":"error","message":"no model","type":"NotFoundError","param":null,"code":404}"#,
            NotFound,
            Elsewhere,
            Some("404"),
            Some("no model"),
        ),
        (408, "", Timeout(crate::Timeout::Provider), Here, None, None),
        (
            413,
            "<html>413 Request Entity Too Large</html>",
            ContextTooLong,
            Elsewhere,
            None,
            // A proxy's page, which tells nothing.
            None,
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","seed"],"msg":"extra"}]}"#,
            Invalid,
            Elsewhere,
            None,
            Some(r#"[{"loc":["body","seed"],"msg":"extra"}]"#),
        ),
        (
            429,
            r#"{"error":{"message":"slow","type":"requests","code":"rate_limit_exceeded"}}"#,
            Throttled,
            Here,
            Some("rate_limit_exceeded"),
            Some("slow"),
        ),
        (429, "Too many requests\n", Throttled, Here, None, Some("Too many requests")),
        (
            429,
            r#"{"error":{"message":"q","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Quota,
            Elsewhere,
            Some("insufficient_quota"),
            Some("q"),
        ),
        (
            429,
            r#"{"error":{"message":"q","type":"insufficient_quota","code":null}}"#,
            Quota,
            Elsewhere,
            Some("insufficient_quota"),
            Some("q"),
        ),
        (
            429,
            r#"{"error":{"message":"q","code":"credit_balance_exhausted"}}"#,
            Quota,
            Elsewhere,
            Some("credit_balance_exhausted"),
            Some("q"),
        ),
        (
            429,
            r#"{"error":{"message":"q","code":"project_spend_limit_exceeded"}}"#,
            SpendCap,
            Elsewhere,
            Some("project_spend_limit_exceeded"),
            Some("q"),
        ),
        (
            429,
            r#"{"error":{"message":"q","code":"organization_usage_limit_exceeded"}}"#,
            SpendCap,
            Elsewhere,
            Some("organization_usage_limit_exceeded"),
            Some("q"),
        ),
        (500, r#"[{"error":{"message":"oops","code":500}}]"#, Overloaded, Here, Some("500"), Some("oops")),
        (
            503,
            r#"{"error":{"message":"busy","code":"server_is_overloaded"}}"#,
            Overloaded,
            Here,
            Some("server_is_overloaded"),
            Some("busy"),
        ),
        (529, r#"{"ok":false}"#, Overloaded, Here, None, None),
    ];
    for (status, body, kind, scope, code, message) in rows {
        let status = StatusCode::from_u16(*status).expect("a status");
        let error = failure(status, &HeaderMap::new(), body.as_bytes());
        let found = (error.kind(), error.advice().scope, error.code(), error.provider_message().map(Text::as_str));
        assert_eq!(found, (*kind, *scope, *code, *message), "{status} {body}");
        assert_eq!(error.status(), Some(status.as_u16()));
    }
}

#[test]
fn inside_of_a_success_the_code_tells_the_kind() {
    use ErrorKind::*;
    let rows = [
        (r#"{"error":{"code":429,"message":"m"},"choices":[{"finish_reason":"error"}]}"#, Throttled),
        (r#"{"error":{"code":"rate_limit_exceeded","message":"m"}}"#, Throttled),
        (r#"{"error":{"type":"server_error","message":"m"}}"#, Overloaded),
        (r#"{"error":{"code":"insufficient_quota","message":"m"}}"#, Quota),
        (r#"{"code":"invalid_api_key","error":"m"}"#, Auth),
        (r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#, Invalid),
        (r#"{"error":{"code":"vector_store_timeout","message":"m"}}"#, Timeout(crate::Timeout::Provider)),
        (r#"{"id":"x","x_groq":{"error":"m"}}"#, Overloaded),
    ];
    for (body, kind) in rows {
        let error = told(body).expect(body);
        assert_eq!((error.kind(), error.status()), (kind, Some(200)), "{body}");
        assert_eq!(error.provider_message().map(Text::as_str), Some("m"), "{body}");
    }
    assert!(told(r#"{"id":"x","choices":[]}"#).is_none());
    assert!(told(r#"{"type":"ping"}"#).is_none());
}

#[test]
fn whether_to_ask_again_is_believed_but_a_refusal_stays_one() {
    let scope = |status: u16, body: &str, again: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-should-retry", http::HeaderValue::from_static(again));
        let status = StatusCode::from_u16(status).expect("a status");
        failure(status, &headers, body.as_bytes()).advice().scope
    };
    assert_eq!(scope(429, "", "false"), Scope::Elsewhere);
    assert_eq!(scope(400, "", "true"), Scope::Here);
    assert_eq!(scope(500, "", "true"), Scope::Here);
    assert_eq!(scope(400, r#"{"error":{"code":"content_filter"}}"#, "false"), Scope::Nowhere);
    assert_eq!(scope(400, r#"{"error":{"code":"content_filter"}}"#, "true"), Scope::Nowhere);
    assert_eq!(scope(429, r#"{"error":{"code":"insufficient_quota"}}"#, "true"), Scope::Elsewhere);
}

#[test]
fn what_may_quote_the_request_stays_in_the_providers_message() {
    let body = r#"{"error":{"message":"secret","code":"my secret words","param":"the secret","type":"also secret!"}}"#;
    let error = failure(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes());
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    assert_eq!(error.provider_message().map(Text::as_str), Some("my secret words: secret"));
    let page = "न".repeat(5_000);
    let error = failure(StatusCode::BAD_GATEWAY, &HeaderMap::new(), page.as_bytes());
    assert!(error.provider_message().is_some_and(|text| text.len() <= MESSAGE_MAX && text.len() > MESSAGE_MAX - 4));
    let wrong = serde_json::from_str::<u8>("\"secret\"").expect_err("no number");
    assert!(!format!("{:?}", bad_json(&wrong)).contains("secret"));
}
