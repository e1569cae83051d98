//! No bytes make a prompt template panic or go past its limits, neither when it is read nor when it is rendered with its
//! own examples.
#![no_main]

use career_llm::prompts::{Limits, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    match Template::parse_within("fuzz.md", source, Limits::default()) {
        Ok(template) => {
            assert_eq!(template.source(), source);
            if let Ok(request) = template.render(&template.examples()) {
                request.check().expect("a template that renders gives a request that can be sent");
            }
        }
        Err(error) => assert!(error.to_string().contains("fuzz.md"), "it names no place: {error}"),
    }
});
