//! A sentence encoder that runs here, from the files of a folder.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};
use tokio::sync::oneshot;

use super::{Embedder, Purpose, normalise};
use crate::{Error, ErrorKind, ModelId, Result, Text};

/// Texts that go through the encoder at once: more take more memory and are hardly quicker on a CPU.
const BATCH: usize = 32;
/// Tokens of a text when the folder does not say: what sentence encoders are mostly trained with.
const TOKENS: usize = 256;
/// The steps that are taken here. Without another one that a model was trained with, its vectors would be wrong.
const MODULES: [&str; 3] = ["Transformer", "Pooling", "Normalize"];

/// A sentence encoder of the BERT family, such as all-MiniLM-L6-v2 or multilingual-e5-small, on the CPU.
/// Nothing leaves the machine.
///
/// The folder holds what such models are published as: `config.json`, `tokenizer.json`, `model.safetensors`, and where
/// the model has them `modules.json` (what comes after the encoder), `1_Pooling/config.json` (mean or first token),
/// `sentence_bert_config.json` (most tokens) and `config_sentence_transformers.json` (words before a query and a
/// document). Longer texts are cut.
///
/// ```no_run
/// use career_llm::embed::{Embedder, LocalEmbedder};
///
/// # fn main() -> career_llm::Result<()> {
/// let embedder = LocalEmbedder::load("models/all-MiniLM-L6-v2")?;
/// assert_eq!(embedder.dimensions(), 384);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct LocalEmbedder {
    id: ModelId,
    encoder: Arc<Encoder>,
    before_query: Text,
    before_document: Text,
}

struct Encoder {
    model: BertModel,
    tokenizer: Tokenizer,
    dimensions: usize,
    first_token: bool,
}

/// A step of a sentence encoder.
#[derive(Deserialize)]
struct Module {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sizes {
    max_seq_length: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sentences {
    prompts: Prompts,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Prompts {
    query: String,
    #[serde(alias = "passage")]
    document: String,
}

impl LocalEmbedder {
    /// Loads a folder. This reads the whole model and takes a while: in a server, load before serving.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] that names the file that is missing, malformed, or does not fit the others;
    /// [`ErrorKind::Unsupported`] for another family of models or another pooling.
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        let folder = folder.as_ref();
        let config = read(folder, "config.json")?.ok_or_else(|| missing("config.json"))?;
        let config: Config = parse("config.json", &config)?;
        if let Some(family) = config.model_type.as_deref().filter(|family| *family != "bert") {
            let message = format!("config.json: expected a model of type `bert`, found `{family}`");
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let modules: Vec<Module> = optional(folder, "modules.json")?;
        if let Some(Module { kind }) = modules.iter().find(|module| !MODULES.iter().any(|known| module.is(known))) {
            let message = format!("modules.json: expected {}, found `{kind}`", MODULES.join(", "));
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let sizes: Sizes = optional(folder, "sentence_bert_config.json")?;
        let sentences: Sentences = optional(folder, "config_sentence_transformers.json")?;
        let most = sizes.max_seq_length.unwrap_or(TOKENS).min(config.max_position_embeddings);
        let name = folder.canonicalize().ok();
        let name = name.as_deref().and_then(Path::file_name).map_or("model".into(), |name| name.to_string_lossy());
        let encoder = Encoder {
            tokenizer: tokenizer(folder, most, config.pad_token_id)?,
            model: model(folder, &config)?,
            dimensions: config.hidden_size,
            first_token: pools_first_token(folder)?,
        };
        let Prompts { query, document } = sentences.prompts;
        Ok(LocalEmbedder {
            id: ModelId::new("local", &*name),
            encoder: Arc::new(encoder),
            before_query: query.into(),
            before_document: document.into(),
        })
    }

    /// Words to put before a query and before a document, in place of what the folder says; some models were trained
    /// with such, and need them. The [`id`](Embedder::id) tells them: other words give other vectors.
    #[must_use]
    pub fn with_prefixes(mut self, query: impl Into<Text>, document: impl Into<Text>) -> Self {
        let (query, document) = (query.into(), document.into());
        if (&query, &document) != (&self.before_query, &self.before_document) {
            let hash = Sha256::digest(format!("{}\n{query}{document}", query.len()));
            let code: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
            self.id = ModelId::new("local", format!("{}-{code}", self.id.model));
        }
        self.before_query = query;
        self.before_document = document;
        self
    }
}

impl fmt::Debug for LocalEmbedder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dimensions = self.encoder.dimensions;
        f.debug_struct("LocalEmbedder").field("id", &self.id).field("dimensions", &dimensions).finish_non_exhaustive()
    }
}

#[async_trait]
impl Embedder for LocalEmbedder {
    fn id(&self) -> ModelId {
        self.id.clone()
    }

    fn dimensions(&self) -> usize {
        self.encoder.dimensions
    }

    async fn embed(&self, texts: &[Text], purpose: Purpose) -> Result<Vec<Vec<f32>>> {
        let before = match purpose {
            Purpose::Query => self.before_query.clone(),
            Purpose::Document => self.before_document.clone(),
        };
        let (encoder, texts) = (self.encoder.clone(), texts.to_vec());
        // Dropped with this future; then nobody waits for the vectors any more.
        let (waiting, _waits) = oneshot::channel::<()>();
        // It computes for milliseconds to seconds, which must not hold up the runtime's other work.
        let embedding = tokio::task::spawn_blocking(move || encoder.embed(&texts, &before, &waiting)).await;
        let embedding = embedding.map_err(|error| match error.is_panic() {
            true => Error::new(ErrorKind::Backend, "the encoder panicked"),
            false => Error::new(ErrorKind::Cancelled, "the runtime is stopping"),
        })?;
        embedding.map_err(|error| error.with_model(self.id()))
    }
}

impl Encoder {
    fn embed(&self, texts: &[Text], before: &str, waiting: &oneshot::Sender<()>) -> Result<Vec<Vec<f32>>> {
        // Texts of a like length are padded the least.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|at| texts[*at].len());
        let mut vectors = vec![Vec::new(); texts.len()];
        for batch in order.chunks(BATCH) {
            if waiting.is_closed() {
                return Err(Error::new(ErrorKind::Cancelled, "the caller went away"));
            }
            let words = batch.iter().map(|at| format!("{before}{}", texts[*at])).collect();
            let embedded = self
                .embed_batch(words)
                .map_err(|error| Error::new(ErrorKind::Backend, "the encoder failed").with_source(error))?;
            for (at, mut vector) in batch.iter().zip(embedded) {
                if !normalise(&mut vector) {
                    return Err(Error::protocol("the encoder gave a vector without a direction"));
                }
                vectors[*at] = vector;
            }
        }
        Ok(vectors)
    }

    fn embed_batch(&self, words: Vec<String>) -> Result<Vec<Vec<f32>>, Box<dyn std::error::Error + Send + Sync>> {
        let encodings = self.tokenizer.encode_batch(words, true)?;
        let rows = |of: fn(&tokenizers::Encoding) -> &[u32]| {
            let rows = encodings.iter().map(|encoding| Tensor::new(of(encoding), &Device::Cpu));
            Tensor::stack(&rows.collect::<Result<Vec<_>, _>>()?, 0)
        };
        let (ids, kinds, mask) = (
            rows(|encoding| encoding.get_ids())?,
            rows(|encoding| encoding.get_type_ids())?,
            rows(|encoding| encoding.get_attention_mask())?,
        );
        let hidden = self.model.forward(&ids, &kinds, Some(&mask))?;
        let pooled = if self.first_token {
            hidden.narrow(1, 0, 1)?.squeeze(1)?
        } else {
            let mask = mask.to_dtype(DType::F32)?.unsqueeze(2)?;
            hidden.broadcast_mul(&mask)?.sum(1)?.broadcast_div(&mask.sum(1)?)?
        };
        Ok(pooled.to_vec2()?)
    }
}

impl Module {
    /// Whether it is of this kind: kinds are paths of Python, such as `sentence_transformers.models.Pooling`.
    fn is(&self, kind: &str) -> bool {
        self.kind.rsplit('.').next() == Some(kind)
    }
}

/// Whether the first token stands for the text, and not the mean of all.
fn pools_first_token(folder: &Path) -> Result<bool> {
    const FILE: &str = "1_Pooling/config.json";
    let Some(bytes) = read(folder, FILE)? else { return Ok(false) };
    let settings: serde_json::Map<String, serde_json::Value> = parse(FILE, &bytes)?;
    // More than one puts them side by side.
    let on = settings.iter().filter(|(name, on)| name.starts_with("pooling_mode_") && **on == true);
    match on.map(|(name, _)| name.as_str()).collect::<Vec<_>>().as_slice() {
        ["pooling_mode_cls_token"] => Ok(true),
        ["pooling_mode_mean_tokens"] => Ok(false),
        _ => Err(Error::new(ErrorKind::Unsupported, format!("{FILE}: expected mean or first token, and one of them"))),
    }
}

fn model(folder: &Path, config: &Config) -> Result<BertModel> {
    const FILE: &str = "model.safetensors";
    let wrong =
        |error: candle_core::Error| Error::config(format!("{FILE}: not the model of config.json")).with_source(error);
    let weights = read(folder, FILE)?.ok_or_else(|| missing(FILE))?;
    let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu).map_err(wrong)?;
    BertModel::load(weights, config).map_err(wrong)
}

fn tokenizer(folder: &Path, most: usize, pad_id: usize) -> Result<Tokenizer> {
    const FILE: &str = "tokenizer.json";
    let bytes = read(folder, FILE)?.ok_or_else(|| missing(FILE))?;
    let wrong = |error: tokenizers::Error| Error::config(format!("{FILE}: malformed")).with_source(error);
    let mut tokenizer = Tokenizer::from_bytes(bytes).map_err(wrong)?;
    let pad_id = u32::try_from(pad_id).map_err(|_| Error::config("config.json: pad_token_id is out of range"))?;
    let pad_token =
        tokenizer.id_to_token(pad_id).ok_or_else(|| Error::config(format!("{FILE}: lacks pad_token_id")))?;
    // Beginning and end of a text take two.
    if most < 3 {
        return Err(Error::config("expected room for at least 3 tokens"));
    }
    let truncation = TruncationParams { max_length: most, ..TruncationParams::default() };
    tokenizer.with_truncation(Some(truncation)).map_err(wrong)?;
    tokenizer.with_padding(Some(PaddingParams { pad_id, pad_token, ..PaddingParams::default() }));
    Ok(tokenizer)
}

fn missing(file: &str) -> Error {
    Error::config(format!("{file}: not there"))
}

/// A file of the folder, if it is there.
fn read(folder: &Path, file: &str) -> Result<Option<Vec<u8>>> {
    match std::fs::read(folder.join(file)) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::config(format!("{file}: cannot be read")).with_source(error)),
    }
}

fn optional<T: serde::de::DeserializeOwned + Default>(folder: &Path, file: &str) -> Result<T> {
    read(folder, file)?.map_or_else(|| Ok(T::default()), |bytes| parse(file, &bytes))
}

fn parse<T: serde::de::DeserializeOwned>(file: &str, bytes: &[u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| Error::config(format!("{file}: {error}")))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::embed::EmbedderExt;

    /// A folder with a small encoder whose weights are made by rule.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |file: &str, value: serde_json::Value| {
            fs::write(folder.path().join(file), value.to_string()).expect("written");
        };
        let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "nurse", "##s", "career", "number", "a", "##9", "##6", "6"];
        let vocabulary: HashMap<&str, usize> = words.iter().enumerate().map(|(at, word)| (*word, at)).collect();
        write(
            "config.json",
            json!({
                "model_type": "bert", "vocab_size": words.len(), "hidden_size": 8, "num_hidden_layers": 2,
                "num_attention_heads": 2, "intermediate_size": 16, "hidden_act": "gelu", "hidden_dropout_prob": 0.1,
                "max_position_embeddings": 32, "type_vocab_size": 2, "initializer_range": 0.02, "layer_norm_eps": 1e-12,
                "pad_token_id": 0
            }),
        );
        write(
            "tokenizer.json",
            json!({
                "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "decoder": null,
                "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                    "strip_accents": null, "lowercase": true},
                "pre_tokenizer": {"type": "BertPreTokenizer"},
                "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
                "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100, "vocab": vocabulary}
            }),
        );
        let map = candle_nn::VarMap::new();
        let config = parse("config.json", &fs::read(folder.path().join("config.json")).expect("written"));
        let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
        BertModel::load(builder, &config.expect("a config")).expect("a model");
        let mut names: Vec<String> = map.data().lock().expect("not poisoned").keys().cloned().collect();
        names.sort();
        for (seed, name) in names.iter().enumerate() {
            let data = map.data().lock().expect("not poisoned");
            let var = &data[name];
            let count = var.elem_count();
            let numbers: Vec<f32> = (0..count).map(|n| ((n * 37 + seed * 101) as f32 * 0.7).sin() * 0.5).collect();
            var.set(&Tensor::from_vec(numbers, var.shape(), &Device::Cpu).expect("a tensor")).expect("set");
        }
        map.save(folder.path().join("model.safetensors")).expect("saved");
        folder
    }

    #[tokio::test]
    #[cfg(feature = "testkit")]
    async fn it_keeps_the_contract_whatever_the_pooling() {
        let folder = folder();
        crate::testkit::embedder::all(&LocalEmbedder::load(folder.path()).expect("loads")).await;
        fs::create_dir(folder.path().join("1_Pooling")).expect("made");
        fs::write(folder.path().join("1_Pooling/config.json"), r#"{"pooling_mode_cls_token": true}"#).expect("written");
        crate::testkit::embedder::all(&LocalEmbedder::load(folder.path()).expect("loads")).await;
    }

    #[tokio::test]
    async fn words_before_a_query_tell_it_from_a_document() {
        let embedder = LocalEmbedder::load(folder().path()).expect("loads");
        let document = embedder.embed_one("nurse", Purpose::Document).await.expect("embedded");
        let query = embedder.embed_one("nurse", Purpose::Query).await.expect("embedded");
        assert_eq!(document, query);
        let plain = embedder.id();
        assert_eq!(embedder.clone().with_prefixes("", "").id(), plain, "nothing changed");
        let embedder = embedder.with_prefixes("career ", "");
        assert_ne!(embedder.id(), plain, "its vectors are others");
        let prefixed = embedder.embed_one("nurse", Purpose::Query).await.expect("embedded");
        let spelt_out = embedder.embed_one("career nurse", Purpose::Document).await.expect("embedded");
        assert_ne!(document, prefixed);
        assert_eq!(prefixed, spelt_out);
    }

    #[test]
    fn a_step_that_is_not_taken_here_is_refused_and_not_left_out() {
        let folder = folder();
        let modules = |last: &str| {
            let kinds = ["models.Transformer", "models.Pooling", last]
                .map(|kind| json!({"type": format!("sentence_transformers.{kind}")}));
            fs::write(folder.path().join("modules.json"), json!(kinds).to_string()).expect("written");
            LocalEmbedder::load(folder.path())
        };
        assert!(modules("models.Normalize").is_ok());
        let error = modules("models.Dense").expect_err("it would change the vectors");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("found `sentence_transformers.models.Dense`"), "{error}");
        modules("models.Normalize").expect("loads");
        fs::create_dir(folder.path().join("1_Pooling")).expect("made");
        for wrong in [
            json!({"pooling_mode_cls_token": true, "pooling_mode_mean_tokens": true}),
            json!({"pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": true}),
            json!({"pooling_mode_max_tokens": true}),
            json!({}),
        ] {
            fs::write(folder.path().join("1_Pooling/config.json"), wrong.to_string()).expect("written");
            let error = LocalEmbedder::load(folder.path()).expect_err("another pooling");
            assert_eq!(error.kind(), ErrorKind::Unsupported);
        }
    }

    #[test]
    fn when_nobody_waits_the_encoder_stops() {
        let embedder = LocalEmbedder::load(folder().path()).expect("loads");
        let (waiting, waits) = oneshot::channel();
        assert!(embedder.encoder.embed(&["nurse".into()], "", &waiting).is_ok());
        drop(waits);
        let error = embedder.encoder.embed(&["nurse".into()], "", &waiting).expect_err("nobody waits");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_told_by_file() {
        let wrong = |file: &str, content: Option<&str>| {
            let folder = folder();
            match content {
                Some(content) => fs::write(folder.path().join(file), content).expect("written"),
                None => fs::remove_file(folder.path().join(file)).expect("removed"),
            }
            LocalEmbedder::load(folder.path()).expect_err(file)
        };
        for file in ["config.json", "tokenizer.json", "model.safetensors"] {
            let error = wrong(file, None);
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains(file), "{error}");
            let error = wrong(file, Some("{}"));
            assert!(error.to_string().contains(file), "{error}");
        }
        assert!(wrong("sentence_bert_config.json", Some("[")).to_string().contains("sentence_bert_config.json"));
    }
}
