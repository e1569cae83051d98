//! Tables of families of models: who takes what, as data.

/// A table, read once. A row is words apart by spaces: the beginning of the names of a family, `*` for any, and what is
/// known of it; `#` begins a comment.
#[derive(Debug)]
pub(super) struct Families(Vec<(&'static str, Vec<&'static str>)>);

impl Families {
    /// Reads a table.
    pub(super) fn read(table: &'static str) -> Self {
        let rows = table.lines().filter(|line| !line.starts_with('#'));
        let rows = rows.filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.trim_end_matches('*'), words.collect()))
        });
        Families(rows.collect())
    }

    /// What is known of a model's family, the one with the longest beginning of its name; nothing of a model of none.
    pub(super) fn of(&self, model: &str) -> &[&'static str] {
        let fitting = self.0.iter().filter(|(beginning, _)| model.starts_with(beginning));
        fitting.max_by_key(|(beginning, _)| beginning.len()).map_or(&[], |(_, fields)| fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        let families = Families::read("# a comment\n\n*  any\nab  two words\nabc three\n");
        assert_eq!(families.of("abd"), ["two", "words"]);
        assert_eq!(families.of("abcd"), ["three"]);
        assert_eq!(families.of("x"), ["any"]);
        assert!(Families::read("ab x").of("a").is_empty());
    }
}
