//! Stands for `remote.rs` in a build without object storage: there is no bucket that can be reached.

use std::io;

use super::{Bucket, error};
use crate::error::Result;

/// A bucket that can be reached; there is none.
#[derive(Debug)]
pub(super) enum Remote {}

impl Remote {
    pub(super) fn open(bucket: &Bucket) -> Result<Self> {
        let message =
            format!("the bucket s3://{} can't be reached: this weir was built without object storage", bucket.name);
        Err(error(message, Some("build it with the feature `s3`, which is on unless `--no-default-features` is given")))
    }

    pub(super) fn list(&self) -> io::Result<Vec<(String, u64)>> {
        match *self {}
    }

    pub(super) fn read(&self, _: &str) -> io::Result<Vec<u8>> {
        match *self {}
    }

    pub(super) fn write(&self, _: &str, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn create(&self, _: &str, _: &[u8]) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn remove(&self, _: &str) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn hint(&self, _: io::ErrorKind) -> Option<String> {
        match *self {}
    }
}
