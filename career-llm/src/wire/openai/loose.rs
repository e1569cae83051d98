//! Shapes as servers send them, not as the documentation has them: what has another shape reads as nothing.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Words, borrowed where they are not escaped; a number or a boolean as it is written; empty for anything else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Word<'a>(pub(crate) Cow<'a, str>);

impl Word<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A JSON object; `None` for anything else.
#[derive(Debug, Clone)]
pub(crate) struct Object<T>(pub(crate) Option<T>);

impl<T> Default for Object<T> {
    fn default() -> Self {
        Object(None)
    }
}

/// A JSON array; empty for anything else.
#[derive(Debug, Clone)]
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        List(Vec::new())
    }
}

/// A count; `None` for anything else, 0 for what is below.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count(pub(crate) Option<u64>);

/// Whether there is anything but `null`, `false` and the empty string.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Present(pub(crate) bool);

/// JSON that should come inside of a string and sometimes comes bare.
#[derive(Debug, Clone, Default)]
pub(crate) struct Json<'a>(pub(crate) Cow<'a, str>);

/// Reads away what nobody wants.
pub(crate) fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

pub(crate) fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

impl<'de: 'a, 'a> Deserialize<'de> for Word<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words { bare: false }).map(Word)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Json<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Words { bare: true }).map(Json)
    }
}

/// Reads words; an array or an object is written out again if it counts bare.
struct Words {
    bare: bool,
}

impl<'de> Visitor<'de> for Words {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("words")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(v))
    }

    fn visit_str<E>(self, v: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(v.to_owned()))
    }

    fn visit_u64<E>(self, v: u64) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(v.to_string()))
    }

    fn visit_i64<E>(self, v: i64) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(v.to_string()))
    }

    fn visit_f64<E>(self, v: f64) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(v.to_string()))
    }

    fn visit_bool<E>(self, v: bool) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(if v { "true" } else { "false" }))
    }

    fn visit_unit<E>(self) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(""))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Cow<'de, str>, A::Error> {
        if !self.bare {
            return skip_seq(seq).map(|()| Cow::Borrowed(""));
        }
        Value::deserialize(SeqAccessDeserializer::new(seq)).map(|value| Cow::Owned(value.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cow<'de, str>, A::Error> {
        if !self.bare {
            return skip_map(map).map(|()| Cow::Borrowed(""));
        }
        Value::deserialize(MapAccessDeserializer::new(map)).map(|value| Cow::Owned(value.to_string()))
    }
}

/// Implements the methods of a visitor that give the same whatever the value of a shape is.
macro_rules! nothing_for {
    ($nothing:expr; $($shape:ident),*) => {
        $(nothing_for!(@ $shape $nothing);)*
    };
    (@ str $nothing:expr) => {
        fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@ number $nothing:expr) => {
        fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($nothing)
        }

        fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@ bool $nothing:expr) => {
        fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@ null $nothing:expr) => {
        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok($nothing)
        }
    };
    (@ seq $nothing:expr) => {
        fn visit_seq<A: serde::de::SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
            $crate::wire::openai::loose::skip_seq(seq).map(|()| $nothing)
        }
    };
    (@ map $nothing:expr) => {
        fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            $crate::wire::openai::loose::skip_map(map).map(|()| $nothing)
        }
    };
}
pub(crate) use nothing_for;

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Objects<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|value| Object(Some(value)))
            }

            nothing_for!(Object(None); str, number, bool, null, seq);
        }

        deserializer.deserialize_any(Objects(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Lists<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Lists<T> {
            type Value = List<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List<T>, A::Error> {
                let mut list = Vec::new();
                while let Some(Object(item)) = seq.next_element::<Object<T>>()? {
                    list.extend(item);
                }
                Ok(List(list))
            }

            nothing_for!(List(Vec::new()); str, number, bool, null, map);
        }

        deserializer.deserialize_any(Lists(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counts;

        impl<'de> Visitor<'de> for Counts {
            type Value = Count;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a count")
            }

            fn visit_u64<E>(self, v: u64) -> Result<Count, E> {
                Ok(Count(Some(v)))
            }

            fn visit_i64<E>(self, v: i64) -> Result<Count, E> {
                Ok(Count(Some(u64::try_from(v).unwrap_or(0))))
            }

            fn visit_f64<E>(self, v: f64) -> Result<Count, E> {
                // `as` rounds down and saturates, which is what is wanted of `12.0` and of nonsense alike.
                Ok(Count(Some(v as u64)))
            }

            fn visit_str<E>(self, v: &str) -> Result<Count, E> {
                Ok(Count(v.parse().ok()))
            }

            nothing_for!(Count(None); bool, null, seq, map);
        }

        deserializer.deserialize_any(Counts)
    }
}

impl<'de> Deserialize<'de> for Present {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Presents;

        impl<'de> Visitor<'de> for Presents {
            type Value = Present;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }

            fn visit_str<E>(self, v: &str) -> Result<Present, E> {
                Ok(Present(!v.is_empty()))
            }

            fn visit_bool<E>(self, v: bool) -> Result<Present, E> {
                Ok(Present(v))
            }

            fn visit_unit<E>(self) -> Result<Present, E> {
                Ok(Present(false))
            }

            nothing_for!(Present(true); number, seq, map);
        }

        deserializer.deserialize_any(Presents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct All<'a> {
        #[serde(borrow)]
        word: Word<'a>,
        #[serde(borrow)]
        json: Json<'a>,
        count: Count,
        present: Present,
        object: Object<Inner>,
        list: List<Inner>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Inner {
        n: Count,
    }

    fn read(field: &str, value: &str) -> String {
        let line = format!("{{\"{field}\":{value}}}");
        let all: All<'_> = serde_json::from_str(&line).expect("every shape is taken");
        match field {
            "word" => all.word.0.into_owned(),
            "json" => all.json.0.into_owned(),
            "count" => format!("{:?}", all.count.0),
            "present" => all.present.0.to_string(),
            "object" => format!("{:?}", all.object.0.map(|inner| inner.n.0)),
            _ => format!("{:?}", all.list.0.iter().map(|inner| inner.n.0).collect::<Vec<_>>()),
        }
    }

    #[test]
    fn every_shape_is_taken_and_the_wrong_one_is_nothing() {
        let shapes = ["null", "true", "7", "-1", "1.5", "\"7\"", "\"\"", "[{\"n\":1},2]", "{\"n\":2}"];
        let read = |field| shapes.map(|shape| read(field, shape));
        assert_eq!(read("word"), ["", "true", "7", "-1", "1.5", "7", "", "", ""]);
        assert_eq!(read("json"), ["", "true", "7", "-1", "1.5", "7", "", "[{\"n\":1},2]", "{\"n\":2}"]);
        let none = "None";
        assert_eq!(read("count"), [none, none, "Some(7)", "Some(0)", "Some(1)", "Some(7)", none, none, none]);
        assert_eq!(read("present"), ["false", "true", "true", "true", "true", "true", "false", "true", "true"]);
        assert_eq!(read("object"), [none, none, none, none, none, none, none, none, "Some(Some(2))"]);
        assert_eq!(read("list"), ["[]", "[]", "[]", "[]", "[]", "[]", "[]", "[Some(1)]", "[]"]);
    }

    #[test]
    fn words_without_escapes_are_borrowed() {
        let all: All<'_> = serde_json::from_str(r#"{"word":"plain","json":"{\"a\":1}"}"#).expect("JSON");
        assert!(matches!(all.word.0, Cow::Borrowed("plain")));
        assert_eq!(all.json.0, "{\"a\":1}");
    }
}
