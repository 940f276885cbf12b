//! Where a pipeline's checkpoints are: a folder, or objects of a bucket whose names start the same.
//!
//! In comes what was written; out goes a [`Location`], or what is wrong with it. Nothing is reached here, and
//! keys to a store never stand in a location.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// How long a request to an object store is made again where nothing is said.
const RETRY: Duration = Duration::from_secs(30);

/// Where checkpoints are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// In a folder.
    Folder(PathBuf),
    /// In object storage that speaks S3.
    Bucket(Bucket),
}

/// Objects of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// What the objects' names start with, without slashes around it; empty for all of the bucket.
    pub prefix: String,
    /// The server, as a URL; otherwise that of the environment, or Amazon's.
    pub endpoint: Option<String>,
    /// The region; otherwise that of the environment.
    pub region: Option<String>,
    /// How long a request that fails is made again.
    pub retry: Duration,
}

/// What is wrong with what was written, and what would be right.
pub type Wrong = (String, &'static str);

/// What stands in front of the name of a store that is no folder.
const S3: &str = "s3://";

/// Whether a text names a store, and no folder.
pub fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| scheme.bytes().all(|b| b.is_ascii_alphanumeric()))
}

impl Bucket {
    /// The bucket that a URL names.
    pub fn parse(url: &str) -> Result<Self, Wrong> {
        let hint = "write `s3://BUCKET/PREFIX`";
        let Some(rest) = url.strip_prefix(S3) else {
            let scheme = url.split("://").next().unwrap_or_default();
            return Err((format!("checkpoints can't be kept in `{scheme}://`"), hint));
        };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if name.contains(['@', ':']) {
            // Not shown: what stands there may be a secret.
            return Err((
                "keys to a store don't stand in a pipeline file".into(),
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, and write `s3://BUCKET/PREFIX`",
            ));
        }
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if name.is_empty() || !name.bytes().all(fits) {
            return Err((format!("`{name}` is no name of a bucket"), hint));
        }
        let prefix = prefix.trim_matches('/').to_owned();
        if prefix.split('/').any(|part| matches!(part, "." | "..")) || prefix.contains("//") {
            return Err((format!("`{prefix}` does not name one place in a bucket"), hint));
        }
        Ok(Self { name: name.to_owned(), prefix, endpoint: None, region: None, retry: RETRY })
    }

    /// With a server other than Amazon's.
    pub fn at(mut self, endpoint: Option<String>) -> Result<Self, Wrong> {
        if let Some(endpoint) = &endpoint {
            let Some((_, rest)) = endpoint.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))
            else {
                return Err(("an endpoint is a URL".into(), "write `https://HOST` or `http://HOST:PORT`"));
            };
            if rest.contains('@') {
                return Err((
                    "keys to a store don't stand in a pipeline file".into(),
                    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
                ));
            }
        }
        self.endpoint = endpoint;
        Ok(self)
    }

    /// An object's name in the bucket.
    #[cfg_attr(not(feature = "s3"), expect(dead_code, reason = "nothing is reached without the feature"))]
    pub(super) fn key(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }
}

impl From<PathBuf> for Location {
    fn from(path: PathBuf) -> Self {
        Self::Folder(path)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Bucket(Bucket { name, prefix, .. }) if prefix.is_empty() => write!(f, "{S3}{name}"),
            Self::Bucket(Bucket { name, prefix, .. }) => write!(f, "{S3}{name}/{prefix}"),
        }
    }
}

impl Location {
    /// Something in it, as errors call it.
    pub(super) fn show(&self, name: &str) -> String {
        match self {
            Self::Folder(path) => path.join(name).display().to_string(),
            Self::Bucket(_) => format!("{self}/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_a_bucket_and_a_prefix() {
        let of = |url: &str| Bucket::parse(url).map(|b| (b.name, b.prefix));
        let is = |name: &str, prefix: &str| Ok((name.to_owned(), prefix.to_owned()));
        assert_eq!(of("s3://flights"), is("flights", ""));
        assert_eq!(of("s3://flights/"), is("flights", ""));
        assert_eq!(of("s3://my.flights-1/daily/eu/"), is("my.flights-1", "daily/eu"));
        for wrong in ["s3://", "s3:///x", "s3://a b/x", "s3://b/../x", "s3://b/x//y", "gs://b/x"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(is_url("gs://b") && is_url("s3://b") && !is_url("checkpoints/") && !is_url("./a://b"));
    }

    #[test]
    fn keys_are_refused_and_not_shown() {
        let (message, _) = Bucket::parse("s3://KEY:SECRET@flights/x").unwrap_err();
        assert!(!message.contains("SECRET"), "{message}");
        let bucket = Bucket::parse("s3://flights/x").unwrap();
        let (message, _) = bucket.clone().at(Some("https://KEY:SECRET@host".into())).unwrap_err();
        assert!(!message.contains("SECRET"), "{message}");
        assert!(bucket.clone().at(Some("127.0.0.1:9000".into())).is_err());
        assert!(bucket.at(Some("http://127.0.0.1:9000".into())).is_ok());
    }

    #[test]
    fn it_is_shown_as_it_is_written() {
        let location = Location::Bucket(Bucket::parse("s3://flights/daily/").unwrap());
        assert_eq!(location.to_string(), "s3://flights/daily");
        assert_eq!(location.show("lock"), "s3://flights/daily/lock");
        assert_eq!(Location::from(PathBuf::from("checkpoints")).show("lock"), "checkpoints/lock");
    }
}
