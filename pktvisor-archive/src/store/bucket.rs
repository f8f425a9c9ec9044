//! An archive in an object store that speaks the protocol of Amazon S3.

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, ObjectStoreExt, RetryConfig};

use super::StoreError;
use crate::name::FileKey;
use crate::read::FILE_BYTES_MAX;

/// How long one request may take. The archive repeats it later.
const REQUEST_TIMEOUT: &str = "20 seconds";
const CONNECT_TIMEOUT: &str = "5 seconds";

/// A bucket, and the prefix of all names in it.
#[derive(Debug)]
pub struct Bucket {
    objects: AmazonS3,
    prefix: Path,
}

impl Bucket {
    pub(super) fn open(bucket: &str, prefix: &str) -> Result<Self, StoreError> {
        // Fails if there is a provider already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // AWS_ENDPOINT_URL, AWS_REGION, AWS_ALLOW_HTTP, and the keys or the service that has them.
        let objects = AmazonS3Builder::from_env()
            .with_bucket_name(bucket)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::Timeout), REQUEST_TIMEOUT)
            .with_config(AmazonS3ConfigKey::Client(ClientConfigKey::ConnectTimeout), CONNECT_TIMEOUT)
            // The archive repeats by itself, and a roll-up can be repeated.
            .with_retry(RetryConfig { max_retries: 1, ..RetryConfig::default() })
            .build()?;
        Ok(Self { objects, prefix: Path::from(prefix) })
    }

    pub(super) async fn put(&self, key: &str, file: Bytes) -> Result<(), StoreError> {
        self.objects.put(&self.path(key), file.into()).await?;
        Ok(())
    }

    pub(super) async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let object = self.objects.get(&self.path(key)).await?;
        if object.meta.size > FILE_BYTES_MAX as u64 {
            return Err(StoreError::TooLarge(key.to_owned()));
        }
        Ok(object.bytes().await?)
    }

    pub(super) async fn keys(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        let mut days = Vec::new();
        // Directory by directory, which needs no stream.
        let agents = self.objects.list_with_delimiter(Some(&self.prefix)).await?;
        for agent in agents.common_prefixes {
            days.extend(self.objects.list_with_delimiter(Some(&agent)).await?.common_prefixes);
        }
        for day in days {
            let files = self.objects.list_with_delimiter(Some(&day)).await?.objects;
            keys.extend(files.iter().filter_map(|file| self.key(&file.location)));
        }
        keys.retain(|key| FileKey::parse(key).is_some());
        keys.sort();
        Ok(keys)
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.objects.delete(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            result => Ok(result?),
        }
    }

    fn path(&self, key: &str) -> Path {
        // Keys have no characters that a path would escape, but `=`.
        let prefix = self.prefix.as_ref();
        Path::parse(if prefix.is_empty() { key.to_owned() } else { format!("{prefix}/{key}") })
            .unwrap_or_else(|_| Path::from(key))
    }

    fn key(&self, path: &Path) -> Option<String> {
        let parts = path.prefix_match(&self.prefix)?;
        Some(parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/"))
    }
}
