//! No text makes a query with it as its cursor panic, and one that is taken leads to a place of the query's own.
#![no_main]

use career_core::store::{Cursor, KeyType, KeyValue, Query, Record};
use career_core::{Application, ErrorKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for query in [Query::all(), Query::all().newest(), Query::all().ascending("status")] {
        match query.after(Some(Cursor::from_text(text))).check(Application::KIND) {
            Ok(checked) => match (checked.after.expect("there is a cursor").0, checked.holds) {
                (KeyValue::Text(_), KeyType::Text) | (KeyValue::Time(_), KeyType::Time) => {}
                (value, holds) => panic!("{value:?} is no {holds:?}"),
            },
            Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid),
        }
    }
});
