//! An archive in an object store: a cloud's, or a WebDAV server.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::StoreError;
use super::clients;
use super::web_dav::WebDav;
use crate::location::{ObjectStoreKind, ObjectStoreLocation};
use crate::name::FileKey;
use crate::read::FILE_BYTES_MAX;
use crate::variables::Variables;

/// A bucket, container or server, and the prefix of all names in it.
#[derive(Debug)]
pub struct Bucket {
    objects: Arc<dyn ObjectStore>,
    /// Present if the store itself does not promise that a file appears whole or not at all.
    web_dav: Option<WebDav>,
    prefix: Path,
    /// What may be missing if the store refuses.
    hint: Option<String>,
}

impl Bucket {
    pub(super) fn open(location: &ObjectStoreLocation, variables: &Variables) -> Result<Self, StoreError> {
        // Fails if there is a provider already, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let url = location.url.as_str();
        let mut web_dav = None;
        let objects: Arc<dyn ObjectStore> = match location.kind {
            ObjectStoreKind::S3 => Arc::new(clients::s3(url, variables)?),
            ObjectStoreKind::GoogleCloud => Arc::new(clients::google_cloud(url, variables)?),
            ObjectStoreKind::Azure => Arc::new(clients::azure(location, variables)?),
            ObjectStoreKind::WebDav => {
                let options = clients::web_dav_options(url, variables)?;
                web_dav = Some(WebDav::new(url, &options)?);
                Arc::new(clients::web_dav(url, options)?)
            }
        };
        let prefix = Path::parse(&location.prefix).unwrap_or_else(|_| Path::from(location.prefix.as_str()));
        Ok(Self { objects, web_dav, prefix, hint: clients::missing_keys(location.kind, variables) })
    }

    pub(super) async fn put(&self, key: &str, file: Bytes) -> Result<(), StoreError> {
        let path = self.path(key);
        let Some(web_dav) = &self.web_dav else {
            self.objects.put(&path, file.into()).await.map_err(|error| self.failed(error))?;
            return Ok(());
        };
        let part = self.path(&part_of(key));
        self.objects.put(&part, file.into()).await.map_err(|error| self.failed(error))?;
        web_dav.rename(&part, &path).await
    }

    pub(super) async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let object = self.objects.get(&self.path(key)).await.map_err(|error| self.failed(error))?;
        if object.meta.size > FILE_BYTES_MAX as u64 {
            return Err(StoreError::TooLarge(key.to_owned()));
        }
        object.bytes().await.map_err(|error| self.failed(error))
    }

    pub(super) async fn keys(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        let mut days = Vec::new();
        // Directory by directory, which needs no stream.
        for agent in self.list(&self.prefix).await?.common_prefixes {
            days.extend(self.list(&agent).await?.common_prefixes);
        }
        for day in days {
            let files = self.list(&day).await?.objects;
            keys.extend(files.iter().filter_map(|file| self.key(&file.location)));
        }
        keys.retain(|key| FileKey::parse(key).is_some());
        keys.sort();
        Ok(keys)
    }

    async fn list(&self, path: &Path) -> Result<object_store::ListResult, StoreError> {
        self.objects.list_with_delimiter(Some(path)).await.map_err(|error| self.failed(error))
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.objects.delete(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            result => result.map_err(|error| self.failed(error)),
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

    fn failed(&self, error: object_store::Error) -> StoreError {
        use object_store::Error::{Generic, PermissionDenied, Unauthenticated};
        let is_about_keys = match error {
            PermissionDenied { .. } | Unauthenticated { .. } => true,
            // The service of a cloud that has keys cannot be reached.
            Generic { .. } => self.web_dav.is_none(),
            _ => false,
        };
        let message = super::in_words(&error);
        match &self.hint {
            Some(hint) if is_about_keys => StoreError::Object(format!("{message} ({hint})")),
            _ => StoreError::Object(message),
        }
    }
}

/// The key of a file that is not yet whole. Another attempt writes the same one again.
fn part_of(key: &str) -> String {
    let (directory, name) = key.rsplit_once('/').unwrap_or(("", key));
    format!("{directory}/.{name}.part")
}
