//! [`MemoryVectors`]: an exact search over all vectors in memory.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use career_core::vector::check_filter;
use career_core::{Embedding, Metadata, Neighbour, Result, VectorIndex, VectorQuery};

use super::scan::{Best, normalise, similarity};

/// Vectors in memory, searched exactly.
///
/// A search reads every vector once, about 25 ms for 100,000 of 384 dimensions (154 MB) on one core, and does not
/// yield meanwhile; where that is too long for an async executor, call it in `spawn_blocking`. With a filter it reads
/// only what has all the pairs.
///
/// With 0 dimensions every vector is refused.
///
/// ```
/// use career_core::{Embedding, VectorIndex, VectorQuery};
/// use career_store::vectors::MemoryVectors;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> career_core::Result<()> {
/// let index = MemoryVectors::new(2);
/// index.upsert(vec![Embedding::new("nurse", [3.0, 4.0]), Embedding::new("pilot", [0.0, 1.0])]).await?;
/// let found = index.nearest(&VectorQuery::new([1.0, 0.0], 1)).await?;
/// assert_eq!((found[0].id.as_str(), found[0].similarity), ("nurse", 0.6));
/// # Ok(()) }
/// ```
pub struct MemoryVectors {
    dimensions: usize,
    rows: RwLock<Rows>,
}

/// A change that another index, which keeps a copy here, has made.
#[cfg(feature = "sqlite")]
#[derive(Debug)]
pub(super) enum Change {
    /// It has been checked.
    Put(Embedding),
    Remove(String),
}

/// Row `n` is `ids[n]`, `metadata[n]` and the `n`th `dimensions` numbers of `numbers`. The order of rows means nothing:
/// a deleted one is replaced by the last.
#[derive(Debug, Default)]
struct Rows {
    /// Every vector with length 1.
    numbers: Vec<f32>,
    ids: Vec<String>,
    metadata: Vec<Metadata>,
    by_id: HashMap<String, usize>,
    /// The rows that have a pair, by key and value; no set is empty.
    having: HashMap<String, HashMap<String, BTreeSet<usize>>>,
}

impl MemoryVectors {
    /// An empty index for vectors of so many numbers.
    pub fn new(dimensions: usize) -> Self {
        MemoryVectors { dimensions, rows: RwLock::default() }
    }

    /// Makes all changes at once, in order.
    #[cfg(feature = "sqlite")]
    pub(super) fn apply(&self, changes: Vec<Change>) {
        let mut rows = self.write();
        for change in changes {
            match change {
                Change::Put(embedding) => rows.put(embedding, self.dimensions),
                Change::Remove(id) => _ = rows.remove(&id, self.dimensions),
            }
        }
    }

    // Input is checked before the lock is taken, so no writer panics halfway and a poisoned lock guards whole rows.
    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryVectors")
            .field("dimensions", &self.dimensions)
            .field("len", &self.read().ids.len())
            .finish()
    }
}

#[async_trait]
impl VectorIndex for MemoryVectors {
    fn dimensions(&self) -> usize {
        self.dimensions
    }

    async fn upsert(&self, embeddings: Vec<Embedding>) -> Result<()> {
        Embedding::check_all(&embeddings, self.dimensions)?;
        let mut rows = self.write();
        embeddings.into_iter().for_each(|embedding| rows.put(embedding, self.dimensions));
        Ok(())
    }

    async fn delete(&self, ids: &[String]) -> Result<u64> {
        let mut rows = self.write();
        Ok(ids.iter().map(|id| u64::from(rows.remove(id, self.dimensions))).sum())
    }

    async fn delete_where(&self, filter: &Metadata) -> Result<u64> {
        check_filter(filter, true)?;
        let mut rows = self.write();
        let gone: Vec<String> = rows.matching(filter).map(|row| rows.ids[row].clone()).collect();
        Ok(gone.iter().map(|id| u64::from(rows.remove(id, self.dimensions))).sum())
    }

    async fn nearest(&self, query: &VectorQuery) -> Result<Vec<Neighbour>> {
        query.check(self.dimensions)?;
        if query.top == 0 {
            return Ok(Vec::new());
        }
        let mut direction = query.vector.clone();
        normalise(&mut direction);
        Ok(self.read().nearest(&direction, query.top, &query.filter))
    }

    async fn count(&self, filter: &Metadata) -> Result<u64> {
        check_filter(filter, false)?;
        let rows = self.read();
        Ok(if filter.is_empty() { rows.ids.len() } else { rows.matching(filter).count() } as u64)
    }
}

impl Rows {
    fn put(&mut self, embedding: Embedding, dimensions: usize) {
        let Embedding { id, mut vector, metadata, .. } = embedding;
        normalise(&mut vector);
        if let Some(&row) = self.by_id.get(&id) {
            self.forget_pairs(row);
            self.numbers[row * dimensions..][..dimensions].copy_from_slice(&vector);
            self.metadata[row] = metadata;
            self.note_pairs(row);
        } else {
            let row = self.ids.len();
            self.numbers.extend_from_slice(&vector);
            self.metadata.push(metadata);
            self.ids.push(id.clone());
            self.by_id.insert(id, row);
            self.note_pairs(row);
        }
    }

    /// Whether it was there.
    fn remove(&mut self, id: &str, dimensions: usize) -> bool {
        let Some(row) = self.by_id.remove(id) else { return false };
        let last = self.ids.len() - 1;
        self.forget_pairs(row);
        if row != last {
            self.forget_pairs(last);
            self.numbers.copy_within(last * dimensions.., row * dimensions);
            self.by_id.insert(self.ids[last].clone(), row);
        }
        self.numbers.truncate(last * dimensions);
        self.ids.swap_remove(row);
        self.metadata.swap_remove(row);
        if row != last {
            self.note_pairs(row);
        }
        true
    }

    fn note_pairs(&mut self, row: usize) {
        for (key, value) in &self.metadata[row] {
            // Looked up before it is entered: a known key or value is not copied.
            if !self.having.contains_key(key) {
                self.having.insert(key.clone(), HashMap::new());
            }
            let Some(values) = self.having.get_mut(key) else { continue };
            if let Some(set) = values.get_mut(value) {
                set.insert(row);
            } else {
                values.insert(value.clone(), BTreeSet::from([row]));
            }
        }
    }

    fn forget_pairs(&mut self, row: usize) {
        for (key, value) in &self.metadata[row] {
            let Some(values) = self.having.get_mut(key) else { continue };
            if let Some(set) = values.get_mut(value) {
                set.remove(&row);
                if set.is_empty() {
                    values.remove(value);
                }
            }
            if values.is_empty() {
                self.having.remove(key);
            }
        }
    }

    /// The rows that have all of these pairs, of which there must be one.
    fn matching(&self, filter: &Metadata) -> impl Iterator<Item = usize> {
        let sets: Option<Vec<&BTreeSet<usize>>> =
            filter.iter().map(|(key, value)| self.having.get(key)?.get(value)).collect();
        let mut sets = sets.unwrap_or_default();
        sets.sort_unstable_by_key(|set| set.len());
        let mut sets = sets.into_iter();
        let smallest = sets.next().into_iter().flatten().copied();
        let others: Vec<_> = sets.collect();
        smallest.filter(move |row| others.iter().all(|set| set.contains(row)))
    }

    fn nearest(&self, direction: &[f32], top: usize, filter: &Metadata) -> Vec<Neighbour> {
        let dimensions = direction.len();
        let mut best = Best::new(top);
        if filter.is_empty() {
            for (row, vector) in self.numbers.chunks_exact(dimensions).enumerate() {
                best.offer(similarity(vector, direction), row, || &self.ids[row]);
            }
        } else {
            for row in self.matching(filter) {
                let vector = &self.numbers[row * dimensions..][..dimensions];
                best.offer(similarity(vector, direction), row, || &self.ids[row]);
            }
        }
        let neighbour =
            |(row, similarity): (usize, f32)| Neighbour::new(&self.ids[row], similarity, self.metadata[row].clone());
        best.into_rows().map(neighbour).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Put(Vec<(u8, Vec<i8>, u8)>),
        Delete(Vec<u8>),
        DeleteWhere(Metadata),
    }

    /// Small numbers, so that equal directions and equal similarities are frequent.
    fn vector() -> impl Strategy<Value = Vec<i8>> {
        proptest::collection::vec(-2_i8..=2, 3).prop_filter("has a direction", |v| v.iter().any(|&x| x != 0))
    }

    fn filter() -> impl Strategy<Value = Metadata> {
        (0_u8..9).prop_map(metadata)
    }

    /// Nine sets of at most two pairs; the one of 0 is empty.
    fn metadata(n: u8) -> Metadata {
        let pair = |key: &str, n: u8| (n > 0).then(|| (key.to_owned(), n.to_string()));
        [pair("a", n % 3), pair("b", n / 3)].into_iter().flatten().collect()
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => proptest::collection::vec((0_u8..20, vector(), 0_u8..9), 0..6).prop_map(Step::Put),
            2 => proptest::collection::vec(0_u8..20, 0..6).prop_map(Step::Delete),
            1 => filter().prop_map(Step::DeleteWhere),
        ]
    }

    fn floats(vector: &[i8]) -> Vec<f32> {
        vector.iter().map(|&x| f32::from(x)).collect()
    }

    fn embedding((id, (vector, metadata)): (String, (Vec<f32>, Metadata))) -> Embedding {
        metadata.into_iter().fold(Embedding::new(id, vector), |embedding, (key, value)| embedding.with(key, value))
    }

    fn has(metadata: &Metadata, filter: &Metadata) -> bool {
        filter.iter().all(|(key, value)| metadata.get(key) == Some(value))
    }

    fn cosine(a: &[f32], b: &[f32]) -> f32 {
        let direction = |vector: &[f32]| {
            let mut vector = vector.to_vec();
            normalise(&mut vector);
            vector
        };
        similarity(&direction(a), &direction(b))
    }

    proptest! {
        #[test]
        fn nearest_is_the_head_of_a_sorted_list(
            steps in proptest::collection::vec(step(), 0..20),
            query in vector(),
            filter in filter(),
            top in 0_usize..25,
        ) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("builds");
            let index = MemoryVectors::new(3);
            let mut model: BTreeMap<String, (Vec<f32>, Metadata)> = BTreeMap::new();
            for step in steps {
                match step {
                    Step::Put(rows) => {
                        let of = |(id, vector, n): &(u8, Vec<i8>, u8)| (id.to_string(), (floats(vector), metadata(*n)));
                        model.extend(rows.iter().map(of));
                        runtime.block_on(index.upsert(rows.iter().map(of).map(embedding).collect())).expect("takes");
                    }
                    Step::Delete(ids) => {
                        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                        let gone = ids.iter().filter(|&id| model.remove(id).is_some()).count();
                        prop_assert_eq!(runtime.block_on(index.delete(&ids)).expect("deletes"), gone as u64);
                    }
                    Step::DeleteWhere(filter) if filter.is_empty() => {}
                    Step::DeleteWhere(filter) => {
                        let before = model.len();
                        model.retain(|_, (_, metadata)| !has(metadata, &filter));
                        let gone = runtime.block_on(index.delete_where(&filter)).expect("deletes");
                        prop_assert_eq!(gone, (before - model.len()) as u64);
                    }
                }
            }
            let query = floats(&query);
            let mut expected: Vec<_> = model
                .iter()
                .filter(|(_, (_, metadata))| has(metadata, &filter))
                .map(|(id, (vector, metadata))| Neighbour::new(id, cosine(vector, &query), metadata.clone()))
                .collect();
            prop_assert_eq!(runtime.block_on(index.count(&filter)).expect("counts"), expected.len() as u64);
            expected.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then_with(|| a.id.cmp(&b.id)));
            expected.truncate(top);
            let ask = VectorQuery::new(query, top);
            let ask = filter.into_iter().fold(ask, |ask, (key, value)| ask.only(key, value));
            prop_assert_eq!(runtime.block_on(index.nearest(&ask)).expect("answers"), expected);
        }
    }
}
