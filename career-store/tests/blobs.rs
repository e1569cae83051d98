//! The stores of files against the suite of their port, and their faults.

#![cfg(feature = "blobs")]

#[cfg(feature = "s3")]
mod servers;

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use career_core::{BlobStore, ErrorKind, Sha256Hex, testkit};
use career_store::blobs::Blobs;

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[tokio::test]
async fn memory_keeps_the_contract() {
    testkit::blob::all(&Blobs::memory()).await;
}

#[tokio::test]
async fn behind_a_box_and_an_arc_the_contract_holds() {
    let boxed: Box<dyn BlobStore> = Box::new(Blobs::memory());
    testkit::blob::all(&boxed).await;
    let shared: Arc<dyn BlobStore> = Arc::new(Blobs::memory());
    testkit::blob::all(&shared).await;
}

#[tokio::test]
async fn a_folder_keeps_the_contract() {
    let folder = tempfile::tempdir().expect("a folder");
    testkit::blob::all(&Blobs::folder(folder.path().join("made/on/the/way")).expect("opened")).await;
}

#[tokio::test]
async fn a_prefix_keeps_the_contract_and_apart() {
    let store = Arc::new(object_store::memory::InMemory::new());
    let one = Blobs::over(store.clone(), "one/files").expect("a prefix");
    let two = Blobs::over(store, "two").expect("a prefix");
    let hash = two.put(Bytes::from_static(b"kept apart")).await.expect("kept");
    testkit::blob::all(&one).await;
    assert_eq!(one.get(&hash).await.expect("answered"), None);
    assert!(two.delete(&hash).await.expect("deleted"));

    let bad = Blobs::over(Arc::new(object_store::memory::InMemory::new()), "a/../b").expect_err("not a plain path");
    assert_eq!(bad.kind(), ErrorKind::Invalid);
}

struct Folder {
    folder: tempfile::TempDir,
    blobs: Blobs,
    hash: Sha256Hex,
}

impl Folder {
    async fn with_abc() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::folder(folder.path()).expect("opened");
        let hash = blobs.put(Bytes::from_static(b"abc")).await.expect("kept");
        Folder { folder, blobs, hash }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("ba").join("78").join(ABC)
    }
}

#[tokio::test]
async fn a_folder_is_laid_out_by_hash_and_outlives_the_store() {
    let there = Folder::with_abc().await;
    assert_eq!(std::fs::read(there.file()).expect("the file"), b"abc");
    let again = Blobs::folder(there.folder.path()).expect("opened");
    assert_eq!(again.get(&there.hash).await.expect("answered").as_deref(), Some(b"abc".as_slice()));
}

#[tokio::test]
async fn a_damaged_file_is_corrupt_until_it_is_put_again() {
    let there = Folder::with_abc().await;
    for damaged in [b"abd".as_slice(), b"ab", b""] {
        std::fs::write(there.file(), damaged).expect("written");
        let error = there.blobs.get(&there.hash).await.expect_err("it has another hash");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
    }
    there.blobs.put(Bytes::from_static(b"abc")).await.expect("kept");
    assert_eq!(there.blobs.get(&there.hash).await.expect("mended").as_deref(), Some(b"abc".as_slice()));
}

#[tokio::test]
async fn what_a_crash_left_aside_is_in_nobodys_way() {
    let there = Folder::with_abc().await;
    let part = there.file().with_file_name(format!("{ABC}#1"));
    std::fs::remove_file(there.file()).expect("removed");
    std::fs::write(&part, b"a").expect("written");
    assert_eq!(there.blobs.get(&there.hash).await.expect("answered"), None);
    there.blobs.put(Bytes::from_static(b"abc")).await.expect("kept");
    assert_eq!(there.blobs.get(&there.hash).await.expect("answered").as_deref(), Some(b"abc".as_slice()));
}

#[tokio::test]
async fn a_folder_that_is_a_file_is_an_error_of_io() {
    let there = Folder::with_abc().await;
    assert_eq!(Blobs::folder(there.file()).expect_err("a file").kind(), ErrorKind::Io);
    let other = tempfile::tempdir().expect("a folder");
    let blobs = Blobs::folder(other.path()).expect("opened");
    std::fs::write(other.path().join("ba"), b"a file where a folder must be").expect("written");
    let error = blobs.put(Bytes::from_static(b"abc")).await.expect_err("it cannot be written");
    assert_eq!(error.kind(), ErrorKind::Io, "{error:?}");
}

/// Not even root may make a folder in `/sys`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_may_not_be_written_is_denied() {
    assert_eq!(Blobs::folder("/sys/career").expect_err("not allowed").kind(), ErrorKind::Denied);
    let blobs = Blobs::folder("/sys").expect("it is there");
    let error = blobs.put(Bytes::from_static(b"abc")).await.expect_err("not allowed");
    assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
}

#[cfg(feature = "s3")]
mod s3 {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use career_core::{Id, User};
    use career_store::blobs::S3Options;
    use object_store::aws::AmazonS3Builder;

    use super::*;

    fn options(endpoint: &str, bucket: &str) -> S3Options {
        S3Options::new(bucket).with_endpoint(endpoint).with_http().with_key("key", "hush")
    }

    fn hash() -> Sha256Hex {
        Sha256Hex::new(ABC).expect("a hash")
    }

    #[tokio::test]
    async fn keeps_the_contract() {
        let Some((endpoint, bucket)) = servers::s3() else { return };
        // Under a prefix: other tests use the bucket too.
        let store = AmazonS3Builder::new()
            .with_endpoint(endpoint)
            .with_bucket_name(bucket)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_access_key_id("key")
            .with_secret_access_key("hush")
            .build()
            .expect("options that fit");
        let blobs = Blobs::over(Arc::new(store), &format!("test-{}", Id::<User>::new())).expect("a prefix");
        testkit::blob::all(&blobs).await;
    }

    #[tokio::test]
    async fn opens_by_its_options() {
        let Some((endpoint, bucket)) = servers::s3() else { return };
        let blobs = Blobs::s3(&options(&endpoint, &bucket)).expect("opened");
        let content = Bytes::from(Id::<User>::new().to_string());
        let hash = blobs.put(content.clone()).await.expect("kept");
        assert_eq!(blobs.get(&hash).await.expect("answered"), Some(content));
        assert!(blobs.delete(&hash).await.expect("deleted"));
        assert!(!blobs.delete(&hash).await.expect("deleted"));
    }

    #[tokio::test]
    async fn a_missing_bucket_is_not_found() {
        let Some((endpoint, _)) = servers::s3() else { return };
        let blobs = Blobs::s3(&options(&endpoint, "no-such-bucket")).expect("opened");
        let results = [
            blobs.put(Bytes::from_static(b"abc")).await.map(drop),
            blobs.get(&hash()).await.map(drop),
            blobs.delete(&hash()).await.map(drop),
        ];
        for result in results {
            assert_eq!(result.expect_err("there is no bucket").kind(), ErrorKind::NotFound);
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_there_is_unavailable() {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let blobs = Blobs::s3(&options(&format!("http://{address}"), "b")).expect("opened");
        let error = blobs.get(&hash()).await.expect_err("nobody is there");
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
        assert!(!format!("{error:?}{blobs:?}").contains("hush"));
    }

    #[tokio::test]
    async fn what_the_server_says_has_a_meaning() {
        for (status, kind) in [
            ("503 Slow Down", ErrorKind::Unavailable),
            ("429 Too Many Requests", ErrorKind::Unavailable),
            ("403 Forbidden", ErrorKind::Denied),
            ("401 Unauthorized", ErrorKind::Denied),
            ("400 Bad Request", ErrorKind::Io),
        ] {
            let blobs = Blobs::s3(&options(&answers(status), "b")).expect("opened");
            assert_eq!(blobs.get(&hash()).await.expect_err(status).kind(), kind, "{status}");
        }
    }

    #[test]
    fn options_are_checked_and_hide_the_secret() {
        let plain = S3Options::new("b").with_endpoint("http://127.0.0.1:1").with_key("key", "hush");
        assert_eq!(Blobs::s3(&plain).expect_err("not allowed").kind(), ErrorKind::Invalid);
        assert!(!format!("{plain:?}").contains("hush"));
        assert_eq!(Blobs::s3(&S3Options::new("")).expect_err("no bucket").kind(), ErrorKind::Invalid);
    }

    /// The address of a server that gives every request this answer.
    fn answers(status: &'static str) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let head = BufReader::new(stream.try_clone().expect("a handle")).lines().map_while(Result::ok);
                head.take_while(|line| !line.is_empty()).for_each(drop);
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                stream.write_all(answer.as_bytes()).expect("answered");
            }
        });
        format!("http://{address}")
    }
}
