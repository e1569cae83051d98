//! Which families of models take what.

/// What a model takes, as far as it is known. What is not known is sent, and the provider may refuse it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Takes {
    /// Temperature and top_p.
    pub(crate) sampling: bool,
    /// An effort: it thinks. `None` when that is not known.
    pub(crate) effort: Option<bool>,
}

/// What a model of this name takes. A gateway's prefix, such as `openai/`, does not count.
pub(crate) fn takes(model: &str) -> Takes {
    let name = model.rsplit('/').next().unwrap_or(model);
    let rows = include_str!("families.txt").lines().filter(|line| !line.starts_with('#'));
    let families = rows.filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        Some((fields.next()?, fields.next()? == "yes", fields.next()? == "yes"))
    });
    let known = families.filter(|(family, ..)| name.starts_with(family)).max_by_key(|(family, ..)| family.len());
    match known {
        Some((_, sampling, effort)) => Takes { sampling, effort: Some(effort) },
        None => Takes { sampling: true, effort: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_family_counts_and_an_unknown_model_is_sent_everything() {
        let takes = |model| {
            let takes = takes(model);
            (takes.sampling, takes.effort)
        };
        assert_eq!(takes("gpt-5-mini"), (false, Some(true)));
        assert_eq!(takes("gpt-5-chat-latest"), (true, Some(false)));
        assert_eq!(takes("openai/o3"), (false, Some(true)));
        assert_eq!(takes("gpt-4.1"), (true, Some(false)));
        assert_eq!(takes("llama-3.3-70b"), (true, None));
    }
}
