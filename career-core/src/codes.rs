//! Codes of a career in the public classifications.

use serde::{Deserialize, Serialize};

use crate::macros::checked_string;
use crate::{Error, Result};

fn isco08(text: &str) -> Result<&str> {
    if text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(text)
    } else {
        Err(Error::invalid("expected an ISCO-08 unit group: four digits"))
    }
}

fn nco2015(text: &str) -> Result<&str> {
    let (family, rest) = text.split_at_checked(4).unwrap_or((text, ""));
    let digits = |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    if digits(family, 4) && (rest.is_empty() || rest.strip_prefix('.').is_some_and(|title| digits(title, 4))) {
        Ok(text)
    } else {
        Err(Error::invalid("expected an NCO-2015 code: four digits, or four digits, a point and four digits"))
    }
}

fn onet_soc(text: &str) -> Result<&str> {
    let shape = "dd-dddd.dd";
    let fits = text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(b, s)| if s == b'd' { b.is_ascii_digit() } else { b == s });
    if fits { Ok(text) } else { Err(Error::invalid("expected an O*NET-SOC code such as 15-2051.00")) }
}

fn esco_uri(text: &str) -> Result<&str> {
    match text.strip_prefix("http://data.europa.eu/esco/occupation/") {
        Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => Ok(text),
        _ => Err(Error::invalid("expected the URI of an ESCO occupation")),
    }
}

checked_string! {
    /// An ISCO-08 unit group: four digits.
    pub struct Isco08(isco08);
}

checked_string! {
    /// An occupation or family of India's National Classification of Occupations 2015: `2512` or `2512.0100`.
    pub struct Nco2015(nco2015);
}

checked_string! {
    /// An O*NET-SOC code: `15-2051.00`.
    pub struct OnetSoc(onet_soc);
}

checked_string! {
    /// The URI of an ESCO occupation.
    pub struct EscoUri(esco_uri);
}

/// Codes of one career in the public classifications.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema, bon::Builder)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OccupationCodes {
    /// ISCO-08 unit group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isco08: Option<Isco08>,
    /// O*NET-SOC code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onet_soc: Option<OnetSoc>,
    /// ESCO occupation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub esco: Option<EscoUri>,
    /// NCO-2015 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nco2015: Option<Nco2015>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_shapes() {
        assert!(Isco08::new("2512").is_ok() && Isco08::new("251").is_err() && Isco08::new("25x2").is_err());
        assert!(
            OnetSoc::new("15-2051.00").is_ok()
                && OnetSoc::new("15-2051").is_err()
                && OnetSoc::new("15.2051-00").is_err()
        );
        assert!(Nco2015::new("2512.0100").is_ok() && Nco2015::new("2512").is_ok());
        assert!(Nco2015::new("2512.").is_err() && Nco2015::new("é51").is_err());
        assert!(
            EscoUri::new("http://data.europa.eu/esco/occupation/0ee67d5e").is_ok() && EscoUri::new("0ee67d5e").is_err()
        );
    }
}
