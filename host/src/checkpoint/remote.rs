//! The objects of a bucket, in a store that speaks S3.
//!
//! Where it is and who may use it stands in the environment (`AWS_..`, as `object_store` reads it); what the
//! pipeline file says of the server goes before. A request that fails in a way that may pass is made again, for a
//! time that has a bound; then it is an error with the server, the bucket, the object and what was answered.

use std::env;
use std::error::Error as _;
use std::io::{self, ErrorKind};
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::ClientConfigKey;
use object_store::path::Path;
use object_store::{
    BackoffConfig, Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutPayload, RetryConfig,
    WriteMultipart,
};
use tokio::runtime::{Builder, Runtime};

use super::{Bucket, error, io_error};
use crate::error::Result;

/// How long an answer may take, and each piece of it.
const ANSWER: &str = "20s";

/// How long all of a large object may take, from the request to its last byte.
const WHOLE: &str = "1h";

/// Objects above this go in pieces of this size, so that a slow line is no silence.
const PIECE_BYTES: usize = 16 << 20;

/// Pieces that are on their way at once.
const PIECES: usize = 4;

/// A bucket that can be reached.
#[derive(Debug)]
pub(super) struct Remote {
    bucket: Bucket,
    /// Where requests go, for who reads an error.
    server: String,
    has_keys: bool,
    client: AmazonS3,
    runtime: Runtime,
}

impl Remote {
    /// Makes ready to reach a bucket; nothing is sent.
    pub(super) fn open(bucket: &Bucket) -> Result<Self> {
        crate::tls::start();
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(&bucket.name);
        if let Some(endpoint) = &bucket.endpoint {
            builder = builder.with_endpoint(endpoint).with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
        }
        if let Some(region) = &bucket.region {
            builder = builder.with_region(region);
        }
        for (name, key, value) in [
            ("AWS_READ_TIMEOUT", ClientConfigKey::ReadTimeout, ANSWER),
            ("AWS_TIMEOUT", ClientConfigKey::Timeout, WHOLE),
        ] {
            if env::var_os(name).is_none() {
                builder = builder.with_config(AmazonS3ConfigKey::Client(key), value);
            }
        }
        let said = |key| builder.get_config_value(&key);
        let endpoint = said(AmazonS3ConfigKey::S3Endpoint).or_else(|| said(AmazonS3ConfigKey::Endpoint));
        let server = endpoint.unwrap_or_else(|| {
            format!("Amazon S3, {}", said(AmazonS3ConfigKey::Region).unwrap_or_else(|| "us-east-1".into()))
        });
        if server.contains('@') {
            return Err(error("keys to a store don't stand in its endpoint", Some(KEYS)));
        }
        let plain =
            said(AmazonS3ConfigKey::Client(ClientConfigKey::AllowHttp)).is_some_and(|allowed| allowed == "true");
        if server.starts_with("http://") && !plain {
            let hint = "AWS_ALLOW_HTTP=true allows it, for a server that is near; otherwise use https";
            return Err(error(format!("{server} can be read along: it is not encrypted"), Some(hint)));
        }
        let has_keys = said(AmazonS3ConfigKey::AccessKeyId).is_some();
        let retry = RetryConfig {
            // The time is what bounds it.
            max_retries: 10_000,
            retry_timeout: bucket.retry,
            backoff: BackoffConfig { max_backoff: Duration::from_secs(2), ..BackoffConfig::default() },
        };
        let failed = |e: String| error(format!("the bucket s3://{} can't be reached: {e}", bucket.name), None);
        let client = builder.with_retry(retry).build().map_err(|e| failed(said_of(&e)))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|e| io_error("the bucket can't be reached", e))?;
        Ok(Self { bucket: bucket.clone(), server, has_keys, client, runtime })
    }

    fn path(&self, name: &str) -> Path {
        Path::from(self.bucket.key(name))
    }

    fn failed(&self, error: StoreError) -> io::Error {
        let kind = match &error {
            StoreError::NotFound { .. } => ErrorKind::NotFound,
            StoreError::AlreadyExists { .. } => ErrorKind::AlreadyExists,
            StoreError::PermissionDenied { .. } | StoreError::Unauthenticated { .. } => ErrorKind::PermissionDenied,
            _ => ErrorKind::Other,
        };
        io::Error::new(kind, format!("{}: {}", self.server, said_of(&error)))
    }

    /// The names of the objects, in their order, with their lengths.
    pub(super) fn list(&self) -> io::Result<Vec<(String, u64)>> {
        let prefix = Some(Path::from(self.bucket.prefix.as_str())).filter(|p| !p.as_ref().is_empty());
        let listed = self.runtime.block_on(self.client.list_with_delimiter(prefix.as_ref()));
        let objects = listed.map_err(|e| self.failed(e))?.objects;
        let named = |object: &ObjectMeta| Some((object.location.filename()?.to_owned(), object.size));
        let mut names: Vec<(String, u64)> = objects.iter().filter_map(named).collect();
        names.sort_unstable();
        Ok(names)
    }

    pub(super) fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let path = self.path(name);
        let read = self.runtime.block_on(async { self.client.get(&path).await?.bytes().await });
        read.map(Vec::from).map_err(|e| self.failed(e))
    }

    /// Writes an object, in place of what has its name.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let written = self.runtime.block_on(async {
            if bytes.len() <= PIECE_BYTES {
                return self.client.put(&path, PutPayload::from(bytes.to_vec())).await.map(drop);
            }
            let mut upload = WriteMultipart::new_with_chunk_size(self.client.put_multipart(&path).await?, PIECE_BYTES);
            for piece in bytes.chunks(PIECE_BYTES) {
                if let Err(e) = upload.wait_for_capacity(PIECES).await {
                    // Pieces that are left would be paid for. What was wrong may keep them from going as well.
                    drop(upload.abort().await);
                    return Err(e);
                }
                upload.write(piece);
            }
            upload.finish().await.map(drop)
        });
        written.map_err(|e| self.failed(e))
    }

    /// Writes an object, unless one has its name.
    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let payload = PutPayload::from(bytes.to_vec());
        let made = self.runtime.block_on(self.client.put_opts(&self.path(name), payload, PutMode::Create.into()));
        made.map(drop).map_err(|e| self.failed(e))
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match self.runtime.block_on(self.client.delete(&self.path(name))) {
            Ok(()) | Err(StoreError::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.failed(e)),
        }
    }

    /// What would help where an operation failed.
    pub(super) fn hint(&self, kind: ErrorKind) -> Option<String> {
        match kind {
            ErrorKind::NotFound => Some(format!(
                "weir makes no buckets: is there `{}`, in this region and at this server?",
                self.bucket.name
            )),
            ErrorKind::PermissionDenied => Some(KEYS.to_owned()),
            ErrorKind::Other if !self.has_keys => Some(KEYS.to_owned()),
            _ => None,
        }
    }
}

const KEYS: &str = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who asks; they have to be allowed to list, read, write \
                    and delete there";

/// What went wrong, in a line: what was asked, and what was answered or kept it from arriving.
fn said_of(error: &StoreError) -> String {
    // What the crate wraps around it names neither the server nor the bucket.
    let inner = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    let mut text = in_a_line(&inner);
    let last = std::iter::successors(error.source(), |e| (**e).source()).last().map(ToString::to_string);
    if let Some(last) = last.filter(|last| !inner.contains(last.as_str())) {
        text = format!("{text}: {}", in_a_line(&last));
    }
    text
}

/// A text in a line; of an answer in XML its code and its message.
fn in_a_line(text: &str) -> String {
    let within = |tag: &str| {
        let (_, rest) = text.split_once(&format!("<{tag}>"))?;
        Some(rest.split_once(&format!("</{tag}>"))?.0)
    };
    let text = match (text.find("<?xml").or_else(|| text.find("<Error")), within("Code")) {
        (Some(start), Some(code)) => {
            let message = within("Message").map_or_else(String::new, |message| format!(" ({message})"));
            format!("{} {code}{message}", text[..start].trim_end())
        }
        _ => text.to_owned(),
    };
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_line() {
        let xml = "status code: 404 Not Found: <?xml version=\"1.0\"?>\n<Error>\n  <Code>NoSuchBucket</Code>\n  \
                   <Message>The bucket\ndoes not exist</Message><BucketName>b</BucketName></Error>";
        assert_eq!(in_a_line(xml), "status code: 404 Not Found: NoSuchBucket (The bucket does not exist)");
        assert_eq!(in_a_line("a  b\nc"), "a b c");
    }

    #[test]
    fn a_server_that_is_not_encrypted_has_to_be_allowed() {
        let bucket = Bucket::parse("s3://b/x").unwrap().at(Some("http://127.0.0.1:9".into())).unwrap();
        let error = Remote::open(&bucket).expect_err("nobody has allowed it");
        assert_eq!(error.exit_code(), 10);
        assert!(error.to_string().contains("http://127.0.0.1:9"), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("AWS_ALLOW_HTTP")), "{error:?}");
    }
}
